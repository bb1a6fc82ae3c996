//! Signing in and out, and the first operator.

use axum::extract::{Form, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use maud::{Markup, html};
use serde::Deserialize;

use super::form::{self, Field};
use super::frame::{Frame, Tab};
use super::guard::{self, Viewer};
use super::kept::Kept;
use super::language::Language;
use super::line::Line;
use super::tile::said;
use super::{ConsoleState, Page, Trouble, whole};
use crate::access::SignInRefused;

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/masuk", get(sign_in_page).post(sign_in))
        .route("/awal", get(found_page).post(found))
        .route("/keluar", post(sign_out))
        .route("/sesi", post(stay))
        .route("/bahasa", post(choose_language))
}

#[derive(Deserialize)]
struct SignIn {
    nama: String,
    sandi: String,
    #[serde(default)]
    kode: String,
    /// Where a form goes that was sent after a session had ended.
    #[serde(default)]
    lanjut: String,
    /// Its fields.
    #[serde(default)]
    isi: String,
}

fn field(name: &str, label: &str, kind: &str, autocomplete: &str) -> Markup {
    Field { name, label, kind, autocomplete, ..Field::default() }.render()
}

fn refused(language: Language, error: Option<&SignInRefused>) -> Markup {
    html! {
        @if let Some(error) = error {
            p class="alert" role="alert" { (said(language, &error.words())) }
        }
    }
}

/// The page to sign in; `kept` is a form that waits for it.
pub(super) fn form(
    language: Language,
    error: Option<&SignInRefused>,
    ended: bool,
    kept: Option<&Kept>,
) -> Markup {
    let say = |id, en| language.say(id, en);
    let body = html! {
        div class="narrow" {
            h1 { (say("Masuk", "Sign in")) }
            @if kept.is_some() {
                p class="alert" role="status" { (say(
                    "Sesi Anda sudah berakhir. Isian Anda belum dikerjakan tetapi tidak hilang: \
                     sesudah masuk, Anda bisa mengirimnya lagi.",
                    "Your session has ended. Nothing was done with your form, but it is not lost: \
                     you can send it again once you are signed in.")) }
            } @else if ended {
                p class="alert" role="status" { (say(
                    "Sesi Anda sudah berakhir. Bila Anda baru mengirim isian, isian itu belum \
                     dikerjakan: masuk lagi, lalu ulangi.",
                    "Your session has ended. If you have just sent a form, nothing was done with \
                     it: sign in again and repeat it.")) }
            }
            (refused(language, error))
            form class="form" method="post" action="/masuk" {
                @if let Some(kept) = kept { (kept.carried()) }
                (field("nama", say("Nama operator", "Operator name"), "text", "username"))
                (field("sandi", say("Kata sandi", "Password"), "password", "current-password"))
                (Field {
                    name: "kode",
                    label: say("Kode enam angka", "Six-digit code"),
                    autocomplete: "one-time-code",
                    required: false,
                    hint: Some(say(
                        "Hanya bila Anda memasang kode dua langkah. Kode cadangan juga bisa.",
                        "Only if you have set up two-step codes. A recovery code works too.")),
                    ..Field::default()
                }.render())
                button type="submit" { (say("Masuk", "Sign in")) }
            }
            p { small { (say(
                "Lupa kata sandi? Mintalah sandi awal baru kepada kepala operator.",
                "Forgot your password? Ask the head operator for a new first password.")) } }
        }
    };
    Frame::outside(language, say("Masuk", "Sign in"), Tab::None).page(&body)
}

#[derive(Deserialize)]
struct Before {
    /// A session was there and has ended.
    habis: Option<String>,
}

async fn sign_in_page(
    State(state): State<ConsoleState>,
    Query(before): Query<Before>,
    headers: HeaderMap,
) -> Response {
    if state.gate.is_founding().await {
        return Redirect::to("/awal").into_response();
    }
    let ended = before.habis.is_some();
    whole(form(guard::language(&headers), None, ended, None)).into_response()
}

