//! The identifiers of a template that its representation fills in. Those of a segment, `$Number$` and `$Time$`, stay
//! for the playlist.

use viewer_core::fill_identifiers;

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
    fill_identifiers(template, |name, width| match name {
        // A dollar sign in the identifier itself begins no identifier.
        "RepresentationID" => Some(id.replace('$', "$$")),
        "Bandwidth" => Some(format!("{bandwidth:0width$}")),
        _ => None,
    })
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
