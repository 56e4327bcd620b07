//! Variables: their names, shared by all users of a plan, and each user's values.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Number of a variable's name, dense from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VariableId(pub u32);

/// Every variable name of a plan, numbered in the order of first use. Names are never removed.
#[derive(Clone, Debug, Default)]
pub struct VariableNames {
    names: Vec<Arc<str>>,
    ids: HashMap<Arc<str>, VariableId>,
}

impl VariableNames {
    /// Returns the number of a name, and adds a name that is new.
    pub fn intern(&mut self, name: &str) -> VariableId {
        if let Some(id) = self.lookup(name) {
            return id;
        }
        let name: Arc<str> = name.into();
        let id = VariableId(u32::try_from(self.names.len()).expect("memory ends before 2^32 names"));
        self.names.push(Arc::clone(&name));
        self.ids.insert(name, id);
        id
    }

    /// Returns the number of a name, if it has one.
    pub fn lookup(&self, name: &str) -> Option<VariableId> {
        self.ids.get(name).copied()
    }

    /// Returns the name of a number.
    ///
    /// # Panics
    /// If no name has it.
    pub fn name(&self, id: VariableId) -> &str {
        &self.names[id.0 as usize]
    }

    /// Iterates over all names in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (VariableId, &str)> {
        (0..).map(VariableId).zip(self.names.iter().map(|name| &**name))
    }
}

/// One user's values. Uses no heap memory until the first is set.
#[derive(Clone, Default)]
pub struct Variables(Vec<Option<String>>);

impl Variables {
    /// Returns the value, if it is set.
    pub fn get(&self, id: VariableId) -> Option<&str> {
        self.0.get(id.0 as usize)?.as_deref()
    }

    /// Removes a value.
    pub fn unset(&mut self, id: VariableId) {
        if let Some(slot) = self.0.get_mut(id.0 as usize) {
            *slot = None;
        }
    }

    /// Sets a value; setting one again reuses its memory.
    pub fn set(&mut self, id: VariableId, value: &str) {
        let index = id.0 as usize;
        if self.0.len() <= index {
            self.0.resize(index + 1, None);
        }
        let slot = self.0[index].get_or_insert_default();
        slot.clear();
        slot.push_str(value);
    }
}

/// Shows the number of values and no value: one may be a token.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = self.0.iter().filter(|slot| slot.is_some()).count();
        f.debug_struct("Variables").field("set", &set).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_numbers() {
        let mut names = VariableNames::default();
        let (a, b) = (names.intern("a"), names.intern("b"));
        assert_eq!((names.intern("a"), names.lookup("b"), names.lookup("c")), (a, Some(b), None));
        assert_eq!(names.iter().collect::<Vec<_>>(), [(VariableId(0), "a"), (VariableId(1), "b")]);
    }

    #[test]
    fn values_are_unset_until_set() {
        let mut values = Variables::default();
        let id = VariableId(3);
        assert_eq!(values.get(id), None);
        assert_eq!(values.0.capacity(), 0, "nothing is kept for a user who sets nothing");
        values.set(id, "first and longer");
        values.set(id, "second");
        assert_eq!((values.get(id), values.get(VariableId(0))), (Some("second"), None));
    }

    #[test]
    fn debug_shows_no_value() {
        let mut values = Variables::default();
        values.set(VariableId(1), "hunter2");
        assert_eq!(format!("{values:?}"), "Variables { set: 1, .. }");
    }
}
