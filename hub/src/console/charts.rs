//! Pictures of a region: ages, water and sanitation. Every picture stands
//! beside the table it was drawn from.

mod draw;

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get;
use jiff::civil::Date;
use lumbung_domain::indicator::{Indikator, IndikatorVector};
use maud::{Markup, html};

pub(super) use self::draw::bar;
use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::recap::{Asked, href};
use super::trend;
use super::{ConsoleState, Page, Trouble, at_desk, whole};
use crate::dataset::search::Ages;
use crate::recap::{Recap, RegionRef};
use crate::rhythm::{Day, FreshnessCounts};

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new().route("/gambaran", get(show))
}

async fn show(
    State(state): State<ConsoleState>,
    Query(asked): Query<Asked>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    let (region, date) = (asked.region(&viewer)?, asked.date()?);
    at_desk(&state, viewer, move |desk, viewer| {
        let recap = desk.recap(&viewer.who, region, date)?;
        let ages = desk.ages(&viewer.who, region, date)?;
        // Below a village nothing comes and goes by itself.
        let days = match region {
            RegionRef::Below(..) => Vec::new(),
            _ => desk.freshness_days(&viewer.who, Some(region), trend::DAYS)?,
        };
        Ok(whole(render(viewer, &recap, region, &ages, (date, &days))))
    })
    .await
}

/// What is drawn of every part of a region, as a share of its houses.
const COVERAGE: [(&str, &str, Indikator); 5] = [
    ("Air PDAM", "Piped water", Indikator::AirPdam),
    ("Air sumur", "Well", Indikator::AirSumur),
    ("Jamban", "Latrine", Indikator::PunyaJamban),
    ("Tempat sampah", "Waste place", Indikator::PunyaTps),
    ("SPAL", "Drain", Indikator::PunyaSpal),
];

/// Tenths of a percent of the houses.
fn share(vector: &IndikatorVector, indikator: Indikator) -> Option<u64> {
    (vector.get(indikator) * 1000).checked_div(vector.get(Indikator::JmlKrt))
}

/// "97,3%", or "-" where there are no houses.
fn percent(viewer: &Viewer, tenths: Option<u64>) -> String {
    tenths.map_or_else(|| "-".to_owned(), |tenths| viewer.language.percent(tenths))
}

fn render(
    viewer: &Viewer,
    recap: &Recap,
    region: RegionRef,
    ages: &Ages,
    (date, days): (Date, &[(Day, FreshnessCounts)]),
) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let name = &recap.sheet.wilayah;
    let body = html! {
        h1 { (say("Gambaran", "Charts of")) " " (name) }
        p class="lead" { (say("Keadaan pada", "As of")) " " (viewer.language.day(date)) ". "
            a href=(href(region, date)) { (say("Lihat rekapnya", "See the recap")) } "." }
        section aria-labelledby="umur" {
            h2 id="umur" { (say("Umur warga", "Ages of residents")) }
            div class="beside" {
                (draw::pyramid(viewer.language, ages))
                (ages_table(viewer, ages))
            }
            p { small { (say(
                "Semua warga hidup, juga yang belum punya rumah yang dikenal.",
                "All living residents, also those in no known house.")) } }
        }
        section aria-labelledby="air" {
            h2 id="air" { (say("Air dan sanitasi, bagian dari rumah tangga",
                "Water and sanitation, share of houses")) }
            (coverage(viewer, recap, date))
        }
        @if days.len() > 1 {
            section aria-labelledby="kesegaran" {
                h2 id="kesegaran" { (say("Kesegaran desa hari demi hari",
                    "How fresh villages were, day by day")) }
                (trend::draw(days, viewer.language))
                (trend::table(days, viewer.language))
            }
        }
    };
    Frame::of(viewer, say("Gambaran", "Charts"), Tab::Charts).page(&body)
}

/// The name of a group of ages.
fn group(number: usize) -> String {
    let from = number * 5;
    if number + 1 == Ages::GROUPS { format!("{from}+") } else { format!("{from}-{}", from + 4) }
}

fn ages_table(viewer: &Viewer, ages: &Ages) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let sum = |of: fn(&(u32, u32)) -> u32| ages.groups.iter().map(|it| u64::from(of(it))).sum();
    let (men, women): (u64, u64) = (sum(|it| it.0), sum(|it| it.1));
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(say("Umur warga", "Ages")) {
            table {
                thead { tr {
                    th scope="col" { (say("Umur", "Age")) }
                    th scope="col" class="n" { (say("Laki-laki", "Male")) }
                    th scope="col" class="n" { (say("Perempuan", "Female")) }
                } }
                tbody {
                    @for ((men, women), number) in ages.groups.iter().zip(0..) {
                        tr {
                            th scope="row" { (group(number)) }
                            td class="n" { (viewer.language.count(u64::from(*men))) }
                            td class="n" { (viewer.language.count(u64::from(*women))) }
                        }
                    }
                }
                tfoot { tr {
                    th scope="row" { (say("Jumlah", "Sum")) }
                    td class="n" { (viewer.language.count(men)) } td class="n" { (viewer.language.count(women)) }
                } }
            }
        }
        @if ages.unknown > 0 {
            p { small { (viewer.language.count(u64::from(ages.unknown))) " "
                (say("warga belum diisi tanggal lahir atau jenis kelaminnya.",
                    "residents have no birth date or sex filled in.")) } }
        }
    }
}

fn coverage(viewer: &Viewer, recap: &Recap, date: Date) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let rows = recap.sheet.rows.iter().zip(recap.below.iter().copied());
    let total = (say("Jumlah", "All"), &recap.sheet.total, None);
    let rows: Vec<(&str, &IndikatorVector, Option<RegionRef>)> =
        rows.map(|(row, below)| (row.label.as_str(), &row.vector, below)).chain([total]).collect();
    html! {
        div class="scroll" tabindex="0" role="region"
            aria-label=(say("Air dan sanitasi", "Water and sanitation")) {
            table class="coverage" {
                thead { tr {
                    th scope="col" { (say("Wilayah", "Area")) }
                    th scope="col" class="n" { (say("Rumah", "Houses")) }
                    @for (id, en, _) in COVERAGE { th scope="col" { (say(id, en)) } }
                } }
                tbody {
                    @for (label, vector, below) in rows {
                        tr {
                            th scope="row" {
                                @if let Some(below) = below {
                                    a href=(format!("/gambaran?wilayah={below}&tanggal={date}")) {
                                        (label)
                                    }
                                } @else { (label) }
                            }
                            td class="n" { (viewer.language.count(vector.get(Indikator::JmlKrt))) }
                            @for (.., indikator) in COVERAGE {
                                @let tenths = share(vector, indikator);
                                td { (bar(tenths.unwrap_or(0)))
                                    span { (percent(viewer, tenths)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
