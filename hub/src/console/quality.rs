//! What is missing or contradicts itself, village by village, with the way to
//! the records.

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get;
use lumbung_domain::region::roster;
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::language::Language;
use super::{ConsoleState, Page, Trouble, at_desk, whole};
use crate::access::Right;
use crate::dataset::search::VillageQuality;
use crate::desk::DeskError;
use crate::recap::RegionRef;

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new().route("/mutu", get(show))
}

#[derive(Deserialize)]
struct Asked {
    wilayah: Option<String>,
}

/// One kind of gap.
struct Gap {
    words: (&'static str, &'static str),
    /// How many, and of how many.
    count: fn(&VillageQuality) -> (u32, u32),
    /// What a search for them asks; `None` = no search finds them.
    search: Option<&'static str>,
}

const GAPS: [Gap; 10] = [
    Gap {
        words: ("Warga tanpa NIK", "Residents without NIK"),
        count: |it| (it.without_nik, it.residents),
        search: Some("apa=warga&tanpa_nomor=1"),
    },
    Gap {
        words: (
            "NIK beda dengan tanggal lahir atau jenis kelamin",
            "NIK against birth date or sex",
        ),
        count: |it| (it.nik_contradicts, it.residents),
        search: None,
    },
    Gap {
        words: ("Warga tanpa tanggal lahir", "Residents without birth date"),
        count: |it| (it.without_birth, it.residents),
        search: None,
    },
    Gap {
        words: ("Warga belum punya keluarga atau rumah", "Residents in no family or house"),
        count: |it| (it.unplaced, it.residents),
        search: Some("apa=warga&tanpa_tempat=1"),
    },
    Gap {
        words: ("Keluarga tanpa kepala", "Families without a head"),
        count: |it| (it.without_head, it.families),
        search: Some("apa=keluarga&tanpa_kepala=1"),
    },
    Gap {
        words: ("Keluarga tanpa nomor KK", "Families without card number"),
        count: |it| (it.without_number, it.families),
        search: Some("apa=keluarga&tanpa_nomor=1"),
    },
    Gap {
        words: ("KK berlaku tanpa warga hidup", "Cards in use with nobody living"),
        count: |it| (it.empty_families, it.families),
        search: None,
    },
    Gap {
        words: ("Rumah tanpa dasawisma", "Houses without dasawisma"),
        count: |it| (it.without_dasawisma, it.houses),
        search: Some("apa=rumah&tanpa_dasawisma=1"),
    },
    Gap {
        words: (
            "Kepala rumah yang tertulis bukan penghuninya",
            "Declared head does not live there",
        ),
        count: |it| (it.head_elsewhere, it.houses),
        search: None,
    },
    Gap {
        words: (
            "Ditulis sehat, padahal jamban, SPAL atau tempat sampah tidak ada",
            "Declared healthy without latrine, drain or waste place",
        ),
        count: |it| (it.healthy_doubtful, it.houses),
        search: Some("apa=rumah&kriteria=sehat"),
    },
];

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
        Ok(whole(render(viewer, region, &quality)))
    })
    .await
}

/// All gaps of a village against all that could have one.
fn gaps(quality: &VillageQuality) -> u64 {
    GAPS.iter().map(|gap| u64::from((gap.count)(quality).0)).sum()
}

fn percent(language: Language, part: u64, whole: u64) -> String {
    let tenths = (part * 1000).checked_div(whole);
    tenths.map_or_else(|| "-".to_owned(), |tenths| language.percent(tenths))
}

fn render(viewer: &Viewer, region: Option<RegionRef>, quality: &[VillageQuality]) -> Markup {
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
        @if one.is_none() {
            section aria-labelledby="per-desa" {
                h2 id="per-desa" { (say("Per desa, terbanyak di atas", "By village, most first")) }
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
                    @for gap in &GAPS {
                        @let counts = quality.iter().map(gap.count);
                        @let (part, whole) = counts.fold((0_u64, 0_u64), |sum, one| {
                            (sum.0 + u64::from(one.0), sum.1 + u64::from(one.1))
                        });
                        tr {
                            th scope="row" {
                                @match gap.search.filter(|_| searches && part > 0) {
                                    Some(search) => a href=(format!("/cari/syarat?{search}{area}")) {
                                        (language.of(gap.words))
                                    },
                                    None => (language.of(gap.words)),
                                }
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

fn villages(language: Language, quality: &[VillageQuality]) -> Markup {
    let say = |id, en| language.say(id, en);
    let mut sorted: Vec<_> = quality.iter().filter(|it| it.residents > 0).collect();
    sorted.sort_by_key(|it| std::cmp::Reverse(gaps(it) * 10_000 / u64::from(it.residents.max(1))));
    let name = |it: &VillageQuality| {
        let desa = roster().village(it.village);
        let kecamatan = desa.and_then(|desa| roster().kecamatan_of(desa.kecamatan));
        let name = desa.map_or_else(|| it.village.to_string(), |desa| desa.name.to_owned());
        (name, kecamatan.map_or("", |kecamatan| kecamatan.name))
    };
    html! {
        @if sorted.is_empty() {
            p { (say("Belum ada catatan warga.", "No residents recorded yet.")) }
        }
        div class="scroll" tabindex="0" role="region" aria-label=(say("Per desa", "By village")) {
            table {
                thead { tr {
                    th scope="col" { (say("Desa", "Village")) }
                    @for gap in &GAPS { th scope="col" class="n" { (language.of(gap.words)) } }
                } }
                tbody {
                    @for it in sorted {
                        @let (name, kecamatan) = name(it);
                        tr {
                            th scope="row" {
                                a href=(format!("/mutu?wilayah={}", it.village)) { (name) }
                                " " small { (kecamatan) }
                            }
                            @for gap in &GAPS {
                                @let (part, _) = (gap.count)(it);
                                td class={ "n" @if part == 0 { " zero" } } { (language.count(part.into())) }
                            }
                        }
                    }
                }
            }
        }
    }
}
