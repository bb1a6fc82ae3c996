//! The district's console: which villages are fresh, late or wrong, and why.
//!
//! Server-rendered pages in Bahasa Indonesia that work without JavaScript; a
//! small script of our own updates the tiles from server-sent events. Reads
//! only.

mod pages;
#[cfg(test)]
mod tests;
mod tile;
mod village;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use jiff::civil::Date;
use lumbung_domain::region::{VillageCode, roster};
use lumbung_telemetry::clock;
use maud::Markup;
use serde::Deserialize;

use crate::dataset::{Dataset, DatasetError};
use crate::exports;
use crate::live::Live;
use crate::recap::{Recap, RecapError, RegionRef};

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

const STYLE: &str = include_str!("console/style.css");
const SCRIPT: &str = include_str!("console/live.js");
const ICON: &str = include_str!("console/icon.svg");

/// What the console reads.
#[derive(Clone)]
pub struct ConsoleState {
    /// The dataset.
    pub dataset: Arc<dyn Dataset>,
    /// The view of the moment.
    pub live: Arc<Live>,
}

/// The console's routes.
pub fn router(state: ConsoleState) -> Router {
    Router::new()
        .route("/", get(first))
        .route("/desa/{code}", get(one_village))
        .route("/rekap", get(recap))
        .route("/rekap/{file}", get(recap_file))
        .route("/temuan", get(findings))
        .route("/events", get(events))
        .route("/style.css", get(|| asset("text/css; charset=utf-8", STYLE)))
        .route("/live.js", get(|| asset("text/javascript; charset=utf-8", SCRIPT)))
        .route("/icon.svg", get(|| asset("image/svg+xml", ICON)))
        .fallback(|| async { Trouble(StatusCode::NOT_FOUND, "Halaman ini tidak ada.") })
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
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Why a page can't be shown, in words.
struct Trouble(StatusCode, &'static str);

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        (self.0, whole(pages::trouble(self.1))).into_response()
    }
}

impl From<DatasetError> for Trouble {
    fn from(error: DatasetError) -> Self {
        if matches!(error, DatasetError::UnknownVillage(_)) {
            return Self(StatusCode::NOT_FOUND, "Desa ini belum terdaftar di kabupaten.");
        }
        tracing::error!(%error, "a page can't be shown");
        Self(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Data kabupaten sedang tidak bisa dibaca. Tidak ada yang berubah. Coba lagi sebentar.",
        )
    }
}

/// Runs reading work off the reactor.
async fn reading<T: Send + 'static>(
    state: &ConsoleState,
    work: impl FnOnce(&dyn Dataset) -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    let dataset = Arc::clone(&state.dataset);
    tokio::task::spawn_blocking(move || work(&*dataset))
        .await
        .unwrap_or(Err(Trouble(StatusCode::SERVICE_UNAVAILABLE, "Hub sedang berhenti.")))
}

async fn first(State(state): State<ConsoleState>) -> Result<Page, Trouble> {
    let live = Arc::clone(&state.live);
    reading(&state, move |dataset| {
        let now = clock::now_ms();
        let tiles = Tile::all(&dataset.villages()?, &live.all(), now);
        Ok(whole(pages::first(&tiles, dataset.totals()?, now)))
    })
    .await
}

async fn one_village(
    State(state): State<ConsoleState>,
    Path(code): Path<String>,
) -> Result<Page, Trouble> {
    let unknown = Trouble(StatusCode::NOT_FOUND, "Desa ini tidak ada di Kabupaten Blitar.");
    let desa = VillageCode::parse(&code).ok().and_then(|code| roster().village(code));
    let desa = desa.ok_or(unknown)?;
    let live = state.live.get(desa.code);
    reading(&state, move |dataset| {
        let now = clock::now_ms();
        let date = clock::today();
        let stored = dataset.village(desa.code)?;
        let page = VillagePage {
            tile: Tile::of(desa, Some(&stored), live.as_ref(), now),
            facts: dataset.facts(desa.code)?,
            recap: Recap::of(dataset, RegionRef::Desa(desa.code), date).map_err(recap_failed)?,
            quarantine: dataset.quarantine(Some(desa.code))?,
            findings: dataset.findings(Some(desa.code), true, FINDINGS_MAX)?,
            incidents: dataset.incidents(Some(desa.code), INCIDENTS_MAX)?,
            stored,
            live,
            date,
        };
        Ok(whole(page.render(now)))
    })
    .await
}

