//! Parts of forms that several pages use.

use axum::extract::{Form, FromRequest as _, Request};
use axum::http::{HeaderMap, StatusCode};
use maud::{Markup, html};
use serde::de::DeserializeOwned;

use super::Trouble;
use super::guard;
use crate::access::gate::Visitor;

/// A field of a form.
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) label: &'a str,
    /// The input's type.
    pub(super) kind: &'a str,
    /// What a browser may fill in.
    pub(super) autocomplete: &'a str,
    pub(super) value: &'a str,
    pub(super) required: bool,
    /// A sentence below the field.
    pub(super) hint: Option<&'a str>,
}

impl Default for Field<'_> {
    fn default() -> Self {
        Self {
            name: "",
            label: "",
            kind: "text",
            autocomplete: "off",
            value: "",
            required: true,
            hint: None,
        }
    }
}

impl Field<'_> {
    /// The field with its label.
    pub(super) fn render(&self) -> Markup {
        let note = self.hint.map(|_| format!("{}-ket", self.name));
        html! {
            div class="field" {
                label for=(self.name) { (self.label) }
                input id=(self.name) name=(self.name) type=(self.kind) value=(self.value)
                    autocomplete=(self.autocomplete) required[self.required]
                    autocapitalize="none" spellcheck="false" aria-describedby=[note.as_deref()];
                @if let (Some(hint), Some(note)) = (self.hint, &note) {
                    small id=(note) { (hint) }
                }
            }
        }
    }
}

/// A sentence that says what went wrong.
pub(super) fn alert(words: Option<&str>) -> Markup {
    html! { @if let Some(words) = words { p class="alert" role="alert" { (words) } } }
}

/// The form of a request that comes from an operator or from nobody yet,
/// beside who sent it.
pub(super) async fn read<T: DeserializeOwned>(
    request: Request,
) -> Result<(T, Visitor, HeaderMap), Trouble> {
    let (parts, body) = request.into_parts();
    let (visitor, headers) = (guard::visitor(&parts), parts.headers.clone());
    let form = Form::<T>::from_request(Request::from_parts(parts, body), &()).await;
    let Form(form) = form.map_err(|_| {
        let words = (
            "Isian tidak lengkap. Tidak ada yang diubah.",
            "The form is not complete. Nothing has changed.",
        );
        Trouble::words(StatusCode::BAD_REQUEST, words)
    })?;
    Ok((form, visitor, headers))
}
