//! The first page's updates as server-sent events.
//!
//! The first event of a stream brings everything, whatever the browser saw
//! before; later ones what changed, a few times a second at most. Each
//! carries how far the news were told, so that a browser that comes back
//! (`Last-Event-ID`) gets those it missed and no other twice.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};

use super::first::{Filter, Parts, tiles};
use super::guard::{self, Viewer};
use super::needs::Reader;
use super::{ConsoleState, at_desk};
use crate::desk::sight::{News, Sight, Told};

/// Updates are gathered this long: an operator's eye is no faster, and a
/// phone's line is metered.
const UPDATE_EVERY: Duration = Duration::from_millis(500);

/// Time alone makes a village late: look again at least this often.
const LOOK_EVERY: Duration = Duration::from_secs(15);

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new().route("/events", get(events))
}

#[derive(Deserialize)]
struct Since {
    /// How far the news on the page go.
    #[serde(default)]
    id: String,
    #[serde(flatten)]
    filter: Filter,
}

/// What a browser has on its page.
#[derive(Default)]
struct Seen {
    /// By the village's number how its tile looks.
    tiles: HashMap<u64, String>,
    /// By their name the parts of the page.
    parts: HashMap<&'static str, String>,
    told: Told,
}

impl Seen {
    /// What is different now, as JSON; `None` = nothing.
    fn update(
        &mut self,
        sight: &Sight,
        (news, told): (Vec<News>, Told),
        reader: Reader,
        filter: &Filter,
    ) -> Option<Value> {
        let language = reader.language;
        let parts = Parts::new(sight, reader);
        let mut changed = Vec::new();
        for tile in tiles(sight, language) {
            let spoken = tile.spoken(language);
            let look = format!("{}{}{spoken}", tile.look.letter(), tile.short);
            if self.tiles.get(&tile.key()) != Some(&look) {
                let (key, letter) = (tile.key(), tile.look.letter());
                changed.push(json!({ "d": key, "s": letter, "t": tile.short, "l": spoken }));
                self.tiles.insert(key, look);
            }
        }
        let mut update = json!({});
        for (name, part) in [
            ("kalimat", parts.sentence()),
            ("hitung", parts.counters(filter).into_string()),
            ("jumlah", parts.numbers().into_string()),
            ("hub", parts.hub().into_string()),
            ("perlu", parts.needs().into_string()),
        ] {
            if self.parts.get(name) != Some(&part) {
                update[name] = part.clone().into();
                self.parts.insert(name, part);
            }
        }
        self.told = told;
        if !news.is_empty() {
            // Oldest first: each goes on top of the list.
            let lines = news.iter().rev().map(|it| parts.news(it).into_string());
            update["umpan"] = lines.collect::<Vec<_>>().into();
        }
        let nothing = changed.is_empty() && update.as_object().is_none_or(|it| it.is_empty());
        if nothing {
            return None;
        }
        update["desa"] = changed.into();
        Some(update)
    }
}

/// One browser that watches the first page.
struct Watcher {
    state: ConsoleState,
    /// The session's cookie: it may end while the page stays open.
    headers: HeaderMap,
    filter: Filter,
    moved: tokio::sync::watch::Receiver<u64>,
    seen: Seen,
}

impl Watcher {
    /// The next change of the page. The stream ends when the session does.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if !self.seen.tiles.is_empty() {
                if let Ok(moved) = tokio::time::timeout(LOOK_EVERY, self.moved.changed()).await {
                    moved.ok()?;
                }
                tokio::time::sleep(UPDATE_EVERY).await;
            }
            self.moved.borrow_and_update();
            let viewer = guard::watcher(&self.headers, &self.state).await.ok()??;
            let (mut seen, filter) = (std::mem::take(&mut self.seen), self.filter.clone());
            let look = at_desk(&self.state, viewer, move |desk, viewer| {
                let sight = desk.sight(&viewer.who)?;
                let news = desk.news(&viewer.who, &sight, seen.told)?;
                let update = seen.update(&sight, news, Reader::from(viewer), &filter);
                Ok((update, seen))
            });
            // The browser connects again when the dataset can be read again.
            let (update, seen) = look.await.ok()?;
            self.seen = seen;
            if let Some(update) = update {
                let id = self.seen.told.to_string();
                return Some((Ok(Event::default().id(id).data(update.to_string())), self));
            }
        }
    }
}

async fn events(
    State(state): State<ConsoleState>,
    Query(since): Query<Since>,
    _viewer: Viewer,
    headers: HeaderMap,
) -> Sse<impl futures_util::Stream<Item = Result<Event, Infallible>>> {
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let told = last.unwrap_or(&since.id).parse().unwrap_or_default();
    let seen = Seen { told, ..Seen::default() };
    let moved = state.desk.watch();
    let watcher = Watcher { moved, state, headers, filter: since.filter, seen };
    let stream = futures_util::stream::unfold(watcher, Watcher::next);
    Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(30)))
}
