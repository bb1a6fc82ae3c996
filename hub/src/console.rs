//! The district's console: which villages are fresh, late or wrong, and why.
//!
//! Server-rendered pages in Bahasa Indonesia that work without JavaScript; a
//! small script of our own updates the tiles from server-sent events. Pages
//! see the dataset through the operator's desk only.

mod account;
mod audit;
mod findings;
mod form;
mod frame;
mod guard;
mod household;
mod language;
mod operators;
mod pages;
mod person;
mod quarantine;
mod search;
mod sign_in;
#[cfg(test)]
mod tests;
mod tile;
mod village;

use std::borrow::Cow;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use jiff::civil::Date;
use lumbung_domain::region::{VillageCode, roster};
use lumbung_telemetry::clock;
use maud::Markup;
use serde::Deserialize;

use crate::access::{Gate, Right, SignInRefused};
use crate::desk::{Desk, DeskError};
use crate::exports;
use crate::recap::RegionRef;

use self::guard::Viewer;
use self::tile::Tile;
use self::village::VillagePage;

/// Updates are gathered this long: an operator's eye is no faster, and a
/// phone's line is metered.
const UPDATE_EVERY: Duration = Duration::from_millis(500);

/// Time alone makes a village late: look again at least this often.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Findings on one page; the command line lists them all.
const FINDINGS_MAX: u32 = 200;

/// Incidents on a village's page; the command line lists them all.
const INCIDENTS_MAX: u32 = 50;

const STYLE: &str = concat!(include_str!("console/style.css"), include_str!("console/data.css"));
const SCRIPT: &str = include_str!("console/live.js");
const ICON: &str = include_str!("console/icon.svg");

/// What the console is made of.
#[derive(Clone)]
pub struct ConsoleState {
    /// What operators see and do.
    pub desk: Arc<Desk>,
    /// Who they are.
    pub gate: Gate,
    /// Browsers come over TLS: cookies must not travel without.
    pub secure: bool,
}

/// The console's routes.
pub fn router(state: ConsoleState) -> Router {
    Router::new()
        .route("/", get(first))
        .route("/desa/{code}", get(one_village))
        .route("/rekap", get(recap))
        .route("/rekap/{file}", get(recap_file))
        .route("/events", get(events))
        .route("/style.css", get(|| asset("text/css; charset=utf-8", STYLE)))
        .route("/live.js", get(|| asset("text/javascript; charset=utf-8", SCRIPT)))
        .route("/icon.svg", get(|| asset("image/svg+xml", ICON)))
        .merge(sign_in::routes())
        .merge(account::routes())
        .merge(operators::routes())
        .merge(audit::routes())
        .merge(findings::routes())
        .merge(quarantine::routes())
        .merge(search::routes())
        .merge(person::routes())
        .merge(household::routes())
        .fallback(|| async { Trouble::words(StatusCode::NOT_FOUND, "Halaman ini tidak ada.") })
        .layer(axum::middleware::from_fn(guard::own_pages_only))
        .layer(axum::middleware::map_response(secured))
        .with_state(state)
}

