//! Recaps: from the kabupaten down to one house, on the screen, on paper and
//! as files.

mod gloss;
mod houses;
mod paper;
mod table;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use jiff::civil::Date;
use lumbung_domain::recap::Edisi;
use lumbung_domain::region::roster;
use lumbung_telemetry::clock;
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::language::Language;
use super::{ConsoleState, Page, Trouble, at_desk, download, whole};
use crate::access::Right;
use crate::desk::DeskError;
use crate::exports;
use crate::recap::{Audience, Printed, Recap, RegionRef};

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/rekap", get(show))
        .route("/rekap/cetak", get(print))
        .route("/rekap/{file}", get(file))
        .merge(houses::routes())
}

/// What is said of a date that is none.
pub(super) const DATE_WORDS: (&str, &str) = (
    "Tanggal ini tidak bisa dibaca. Pilih lagi dari kalender.",
    "This date can't be read. Choose it again from the calendar.",
);

/// What a link to a recap says. Ids and codes hold no character that a query
/// would mistake.
#[derive(Deserialize)]
pub(super) struct Asked {
    wilayah: Option<String>,
    tanggal: Option<String>,
    /// `1` = for the public.
    umum: Option<String>,
    /// `f4` or `a4`.
    kertas: Option<String>,
    /// Of sheets 4.16a and 4.16b, see [`Edisi::name`].
    edisi: Option<String>,
}

impl Asked {
    /// The region asked for; the widest the operator sees without one.
    pub(super) fn region(&self, viewer: &Viewer) -> Result<RegionRef, Trouble> {
        let unknown = || {
            Trouble::words(
                StatusCode::NOT_FOUND,
                ("Wilayah ini tidak dikenal.", "This area is not known."),
            )
        };
        if let Some(text) = self.wilayah.as_deref().filter(|text| !text.is_empty()) {
            return RegionRef::parse(text).map_err(|_| unknown());
        }
        let scope = viewer.who.scope();
        if scope.is_whole() {
            return Ok(RegionRef::Kabupaten);
        }
        let mut own = roster().villages().iter().filter(|desa| scope.holds(desa.code));
        own.next().map(|desa| RegionRef::Kecamatan(desa.kecamatan)).ok_or_else(unknown)
    }

    /// The date asked for; today without one.
    pub(super) fn date(&self) -> Result<Date, Trouble> {
        match self.tanggal.as_deref() {
            None | Some("") => Ok(clock::today()),
            Some(text) => {
                text.parse().map_err(|_| Trouble::words(StatusCode::BAD_REQUEST, DATE_WORDS))
            }
        }
    }

    fn edisi(&self) -> Edisi {
        edition(self.edisi.as_deref().unwrap_or_default())
    }

    fn audience(&self) -> Audience {
        match self.umum.as_deref() {
            Some("1") => Audience::Public,
            _ => Audience::Office,
        }
    }
}

/// The edition with this name; whatever else was typed is the usual one.
fn edition(name: &str) -> Edisi {
    Edisi::from_name(name).unwrap_or_default()
}

/// What is printed for these readers.
fn printed(recap: &Recap, audience: Audience) -> Result<Printed, Trouble> {
    let single_houses = || {
        DeskError::unfit(
            "Lembar per rumah tidak bisa dibuat untuk umum. Pakai lembar RT ke atas.",
            "A sheet of single houses can't be made for the public. Use that of the RT or wider.",
        )
    };
    Ok(recap.printed(audience).ok_or_else(single_houses)?)
}

async fn show(
    State(state): State<ConsoleState>,
    Query(asked): Query<Asked>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    let (region, date) = (asked.region(&viewer)?, asked.date()?);
    at_desk(&state, viewer, move |desk, viewer| {
        let audience = asked.audience();
        let recap = desk.recap_for(&viewer.who, region, date, audience)?;
        let recap = recap.in_edition(asked.edisi());
        Ok(whole(page(viewer, &recap, &printed(&recap, audience)?, region, audience)))
    })
    .await
}

