//! The page of one village: how it stands and why, in words first.

mod condition;
mod deeds;
mod diagnostics;
mod strip;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use lumbung_domain::region::{Desa, VillageCode, roster};
use maud::{Markup, html};
use serde::Deserialize;

use super::findings;
use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::language::Language;
use super::tile::{Look, said};
use super::{ConsoleState, Page, Trouble, acts, at_desk, needs, whole};
use crate::access::Right;
use crate::dataset::{CrossFinding, Incident, Remark, VillageState};
use crate::desk::sight::Sight;
use crate::desk::{Desk, DeskError};
use crate::outlook::VillageOutlook;
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

/// The village that a list is narrowed to by its address.
pub(super) fn only(code: Option<&str>) -> Result<Option<&'static Desa>, DeskError> {
    code.filter(|code| !code.is_empty()).map(named).transpose()
}

/// Which village a list is of, and the way to the whole list.
pub(super) fn narrowed(language: Language, desa: Option<&Desa>, whole: &str) -> Markup {
    html! {
        @if let Some(desa) = desa {
            p class="files" {
                span { (language.say("Hanya ", "Only ")) a href=(format!("/desa/{}", desa.code)) {
                    (desa.full_name()) } }
                a class="button" href=(whole) { (language.say("Semua desa", "All villages")) }
            }
        }
    }
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
        let seen = Desk::in_sight(&sight, village).ok_or(DeskError::NotThere)?;
        if seen.upkeep.is_none() {
            return Ok(whole(not_listed(viewer, seen.desa)));
        }
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
                    (needs::cards(own(), viewer.into(), now_ms, false))
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
                (self.content(viewer))
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

    fn happened(&self, language: Language) -> Markup {
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
                                td { (language.moment(incident.at_ms, now_ms)) }
                                td { (say(incident.heading(), incident.heading_en())) }
                                @if language == Language::Indonesian || incident.sentence_en.is_empty() {
                                    td lang="id" { (incident.sentence) }
                                } @else {
                                    td { (incident.sentence_en) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A village of the district that has never joined: what to do about it.
fn not_listed(viewer: &Viewer, desa: &Desa) -> Markup {
    let language = viewer.language;
    let say = |id, en| language.say(id, en);
    let token = acts::Deed::Token;
    let body = html! {
        h1 { (desa.full_name()) }
        p class="verdict sB" {
            (Look::Never.mark()) " "
            span { (say("Belum terdaftar. Buat token dan bantu desa memasang komputernya.",
                        "Not joined yet. Make a token and help the village to set up its machine.")) }
        }
        @if viewer.who.may(token.right()) {
            p class="files" {
                a class="button" href=(format!("/desa/{}/tindakan/{}", desa.code, token.code())) {
                    (language.of(token.title()))
                }
            }
        } @else {
            p { (say("Token dibuat oleh petugas keamanan atau kepala operator.",
                     "Tokens are made by the security officer or the head operator.")) }
        }
    };
    Frame::of(viewer, desa.name, Tab::Villages).page(&body)
}

/// With its first letter large.
fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
