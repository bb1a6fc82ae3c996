//! What is missing or contradicts itself, village by village, with the way to
//! the records.

mod stated;

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get;
use lumbung_domain::region::roster;
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::language::Language;
use super::search::gap_conditions;
use super::{ConsoleState, Page, Trouble, at_desk, whole};
use crate::access::Right;
use crate::dataset::search::{Gap, VillageQuality};
use crate::desk::{DeskError, StatedRegion};
use crate::recap::RegionRef;

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new().route("/mutu", get(show))
}

#[derive(Deserialize)]
struct Asked {
    wilayah: Option<String>,
}

/// A gap, in both languages.
pub(super) const fn gap_words(gap: Gap) -> (&'static str, &'static str) {
    match gap {
        Gap::Nik => ("Warga tanpa NIK", "Residents without NIK"),
        Gap::NikContradicts => {
            ("NIK beda dengan tanggal lahir atau jenis kelamin", "NIK against birth date or sex")
        }
        Gap::Birth => ("Warga tanpa tanggal lahir", "Residents without birth date"),
        Gap::Unplaced => {
            ("Warga belum punya keluarga atau rumah", "Residents in no family or house")
        }
        Gap::Head => ("Keluarga tanpa kepala", "Families without a head"),
        Gap::CardNumber => ("Keluarga tanpa nomor KK", "Families without card number"),
        Gap::EmptyCard => ("KK berlaku tanpa warga hidup", "Cards in use with nobody living"),
        Gap::Dasawisma => ("Rumah tanpa dasawisma", "Houses without dasawisma"),
        Gap::HeadElsewhere => {
            ("Kepala rumah yang tertulis bukan penghuninya", "Declared head does not live there")
        }
        Gap::HealthyDoubtful => (
            "Ditulis sehat, padahal jamban, SPAL atau tempat sampah tidak ada",
            "Declared healthy without latrine, drain or waste place",
        ),
        Gap::Water => {
            ("Rumah belum diisi sumber airnya", "Houses with the water source left blank")
        }
        Gap::Latrines => (
            "Rumah belum diisi jumlah jambannya (MCK)",
            "Houses with the number of latrines (MCK) left blank",
        ),
    }
}

async fn show(
    State(state): State<ConsoleState>,
    Query(asked): Query<Asked>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    let region = match asked.wilayah.as_deref() {
        None | Some("") => None,
        Some(text) => Some(RegionRef::parse(text).map_err(|_| DeskError::NotThere)?),
    };
    at_desk(&state, viewer, move |desk, viewer| {
        let quality = desk.quality(&viewer.who, region)?;
        let stated = desk.stated(&viewer.who, region)?;
        Ok(whole(render(viewer, region, &quality, &stated)))
    })
    .await
}

/// Villages that are listed before the others are folded away.
pub(super) const VILLAGES_MAX: usize = 20;

/// All gaps of a village against all that could have one.
fn gaps(quality: &VillageQuality) -> u64 {
    Gap::ALL.iter().map(|gap| u64::from(gap.of(quality).0)).sum()
}

fn percent(language: Language, part: u64, whole: u64) -> String {
    let tenths = (part * 1000).checked_div(whole);
    tenths.map_or_else(|| "-".to_owned(), |tenths| language.percent(tenths))
}

fn render(
    viewer: &Viewer,
    region: Option<RegionRef>,
    quality: &[VillageQuality],
    stated: &[StatedRegion],
) -> Markup {
    let language = viewer.language;
    let say = |id, en| language.say(id, en);
    let one = match region {
        Some(RegionRef::Desa(village)) => roster().village(village),
        _ => None,
    };
    let body = html! {
        h1 {
            (say("Mutu data", "Data quality"))
            @if let Some(desa) = one { (say(" ", " of ")) (desa.full_name()) }
        }
        p class="lead" { (say(
            "Yang kosong atau saling bertentangan dalam catatan desa. Hub tidak mengubahnya: desa \
             yang memperbaiki.",
            "What is blank or contradicts itself in the villages' records. The hub changes nothing: \
             villages put it right.")) }
        @if let Some(desa) = one { p { a href="/mutu" { (say("Semua desa", "All villages")) }
            " · " a href=(format!("/desa/{}", desa.code)) { (desa.short_name()) } } }
        section aria-labelledby="jumlah" {
            h2 id="jumlah" { (say("Jumlah", "Sums")) }
            (sums(viewer, region, quality))
        }
        section aria-labelledby="dinyatakan" {
            h2 id="dinyatakan" { (say("Dinyatakan dan terhitung", "Stated and counted")) }
            (stated::section(language, one, stated))
        }
        @if one.is_none() {
            section aria-labelledby="per-desa" {
                h2 id="per-desa" { (say("Per desa, terbanyak per warga di atas",
                                          "By village, most per resident first")) }
                (villages(language, quality))
            }
        }
    };
    Frame::of(viewer, say("Mutu data", "Data quality"), Tab::Quality).page(&body)
}