async fn print(
    State(state): State<ConsoleState>,
    Query(asked): Query<Asked>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    let (region, date) = (asked.region(&viewer)?, asked.date()?);
    at_desk(&state, viewer, move |desk, viewer| {
        let audience = asked.audience();
        let recap = desk.recap_for(&viewer.who, region, date, audience)?;
        let recap = recap.in_edition(asked.edisi());
        houses::not_named(viewer, &recap)?;
        let sheet = paper::Paper {
            recap: &recap,
            printed: &printed(&recap, audience)?,
            region,
            audience,
            f4: asked.kertas.as_deref() == Some("f4"),
        };
        Ok(whole(sheet.render(viewer.language)))
    })
    .await
}

async fn file(
    State(state): State<ConsoleState>,
    Path(file): Path<String>,
    Query(asked): Query<Asked>,
    viewer: Viewer,
) -> Result<Response, Trouble> {
    let (region, date) = (asked.region(&viewer)?, asked.date()?);
    let csv = match file.as_str() {
        "rekap.csv" => true,
        "rekap.xlsx" => false,
        _ => {
            return Err(Trouble::words(
                StatusCode::NOT_FOUND,
                ("Berkas ini tidak ada.", "There is no such file."),
            ));
        }
    };
    let (audience, edisi) = (asked.audience(), asked.edisi());
    let recap = at_desk(&state, viewer, move |desk, viewer| {
        let recap = desk.recap_for(&viewer.who, region, date, audience)?.in_edition(edisi);
        houses::not_named(viewer, &recap)?;
        Ok(recap)
    })
    .await?;
    let printed = printed(&recap, audience)?;
    let public = if audience == Audience::Public { "-umum" } else { "" };
    let edisi = match recap.sheet.form.edisi() {
        Edisi::StikerP4k => "",
        Edisi::TigaButa => "-3buta",
    };
    let date = recap.sheet.tanggal_acuan;
    let name =
        format!("rekap-{}-{date}{edisi}{public}", region.to_string().replace(['.', '/'], "-"));
    if csv {
        let body = exports::recap_csv(&recap, &printed);
        return Ok(download("text/csv; charset=utf-8", &format!("{name}.csv"), body));
    }
    let body = exports::recap_xlsx(&recap, &printed).map_err(|error| {
        tracing::error!(%error, "a workbook can't be made");
        let words = ("Berkas tidak bisa dibuat.", "The file can't be made.");
        Trouble::words(StatusCode::INTERNAL_SERVER_ERROR, words)
    })?;
    Ok(download(exports::XLSX, &format!("{name}.xlsx"), body))
}

/// Where a region's recap is.
pub(super) fn href(region: RegionRef, date: Date) -> String {
    format!("/rekap?wilayah={region}&tanggal={date}")
}

/// What a link says of an edition: nothing of the usual one.
fn edition_link(edisi: Edisi) -> &'static str {
    match edisi {
        Edisi::StikerP4k => "",
        Edisi::TigaButa => "&edisi=3buta",
    }
}

/// The same in the edition of this recap, and published if this one is.
fn href_beside(recap: &Recap, region: RegionRef) -> String {
    let public = if recap.publication().is_some() { "&umum=1" } else { "" };
    href(region, recap.sheet.tanggal_acuan) + edition_link(recap.sheet.form.edisi()) + public
}

/// The regions around one, as links.
fn crumbs(viewer: &Viewer, recap: &Recap) -> Markup {
    let scope = viewer.who.scope();
    let may = |region: RegionRef| region != RegionRef::Kabupaten || scope.is_whole();
    html! {
        @if !recap.above.is_empty() {
            nav class="crumbs" aria-label=(viewer.language.say("Wilayah di atasnya", "Regions above")) {
                @for (above, name) in &recap.above {
                    @if may(*above) { a href=(href_beside(recap, *above)) { (name) } } @else { (name) }
                    " › "
                }
                span aria-current="page" { (recap.sheet.wilayah) }
            }
        }
    }
}

