//! The operator's own account: password, one-time codes, sessions.

use axum::Router;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use fast_qr::convert::svg::SvgBuilder;
use lumbung_telemetry::clock;
use maud::{Markup, PreEscaped, html};
use serde::Deserialize;

use super::form::{self, Field};
use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::tile::said;
use super::{ConsoleState, Trouble, whole};
use crate::access::gate::NewCodes;
use crate::access::{Session, SignInRefused};

/// With so many recovery codes left the reader is told to get new ones.
const RECOVERY_CODES_FEW: u64 = 2;

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/akun", get(account))
        .route("/akun/sandi", post(change_password))
        .route("/akun/kode", get(offer_codes).post(keep_codes))
        .route("/akun/bukti", post(prove))
        .route("/akun/sesi", post(end_sessions))
}

#[derive(Deserialize)]
struct Done {
    #[serde(default)]
    selesai: String,
}

async fn account(
    State(state): State<ConsoleState>,
    axum::extract::Query(done): axum::extract::Query<Done>,
    viewer: Viewer,
) -> Result<Response, Trouble> {
    let done = match done.selesai.as_str() {
        "sandi" => Some(viewer.language.say(
            "Kata sandi sudah diganti. Sesi lain sudah berakhir.",
            "The password was changed. Other sessions have ended.",
        )),
        "sesi" => Some(
            viewer
                .language
                .say("Semua sesi lain sudah berakhir.", "All other sessions have ended."),
        ),
        _ => None,
    };
    show(&state, &viewer, done, None).await
}

async fn show(
    state: &ConsoleState,
    viewer: &Viewer,
    done: Option<&str>,
    wrong: Option<&str>,
) -> Result<Response, Trouble> {
    let sessions = state.gate.sessions(&viewer.who).await?;
    let recovery_codes = state.gate.recovery_codes(&viewer.who).await?;
    let first_use = state.gate.first_use(&viewer.who).await?;
    let say = |id, en| viewer.language.say(id, en);
    let body = html! {
        h1 { (say("Akun saya", "My account")) }
        p class="lead" {
            (viewer.who.name()) " · " (viewer.language.of(viewer.who.role().words()))
        }
        @if let Some(done) = done { p class="done" role="status" { (done) } }
        @if viewer.who.has_first_password() {
            p class="alert" role="status" { (say(
                "Sandi awal Anda pernah dilihat orang lain. Ganti dulu di sini; halaman lain \
                 terbuka sesudahnya.",
                "Your first password has been seen by somebody else. Change it here first; the \
                 other pages open after that.")) }
        }
        div class="narrow left" {
            section aria-labelledby="sandi-judul" {
                h2 id="sandi-judul" { (say("Kata sandi", "Password")) }
                @if let Some(used) = &first_use {
                    p { (say("Sandi awal akun ini pertama dipakai ",
                             "This account's first password was first used "))
                        b { (viewer.language.moment(used.at_ms, clock::now_ms())) }
                        @if !used.from.is_empty() {
                            (say(" dari ", " from ")) b { (used.from) }
                        }
                        ". " (say(
                            "Bila itu bukan Anda, ganti kata sandi dan beri tahu kepala operator.",
                            "If that was not you, change your password and tell the head operator.")) }
                }
                (form::alert(wrong))
                form class="form" method="post" action="/akun/sandi" {
                    (Field {
                        name: "lama",
                        label: say("Kata sandi sekarang", "Present password"),
                        kind: "password",
                        autocomplete: "current-password",
                        ..Field::default()
                    }.render())
                    (Field {
                        name: "baru",
                        label: say("Kata sandi baru", "New password"),
                        kind: "password",
                        autocomplete: "new-password",
                        hint: Some(say(
                            "Paling sedikit 10 huruf; beberapa kata lebih baik daripada satu.",
                            "At least 10 characters; several words are better than one.")),
                        ..Field::default()
                    }.render())
                    button type="submit" { (say("Ganti kata sandi", "Change password")) }
                }
            }
            section aria-labelledby="kode-judul" {
                h2 id="kode-judul" { (say("Kode dua langkah", "Two-step codes")) }
                @if let Some(left) = recovery_codes {
                    p class="calm" { (say("Terpasang.", "Set up.")) }
                    p class=[(left <= RECOVERY_CODES_FEW).then_some("alert")] {
                        (say("Kode cadangan yang belum dipakai: ", "Recovery codes not used yet: "))
                        b { (left) } "."
                        @if left <= RECOVERY_CODES_FEW {
                            " " (say(
                                "Pasang lagi untuk mendapat kode cadangan baru; yang lama lalu \
                                 tidak berlaku.",
                                "Set the codes up again to get new ones; the old ones end then."))
                        }
                    }
                } @else {
                    p { (say(
                        "Belum terpasang. Dengan kode dari ponsel, kata sandi yang dicuri saja \
                         tidak cukup untuk masuk.",
                        "Not set up. With codes from your phone, a stolen password alone is not \
                         enough to get in.")) }
                    @if state.gate.demands_codes() {
                        p class="alert" { (say(
                            "Kabupaten ini mewajibkannya sebelum data dibuka atau diekspor dan \
                             sebelum kunci atau operator diubah.",
                            "This district demands them before data is opened or exported and \
                             before keys or operators are changed.")) }
                    }
                }
                p { a class="button" href="/akun/kode" {
                    @if recovery_codes.is_some() { (say("Pasang di ponsel lain", "Set up on another phone")) }
                    @else { (say("Pasang sekarang", "Set up now")) }
                } }
            }
            section aria-labelledby="sesi-judul" {
                h2 id="sesi-judul" { (say("Sesi yang terbuka", "Open sessions")) }
                (session_list(viewer, &sessions))
            }
        }
    };
    let page = whole(Frame::of(viewer, say("Akun saya", "My account"), Tab::None).page(&body));
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, page).into_response())
}

