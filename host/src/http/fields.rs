//! The header fields of a request. Most of them are the same for every request of a step, and most others are the
//! user's own. Both parts are shared, so a request that renders nothing copies nothing.

use std::rc::Rc;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

/// One header field.
pub(crate) type Field = (HeaderName, HeaderValue);

/// Header fields in the order they are sent. A field of the request wins over one of the user with the same name.
#[derive(Clone, Default)]
pub struct Fields {
    prepared: Rc<[Field]>,
    rendered: Vec<Field>,
    user: Rc<Vec<Field>>,
}

impl Fields {
    /// Combines fields that were checked before the run with those the user sends with every request.
    pub fn new(prepared: Rc<[Field]>, user: Rc<Vec<Field>>) -> Self {
        Self { prepared, rendered: Vec::new(), user }
    }

    /// Makes room for more fields of the request.
    pub fn reserve(&mut self, more: usize) {
        self.rendered.reserve_exact(more);
    }

    /// Adds a field of the request; a name may occur several times.
    pub fn push(&mut self, name: HeaderName, value: HeaderValue) {
        self.rendered.push((name, value));
    }

    /// Iterates over all fields.
    pub fn iter(&self) -> impl Iterator<Item = &Field> {
        let own = || self.prepared.iter().chain(&self.rendered);
        own().chain(self.user.iter().filter(move |(name, _)| own().all(|(candidate, _)| candidate != name)))
    }

    /// Returns `true` if there is a field of that name.
    #[cfg(test)]
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.get(name).is_some()
    }

    /// Returns the first value of a field.
    pub fn get(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value)
    }

    /// Keeps the fields for which `keep` returns `true`.
    pub fn retain(&mut self, keep: impl Fn(&Field) -> bool) {
        let kept = self.iter().filter(|field| keep(field)).cloned().collect();
        *self = Self { rendered: kept, ..Self::default() };
    }

    /// Returns the fields as HTTP/2 needs them.
    pub fn to_map(&self) -> HeaderMap {
        let mut map = HeaderMap::new();
        self.iter().for_each(|(name, value)| {
            map.append(name, value.clone());
        });
        map
    }
}

impl FromIterator<Field> for Fields {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        Self { rendered: fields.into_iter().collect(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &'static str, value: &'static str) -> Field {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    }

    fn all(fields: &Fields) -> Vec<String> {
        fields.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
    }

    #[test]
    fn the_requests_own_fields_win_over_the_users() {
        let user = Rc::new(vec![field("a", "user"), field("b", "user"), field("c", "user")]);
        let mut fields = Fields::new([field("a", "prepared")].into(), user);
        fields.push(HeaderName::from_static("b"), HeaderValue::from_static("own"));
        fields.push(HeaderName::from_static("b"), HeaderValue::from_static("again"));
        assert_eq!(all(&fields), ["a: prepared", "b: own", "b: again", "c: user"]);
        assert_eq!(fields.get(&HeaderName::from_static("c")).unwrap(), "user");
        assert!(!fields.contains(&HeaderName::from_static("d")));
        assert_eq!(fields.to_map().len(), 4);
        fields.retain(|(name, _)| name != "b");
        assert_eq!(all(&fields), ["a: prepared", "c: user"]);
    }
}
