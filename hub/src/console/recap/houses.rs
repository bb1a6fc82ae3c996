//! The sheet of a dasawisma, one row per house: opening what is closed there,
//! and taking it along.
//!
//! Beside the name of a house's head, counts of toddlers or of women with
//! child are data of single persons. They open with a reason, and such a
//! sheet leaves only with a purpose and an end, as records do.

use axum::Router;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use jiff::ToSpan as _;
use jiff::civil::Date;
use lumbung_domain::recap::Edisi;
use lumbung_telemetry::clock;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::guard::Viewer;
use super::super::{ConsoleState, Page, Trouble, at_desk, download, whole};
use super::{DATE_WORDS, edition, page, paper, printed};
use crate::access::Right;
use crate::access::audit::WORDS_MAX;
use crate::desk::DeskError;
use crate::desk::exporting::KEEP_DAYS_MAX;
use crate::desk::recap::HousesOrder;
use crate::exports;
use crate::recap::{Audience, Recap, RegionRef};

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new().route("/rekap/buka", post(open)).route("/rekap/berkas", post(take))
}

/// Refuses to let a sheet of named houses leave without a purpose.
pub(super) fn not_named(viewer: &Viewer, recap: &Recap) -> Result<(), Trouble> {
    if recap.houses.is_empty() {
        return Ok(());
    }
    viewer.who.must(Right::Export).map_err(DeskError::from)?;
    Err(DeskError::unfit(
        "Lembar per rumah memuat nama. Ambil lewat isian di bawah lembarnya, dengan keperluan dan \
         batas waktunya.",
        "A sheet of single houses holds names. Take it by the form below the sheet, with its \
         purpose and end.",
    )
    .into())
}

fn region(text: &str) -> Result<RegionRef, Trouble> {
    Ok(RegionRef::parse(text).map_err(DeskError::from)?)
}

fn date(text: &str) -> Result<Date, Trouble> {
    text.parse().map_err(|_| Trouble::words(StatusCode::UNPROCESSABLE_ENTITY, DATE_WORDS))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Opened {
    wilayah: String,
    tanggal: String,
    edisi: String,
    alasan: String,
}

async fn open(
    State(state): State<ConsoleState>,
    viewer: Viewer,
    Form(asked): Form<Opened>,
) -> Result<Page, Trouble> {
    let (region, date) = (region(&asked.wilayah)?, date(&asked.tanggal)?);
    at_desk(&state, viewer, move |desk, viewer| {
        let recap = desk.reveal_recap(&viewer.who, region, date, &asked.alasan)?;
        let recap = recap.in_edition(edition(&asked.edisi));
        let printed = printed(&recap, Audience::Office)?;
        Ok(whole(page(viewer, &recap, &printed, region, Audience::Office)))
    })
    .await
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Taken {
    wilayah: String,
    tanggal: String,
    edisi: String,
    /// `xlsx`, `a4` or `f4`.
    bentuk: String,
    spesifik: String,
    tujuan: String,
    sampai: String,
}

async fn take(
    State(state): State<ConsoleState>,
    viewer: Viewer,
    Form(asked): Form<Taken>,
) -> Result<Response, Trouble> {
    let order = HousesOrder {
        region: region(&asked.wilayah)?,
        date: date(&asked.tanggal)?,
        specific: !asked.spesifik.is_empty(),
        purpose: asked.tujuan,
        keep_until: date(&asked.sampai)?,
    };
    at_desk(&state, viewer, move |desk, viewer| {
        let (recap, remarks) = desk.export_houses(&viewer.who, &order)?;
        let recap = recap.in_edition(edition(&asked.edisi));
        let mut printed = printed(&recap, Audience::Office)?;
        printed.footnotes.extend(remarks);
        let region = order.region;
        if asked.bentuk != "xlsx" {
            let (audience, f4) = (Audience::Office, asked.bentuk == "f4");
            let sheet = paper::Paper { recap: &recap, printed: &printed, region, audience, f4 };
            return Ok(whole(sheet.render(viewer.language)).into_response());
        }
        let name = format!("rekap-{}-{}", region.to_string().replace(['.', '/'], "-"), order.date);
        let body = exports::recap_xlsx(&recap, &printed).map_err(|error| {
            tracing::error!(%error, "a workbook can't be made");
            let words = ("Berkas tidak bisa dibuat.", "The file can't be made.");
            Trouble::words(StatusCode::INTERNAL_SERVER_ERROR, words)
        })?;
        Ok(download(exports::XLSX, &format!("{name}.xlsx"), body))
    })
    .await
}

/// The forms below the sheet, for who may use them.
pub(super) fn ways(viewer: &Viewer, region: RegionRef, date: Date, edisi: Edisi) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let may = |right| viewer.who.may(Right::SeeRecords) && viewer.who.may(right);
    let within = |days: i32| {
        let day = clock::today().checked_add(days.days()).ok();
        day.as_ref().map(Date::to_string).unwrap_or_default()
    };
    let fixed = html! {
        input type="hidden" name="wilayah" value=(region);
        input type="hidden" name="tanggal" value=(date);
        input type="hidden" name="edisi" value=(edisi.name());
    };
    html! {
        @if may(Right::Reveal) {
            section aria-labelledby="buka" {
                h2 id="buka" { (say("Buka yang tertutup", "Open what is closed")) }
                form class="form narrow left" method="post" action="/rekap/buka" {
                    (fixed)
                    div class="field" {
                        label for="alasan" { (say("Alasan", "Reason")) }
                        textarea id="alasan" name="alasan" required minlength="10" rows="2"
                            maxlength=(WORDS_MAX) {}
                    }
                    button type="submit" { (say("Buka dan catat", "Open and note")) }
                }
            }
        }
        @if may(Right::Export) {
            section aria-labelledby="bawa" {
                h2 id="bawa" { (say("Cetak atau unduh lembar ini", "Print or download this sheet")) }
                form class="form narrow left" method="post" action="/rekap/berkas" {
                    (fixed)
                    div class="field" {
                        label for="bentuk" { (say("Bentuk", "Form")) }
                        select id="bentuk" name="bentuk" {
                            option value="a4" { (say("Cetak A4", "Print A4")) }
                            option value="f4" { (say("Cetak F4", "Print F4")) }
                            option value="xlsx" { "Excel" }
                        }
                    }
                    @if may(Right::Reveal) {
                        label class="check" { input type="checkbox" name="spesifik" value="1"; " "
                            (say("Dengan data spesifik tiap rumah",
                                 "With the specific data of each house")) }
                    }
                    div class="field" {
                        label for="tujuan" { (say("Untuk keperluan apa", "What for")) }
                        textarea id="tujuan" name="tujuan" rows="2" required minlength="10"
                            maxlength="300" {}
                    }
                    div class="field" {
                        label for="sampai" { (say("Dihapus paling lambat", "To be deleted by")) }
                        input id="sampai" name="sampai" type="date" required value=(within(30))
                            min=(within(1)) max=(within(KEEP_DAYS_MAX));
                    }
                    button type="submit" { (say("Ambil dan catat", "Take and note")) }
                }
            }
        }
    }
}
