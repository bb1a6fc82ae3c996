//! The pages about all of an operator's villages.

use std::collections::{BTreeMap, HashMap};

use lumbung_domain::region::roster;
use maud::{Markup, html};
use serde_json::json;

use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::language::Language;
use super::tile::{State, Tile, sentence, thousands, when};
use crate::dataset::Totals;
use crate::puller::trouble::Trouble;

/// Villages named one by one under a thing to do; the rest is a number.
const NAMED_MAX: usize = 8;

/// A page that says why there is none.
pub(super) fn trouble(words: &str) -> Markup {
    let body = html! {
        h1 { "Halaman ini tidak bisa dibuka" }
        p { (words) }
        p { a href="/" { "Kembali ke daftar desa" } }
    };
    Frame::outside(Language::default(), "Tidak bisa dibuka", Tab::None).page(&body)
}

/// The first page.
pub(super) fn first(viewer: &Viewer, tiles: &[Tile], totals: Totals, now_ms: i64) -> Markup {
    let body = html! {
        h1 id="kalimat" class="sentence" aria-live="polite" { (sentence(tiles)) }
        div id="jumlah" { (numbers(totals)) }
        section aria-labelledby="perlu-judul" {
            h2 id="perlu-judul" { "Perlu tindakan" }
            div id="perlu" { (actions(tiles, now_ms)) }
        }
        section aria-labelledby="desa-judul" {
            h2 id="desa-judul" { "Semua desa" }
            ul class="legend" aria-label="Arti huruf" {
                @for state in State::ALL {
                    li { span class=(format!("mark s{}", state.letter())) { (state.letter()) }
                        " " (state.word()) }
                }
            }
            @for kecamatan in roster().kecamatan() {
                @let here: Vec<_> =
                    tiles.iter().filter(|tile| tile.desa.kecamatan == kecamatan.code).collect();
                @if !here.is_empty() {
                    h3 { (kecamatan.name) }
                    div class="tiles" { @for tile in here { (tile_link(tile, now_ms)) } }
                }
            }
        }
    };
    Frame::of(viewer, "Desa", Tab::Villages).live().page(&body)
}

fn tile_link(tile: &Tile, now_ms: i64) -> Markup {
    html! {
        a id=(format!("d{}", tile.key())) class=(format!("tile s{}", tile.state.letter()))
            href=(format!("/desa/{}", tile.desa.code)) aria-label=(tile.spoken(now_ms)) {
            span class="mark" { (tile.state.letter()) }
            span class="name" { (tile.desa.name) }
            small { (tile.short(now_ms)) }
        }
    }
}

fn numbers(totals: Totals) -> Markup {
    let one = |count: u64, word: &str| {
        html! { div { dt { (word) } dd { (thousands(count)) } } }
    };
    html! {
        dl class="numbers" {
            (one(totals.warga, "warga"))
            (one(totals.rumah_tangga, "rumah tangga"))
            (one(totals.records, "catatan"))
            (one(totals.findings, "temuan"))
            (one(totals.quarantined, "karantina"))
        }
    }
}

/// What a person must do, one card per thing to do.
fn actions(tiles: &[Tile], now_ms: i64) -> Markup {
    let of = |state| tiles.iter().filter(move |tile| tile.state == state);
    let mut troubles: BTreeMap<&str, Vec<&Tile>> = BTreeMap::new();
    for tile in of(State::Troubled) {
        troubles.entry(&tile.trouble).or_default().push(tile);
    }
    let late: Vec<_> = of(State::Late).collect();
    let quarantined: Vec<_> = tiles.iter().filter(|tile| tile.quarantined > 0).collect();
    let never = of(State::Never).count();
    let nothing = troubles.is_empty() && late.is_empty() && quarantined.is_empty() && never == 0;
    let contact = |tile: &Tile| match tile.last_contact_ms {
        0 => String::new(),
        at_ms => format!("kontak terakhir {}", when(at_ms, now_ms)),
    };
    html! {
        @if nothing { p class="calm" { "Tidak ada. Semua desa berjalan sendiri." } }
        ul class="actions" {
            @for (code, tiles) in &troubles {
                (action(State::Troubled, trouble_words(code), tiles, contact))
            }
            @if !late.is_empty() { (action(State::Late, LATE, &late, contact)) }
            @if !quarantined.is_empty() {
                (action(State::Troubled, QUARANTINED, &quarantined, |tile| {
                    format!("{} catatan", thousands(tile.quarantined))
                }))
            }
            @if never > 0 {
                li class="sB" {
                    b { (never) " desa belum pernah terhubung." }
                    p { "Daftarkan alamat nodenya dengan " code { "lumbung-hub villages add" } "." }
                }
            }
        }
    }
}

fn action(state: State, words: &str, tiles: &[&Tile], remark: impl Fn(&Tile) -> String) -> Markup {
    html! {
        li class=(format!("s{}", state.letter())) {
            p { @if tiles.len() > 1 { b { (tiles.len()) " desa. " } } (words) }
            ul class="who" {
                @for tile in tiles.iter().take(NAMED_MAX) {
                    li {
                        a href=(format!("/desa/{}", tile.desa.code)) { (tile.desa.full_name()) }
                        small { (remark(tile)) }
                    }
                }
                @if tiles.len() > NAMED_MAX {
                    li { "dan " (tiles.len() - NAMED_MAX) " desa lain, lihat daftar di bawah" }
                }
            }
        }
    }
}

const QUARANTINED: &str = "Ada catatan di karantina karena belum bisa dibaca hub. Isinya tersimpan \
                           utuh dan sisanya berjalan terus. Perbarui hub, lalu coba lagi.";

const LATE: &str = "Tidak terhubung. Yang sudah tergabung aman, dan desa tetap bisa mencatat; hub \
                    mengejar sendiri begitu tersambung. Bila lama, periksa listrik dan jaringan \
                    desa.";

/// What to tell people about a trouble code.
pub(super) fn trouble_words(code: &str) -> &'static str {
    Trouble::from_code(code).map_or(
        "Penarikan dari desa ini dihentikan. Yang sudah tergabung aman. Lihat catatan hub.",
        Trouble::sentence,
    )
}

/// What changed on the first page since `seen`, as JSON; `None` = nothing.
pub(super) fn update(
    tiles: &[Tile],
    totals: Totals,
    now_ms: i64,
    seen: &mut HashMap<u64, String>,
) -> Option<String> {
    /// No village has this number.
    const HEAD: u64 = 0;
    let mut changed = Vec::new();
    for tile in tiles {
        let (short, spoken) = (tile.short(now_ms), tile.spoken(now_ms));
        let look = format!("{}{short}{spoken}", tile.state.letter());
        if seen.get(&tile.key()) != Some(&look) {
            changed.push(json!({
                "d": tile.key(), "s": tile.state.letter(), "t": short, "l": spoken,
            }));
            seen.insert(tile.key(), look);
        }
    }
    let head = json!({
        "kalimat": sentence(tiles),
        "jumlah": numbers(totals).into_string(),
        "perlu": actions(tiles, now_ms).into_string(),
    });
    let look = head.to_string();
    let same_head = seen.get(&HEAD) == Some(&look);
    if changed.is_empty() && same_head {
        return None;
    }
    seen.insert(HEAD, look);
    let mut update = if same_head { json!({}) } else { head };
    update["desa"] = changed.into();
    Some(update.to_string())
}
