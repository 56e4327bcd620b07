//! Diagnostics as text.
use super::Diagnostics;
/// Renders.
pub fn render(_d: &Diagnostics, _color: bool) -> String {
    String::new()
}
