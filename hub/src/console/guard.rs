//! Who stands before the console: the session's cookie, the language, and
//! where a request comes from.
//!
//! A page that needs an operator takes [`Viewer`]; without a session the
//! browser is sent to sign in. Whatever changes something must come from one
//! of the console's own pages: the browser says where it comes from
//! (`Sec-Fetch-Site`, `Origin`), and no other site can make it say otherwise.

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::language::Language;
use super::line::Line;
use super::{ConsoleState, Trouble};
use crate::access::Operator;
use crate::access::gate::Visitor;

/// The name of the session's cookie.
const SESSION: &str = "sesi";

/// An operator before the console.
pub(super) struct Viewer {
    pub(super) who: Operator,
    pub(super) language: Language,
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// Whether a browser shows the cookie of a session, be it over.
pub(super) fn had_session(headers: &HeaderMap) -> bool {
    cookie(headers, SESSION).is_some_and(|secret| !secret.is_empty())
}

/// The language a browser asked for.
pub(super) fn language(headers: &HeaderMap) -> Language {
    cookie(headers, Language::COOKIE).map(Language::parse).unwrap_or_default()
}

/// The cookie of a new session. `Secure` when it came over HTTPS.
pub(super) fn session_cookie(secret: &str, line: Line) -> String {
    let end = line.cookie_end();
    format!("{SESSION}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200{end}")
}

/// Takes the session's cookie away.
pub(super) fn no_session_cookie(line: Line) -> String {
    format!("{SESSION}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{}", line.cookie_end())
}

/// Who visits, for the limits on guessing.
pub(super) fn visitor(parts: &Parts) -> Visitor {
    let address = Line::of(&parts.extensions).address;
    let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Visitor { address, agent: agent.unwrap_or_default().to_owned() }
}

/// Stands in the address of a page that loads itself anew: nobody asked for
/// it.
pub(super) const BY_ITSELF: &str = "sendiri=1";

/// Whether a page asks by itself, and nobody for it.
fn asks_by_itself(parts: &Parts) -> bool {
    let marked = |query: &str| query.split('&').any(|pair| pair == BY_ITSELF);
    parts.uri.path() == "/events"
        || (parts.method == Method::GET && parts.uri.query().is_some_and(marked))
}

/// Who a session's cookie belongs to, when an open page of theirs looks for
/// news: that is no use of the session.
pub(super) async fn watcher(
    headers: &HeaderMap,
    state: &ConsoleState,
) -> Result<Option<Viewer>, Trouble> {
    let Some(secret) = cookie(headers, SESSION) else { return Ok(None) };
    let who = state.gate.watcher(secret).await?;
    Ok(who.map(|who| Viewer { who, language: language(headers) }))
}

/// What is open before a first password was changed.
const OWN_PAGES: [&str; 3] = ["/akun", "/akun/sandi", "/keluar"];

/// Who a session's cookie belongs to at this moment.
pub(super) async fn viewer(
    headers: &HeaderMap,
    state: &ConsoleState,
) -> Result<Option<Viewer>, Trouble> {
    let Some(secret) = cookie(headers, SESSION) else { return Ok(None) };
    let who = state.gate.operator(secret).await?;
    Ok(who.map(|who| Viewer { who, language: language(headers) }))
}

impl FromRequestParts<ConsoleState> for Viewer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &ConsoleState) -> Result<Self, Response> {
        let found = match asks_by_itself(parts) {
            true => watcher(&parts.headers, state).await,
            false => viewer(&parts.headers, state).await,
        };
        match found {
            // With a first password there is nothing but the way to another.
            Ok(Some(viewer))
                if viewer.who.has_first_password() && !OWN_PAGES.contains(&parts.uri.path()) =>
            {
                Err(Redirect::to("/akun").into_response())
            }
            Ok(Some(viewer)) => Ok(viewer),
            // A script that listens for news must not get a page.
            Ok(None) if parts.uri.path() == "/events" => {
                Err(StatusCode::UNAUTHORIZED.into_response())
            }
            Ok(None) if state.gate.is_founding().await => {
                Err(Redirect::to("/awal").into_response())
            }
            // Whoever had a session is told that it has ended, and that a form
            // sent without one went nowhere.
            Ok(None) if had_session(&parts.headers) => {
                Err(Redirect::to("/masuk?habis=1").into_response())
            }
            Ok(None) => Err(Redirect::to("/masuk").into_response()),
            Err(trouble) => Err(trouble.into_response()),
        }
    }
}

/// The page of this console a form was sent from; the first page when the
/// browser does not tell.
pub(super) fn page_before(headers: &HeaderMap) -> String {
    let before = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let before = before.and_then(|text| text.parse::<Uri>().ok());
    let page = before.as_ref().and_then(Uri::path_and_query).map(|path| path.as_str());
    page.filter(|path| path.starts_with('/') && !path.starts_with("//")).unwrap_or("/").to_owned()
}

/// Refuses changes that another site asks for.
pub(super) async fn own_pages_only(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || comes_from_here(request.headers()) {
        return next.run(request).await;
    }
    Trouble::words(
        StatusCode::FORBIDDEN,
        (
            "Permintaan ini tidak datang dari halaman Lumbung. Tidak ada yang diubah.",
            "This request does not come from a page of Lumbung. Nothing has changed.",
        ),
    )
    .into_response()
}

fn comes_from_here(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text("sec-fetch-site") {
        Some(site) => site == "same-origin",
        // Older browsers and plain HTTP: the origin must be the host asked.
        None => match (text("origin"), text("host")) {
            (Some(origin), Some(host)) => {
                origin.split_once("://").is_some_and(|(_, from)| from == host)
            }
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (header::HeaderName::from_static(name), HeaderValue::from_static(value))
            })
            .collect()
    }

    #[test]
    fn only_own_pages_change_anything() {
        for (from_here, pairs) in [
            (true, &[("sec-fetch-site", "same-origin")][..]),
            (false, &[("sec-fetch-site", "cross-site")]),
            (false, &[("sec-fetch-site", "same-site")]),
            (false, &[("sec-fetch-site", "none")]),
            (true, &[("origin", "http://127.0.0.1:8700"), ("host", "127.0.0.1:8700")]),
            (false, &[("origin", "http://lain.example"), ("host", "127.0.0.1:8700")]),
            (false, &[("host", "127.0.0.1:8700")]),
        ] {
            assert_eq!(comes_from_here(&headers(pairs)), from_here, "{pairs:?}");
        }
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let headers = headers(&[("cookie", "lain=1; sesi=abc; bahasa=en")]);
        assert_eq!(cookie(&headers, SESSION), Some("abc"));
        assert_eq!(language(&headers), Language::English);
        assert_eq!(cookie(&headers, "es"), None);
    }
}
