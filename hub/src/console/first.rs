//! The first page: one sentence, five counters, what needs somebody, a tile
//! for each village, the hub, and what happened last.
//!
//! Everything comes from one look at the district. The parts that change are
//! made here for the page and for the stream of updates alike.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get;
use lumbung_domain::region::{KecamatanCode, roster};
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::{Frame, Tab};
use super::guard::{self, Viewer};
use super::language::Language;
use super::needs::Reader;
use super::tile::{Look, Tile, said};
use super::{ConsoleState, Page, Trouble, at_desk, needs, trend, whole};
use crate::access::Role;
use crate::dataset::Totals;
use crate::desk::sight::{News, Sight, Told};
use crate::live::Happened;
use crate::puller::trouble::Trouble as VillageTrouble;
use crate::reason::{Words, duration, trouble_en};
use crate::rhythm::Freshness;

/// Things to do that are shown at once.
const NEEDS_MAX: usize = 6;

/// Lines of news on the page.
const NEWS_MAX: usize = 12;

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new().route("/", get(first)).route("/perlu", get(needs::page))
}

/// Which villages are shown.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Filter {
    #[serde(default)]
    kelas: String,
    #[serde(default)]
    kecamatan: String,
    /// `ya` = without a script, load the page anew now and then.
    #[serde(default)]
    muat: String,
}

impl Filter {
    pub(super) fn class(&self) -> Option<Freshness> {
        Freshness::ALL.into_iter().find(|class| class.code() == self.kelas)
    }

    pub(super) fn kecamatan(&self) -> Option<KecamatanCode> {
        KecamatanCode::parse(&self.kecamatan)
    }

    pub(super) fn lets(&self, tile: &Tile) -> bool {
        self.class().is_none_or(|class| class == tile.freshness)
            && self.kecamatan().is_none_or(|code| code == tile.desa.kecamatan)
    }

    pub(super) fn is_set(&self) -> bool {
        self.class().is_some() || self.kecamatan().is_some()
    }

    /// Which villages it lets through.
    pub(super) fn title(&self, language: Language) -> String {
        if !self.is_set() {
            return language.say("Semua desa", "All villages").to_owned();
        }
        let mut title = language.say("Desa", "Villages").to_owned();
        if let Some(it) = self.kecamatan().and_then(|code| roster().kecamatan_of(code)) {
            title += language.say(" di Kecamatan ", " of Kecamatan ");
            title += it.name;
        }
        if let Some(class) = self.class() {
            title += ": ";
            title += language.of(Look::of_class(class).words());
        }
        title
    }

    /// The reader asked for a page that loads itself anew.
    fn reloads(&self) -> bool {
        self.muat == "ya"
    }

    /// This page with another class.
    fn with_class(&self, class: Option<Freshness>) -> String {
        self.link(class, self.reloads())
    }

    /// This page with another class, loading itself anew or not.
    fn link(&self, class: Option<Freshness>, reloads: bool) -> String {
        let mut pairs = Vec::new();
        if reloads {
            pairs.push("muat=ya".to_owned());
        }
        pairs.extend(self.pairs(class));
        if pairs.is_empty() { "/".to_owned() } else { format!("/?{}", pairs.join("&")) }
    }

    /// The same villages as a table.
    pub(super) fn table(&self) -> String {
        let pairs = ["tampilan=tabel".to_owned()].into_iter().chain(self.pairs(self.class()));
        format!("/desa?{}", pairs.collect::<Vec<_>>().join("&"))
    }

    /// The same villages as tiles.
    pub(super) fn as_tiles(&self) -> String {
        self.link(self.class(), false)
    }

    /// What is chosen, with another class, as an address has it.
    fn pairs(&self, class: Option<Freshness>) -> impl Iterator<Item = String> {
        let class = class.map(|class| format!("kelas={}", class.code()));
        let kecamatan = self.kecamatan().map(|it| format!("kecamatan={}", it.compact()));
        class.into_iter().chain(kecamatan)
    }
}

/// Every village of a look as a tile, by code.
pub(super) fn tiles(sight: &Sight, language: Language) -> Vec<Tile> {
    let villages = sight.outlook.villages.iter();
    let now_ms = sight.outlook.now_ms;
    villages.map(|it| Tile::of(it, &sight.reasons, language, now_ms)).collect()
}

async fn first(
    State(state): State<ConsoleState>,
    Query(filter): Query<Filter>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    let map = state.map.is_some();
    at_desk(&state, viewer, move |desk, viewer| {
        let sight = desk.sight(&viewer.who)?;
        let (news, told) = desk.news(&viewer.who, &sight, Told::default())?;
        let days = desk.freshness_days(&viewer.who, None, trend::DAYS)?;
        let parts = Parts::new(&sight, viewer.into());
        let trend = trend::draw(&days, viewer.language);
        Ok(whole(page(viewer, &parts, &filter, (&news, told), &trend, map)))
    })
    .await
}

