//! The district's console: which villages are fresh, late or wrong, and why.
//!
//! Server-rendered pages in Bahasa Indonesia that work without JavaScript; a
//! small script of our own updates the tiles from server-sent events. Pages
//! see the dataset through the operator's desk only.

mod account;
mod acts;
mod audit;
mod charts;
mod exporting;
mod findings;
mod first;
mod form;
mod frame;
mod guard;
mod household;
mod kept;
mod language;
mod line;
pub mod map;
mod needs;
mod notices;
mod operators;
mod pages;
mod person;
mod publications;
mod quality;
mod quarantine;
mod recap;
mod search;
mod sign_in;
mod table;
#[cfg(test)]
mod tests;
mod tile;
mod trend;
mod versions;
mod village;
mod watcher;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use maud::Markup;
use tower_http::compression::CompressionLayer;

use crate::access::{Gate, Refused, SignInRefused};
use crate::desk::{Desk, DeskError};
use crate::spans;
use crate::words::Words;

use self::guard::Viewer;
pub use self::line::Front;

const STYLE: &str = concat!(include_str!("console/style.css"), include_str!("console/data.css"));
const SCRIPT: &str = include_str!("console/live.js");
const SESSION: &str = include_str!("console/session.js");
const ICON: &str = include_str!("console/icon.svg");

/// What the console is made of.
#[derive(Clone)]
pub struct ConsoleState {
    /// What operators see and do.
    pub desk: Arc<Desk>,
    /// Who they are.
    pub gate: Gate,
    /// How browsers come here.
    pub front: Front,
    /// The outlines of villages, when the hub was given any.
    pub map: Option<Arc<map::Map>>,
}

/// The console's routes.
pub fn router(state: ConsoleState) -> Router {
    let router = Router::new()
        .route("/style.css", get(|| asset("text/css; charset=utf-8", STYLE)))
        .route("/live.js", get(|| asset("text/javascript; charset=utf-8", SCRIPT)))
        .route("/session.js", get(|| asset("text/javascript; charset=utf-8", SESSION)))
        .route("/icon.svg", get(|| asset("image/svg+xml", ICON)))
        .merge(first::routes())
        .merge(watcher::routes())
        .merge(table::routes())
        .merge(map::routes())
        .merge(village::routes())
        .merge(versions::routes())
        .merge(acts::routes())
        .merge(sign_in::routes())
        .merge(account::routes())
        .merge(operators::routes())
        .merge(audit::routes())
        .merge(findings::routes())
        .merge(quarantine::routes())
        .merge(notices::routes())
        .merge(search::routes())
        .merge(person::routes())
        .merge(household::routes())
        .merge(recap::routes())
        .merge(publications::routes())
        .merge(charts::routes())
        .merge(quality::routes())
        .merge(exporting::routes())
        .fallback(|| async {
            let words = ("Halaman ini tidak ada.", "There is no such page.");
            Trouble::words(StatusCode::NOT_FOUND, words)
        })
        .layer(axum::middleware::from_fn_with_state(state.clone(), kept::at_the_door))
        .layer(axum::middleware::from_fn(guard::own_pages_only))
        .layer(axum::middleware::from_fn_with_state(state.clone(), pages::in_words))
        .layer(axum::middleware::from_fn_with_state(state.front, line::told))
        .layer(axum::middleware::map_response(secured))
        // Streams of events are left as they are: each event goes out at once.
        .layer(CompressionLayer::new())
        .layer(axum::middleware::from_fn_with_state(state.clone(), timed))
        .with_state(state);
    if spans::are_on() { router.layer(axum::middleware::from_fn(spans::request)) } else { router }
}

async fn asset(kind: &'static str, body: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=300")], body).into_response()
}

/// How long answers take, by the template of the route.
async fn timed(State(state): State<ConsoleState>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = if *request.method() == Method::POST { "POST" } else { "GET" };
    let begun = Instant::now();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("-", MatchedPath::as_str);
    state.gate.counts().page(method, route, begun.elapsed());
    response
}

type Page = Html<String>;

fn whole(markup: Markup) -> Page {
    Html(markup.into_string())
}

/// Nothing of this console may be framed, guessed at or fed from elsewhere.
async fn secured(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let policy = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// Why a page can't be shown, in words; [`pages::in_words`] makes the page.
struct Trouble(StatusCode, Words);

impl Trouble {
    fn words(status: StatusCode, words: (&str, &str)) -> Self {
        Self(status, words.into())
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        response.extensions_mut().insert(self.1);
        response
    }
}

impl From<DeskError> for Trouble {
    fn from(error: DeskError) -> Self {
        let status = match &error {
            DeskError::Refused(refused) => refused_status(*refused),
            DeskError::NotThere => StatusCode::NOT_FOUND,
            DeskError::Unfit(_) => StatusCode::UNPROCESSABLE_ENTITY,
            DeskError::Failed(cause) => {
                tracing::error!(error = %cause, "a page can't be shown");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self(status, error.words())
    }
}

const fn refused_status(refused: Refused) -> StatusCode {
    match refused {
        Refused::Role => StatusCode::FORBIDDEN,
        // The page of what went wrong asks for the code, or leads to it.
        Refused::Stale => StatusCode::UNAUTHORIZED,
        Refused::NoCodes => StatusCode::PRECONDITION_REQUIRED,
    }
}

impl From<SignInRefused> for Trouble {
    fn from(error: SignInRefused) -> Self {
        let status = match &error {
            SignInRefused::Refused(refused) => refused_status(*refused),
            SignInRefused::Failed(cause) => {
                tracing::error!(error = %cause, "the gate can't look");
                StatusCode::INTERNAL_SERVER_ERROR
            }
            SignInRefused::Unknown => StatusCode::NOT_FOUND,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self(status, error.words())
    }
}

/// Runs work at the desk off the reactor.
async fn at_desk<T: Send + 'static>(
    state: &ConsoleState,
    viewer: Viewer,
    work: impl FnOnce(&Desk, &Viewer) -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    let desk = Arc::clone(&state.desk);
    let work = spans::within(move || work(&desk, &viewer));
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        let words = ("Hub sedang berhenti.", "The hub is stopping.");
        Err(Trouble::words(StatusCode::SERVICE_UNAVAILABLE, words))
    })
}

fn download(kind: &'static str, name: &str, body: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers =
        [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, body).into_response()
}