async fn asset(kind: &'static str, body: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=300")], body).into_response()
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

/// Why a page can't be shown, in words.
struct Trouble(StatusCode, Cow<'static, str>);

impl Trouble {
    const fn words(status: StatusCode, words: &'static str) -> Self {
        Self(status, Cow::Borrowed(words))
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        (self.0, whole(pages::trouble(&self.1))).into_response()
    }
}

impl From<DeskError> for Trouble {
    fn from(error: DeskError) -> Self {
        let status = match &error {
            DeskError::Refused(_) => StatusCode::FORBIDDEN,
            DeskError::NotThere => StatusCode::NOT_FOUND,
            DeskError::Unfit(_) => StatusCode::UNPROCESSABLE_ENTITY,
            DeskError::Failed(cause) => {
                tracing::error!(error = %cause, "a page can't be shown");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self(status, error.to_string().into())
    }
}

impl From<SignInRefused> for Trouble {
    fn from(error: SignInRefused) -> Self {
        let status = match &error {
            SignInRefused::Refused(_) => StatusCode::FORBIDDEN,
            SignInRefused::Failed(cause) => {
                tracing::error!(error = %cause, "the gate can't look");
                StatusCode::INTERNAL_SERVER_ERROR
            }
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self(status, error.to_string().into())
    }
}

/// Runs work at the desk off the reactor.
async fn at_desk<T: Send + 'static>(
    state: &ConsoleState,
    viewer: Viewer,
    work: impl FnOnce(&Desk, &Viewer) -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    let desk = Arc::clone(&state.desk);
    let stopping = Trouble::words(StatusCode::SERVICE_UNAVAILABLE, "Hub sedang berhenti.");
    tokio::task::spawn_blocking(move || work(&desk, &viewer)).await.unwrap_or(Err(stopping))
}

/// The operator's villages as tiles.
fn tiles(desk: &Desk, viewer: &Viewer, now_ms: i64) -> Result<Vec<Tile>, DeskError> {
    let who = &viewer.who;
    let mut tiles = Tile::all(&desk.villages(who)?, &desk.live(who)?, now_ms);
    tiles.retain(|tile| who.scope().holds(tile.desa.code));
    Ok(tiles)
}

async fn first(State(state): State<ConsoleState>, viewer: Viewer) -> Result<Page, Trouble> {
    at_desk(&state, viewer, |desk, viewer| {
        let now = clock::now_ms();
        let totals = desk.totals(&viewer.who)?;
        Ok(whole(pages::first(viewer, &tiles(desk, viewer, now)?, totals, now)))
    })
    .await
}

async fn one_village(
    State(state): State<ConsoleState>,
    Path(code): Path<String>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    let desa = VillageCode::parse(&code).ok().and_then(|code| roster().village(code));
    let desa = desa.ok_or(DeskError::NotThere)?;
    at_desk(&state, viewer, move |desk, viewer| {
        let who = &viewer.who;
        let (now, date) = (clock::now_ms(), clock::today());
        let (stored, live) = desk.village(who, desa.code)?;
        let page = VillagePage {
            tile: Tile::of(desa, Some(&stored), live.as_ref(), now),
            facts: desk.facts(who, desa.code)?,
            recap: desk.recap(who, RegionRef::Desa(desa.code), date)?,
            quarantine: desk.quarantine(who, Some(desa.code))?,
            findings: if who.may(Right::SeeRecords) {
                desk.findings(who, Some(desa.code), true, FINDINGS_MAX)?
            } else {
                Vec::new()
            },
            incidents: desk.incidents(who, Some(desa.code), INCIDENTS_MAX)?,
            stored,
            live,
            date,
        };
        Ok(whole(page.render(viewer, now)))
    })
    .await
}

#[derive(Deserialize)]
struct RecapQuery {
    wilayah: Option<String>,
    tanggal: Option<String>,
}

impl RecapQuery {
    /// The region asked for; the widest the operator sees without one.
    fn region(&self, viewer: &Viewer) -> Result<RegionRef, Trouble> {
        let unknown = Trouble::words(StatusCode::NOT_FOUND, "Wilayah ini tidak dikenal.");
        if let Some(text) = self.wilayah.as_deref().filter(|text| !text.is_empty()) {
            return RegionRef::parse(text).map_err(|_| unknown);
        }
        let scope = viewer.who.scope();
        if scope.is_whole() {
            return Ok(RegionRef::Kabupaten);
        }
        let mut own = roster().villages().iter().filter(|desa| scope.holds(desa.code));
        own.next().map(|desa| RegionRef::Kecamatan(desa.kecamatan)).ok_or(unknown)
    }

    /// The date asked for; today without one.
    fn date(&self) -> Result<Date, Trouble> {
        match self.tanggal.as_deref() {
            None | Some("") => Ok(clock::today()),
            Some(text) => text.parse().map_err(|_| {
                Trouble::words(StatusCode::BAD_REQUEST, "Tanggal ditulis seperti 2026-12-31.")
            }),
        }
    }
}

async fn recap(
    State(state): State<ConsoleState>,
    Query(query): Query<RecapQuery>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    let (region, date) = (query.region(&viewer)?, query.date()?);
    at_desk(&state, viewer, move |desk, viewer| {
        let recap = desk.recap(&viewer.who, region, date)?;
        Ok(whole(village::recap_page(viewer, &recap, region, date)))
    })
    .await
}

async fn recap_file(
    State(state): State<ConsoleState>,
    Path(file): Path<String>,
    Query(query): Query<RecapQuery>,
    viewer: Viewer,
) -> Result<Response, Trouble> {
    let (region, date) = (query.region(&viewer)?, query.date()?);
    let csv = match file.as_str() {
        "rekap.csv" => true,
        "rekap.xlsx" => false,
        _ => return Err(Trouble::words(StatusCode::NOT_FOUND, "Berkas ini tidak ada.")),
    };
    let recap =
        at_desk(&state, viewer, move |desk, viewer| Ok(desk.recap(&viewer.who, region, date)?))
            .await?;
    let name = format!("rekap-{}-{date}", region.to_string().replace(['.', '/'], "-"));
    if csv {
        let body = exports::recap_csv(&recap);
        return Ok(download("text/csv; charset=utf-8", &format!("{name}.csv"), body));
    }
    let body = exports::recap_xlsx(&recap).map_err(|error| {
        tracing::error!(%error, "a workbook can't be made");
        Trouble::words(StatusCode::INTERNAL_SERVER_ERROR, "Berkas tidak bisa dibuat.")
    })?;
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    Ok(download(kind, &format!("{name}.xlsx"), body))
}

fn download(kind: &'static str, name: &str, body: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers =
        [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, body).into_response()
}

/// One browser that watches the first page.
struct Watcher {
    state: ConsoleState,
    /// The session's cookie: it may end while the page stays open.
    headers: HeaderMap,
    moved: tokio::sync::watch::Receiver<u64>,
    /// How its tiles look now.
    seen: HashMap<u64, String>,
}

impl Watcher {
    /// The next change of the page, a few times a second at most. The first
    /// one brings everything: time went by since the page was made.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if !self.seen.is_empty() {
                if let Ok(moved) = tokio::time::timeout(LOOK_EVERY, self.moved.changed()).await {
                    moved.ok()?;
                }
                tokio::time::sleep(UPDATE_EVERY).await;
            }
            self.moved.borrow_and_update();
            let viewer = guard::viewer(&self.headers, &self.state).await.ok()??;
            let mut seen = std::mem::take(&mut self.seen);
            let look = at_desk(&self.state, viewer, move |desk, viewer| {
                let now = clock::now_ms();
                let totals = desk.totals(&viewer.who)?;
                let update = pages::update(&tiles(desk, viewer, now)?, totals, now, &mut seen);
                Ok((update, seen))
            });
            // The browser connects again when the dataset can be read again.
            let (update, seen) = look.await.ok()?;
            self.seen = seen;
            if let Some(update) = update {
                return Some((Ok(Event::default().data(update)), self));
            }
        }
    }
}

/// What changes on the first page, as JSON.
async fn events(
    State(state): State<ConsoleState>,
    _viewer: Viewer,
    headers: HeaderMap,
) -> Sse<impl futures_util::Stream<Item = Result<Event, Infallible>>> {
    let watcher = Watcher { moved: state.desk.watch(), state, headers, seen: HashMap::new() };
    let stream = futures_util::stream::unfold(watcher, Watcher::next);
    Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(30)))
}
