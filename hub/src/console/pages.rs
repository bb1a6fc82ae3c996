//! The page that says why there is none.

use maud::{Markup, html};

use super::frame::{Frame, Tab};
use super::language::Language;

/// A page that says why there is none.
pub(super) fn trouble(words: &str) -> Markup {
    let body = html! {
        h1 { "Halaman ini tidak bisa dibuka" }
        p { (words) }
        p { a href="/" { "Kembali ke daftar desa" } }
    };
    Frame::outside(Language::default(), "Tidak bisa dibuka", Tab::None).page(&body)
}