/// What tells the editions apart, in both languages.
const fn edition_words(edisi: Edisi) -> (&'static str, &'static str) {
    match edisi {
        Edisi::StikerP4k => ("dengan stiker P4K", "with the P4K sticker"),
        Edisi::TigaButa => ("dengan 3 buta", "with \"3 buta\""),
    }
}

fn page(
    viewer: &Viewer,
    recap: &Recap,
    printed: &Printed,
    region: RegionRef,
    audience: Audience,
) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let (sheet, date) = (&recap.sheet, recap.sheet.tanggal_acuan);
    let public = audience == Audience::Public;
    let edisi = sheet.form.edisi();
    let for_all = if public { "&umum=1" } else { "" };
    let link = format!("wilayah={region}&tanggal={date}{for_all}{}", edition_link(edisi));
    let body = html! {
        (crumbs(viewer, recap))
        h1 { (sheet.wilayah) }
        p class="lead" lang="id" { (sheet.title) " (" (sheet.form.number()) ")" }
        @if viewer.language == Language::English {
            p class="gloss" { (gloss::title(sheet.form)) ". The sheet is an official form, so its \
                words stay Indonesian; below each heading and note is what it means." }
        }
        form class="pick" action="/rekap" {
            input type="hidden" name="wilayah" value=(region);
            label for="tanggal" { (say("Keadaan pada", "As of")) }
            input id="tanggal" type="date" name="tanggal" value=(date);
            @if sheet.form.has_editions() {
                label for="edisi" { (say("Edisi", "Edition")) }
                select id="edisi" name="edisi" {
                    @for one in Edisi::ALL {
                        option value=(one.name()) selected[one == edisi] {
                            (viewer.language.of(edition_words(one)))
                        }
                    }
                }
            }
            @if recap.may_be_public() {
                label class="check" {
                    input type="checkbox" name="umum" value="1" checked[public]; " "
                    (say("Untuk umum", "For the public"))
                }
            }
            button { (say("Hitung", "Count")) }
        }
        @if public {
            p { (say(
                "Untuk umum: dari terbitan terakhir sampai tanggal ini. Angkanya digeser acak, yang \
                 kurang dari 10 diganti *.",
                "For the public: from the newest publication up to this day. Its counts are moved \
                 by chance, those below 10 become *.")) }
        }
        @if recap.houses.is_empty() { p class="files" {
            a class="button" href=(format!("/rekap/cetak?{link}")) { (say("Cetak A4", "Print A4")) }
            a class="button" href=(format!("/rekap/cetak?{link}&kertas=f4")) {
                (say("Cetak F4", "Print F4"))
            }
            a class="button" href=(format!("/rekap/rekap.xlsx?{link}")) {
                (say("Unduh Excel", "Download Excel"))
            }
            a class="button" href=(format!("/rekap/rekap.csv?{link}")) {
                (say("Unduh CSV", "Download CSV"))
            }
            a class="button" href=(format!("/gambaran?wilayah={region}&tanggal={date}")) {
                (say("Lihat gambaran", "See charts"))
            }
            a class="button" href="/terbitan" { (say("Terbitan untuk umum", "Publications")) }
        } }
        div class="scroll" tabindex="0" role="region" aria-label=(say("Lembar rekap", "Recap sheet")) {
            (table::table(recap, printed, viewer.language, |row| {
                if let Some(below) = recap.below.get(row).copied().flatten() {
                    return Some(href_beside(recap, below));
                }
                let house = recap.houses.get(row).filter(|_| viewer.who.may(Right::SeeRecords));
                match (house, region) {
                    (Some(house), RegionRef::Below(village, _)) => {
                        Some(super::search::house_href(village, *house))
                    }
                    _ => None,
                }
            }))
        }
        ul class="notes" lang="id" {
            @for note in &printed.footnotes {
                li { (note.id) @if viewer.language == Language::English {
                    " " small class="gloss" lang="en" { (note.en) }
                } }
            }
        }
        @if !recap.houses.is_empty() { (houses::ways(viewer, region, date, edisi)) }
    };
    Frame::of(viewer, say("Rekap", "Recap"), Tab::Recap).page(&body)
}
