//! The page of one village: how it stands and why, in words first; and recap
//! sheets as tables.

mod condition;
mod deeds;
mod diagnostics;
mod strip;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use jiff::civil::Date;
use lumbung_domain::recap::{Cell, Isi};
use lumbung_domain::region::{Desa, VillageCode, roster};
use maud::{Markup, html};
use serde::Deserialize;

use super::findings;
use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::tile::{Look, said, thousands, when};
use super::{ConsoleState, Page, Trouble, acts, at_desk, needs, whole};
use crate::access::Right;
use crate::dataset::{CrossFinding, Incident, Remark, VillageState};
use crate::desk::sight::Sight;
use crate::desk::{Desk, DeskError};
use crate::outlook::VillageOutlook;
use crate::recap::{Recap, RegionRef};
use crate::registry::NodeKey;
use crate::rhythm::StripDay;

/// Findings on the page; their own page lists them all.
const FINDINGS_MAX: u32 = 20;

/// Incidents on the page; the command line lists them all.
const INCIDENTS_MAX: u32 = 50;

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/desa/{code}", get(one))
        .route("/desa/{code}/diagnostik", get(diagnostics::page))
}

/// The village behind a code in a path.
pub(super) fn named(code: &str) -> Result<&'static Desa, DeskError> {
    let desa = VillageCode::parse(code).ok().and_then(|code| roster().village(code));
    desa.ok_or(DeskError::NotThere)
}

/// What the page of one village shows.
struct VillagePage<'a> {
    sight: &'a Sight,
    outlook: &'a VillageOutlook,
    stored: VillageState,
    key: Option<NodeKey>,
    strip: Vec<StripDay>,
    findings: Vec<CrossFinding>,
    incidents: Vec<Incident>,
    remark: Option<Remark>,
}

#[derive(Deserialize)]
struct After {
    /// What a deed came to.
    #[serde(default)]
    kabar: String,
}

async fn one(
    State(state): State<ConsoleState>,
    Path(code): Path<String>,
    Query(after): Query<After>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    let village = named(&code)?.code;
    at_desk(&state, viewer, move |desk, viewer| {
        let sight = desk.sight(&viewer.who)?;
        let page = VillagePage::gather(desk, viewer, village, &sight)?;
        Ok(whole(page.render(viewer, acts::news(&after.kabar))))
    })
    .await
}

impl<'a> VillagePage<'a> {
    fn gather(
        desk: &Desk,
        viewer: &Viewer,
        village: VillageCode,
        sight: &'a Sight,
    ) -> Result<Self, DeskError> {
        let who = &viewer.who;
        let (stored, _) = desk.village(who, village)?;
        let findings = match who.may(Right::SeeRecords) {
            true => desk.findings(who, Some(village), true, FINDINGS_MAX)?,
            false => Vec::new(),
        };
        Ok(Self {
            outlook: Desk::in_sight(sight, village).ok_or(DeskError::NotThere)?,
            sight,
            key: desk.key(who, village)?,
            strip: desk.contact_strip(who, village)?,
            incidents: desk.incidents(who, Some(village), INCIDENTS_MAX)?,
            remark: desk.remark(who, village)?,
            stored,
            findings,
        })
    }
}

