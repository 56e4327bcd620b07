//! The content and the credentials of prepared requests, and the form in which they are rendered.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use url::form_urlencoded::byte_serialize;

use super::target_pattern::render_form_value;
use crate::template::{RenderContext, Template};
use crate::user::RequestScratch;

/// The content of a request.
pub(crate) enum PreparedBody {
    /// Fixed bytes.
    Fixed(Bytes),
    /// A text that is rendered for each request.
    Rendered(Template),
    /// A form of rendered values; the names are encoded.
    Form(Vec<(String, Template)>),
}

/// The credentials of a request.
pub(crate) enum PreparedCredentials {
    /// User and password.
    Basic(Template, Template),
    /// A token.
    Bearer(Template),
}

impl PreparedBody {
    /// Returns the content that a template makes.
    pub(crate) fn text(template: Template) -> Self {
        match template.constant() {
            Some(text) => Self::Fixed(Bytes::copy_from_slice(text.as_bytes())),
            None => Self::Rendered(template),
        }
    }

    /// Returns the content that a form makes.
    pub(crate) fn form(mut pairs: Vec<(String, Template)>) -> Self {
        pairs.iter_mut().for_each(|(name, _)| *name = byte_serialize(name.as_bytes()).collect());
        Self::Form(pairs)
    }

    /// Renders the content as a part, unless it is fixed.
    pub(super) fn render(&self, values: &mut RenderContext<'_>, scratch: &mut RequestScratch) {
        match self {
            Self::Fixed(_) => return,
            Self::Rendered(template) => template.render(values, &mut scratch.text),
            Self::Form(pairs) => {
                for (index, (name, template)) in pairs.iter().enumerate() {
                    scratch.text.push_str(if index > 0 { "&" } else { "" });
                    scratch.text.push_str(name);
                    scratch.text.push('=');
                    render_form_value(template, values, scratch);
                }
            }
        }
        scratch.end_part();
    }

    /// Returns the content: the next part, unless it is fixed.
    pub(super) fn bytes(&self, parts: &mut impl Iterator<Item = Bytes>) -> Bytes {
        match self {
            Self::Fixed(bytes) => bytes.clone(),
            Self::Rendered(_) | Self::Form(_) => parts.next().unwrap_or_default(),
        }
    }
}

impl PreparedCredentials {
    /// Renders the value of the field `authorization`.
    pub(super) fn render(&self, values: &mut RenderContext<'_>, scratch: &mut RequestScratch) {
        match self {
            Self::Bearer(token) => {
                scratch.text.push_str("Bearer ");
                token.render(values, &mut scratch.text);
            }
            Self::Basic(user, password) => {
                scratch.plain.clear();
                user.render(values, &mut scratch.plain);
                scratch.plain.push(':');
                password.render(values, &mut scratch.plain);
                scratch.text.push_str("Basic ");
                STANDARD.encode_string(&scratch.plain, &mut scratch.text);
            }
        }
    }
}