fn session_list(viewer: &Viewer, sessions: &[Session]) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let now_ms = clock::now_ms();
    html! {
        ul class="claims" {
            @for session in sessions {
                li {
                    (say("Masuk ", "Signed in ")) (viewer.language.moment(session.made_ms, now_ms))
                    (say(", terakhir dipakai ", ", last used ")) (viewer.language.moment(session.seen_ms, now_ms))
                    br; small { (session.agent) }
                }
            }
        }
        @if sessions.len() > 1 {
            form method="post" action="/akun/sesi" {
                button class="button" type="submit" {
                    (say("Akhiri semua sesi lain", "End all other sessions"))
                }
            }
        }
    }
}

#[derive(Deserialize)]
struct PasswordChange {
    lama: String,
    baru: String,
}

async fn change_password(
    State(state): State<ConsoleState>,
    viewer: Viewer,
    Form(change): Form<PasswordChange>,
) -> Result<Response, Trouble> {
    match state.gate.change_password(&viewer.who, &change.lama, &change.baru).await {
        Ok(()) if viewer.who.has_first_password() => Ok(Redirect::to("/").into_response()),
        Ok(()) => Ok(Redirect::to("/akun?selesai=sandi").into_response()),
        Err(error @ SignInRefused::Failed(_)) => Err(error.into()),
        Err(error) => {
            let words = error.words();
            show(&state, &viewer, None, Some(said(viewer.language, &words))).await
        }
    }
}

#[derive(Deserialize)]
struct Proof {
    kode: String,
    #[serde(default)]
    ke: String,
}

/// A code for what asks for one, and back to where it was asked for.
async fn prove(
    State(state): State<ConsoleState>,
    viewer: Viewer,
    Form(proof): Form<Proof>,
) -> Result<Redirect, Trouble> {
    match state.gate.prove(&viewer.who, &proof.kode).await {
        Ok(()) => {
            let own = proof.ke.starts_with('/')
                && !proof.ke.starts_with("//")
                && !proof.ke.contains(['\\', '\r', '\n']);
            Ok(Redirect::to(if own { &proof.ke } else { "/" }))
        }
        Err(error) => Err(error.into()),
    }
}

async fn end_sessions(
    State(state): State<ConsoleState>,
    viewer: Viewer,
) -> Result<Response, Trouble> {
    state.gate.end_other_sessions(&viewer.who).await?;
    Ok(Redirect::to("/akun?selesai=sesi").into_response())
}