impl VillagePage<'_> {
    fn render(&self, viewer: &Viewer, news: Option<(&'static str, &'static str)>) -> Markup {
        let language = viewer.language;
        let say = |id, en| language.say(id, en);
        let desa = self.outlook.desa;
        let now_ms = self.sight.outlook.now_ms;
        let own = || self.sight.reasons.of_village(desa.code);
        let body = html! {
            h1 { (desa.full_name()) }
            @if let Some(news) = news { p class="done" role="status" { (language.of(news)) } }
            (self.verdict(viewer))
            @if own().next().is_some() {
                section aria-labelledby="perlu-judul" {
                    h2 id="perlu-judul" { (say("Yang perlu dilakukan", "What to do")) }
                    (needs::cards(own(), language, now_ms, false))
                }
            }
            (self.deeds(viewer))
            (self.people(viewer))
            section aria-labelledby="kontak" {
                h2 id="kontak" { (say("Kontak 30 hari terakhir", "Contacts of the last 30 days")) }
                (strip::draw(&self.strip, language))
            }
            section aria-labelledby="hubungan" {
                h2 id="hubungan" { (say("Hubungan", "Connection")) }
                (self.connection(language))
            }
            section aria-labelledby="isi-desa" {
                h2 id="isi-desa" { (say("Isi", "Content")) }
                (self.content(language))
            }
            @if !self.incidents.is_empty() {
                section aria-labelledby="kejadian" {
                    h2 id="kejadian" { (say("Kejadian", "Incidents")) }
                    (self.happened(language))
                }
            }
            @if !self.findings.is_empty() {
                section aria-labelledby="temuan" {
                    h2 id="temuan" { (say("Temuan", "Findings")) }
                    ul class="findings" {
                        @for finding in &self.findings { (findings::row(viewer, finding)) }
                    }
                }
            }
        };
        Frame::of(viewer, desa.name, Tab::Villages).page(&body)
    }

    /// How it stands, and why.
    fn verdict(&self, viewer: &Viewer) -> Markup {
        let language = viewer.language;
        let look = Look::of(self.outlook);
        let line = self.sight.reasons.line(self.outlook.desa.code);
        html! {
            p class=(format!("verdict s{}", look.letter())) {
                (look.mark()) " "
                span {
                    b { (capital(language.of(look.words()))) ". " }
                    (line.map_or("", |line| said(language, line)))
                }
            }
        }
    }

    fn happened(&self, language: super::language::Language) -> Markup {
        let say = |id, en| language.say(id, en);
        let now_ms = self.sight.outlook.now_ms;
        html! {
            div class="scroll" tabindex="0" role="region"
                aria-label=(say("Daftar kejadian", "List of incidents")) {
                table {
                    thead { tr {
                        th scope="col" { (say("Waktu", "When")) }
                        th scope="col" { (say("Kejadian", "What")) }
                        th scope="col" { (say("Keterangan", "Details")) }
                    } }
                    tbody {
                        @for incident in &self.incidents {
                            tr {
                                td { (when(incident.at_ms, now_ms)) }
                                td { (say(incident.heading(), incident.heading_en())) }
                                td lang="id" { (incident.sentence) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// With its first letter large.
fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The page of a recap.
pub(super) fn recap_page(viewer: &Viewer, recap: &Recap, region: RegionRef, date: Date) -> Markup {
    let printed = &recap.sheet;
    let body = html! {
        @if !recap.above.is_empty() {
            nav class="crumbs" aria-label="Wilayah di atasnya" {
                @for (above, name) in &recap.above {
                    a href=(href(*above, date)) { (name) } " › "
                }
                span aria-current="page" { (printed.wilayah) }
            }
        }
        h1 { (printed.wilayah) }
        p class="lead" { (printed.title) " (" (printed.form.number()) ")" }
        form class="pick" action="/rekap" {
            input type="hidden" name="wilayah" value=(region);
            label for="tanggal" { "Keadaan pada" }
            input id="tanggal" type="date" name="tanggal" value=(date);
            button { "Hitung" }
        }
        (sheet(recap, region, date))
    };
    Frame::of(viewer, "Rekap", Tab::Recap).page(&body)
}

/// Ids and codes hold no character that a query would mistake.
fn href(region: RegionRef, date: Date) -> String {
    format!("/rekap?wilayah={region}&tanggal={date}")
}

/// A sheet with its group headers, its total, its footnotes and its files.
fn sheet(recap: &Recap, region: RegionRef, date: Date) -> Markup {
    let sheet = &recap.sheet;
    let columns = &sheet.form.columns;
    let cells = sheet.cells();
    let line = |row: &[Cell], below: Option<RegionRef>| {
        html! {
            @for (cell, column) in row.iter().zip(columns) {
                @match (cell, column.isi) {
                    (Cell::Text(label), Isi::Nama) => th scope="row" {
                        @if let Some(below) = below { a href=(href(below, date)) { (label) } }
                        @else { (label) }
                    },
                    (Cell::Text(text), _) => td { (text) },
                    (Cell::Number(0), _) => td class="n zero" { "0" },
                    (Cell::Number(number), _) => td class="n" { (thousands(*number)) },
                }
            }
        }
    };
    let region_text = format!("wilayah={region}&tanggal={date}");
    html! {
        p class="files" {
            a class="button" href=(format!("/rekap/rekap.xlsx?{region_text}")) { "Unduh Excel" }
            " " a class="button" href=(format!("/rekap/rekap.csv?{region_text}")) { "Unduh CSV" }
        }
        div class="scroll" tabindex="0" role="region" aria-label="Lembar rekap" {
            table class="sheet" {
                thead {
                    tr {
                        @for (group, start, width) in groups(recap) {
                            @if group.is_empty() {
                                th scope="col" rowspan="2" { (columns[start].header) }
                            } @else {
                                th scope="colgroup" colspan=(width) { (group) }
                            }
                        }
                    }
                    tr {
                        @for column in columns.iter().filter(|column| !column.group.is_empty()) {
                            th scope="col" { (column.header) }
                        }
                    }
                }
                tbody {
                    @for (row, below) in cells.rows.iter().zip(&recap.below) {
                        tr { (line(row, *below)) }
                    }
                }
                tfoot { tr { (line(&cells.total, None)) } }
            }
        }
        ul class="notes" { @for note in recap.footnotes() { li { (note) } } }
    }
}

/// Neighbouring columns under one heading: heading, first column, width.
/// Columns without a heading stand alone.
fn groups(recap: &Recap) -> Vec<(&'static str, usize, usize)> {
    let mut groups: Vec<(&str, usize, usize)> = Vec::new();
    for (at, column) in recap.sheet.form.columns.iter().enumerate() {
        match groups.last_mut() {
            Some((group, _, width)) if !group.is_empty() && *group == column.group => *width += 1,
            _ => groups.push((column.group, at, 1)),
        }
    }
    groups
}