#[derive(Deserialize)]
struct RecapQuery {
    wilayah: Option<String>,
    tanggal: Option<String>,
}

impl RecapQuery {
    fn region(&self) -> Result<RegionRef, Trouble> {
        RegionRef::parse(self.wilayah.as_deref().unwrap_or("3505"))
            .map_err(|_| Trouble(StatusCode::NOT_FOUND, "Wilayah ini tidak dikenal."))
    }

    /// The date asked for; today without one.
    fn date(&self) -> Result<Date, Trouble> {
        match self.tanggal.as_deref() {
            None | Some("") => Ok(clock::today()),
            Some(text) => text.parse().map_err(|_| {
                Trouble(StatusCode::BAD_REQUEST, "Tanggal ditulis seperti 2026-12-31.")
            }),
        }
    }
}

fn recap_failed(error: RecapError) -> Trouble {
    match error {
        RecapError::Dataset(error) => error.into(),
        RecapError::UnknownRegion(_) => {
            Trouble(StatusCode::NOT_FOUND, "Wilayah ini tidak dikenal.")
        }
    }
}

async fn recap(
    State(state): State<ConsoleState>,
    Query(query): Query<RecapQuery>,
) -> Result<Page, Trouble> {
    let (region, date) = (query.region()?, query.date()?);
    reading(&state, move |dataset| {
        let recap = Recap::of(dataset, region, date).map_err(recap_failed)?;
        Ok(whole(village::recap_page(&recap, region, date)))
    })
    .await
}

async fn recap_file(
    State(state): State<ConsoleState>,
    Path(file): Path<String>,
    Query(query): Query<RecapQuery>,
) -> Result<Response, Trouble> {
    let (region, date) = (query.region()?, query.date()?);
    let csv = match file.as_str() {
        "rekap.csv" => true,
        "rekap.xlsx" => false,
        _ => return Err(Trouble(StatusCode::NOT_FOUND, "Berkas ini tidak ada.")),
    };
    let recap =
        reading(&state, move |dataset| Recap::of(dataset, region, date).map_err(recap_failed))
            .await?;
    let name = format!("rekap-{}-{date}", region.to_string().replace(['.', '/'], "-"));
    if csv {
        let body = exports::recap_csv(&recap);
        return Ok(download("text/csv; charset=utf-8", &format!("{name}.csv"), body));
    }
    let body = exports::recap_xlsx(&recap).map_err(|error| {
        tracing::error!(%error, "a workbook can't be made");
        Trouble(StatusCode::INTERNAL_SERVER_ERROR, "Berkas tidak bisa dibuat.")
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

async fn findings(State(state): State<ConsoleState>) -> Result<Page, Trouble> {
    reading(&state, |dataset| {
        let findings = dataset.findings(None, true, FINDINGS_MAX)?;
        Ok(whole(pages::findings(&findings, clock::now_ms())))
    })
    .await
}

/// One browser that watches the first page.
struct Watcher {
    state: ConsoleState,
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
            let live = Arc::clone(&self.state.live);
            let mut seen = std::mem::take(&mut self.seen);
            let look = reading(&self.state, move |dataset| {
                let now = clock::now_ms();
                let tiles = Tile::all(&dataset.villages()?, &live.all(), now);
                let update = pages::update(&tiles, dataset.totals()?, now, &mut seen);
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
) -> Sse<impl futures_util::Stream<Item = Result<Event, Infallible>>> {
    let watcher = Watcher { moved: state.live.watch(), state, seen: HashMap::new() };
    let stream = futures_util::stream::unfold(watcher, Watcher::next);
    Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(30)))
}