async fn sign_in(State(state): State<ConsoleState>, request: Request) -> Result<Response, Trouble> {
    let line = Line::of(request.extensions());
    let (typed, visitor, headers) = form::read::<SignIn>(request).await?;
    let (language, kept) = (guard::language(&headers), Kept::back(typed.lanjut, typed.isi));
    match state.gate.sign_in(&typed.nama, &typed.sandi, &typed.kode, &visitor).await {
        Ok(secret) => {
            let cookie = [(header::SET_COOKIE, guard::session_cookie(&secret, line))];
            Ok(match kept {
                None => (cookie, Redirect::to("/")).into_response(),
                Some(kept) => (cookie, kept.again(language).await).into_response(),
            })
        }
        Err(error @ SignInRefused::Failed(_)) => Err(error.into()),
        Err(error) => {
            let page = whole(form(language, Some(&error), false, kept.as_ref()));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// Somebody is still there: asking for the viewer has noted it.
async fn stay(_viewer: Viewer) -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn sign_out(
    State(state): State<ConsoleState>,
    Extension(line): Extension<Line>,
    viewer: Viewer,
) -> Result<Response, Trouble> {
    state.gate.sign_out(&viewer.who).await?;
    let cookie = guard::no_session_cookie(line);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/masuk")).into_response())
}

#[derive(Deserialize)]
struct Found {
    kode: String,
    nama: String,
    sandi: String,
    ulang: String,
}

fn found_form(language: Language, alert: Option<&str>) -> Page {
    let say = |id, en| language.say(id, en);
    let body = html! {
        div class="narrow" {
            h1 { (say("Operator pertama", "The first operator")) }
            p class="lead" { (say(
                "Hub ini baru dan belum punya operator. Ketik kode yang dicetak program hub \
                 waktu mulai, lalu pilih nama dan kata sandi Anda.",
                "This hub is new and has no operator. Type the code that the hub printed at \
                 start, then choose your name and password.")) }
            p { small {
                (say("Kodenya 16 huruf dan angka, di layar (atau log) program hub. Setiap kali hub \
                      mulai, kodenya baru.",
                     "The code is 16 letters and digits, on the hub's screen (or in its log). It \
                      is a new one each time the hub starts."))
            } }
            @if let Some(alert) = alert { p class="alert" role="alert" { (alert) } }
            form class="form" method="post" action="/awal" {
                (field("kode", say("Kode dari hub", "Code from the hub"), "text", "off"))
                (field("nama", say("Nama operator (huruf kecil)", "Operator name (lower case)"),
                    "text", "username"))
                (field("sandi", say("Kata sandi (paling sedikit 10 huruf)",
                    "Password (at least 10 characters)"), "password", "new-password"))
                (field("ulang", say("Ulangi kata sandi", "Repeat the password"), "password",
                    "new-password"))
                button type="submit" { (say("Buat operator", "Make the operator")) }
            }
        }
    };
    whole(
        Frame::outside(language, say("Operator pertama", "First operator"), Tab::None).page(&body),
    )
}

async fn found_page(State(state): State<ConsoleState>, headers: HeaderMap) -> Response {
    if !state.gate.is_founding().await {
        return Redirect::to("/masuk").into_response();
    }
    found_form(guard::language(&headers), None).into_response()
}

async fn found(State(state): State<ConsoleState>, request: Request) -> Result<Response, Trouble> {
    let (form, visitor, headers) = form::read::<Found>(request).await?;
    let language = guard::language(&headers);
    let again = |alert: &str| {
        (StatusCode::UNPROCESSABLE_ENTITY, found_form(language, Some(alert))).into_response()
    };
    if form.sandi != form.ulang {
        let words = ("Kedua kata sandi tidak sama.", "The two passwords are not the same.");
        return Ok(again(language.of(words)));
    }
    match state.gate.found(&form.kode, form.nama.trim(), &form.sandi, &visitor).await {
        Ok(()) => Ok(Redirect::to("/masuk").into_response()),
        Err(error @ SignInRefused::Failed(_)) => Err(error.into()),
        Err(error) => Ok(again(said(language, &error.words()))),
    }
}

#[derive(Deserialize)]
struct LanguageChoice {
    ke: String,
}

async fn choose_language(
    Extension(line): Extension<Line>,
    headers: HeaderMap,
    Form(choice): Form<LanguageChoice>,
) -> Response {
    let (tag, end) = (Language::parse(&choice.ke).tag(), line.cookie_end());
    let cookie = format!("{}={tag}; Path=/; SameSite=Lax; Max-Age=31536000{end}", Language::COOKIE);
    let back = guard::page_before(&headers);
    ([(header::SET_COOKIE, cookie)], Redirect::to(&back)).into_response()
}
