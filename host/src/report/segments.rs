//! The line about the segments that a report is of.

use super::settings::RunSegments;

/// Names the segments in the report and those that are missing; `None` if the run was not divided.
pub(super) fn line(segments: Option<&RunSegments>) -> Option<String> {
    let segments = segments?;
    let (of, missing) = (segments.of, segments.missing());
    Some(match (segments.included.as_slice(), missing.as_slice()) {
        (_, []) => format!("Segments: all {of}."),
        ([only], _) => format!("Segment {only} of {of}."),
        (included, missing) => {
            format!("Segments: {} of {of}; missing: {}.", included.len(), numbers(missing))
        }
    })
}

/// Lists numbers in ascending order, runs of them as `4 to 9`.
pub(crate) fn numbers(ascending: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &number in ascending {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let run = |&(first, last): &(u32, u32)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first} to {last}"),
    };
    runs.iter().map(run).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_named_in_a_line() {
        let of = |of, included: &[u32]| line(Some(&RunSegments { of, included: included.to_vec() }));
        for (case, shown, expected) in [
            ("one", of(3, &[2]), "Segment 2 of 3."),
            ("all", of(3, &[1, 2, 3]), "Segments: all 3."),
            ("some", of(9, &[1, 3, 9]), "Segments: 3 of 9; missing: 2, 4 to 8."),
            ("pairs", of(6, &[1, 4]), "Segments: 2 of 6; missing: 2, 3, 5, 6."),
        ] {
            assert_eq!(shown.as_deref(), Some(expected), "{case}");
        }
        assert_eq!(line(None), None);
    }
}