fn page(
    viewer: &Viewer,
    parts: &Parts<'_>,
    filter: &Filter,
    (news, told): (&[News], Told),
    trend: &Markup,
    map: bool,
) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let body = html! {
        h1 id="kalimat" class="sentence" aria-live="polite" { (parts.sentence()) }
        p id="hidup" class="live" hidden {
            span { (say("Halaman ini berubah sendiri.", "This page changes by itself.")) }
            " " button type="button" id="jeda" class="plain"
                data-lanjut=(say("Lanjutkan", "Go on")) { (say("Jeda", "Pause")) }
        }
        noscript { (still(viewer.language, filter)) }
        nav id="hitung" aria-label=(say("Kesegaran", "Freshness")) { (parts.counters(filter)) }
        section aria-labelledby="perlu-judul" {
            h2 id="perlu-judul" { (say("Perlu tindakan", "Needs somebody")) }
            div id="perlu" { (parts.needs()) }
        }
        section aria-labelledby="desa-judul" {
            h2 id="desa-judul" { (filter.title(viewer.language)) }
            (parts.picker(filter, map))
            (parts.tiles(filter))
        }
        div class="beside" {
            section aria-labelledby="hub-judul" {
                h2 id="hub-judul" { "Hub" }
                div id="hub" { (parts.hub()) }
                p { a class="button" href="/versi" { (say("Versi node desa", "The nodes' versions")) } }
                div id="jumlah" { (parts.numbers()) }
                (trend)
                // One day is drawn nowhere.
                @if !trend.0.is_empty() {
                    p { a class="button" href="/gambaran#kesegaran" {
                        (say("Kesegaran hari demi hari", "Freshness day by day")) } }
                }
            }
            section aria-labelledby="umpan-judul" {
                h2 id="umpan-judul" { (say("Baru saja", "Just now")) }
                ol id="umpan" class="news" data-id=(told) {
                    @for item in news.iter().take(NEWS_MAX) { (parts.news(item)) }
                }
                // On a telephone the newest few are shown until it is followed.
                @if !news.is_empty() {
                    p class="earlier" { a class="button" href="#umpan" {
                        (say("Kabar sebelumnya", "Earlier news")) } }
                }
                @if news.is_empty() { p { small { (say("Belum ada.", "Nothing yet.")) } } }
            }
        }
    };
    let anew = filter
        .reloads()
        .then(|| format!("{}&{}", filter.link(filter.class(), true), guard::BY_ITSELF));
    Frame::of(viewer, say("Desa", "Villages"), Tab::Villages).live(anew).page(&body)
}

/// What stands for the script where there is none: the reader decides whether
/// the page loads anew by itself.
fn still(language: Language, filter: &Filter) -> Markup {
    let say = |id, en| language.say(id, en);
    let (class, reloads) = (filter.class(), filter.reloads());
    html! {
        p class="live" {
            @if reloads {
                (say("Halaman ini dimuat ulang tiap menit. ", "This page loads anew every minute. "))
                a href=(filter.link(class, false)) { (say("Berhenti memuat ulang", "Stop that")) }
            } @else {
                a href=(filter.link(class, false)) { (say("Muat ulang", "Load anew")) } " · "
                a href=(filter.link(class, true)) {
                    (say("Muat ulang sendiri tiap menit", "Load anew every minute")) }
            }
        }
    }
}

/// The parts of the page that change.
pub(super) struct Parts<'a> {
    pub(super) sight: &'a Sight,
    pub(super) language: Language,
    role: Role,
}

impl<'a> Parts<'a> {
    /// What `reader` is shown of the district as it is in sight.
    pub(super) const fn new(sight: &'a Sight, reader: Reader) -> Self {
        Self { sight, language: reader.language, role: reader.role }
    }

    fn say<T: Copy>(&self, id: T, en: T) -> T {
        self.language.say(id, en)
    }

    /// "236 dari 248 desa segar. 4 perlu tindakan. Hub sehat."
    pub(super) fn sentence(&self) -> String {
        let counts = self.sight.counts();
        let (fresh, all) = (counts.of(Freshness::Segar), counts.total());
        let acts = self.sight.reasons.to_act().count();
        let hub = match self.sight.hub_needs().count() {
            0 => self.say("Hub sehat.", "The hub is well."),
            _ => self.say("Hub perlu diperiksa.", "The hub needs a look."),
        };
        match self.language {
            Language::Indonesian => {
                format!("{fresh} dari {all} desa segar. {acts} perlu tindakan. {hub}")
            }
            Language::English => {
                let need = if acts == 1 { "needs" } else { "need" };
                format!("{fresh} of {all} villages are fresh. {acts} {need} somebody. {hub}")
            }
        }
    }

