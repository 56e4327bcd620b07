//! The references of a playlist, one after the other in one text. A segment keeps a span of it, which is a third of a
//! string and takes no allocation.

/// A part of a [`Text`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TextSpan {
    start: u32,
    length: u32,
}

/// The text that spans are parts of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text(Box<str>);

impl Text {
    /// Returns the text of a span that [`TextBuilder`] made.
    pub(super) fn get(&self, span: TextSpan) -> &str {
        let start = span.start as usize;
        self.0.get(start..start + span.length as usize).unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// A text that grows.
#[derive(Debug, Default)]
pub(super) struct TextBuilder(String);

impl TextBuilder {
    /// Appends a text. One that would not fit into 4 GiB is left empty; readers refuse such manifests long before.
    pub(super) fn push(&mut self, text: &str) -> TextSpan {
        let (Ok(start), Ok(length)) = (u32::try_from(self.0.len()), u32::try_from(text.len())) else {
            return TextSpan::default();
        };
        self.0.push_str(text);
        TextSpan { start, length }
    }

    pub(super) fn build(self) -> Text {
        Text(self.0.into_boxed_str())
    }
}