fn sums(viewer: &Viewer, region: Option<RegionRef>, quality: &[VillageQuality]) -> Markup {
    let language = viewer.language;
    let say = |id, en| language.say(id, en);
    let searches = viewer.who.may(Right::SeeRecords);
    let area = region.map(|region| format!("&wilayah={region}")).unwrap_or_default();
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(say("Jumlah", "Sums")) {
            table {
                thead { tr {
                    th scope="col" { (say("Yang kurang", "Gap")) }
                    th scope="col" class="n" { (say("Jumlah", "Count")) }
                    th scope="col" class="n" { (say("Bagian", "Share")) }
                } }
                tbody {
                    @for gap in Gap::ALL {
                        @let counts = quality.iter().map(|it| gap.of(it));
                        @let (part, whole) = counts.fold((0_u64, 0_u64), |sum, one| {
                            (sum.0 + u64::from(one.0), sum.1 + u64::from(one.1))
                        });
                        tr {
                            th scope="row" {
                                @if searches && part > 0 {
                                    a href=(format!("/cari/syarat?{}{area}", gap_conditions(gap))) {
                                        (language.of(gap_words(gap)))
                                    }
                                } @else { (language.of(gap_words(gap))) }
                            }
                            td class="n" { (language.count(part)) }
                            td class="n" { (percent(language, part, whole)) }
                        }
                    }
                }
            }
        }
    }
}

/// Its name and its kecamatan's.
fn name(it: &VillageQuality) -> (String, &'static str) {
    let desa = roster().village(it.village);
    let kecamatan = desa.and_then(|desa| roster().kecamatan_of(desa.kecamatan));
    let name = desa.map_or_else(|| it.village.to_string(), |desa| desa.name.to_owned());
    (name, kecamatan.map_or("", |kecamatan| kecamatan.name))
}

/// A row for each village, a column for each gap.
fn table(language: Language, gaps: &[Gap], villages: &[&VillageQuality]) -> Markup {
    let say = |id, en| language.say(id, en);
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(say("Per desa", "By village")) {
            table class="dense" {
                thead { tr {
                    th scope="col" { (say("Desa", "Village")) }
                    @for gap in gaps { th scope="col" class="n" { (language.of(gap_words(*gap))) } }
                } }
                tbody {
                    @for it in villages {
                        @let (name, kecamatan) = name(it);
                        tr {
                            th scope="row" {
                                a href=(format!("/mutu?wilayah={}", it.village)) { (name) }
                                br; small { (kecamatan) }
                            }
                            @for gap in gaps {
                                @let (part, _) = gap.of(it);
                                td class={ "n" @if part == 0 { " zero" } } { (language.count(part.into())) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn villages(language: Language, quality: &[VillageQuality]) -> Markup {
    let say = |id, en| language.say(id, en);
    let (mut sorted, whole): (Vec<&VillageQuality>, Vec<&VillageQuality>) =
        quality.iter().filter(|it| it.residents > 0).partition(|it| gaps(it) > 0);
    sorted.sort_by_key(|it| std::cmp::Reverse(gaps(it) * 10_000 / u64::from(it.residents.max(1))));
    // A column of nothing but zeros tells nothing, and pushes others aside.
    let (some, none): (Vec<Gap>, Vec<Gap>) =
        Gap::ALL.into_iter().partition(|gap| sorted.iter().any(|it| gap.of(it).0 > 0));
    html! {
        @if sorted.is_empty() {
            p class="calm" {
                @if whole.is_empty() { (say("Belum ada catatan warga.", "No residents recorded yet.")) }
                @else { (say("Tidak ada yang kurang.", "Nothing is missing.")) }
            }
        } @else {
            @let (most, others) = sorted.split_at(sorted.len().min(VILLAGES_MAX));
            (table(language, &some, most))
            @if !others.is_empty() {
                details class="more" {
                    summary { (language.count(others.len() as u64)) " "
                        (say("desa lain yang ada kekurangannya", "more villages that miss something")) }
                    (table(language, &some, others))
                }
            }
            @if !none.is_empty() {
                p { small {
                    (say("Tidak ada di desa mana pun, jadi tanpa kolom: ",
                         "In no village, so without a column: "))
                    (none.iter().map(|gap| language.of(gap_words(*gap))).collect::<Vec<_>>().join("; "))
                    "."
                } }
            }
        }
        @if !whole.is_empty() {
            details class="more" {
                summary { (language.count(whole.len() as u64)) " "
                    (say("desa tidak kurang apa-apa", "villages miss nothing")) }
                ul class="names" {
                    @for it in whole {
                        @let (name, kecamatan) = name(it);
                        li { a href=(format!("/mutu?wilayah={}", it.village)) { (name) } " " small { (kecamatan) } }
                    }
                }
            }
        }
    }
}