fn codes_page(viewer: &Viewer, codes: &NewCodes, wrong: Option<&str>) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let qr = fast_qr::QRBuilder::new(codes.address.as_str()).build().ok();
    let svg = qr.map(|qr| SvgBuilder::default().to_str(&qr));
    let body = html! {
        div class="narrow" {
            h1 { (say("Pasang kode dua langkah", "Set up two-step codes")) }
            ol {
                li { (say("Pasang aplikasi kode (misalnya FreeOTP atau Google Authenticator) di \
                           ponsel Anda.",
                          "Install a code app (such as FreeOTP or Google Authenticator) on your \
                           phone.")) }
                li { (say("Pindai gambar ini, atau ketik kuncinya.",
                          "Scan this picture, or type the key.")) }
                li { (say("Ketik kode enam angka yang muncul.",
                          "Type the six-digit code that appears.")) }
            }
            @if let Some(svg) = svg {
                div class="qr" role="img" aria-label=(say("Kode QR", "QR code")) { (PreEscaped(svg)) }
            }
            // In groups of four to be typed; copied, it is one word.
            p { (say("Kunci: ", "Key: ")) code class="key" {
                @for four in codes.typed.as_bytes().chunks(4) {
                    span { (String::from_utf8_lossy(four)) }
                }
            } }
            (form::alert(wrong))
            form class="form" method="post" action="/akun/kode" {
                input type="hidden" name="kunci" value=(codes.typed);
                (Field {
                    name: "kode",
                    label: say("Kode enam angka", "Six-digit code"),
                    autocomplete: "one-time-code",
                    ..Field::default()
                }.render())
                (Field {
                    name: "sandi",
                    label: say("Kata sandi sekarang", "Present password"),
                    kind: "password",
                    autocomplete: "current-password",
                    ..Field::default()
                }.render())
                button type="submit" { (say("Pasang", "Set up")) }
            }
        }
    };
    Frame::of(viewer, say("Kode dua langkah", "Two-step codes"), Tab::None).page(&body)
}

async fn offer_codes(
    State(state): State<ConsoleState>,
    viewer: Viewer,
) -> Result<Response, Trouble> {
    let codes = state.gate.new_codes(&viewer.who)?;
    Ok(whole(codes_page(&viewer, &codes, None)).into_response())
}

#[derive(Deserialize)]
struct CodesKept {
    kunci: String,
    kode: String,
    sandi: String,
}

async fn keep_codes(
    State(state): State<ConsoleState>,
    viewer: Viewer,
    Form(kept): Form<CodesKept>,
) -> Result<Response, Trouble> {
    let Some(codes) = state.gate.same_codes(&viewer.who, &kept.kunci) else {
        return Ok(Redirect::to("/akun/kode").into_response());
    };
    let secret = codes.secret.clone();
    let done = state.gate.keep_codes(&viewer.who, secret, &kept.kode, &kept.sandi).await;
    let recovery = match done {
        Ok(recovery) => recovery,
        Err(error @ SignInRefused::Failed(_)) => return Err(error.into()),
        Err(error) => {
            let words = error.words();
            let wrong = match error {
                SignInRefused::Wrong => viewer.language.say(
                    "Kode atau kata sandi tidak cocok. Periksa jam ponsel Anda, lalu coba lagi.",
                    "Code or password do not match. Check your phone's clock and try again.",
                ),
                _ => said(viewer.language, &words),
            };
            let page = whole(codes_page(&viewer, &codes, Some(wrong)));
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    let say = |id, en| viewer.language.say(id, en);
    let body = html! {
        div class="narrow" {
            h1 { (say("Kode dua langkah terpasang", "Two-step codes are set up")) }
            p { (say(
                "Simpan kode cadangan ini di tempat aman. Masing-masing bisa dipakai sekali bila \
                 ponsel Anda hilang. Kode ini tidak akan ditampilkan lagi.",
                "Keep these recovery codes in a safe place. Each works once if you lose your \
                 phone. They will not be shown again.")) }
            ul class="codes" { @for code in &recovery { li { code { (code) } } } }
            p { a class="button" href="/akun" { (say("Sudah saya simpan", "I have kept them")) } }
        }
    };
    let title = say("Kode cadangan", "Recovery codes");
    Ok(whole(Frame::of(&viewer, title, Tab::None).page(&body)).into_response())
}
