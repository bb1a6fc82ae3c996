//! A form that was sent after its session had ended is not lost: it waits in
//! the page to sign in, and is shown again, to be sent again, afterwards.
//!
//! Only forms in which people write are kept, and nothing of them is kept
//! here: they travel in the pages. Whoever signs in sees what is sent in their
//! name before it is.

use axum::body::Body;
use axum::extract::{Form, FromRequest as _, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use lumbung_domain::region::VillageCode;
use maud::{Markup, html};

use super::frame::{Frame, Tab};
use super::language::Language;
use super::{ConsoleState, Page, guard, sign_in, whole};

/// Longest form that is kept, bytes.
const KEPT_MAX: usize = 64 * 1024;

/// A form that waits.
pub(super) struct Kept {
    /// Where it goes.
    pub(super) path: String,
    /// Its fields as the browser sent them.
    pub(super) fields: String,
}

impl Kept {
    /// What a page to sign in brought back; `None` = nothing, or nothing that
    /// is kept.
    pub(super) fn back(path: String, fields: String) -> Option<Self> {
        (is_kept(&path) && !fields.is_empty()).then_some(Self { path, fields })
    }

    /// The form as fields of another one.
    pub(super) fn carried(&self) -> Markup {
        html! {
            input type="hidden" name="lanjut" value=(self.path);
            input type="hidden" name="isi" value=(self.fields);
        }
    }

    /// The page on which it is sent again.
    pub(super) async fn again(self, language: Language) -> Page {
        let say = |id, en| language.say(id, en);
        let fields = self.pairs().await;
        let title = say("Kirim lagi isian Anda?", "Send your form again?");
        let body = html! {
            div class="narrow" {
                h1 { (title) }
                p { (say(
                    "Anda sudah masuk lagi. Isian ini dikirim sesudah sesi Anda berakhir dan belum \
                     dikerjakan.",
                    "You are signed in again. This form was sent after your session had ended, and \
                     nothing was done with it yet.")) }
                dl class="facts one" lang="id" {
                    @for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
                        div { dt { (name) } dd { (value) } }
                    }
                }
                form class="form" method="post" action=(self.path) {
                    @for (name, value) in &fields {
                        input type="hidden" name=(name) value=(value);
                    }
                    button type="submit" { (say("Kirim sekarang", "Send it now")) }
                    a class="button" href="/" { (say("Jangan dikirim", "Don't send it")) }
                }
            }
        };
        whole(Frame::outside(language, title, Tab::None).page(&body))
    }

    async fn pairs(&self) -> Vec<(String, String)> {
        let request = Request::post("/")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(self.fields.clone()));
        let Ok(request) = request else { return Vec::new() };
        let pairs = Form::<Vec<(String, String)>>::from_request(request, &()).await;
        pairs.map(|Form(pairs)| pairs).unwrap_or_default()
    }
}

/// Whether people write in the form that is sent to this path.
fn is_kept(path: &str) -> bool {
    let parts: Vec<_> = path.split('/').skip(1).collect();
    match parts[..] {
        ["informasi"] => true,
        ["temuan", number] => number.parse::<u32>().is_ok(),
        ["desa", code, "tindakan", "catatan" | "tahan"] => VillageCode::parse(code).is_ok(),
        _ => false,
    }
}

/// Keeps a form whose sender had a session that has ended.
pub(super) async fn at_the_door(
    State(state): State<ConsoleState>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let keeps = *request.method() == Method::POST && is_kept(&path);
    if !keeps || !guard::had_session(request.headers()) {
        return next.run(request).await;
    }
    if !matches!(guard::viewer(request.headers(), &state).await, Ok(None)) {
        return next.run(request).await;
    }
    let language = guard::language(request.headers());
    let fields = axum::body::to_bytes(request.into_body(), KEPT_MAX).await;
    let fields = fields.ok().and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
    let kept = fields.and_then(|fields| Kept::back(path, fields));
    match kept {
        Some(kept) => {
            let page = whole(sign_in::form(language, None, true, Some(&kept)));
            (StatusCode::UNAUTHORIZED, page).into_response()
        }
        None => Redirect::to("/masuk?habis=1").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_forms_in_which_people_write_are_kept() {
        for path in ["/informasi", "/temuan/7", "/desa/35.05.01.2001/tindakan/catatan"] {
            assert!(is_kept(path), "{path}");
        }
        for path in [
            "/",
            "/masuk",
            "//lain.example/informasi",
            "https://lain.example/informasi",
            "/temuan/x",
            "/desa/35.05.01.2001/tindakan/cabut",
            "/akun/sandi",
            "/warga/35.05.01.2001/buka",
        ] {
            assert!(!is_kept(path), "{path}");
        }
    }
}