    pub(super) fn counters(&self, filter: &Filter) -> Markup {
        let counts = self.sight.counts();
        html! {
            ul class="counters" {
                @for class in Freshness::ALL {
                    @let look = Look::of_class(class);
                    @let chosen = filter.class() == Some(class);
                    @let next = (!chosen).then_some(class);
                    li {
                        a class=(format!("s{}", look.letter())) href=(format!("{}#desa-judul", filter.with_class(next)))
                            aria-current=[chosen.then_some("true")] {
                            b { (counts.of(class)) } " "
                            span { (look.mark()) " " (self.language.of(look.words())) }
                        }
                    }
                }
            }
        }
    }

    /// What somebody must do, and below it what is only worth knowing.
    pub(super) fn needs(&self) -> Markup {
        let reasons = &self.sight.reasons;
        let (now_ms, acts) = (self.sight.outlook.now_ms, reasons.to_act().count());
        let advice = needs::Advice::of(reasons);
        let reader = Reader { language: self.language, role: self.role };
        html! {
            @if acts == 0 { (needs::nothing(self.language, self.sight)) }
            (needs::cards(reasons.to_act().take(NEEDS_MAX), reader, now_ms, true))
            @if acts > NEEDS_MAX {
                p { a class="button" href="/perlu" {
                    (self.say("Lihat semua ", "See all ")) (acts)
                } }
            }
            @if advice.count() > 0 {
                details class="advice" {
                    summary { (advice.count()) (self.say(" saran (tidak mendesak)",
                                                       " pieces of advice (not urgent)")) }
                    (advice.cards(NEEDS_MAX, reader, now_ms))
                    @if advice.count() > NEEDS_MAX {
                        p { a class="button" href="/perlu#saran" {
                            (self.say("Lihat semua ", "See all ")) (advice.count())
                        } }
                    }
                }
            }
        }
    }

    fn picker(&self, filter: &Filter, map: bool) -> Markup {
        let say = |id, en| self.say(id, en);
        html! {
            form class="pick" action="/#desa-judul" {
                @if filter.reloads() { input type="hidden" name="muat" value="ya"; }
                @if let Some(class) = filter.class() {
                    input type="hidden" name="kelas" value=(class.code());
                }
                label for="kecamatan" { "Kecamatan" }
                select id="kecamatan" name="kecamatan" {
                    option value="" { (say("Semua", "All")) }
                    @for (code, name) in self.kecamatan() {
                        option value=(code.compact()) selected[filter.kecamatan() == Some(code)] {
                            (name)
                        }
                    }
                }
                button { (say("Tampilkan", "Show")) }
                @if filter.is_set() { a class="button" href="/" { (say("Semua desa", "All")) } }
                a class="button" href=(filter.table()) { (say("Tabel", "Table")) }
                @if map { a class="button" href="/peta" { (say("Peta", "Map")) } }
            }
            ul class="legend" aria-label=(say("Arti huruf", "What the letters mean")) {
                @for look in Look::ALL { li { (look.mark()) " " (self.language.of(look.words())) } }
            }
        }
    }

    /// The kecamatan of the operator's villages.
    fn kecamatan(&self) -> Vec<(KecamatanCode, &'static str)> {
        let here = |code| self.sight.outlook.villages.iter().any(|it| it.desa.kecamatan == code);
        let all = roster().kecamatan().iter().filter(|kecamatan| here(kecamatan.code));
        all.map(|kecamatan| (kecamatan.code, kecamatan.name)).collect()
    }

    fn tiles(&self, filter: &Filter) -> Markup {
        let mut by_kecamatan: BTreeMap<u64, Vec<Tile>> = BTreeMap::new();
        for tile in tiles(self.sight, self.language).into_iter().filter(|tile| filter.lets(tile)) {
            by_kecamatan.entry(tile.desa.kecamatan.as_u64()).or_default().push(tile);
        }
        html! {
            @if by_kecamatan.is_empty() {
                p { (self.say("Tidak ada desa seperti itu.", "No such village.")) }
            }
            @for (code, tiles) in &mut by_kecamatan {
                @let name = KecamatanCode::from_u64(*code)
                    .and_then(|code| roster().kecamatan_of(code));
                @let folds = filter.kecamatan().is_none() && tiles.iter().any(Tile::is_calm);
                div id=(format!("k{code}")) class=(if folds { "kec folds" } else { "kec" }) {
                    h3 { (name.map_or("", |kecamatan| kecamatan.name)) }
                    @if folds { (self.folded(*code, tiles)) }
                    div id=(format!("i{code}")) class="tiles" {
                        @for tile in sorted(tiles) { (tile.render(self.language)) }
                    }
                }
            }
        }
    }

