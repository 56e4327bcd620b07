//! The identifiers of a template that its representation fills in. Those of a segment, `$Number$` and `$Time$`, stay
//! for the playlist.

use std::fmt::Write as _;

use super::placement::PlacedRepresentation;

/// Returns a template of segments, of one representation.
pub(super) fn media(template: &str, representation: &PlacedRepresentation) -> String {
    fill(template, &representation.id, representation.bandwidth)
}

/// Returns the reference of an initialization segment.
pub(super) fn initialization(template: &str, representation: &PlacedRepresentation) -> String {
    fill(template, &representation.id, representation.bandwidth).replace("$$", "$")
}

fn fill(template: &str, id: &str, bandwidth: u64) -> String {
    let mut filled = String::with_capacity(template.len() + id.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        let Some((identifier, next)) = after.split_once('$') else {
            filled.push('$');
            rest = after;
            continue;
        };
        let (name, format) = identifier.split_once('%').unwrap_or((identifier, ""));
        let width = width(format);
        // Writing into a string cannot fail.
        let _ = match name {
            // A dollar sign in the identifier itself begins no identifier.
            "RepresentationID" => write!(filled, "{}", id.replace('$', "$$")),
            "Bandwidth" => write!(filled, "{bandwidth:0width$}"),
            _ => write!(filled, "${identifier}$"),
        };
        rest = next;
    }
    filled.push_str(rest);
    filled
}

/// Returns the width of `05d`; at most 32, since a server would reject more.
fn width(format: &str) -> usize {
    format.strip_suffix('d').and_then(|digits| digits.parse().ok()).map_or(1, |width: usize| width.clamp(1, 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_of_the_representation_are_filled_in() {
        for (template, filled) in [
            ("$RepresentationID$/$Number%05d$.m4s", "a$$b/$Number%05d$.m4s"),
            ("$Bandwidth$/$Bandwidth%08d$/$Time$", "64000/00064000/$Time$"),
            ("$$RepresentationID$$$Bandwidth$", "$$RepresentationID$$64000"),
            ("$Other$$RepresentationID$", "$Other$a$$b"),
            ("open$Bandwidth", "open$Bandwidth"),
            ("", ""),
        ] {
            assert_eq!(fill(template, "a$b", 64_000), filled);
        }
        assert_eq!(fill("$RepresentationID$$$.mp4", "a$b", 0).replace("$$", "$"), "a$b$.mp4");
    }
}
