//! All villages as a table: the twin of the tiles, for who reads or sorts.

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get;
use lumbung_domain::region::roster;
use maud::{Markup, html};
use serde::Deserialize;

use super::first::{Filter, tiles};
use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::language::Language;
use super::tile::Tile;
use super::{ConsoleState, Page, Trouble, at_desk, whole};

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new().route("/desa", get(table))
}

/// What the table is sorted by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Name,
    Freshness,
    Lag,
    Contact,
}

impl Order {
    const ALL: [Self; 4] = [Self::Name, Self::Freshness, Self::Lag, Self::Contact];

    const fn code(self) -> &'static str {
        match self {
            Self::Name => "nama",
            Self::Freshness => "segar",
            Self::Lag => "tertinggal",
            Self::Contact => "kontak",
        }
    }

    const fn heading(self, language: Language) -> &'static str {
        match self {
            Self::Name => language.say("Desa", "Village"),
            Self::Freshness => language.say("Keadaan", "State"),
            Self::Lag => language.say("Tertinggal", "Behind"),
            Self::Contact => language.say("Kontak terakhir", "Last contact"),
        }
    }

    /// First what most needs a look; names by the alphabet.
    fn sort(self, tiles: &mut [Tile]) {
        match self {
            Self::Name => tiles.sort_by_key(|tile| tile.desa.name),
            Self::Freshness => tiles.sort_by_key(|tile| (tile.look, tile.desa.name)),
            Self::Lag => tiles.sort_by_key(|tile| (std::cmp::Reverse(tile.lag), tile.desa.name)),
            Self::Contact => tiles.sort_by_key(|tile| (tile.last_ms, tile.desa.name)),
        }
    }
}

#[derive(Deserialize)]
struct Wish {
    #[serde(default)]
    tampilan: String,
    #[serde(default)]
    urut: String,
    #[serde(default)]
    arah: String,
    #[serde(flatten)]
    filter: Filter,
}

impl Wish {
    fn order(&self) -> Order {
        Order::ALL.into_iter().find(|order| order.code() == self.urut).unwrap_or(Order::Freshness)
    }

    fn is_backward(&self) -> bool {
        self.arah == "balik"
    }

    /// This table in another order; the same order asked for again turns it.
    fn href(&self, order: Order) -> String {
        let mut href = format!("{}&urut={}", self.filter.table(), order.code());
        if order == self.order() && !self.is_backward() {
            href.push_str("&arah=balik");
        }
        href
    }
}

async fn table(
    State(state): State<ConsoleState>,
    Query(wish): Query<Wish>,
    viewer: Viewer,
) -> Result<axum::response::Response, Trouble> {
    use axum::response::{IntoResponse as _, Redirect};
    if wish.tampilan == "ubin" {
        return Ok(Redirect::to(&wish.filter.as_tiles()).into_response());
    }
    let page: Result<Page, Trouble> = at_desk(&state, viewer, move |desk, viewer| {
        let sight = desk.sight(&viewer.who)?;
        let mut rows = tiles(&sight, viewer.language);
        rows.retain(|tile| wish.filter.lets(tile));
        wish.order().sort(&mut rows);
        if wish.is_backward() {
            rows.reverse();
        }
        Ok(whole(page(viewer, &wish, &rows, sight.outlook.now_ms)))
    })
    .await;
    Ok(page?.into_response())
}

fn page(viewer: &Viewer, wish: &Wish, rows: &[Tile], now_ms: i64) -> Markup {
    let language = viewer.language;
    let say = |id, en| language.say(id, en);
    let direction = if wish.is_backward() { "descending" } else { "ascending" };
    let body = html! {
        h1 { (wish.filter.title(language)) (say(" (tabel)", " (table)")) }
        p { (rows.len()) (say(" desa. ", " villages. "))
            a class="button" href=(wish.filter.as_tiles()) { (say("Sebagai ubin", "As tiles")) }
            @if wish.filter.is_set() {
                " " a class="button" href=(Filter::default().table()) { (say("Semua desa", "All")) }
            } }
        div class="scroll" tabindex="0" role="region" aria-label=(say("Tabel desa", "Villages")) {
            table class="stack villages" {
                thead { tr {
                    @for order in Order::ALL {
                        th scope="col" class=[(order == Order::Lag).then_some("n")]
                            aria-sort=[(order == wish.order()).then_some(direction)] {
                            a href=(wish.href(order)) { (order.heading(language)) }
                        }
                    }
                    th scope="col" { (say("Sebab", "Why")) }
                } }
                tbody { @for tile in rows { (row(tile, language, now_ms)) } }
            }
        }
    };
    Frame::of(viewer, say("Tabel desa", "Villages"), Tab::Villages).page(&body)
}

fn row(tile: &Tile, language: Language, now_ms: i64) -> Markup {
    let kecamatan = roster().kecamatan_of(tile.desa.kecamatan).map_or("", |it| it.name);
    let contact = match tile.last_ms {
        0 => language.say("belum pernah", "never").to_owned(),
        at_ms => language.moment(at_ms, now_ms),
    };
    html! {
        tr class=(format!("s{}", tile.look.letter())) {
            th scope="row" {
                a href=(format!("/desa/{}", tile.desa.code)) { (tile.desa.name) }
                " " small { (kecamatan) }
            }
            td class="nowrap" { (tile.look.mark()) " " (language.of(tile.look.words())) }
            td class={ "n" @if tile.lag == 0 { " zero" } } data-label=(language.say("kurang", "behind")) {
                (language.count(tile.lag))
            }
            td class="nowrap" { (contact) }
            td class="why" { (tile.line) }
        }
    }
}
