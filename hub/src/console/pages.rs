//! The page that says why there is none, in the reader's language.
//!
//! Handlers end with [`Trouble`](super::Trouble) and know no language for it;
//! [`in_words`] stands around all of them and writes the page, also for what
//! is refused before a handler runs: a form cut off or too large, an address
//! that can't be read.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::form::Field;
use super::frame::{Frame, Tab};
use super::guard::{self, Viewer};
use super::language::Language;
use super::tile::said;
use super::{ConsoleState, whole};
use crate::words::Words;

/// Writes the page of what went wrong.
pub(super) async fn in_words(
    State(state): State<ConsoleState>,
    request: Request,
    next: Next,
) -> Response {
    let mut asked = HeaderMap::new();
    for name in [header::COOKIE, header::REFERER] {
        for value in request.headers().get_all(&name) {
            asked.append(name.clone(), value.clone());
        }
    }
    let reading = *request.method() == Method::GET;
    let here = request.uri().path_and_query().map(|path| path.as_str().to_owned());
    let mut response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let words = match response.extensions_mut().remove::<Words>() {
        Some(words) => words,
        None if is_speechless(&response) => general(status, reading).into(),
        None => return response,
    };
    // Whoever asked has been noted as there already.
    let viewer = guard::watcher(&asked, &state).await.ok().flatten();
    let before = if reading { here } else { Some(guard::page_before(&asked)) };
    let language = guard::language(&asked);
    let page = trouble(viewer.as_ref(), language, status, &words, before.as_deref(), reading);
    (status, whole(page)).into_response()
}

/// Whether an answer says nothing that a reader of these pages would read:
/// what the server itself refuses comes as plain text or as nothing.
fn is_speechless(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    response.status() == StatusCode::METHOD_NOT_ALLOWED
        || kind.is_some_and(|kind| kind.starts_with("text/plain"))
}

/// What went wrong, as far as the status tells.
fn general(status: StatusCode, reading: bool) -> (&'static str, &'static str) {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => (
            "Isian terlalu besar. Tidak ada yang diubah.",
            "What was sent is too large. Nothing has changed.",
        ),
        StatusCode::METHOD_NOT_ALLOWED => (
            "Halaman ini tidak dibuka dengan cara itu. Tidak ada yang diubah.",
            "This page is not opened that way. Nothing has changed.",
        ),
        _ if status.is_server_error() => (
            "Hub sedang terganggu. Tidak ada yang diubah. Coba lagi sebentar.",
            "Something is wrong at the hub. Nothing has changed. Try again in a moment.",
        ),
        _ if reading => (
            "Alamat halaman ini tidak dimengerti. Mungkin terpotong waktu disalin.",
            "The address of this page can't be read. Perhaps it was cut off when it was copied.",
        ),
        _ => (
            "Isian tidak lengkap. Tidak ada yang diubah.",
            "What was sent is not complete. Nothing has changed.",
        ),
    }
}

fn heading(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::NOT_FOUND => ("Halaman tidak ditemukan", "Page not found"),
        StatusCode::FORBIDDEN => ("Tidak diizinkan", "Not allowed"),
        StatusCode::UNAUTHORIZED => ("Buktikan dulu bahwa ini Anda", "Prove that it is you"),
        _ if status.is_server_error() => ("Ada gangguan di hub", "Something is wrong at the hub"),
        _ => ("Belum bisa dikerjakan", "That can't be done"),
    }
}

/// The way on for who has to prove a code, back to the page it came from.
fn code_form(language: Language, before: Option<&str>) -> Markup {
    html! {
        form class="form narrow left" method="post" action="/akun/bukti" {
            input type="hidden" name="ke" value=(before.unwrap_or("/"));
            (Field {
                name: "kode",
                label: language.say("Kode enam angka", "Six-digit code"),
                autocomplete: "one-time-code",
                hint: Some(language.say(
                    "Berlaku lima belas menit. Kode cadangan juga bisa.",
                    "Good for fifteen minutes. A recovery code works too.")),
                ..Field::default()
            }.render())
            button type="submit" { (language.say("Lanjutkan", "Go on")) }
        }
    }
}

/// A page that says why there is none. Whoever is signed in keeps the way to
/// the other pages.
fn trouble(
    viewer: Option<&Viewer>,
    language: Language,
    status: StatusCode,
    words: &Words,
    before: Option<&str>,
    reading: bool,
) -> Markup {
    let title = language.of(heading(status));
    let body = html! {
        h1 { (title) }
        p class="alert" role="alert" { (said(language, words)) }
        @if status == StatusCode::UNAUTHORIZED { (code_form(language, before)) }
        p class="files" {
            @if status == StatusCode::PRECONDITION_REQUIRED {
                a class="button" href="/akun/kode" {
                    (language.say("Pasang kode dua langkah", "Set up two-step codes"))
                }
            }
            @if let Some(before) = before.filter(|before| !reading && *before != "/") {
                a class="button" href=(before) {
                    (language.say("Kembali ke halaman tadi", "Back to where you were"))
                }
            }
            a class="button" href="/" { (language.say("Ke daftar desa", "To the villages")) }
        }
    };
    let frame = match viewer {
        Some(viewer) => Frame::of(viewer, title, Tab::None),
        None => Frame::outside(language, title, Tab::None),
    };
    frame.page(&body)
}