    /// Stands on a telephone for those villages of a kecamatan with which all
    /// is well, which lie beside it: elsewhere they are never folded away. The
    /// script keeps the counts.
    fn folded(&self, code: u64, tiles: &[Tile]) -> Markup {
        let never = tiles.iter().filter(|tile| tile.look == Look::Never).count();
        let well = tiles.iter().filter(|tile| tile.is_calm()).count() - never;
        html! {
            details class="fold" {
                summary aria-controls=(format!("i{code}")) {
                    @for (count, look) in [(well, Look::Fresh), (never, Look::Never)] {
                        span hidden[count == 0] {
                            (look.mark()) " " b data-huruf=(look.letter()) { (count) } " "
                            (self.language.of(look.words())) " "
                        }
                    }
                    span class="unseen" { (self.say("Lihat desanya", "See its villages")) }
                }
            }
        }
    }

    pub(super) fn numbers(&self) -> Markup {
        let Totals { warga, rumah_tangga, records, findings, quarantined } = self.sight.totals;
        let one = |count: u64, word: &str| {
            html! { div { dt { (word) } dd { (self.language.count(count)) } } }
        };
        html! {
            dl class="numbers" {
                (one(warga, self.say("warga", "residents")))
                (one(rumah_tangga, self.say("rumah tangga", "households")))
                (one(records, self.say("catatan", "records")))
                (one(findings, self.say("temuan", "findings")))
                (one(quarantined, self.say("karantina", "in quarantine")))
            }
        }
    }

    /// How the hub itself is.
    pub(super) fn hub(&self) -> Markup {
        let outlook = &self.sight.outlook;
        let live = || outlook.villages.iter().filter_map(|it| it.live.as_ref());
        let waiting: u64 = live().map(crate::live::LiveVillage::lag).sum();
        let up = duration(outlook.now_ms - outlook.hub.started_ms);
        let gigabytes = |bytes: u64| self.language.count(bytes / 1_000_000_000);
        html! {
            dl class="facts" {
                div { dt { (self.say("Berjalan selama", "Up for")) }
                    dd { (said(self.language, &up)) } }
                div { dt { (self.say("Cadangan terakhir", "Last backup")) }
                    dd { @match outlook.hub.backup_ms {
                        Some(at_ms) => (self.language.moment(at_ms, outlook.now_ms)),
                        None => (self.say("belum pernah", "never")),
                    } } }
                div { dt { (self.say("Sambungan desa terbuka", "Open village lines")) }
                    dd { (outlook.in_touch()) } }
                div { dt { (self.say("Menunggu digabung", "Waiting to be merged")) }
                    dd { (self.language.count(waiting)) (self.say(" catatan", " records")) } }
                div { dt { (self.say("Versi hub", "The hub's version")) }
                    dd { (env!("CARGO_PKG_VERSION")) } }
                @if let Some(disk) = outlook.hub.disk {
                    div { dt { (self.say("Disk kosong", "Free disk")) }
                        dd { (gigabytes(disk.free_bytes)) (self.say(" dari ", " of "))
                            (gigabytes(disk.total_bytes)) " GB" } }
                }
                @if outlook.hub.set_aside > 0 {
                    div { dt { (self.say("Data lama disisihkan", "Old data set aside")) }
                        dd { (outlook.hub.set_aside) " × sebelum-pulih-…" } }
                }
            }
        }
    }

    /// One line of news.
    pub(super) fn news(&self, news: &News) -> Markup {
        let village = news.village();
        let name = roster().village(village).map_or_else(String::new, |desa| desa.short_name());
        let words = match news {
            News::Happening(it) => happened(&it.what),
            News::Incident(it) => Words::new(it.heading(), it.heading_en()),
        };
        html! {
            li {
                time { (self.language.moment(news.at_ms(), self.sight.outlook.now_ms)) } " "
                a href=(format!("/desa/{village}")) { (name) } " " (said(self.language, &words))
            }
        }
    }
}

fn sorted(tiles: &mut [Tile]) -> &[Tile] {
    tiles.sort_by_key(|tile| (tile.look, tile.desa.name));
    tiles
}

fn happened(what: &Happened) -> Words {
    match what {
        Happened::CameIn => Words::new("tersambung", "connected"),
        Happened::WentAway => Words::new("putus", "disconnected"),
        Happened::Proven(seq) => {
            let seq = |language: Language| language.count(*seq);
            Words::new(
                format!("terbukti sama, nomor {}", seq(Language::Indonesian)),
                format!("proven equal, at {}", seq(Language::English)),
            )
        }
        Happened::ByStick => Words::new("datang lewat stik", "came by stick"),
        Happened::Troubled(code) => match VillageTrouble::from_code(code) {
            Some(trouble) => Words::new(trouble.sentence(), trouble_en(trouble)),
            None => Words::new("bermasalah", "is in trouble"),
        },
        Happened::Mended => Words::new("masalahnya selesai", "is well again"),
    }
}
