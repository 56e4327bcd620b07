//! Puts the parts of a parcel together. There is room for one parcel of bounded length; another one takes its place.

use super::parcel::{ParcelHead, ParcelPart};

/// A parcel of which parts are missing.
#[derive(Clone, Debug, Default)]
pub struct Assembly {
    pending: Option<PendingParcel>,
}

/// The parts that have come.
#[derive(Clone, Debug)]
struct PendingParcel {
    head: ParcelHead,
    parts: Vec<Option<Vec<u8>>>,
}

impl Assembly {
    /// Adds a part, in any order. Returns the body once it is whole.
    pub fn take(&mut self, part: &ParcelPart<'_>) -> Option<Vec<u8>> {
        if part.parts == 1 {
            return Some(part.body.to_vec());
        }
        let count = usize::from(part.parts);
        if self.pending.as_ref().is_none_or(|pending| pending.head != part.head || pending.parts.len() != count) {
            self.pending = Some(PendingParcel { head: part.head.clone(), parts: vec![None; count] });
        }
        let pending = self.pending.as_mut()?;
        *pending.parts.get_mut(usize::from(part.part))? = Some(part.body.to_vec());
        if pending.parts.iter().any(Option::is_none) {
            return None;
        }
        let whole = self.pending.take()?;
        Some(whole.parts.into_iter().flatten().flatten().collect())
    }
}
