//! The page of one resident: forms, where the record comes from, and opening
//! what is closed.

use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use lumbung_domain::id::RecordId;
use lumbung_domain::record::Field;
use lumbung_domain::region::VillageCode;
use lumbung_ledger::Source;
use lumbung_telemetry::clock;
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::language::Language;
use super::search::{house_href, person_href, place_words, resident_words};
use super::tile::{full_name, said};
use super::{ConsoleState, Page, Trouble, at_desk, whole};
use crate::access::Right;
use crate::access::audit::WORDS_MAX;
use crate::desk::DeskError;
use crate::desk::person::{Opening, Person, Provenance, REVEALS_AN_HOUR, Unplaced, revealed};
use crate::words;

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new().route("/warga/{village}/{id}", get(show).post(reveal))
}

/// The record a path names.
pub(super) fn named(village: &str, id: &str) -> Result<(VillageCode, RecordId), DeskError> {
    let village = VillageCode::parse(village).map_err(|_| DeskError::NotThere)?;
    Ok((village, id.parse().map_err(|_| DeskError::NotThere)?))
}

async fn show(
    State(state): State<ConsoleState>,
    Path((village, id)): Path<(String, String)>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    let (village, id) = named(&village, &id)?;
    at_desk(&state, viewer, move |desk, viewer| {
        let person = desk.person(&viewer.who, village, id)?;
        Ok(whole(render(viewer, &person, &Shown::Closed { alert: None })))
    })
    .await
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    nomor: String,
    spesifik: String,
    alasan: String,
}

async fn reveal(
    State(state): State<ConsoleState>,
    Path((village, id)): Path<(String, String)>,
    viewer: Viewer,
    Form(asked): Form<Asked>,
) -> Result<Response, Trouble> {
    let (village, id) = named(&village, &id)?;
    at_desk(&state, viewer, move |desk, viewer| {
        let opening =
            Opening { numbers: !asked.nomor.is_empty(), specific: !asked.spesifik.is_empty() };
        match desk.reveal(&viewer.who, village, id, opening, &asked.alasan) {
            Ok(person) => Ok(whole(render(viewer, &person, &Shown::Opened)).into_response()),
            Err(DeskError::Unfit(words)) => {
                let person = desk.person(&viewer.who, village, id)?;
                let shown = Shown::Closed { alert: Some(said(viewer.language, &words)) };
                let page = whole(render(viewer, &person, &shown));
                Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
            }
            Err(error) => Err(error.into()),
        }
    })
    .await
}

/// How the page is shown.
enum Shown<'a> {
    /// With what is closed; `alert` says why nothing was opened.
    Closed { alert: Option<&'a str> },
    /// With what was asked, this once.
    Opened,
}

fn render(viewer: &Viewer, person: &Person, shown: &Shown<'_>) -> Markup {
    let language = viewer.language;
    let say = |id, en| language.say(id, en);
    let line = &person.line;
    let body = html! {
        h1 { (line.nama) }
        p class="lead" { (resident_words(language, line)) }
        p {
            @if let Some(house) = line.place.house {
                a href=(house_href(line.village, house)) {
                    (say("Rumahnya", "The house")) ": " (place_words(&line.place))
                }
            } @else {
                (say("Tidak di rumah yang dikenal", "In no known house"))
            }
            " · " a href=(format!("/desa/{}", line.village)) { (full_name(line.village)) }
        }
        @if let Some(unplaced) = &person.unplaced { (unplaced_words(language, unplaced)) }
        @if matches!(shown, Shown::Opened) {
            p class="done" role="status" { (say(
                "Data dibuka sekali ini dan sudah dicatat. Tutup halaman ini bila selesai.",
                "Opened this once, and noted. Close this page when you are done."))
                @if viewer.who.may(Right::Audit) && viewer.who.scope().is_whole() {
                    " " a href=(format!("/audit?tentang={}", revealed(line.village, line.id))) {
                        (say("Siapa yang pernah membukanya", "Who has opened it"))
                    }
                }
            }
        }
        @if let Shown::Closed { alert: Some(words) } = shown {
            p class="alert" role="alert" { (words) }
        }
        @for form in &person.forms {
            section aria-label=(form.form) {
                h2 lang="id" { (form.form) }
                (fields(&form.fields))
            }
        }
        section aria-labelledby="asal" {
            h2 id="asal" { (say("Asal catatan", "Where this comes from")) }
            p { (origin(language, &person.provenance)) }
        }
        @if person.has_closed && viewer.who.may(Right::Reveal) && matches!(shown, Shown::Closed { .. }) {
            (opening(viewer, person))
        }
    };
    Frame::of(viewer, &line.nama, Tab::Search).page(&body)
}

/// Why somebody is counted nowhere, and which family it may be.
fn unplaced_words(language: Language, unplaced: &Unplaced) -> Markup {
    html! {
        div class="remark" {
            p { (said(language, &unplaced.words())) }
            @if let Unplaced::Anew(family) = unplaced {
                p {
                    (language.say("Kartu keluarga itu sekarang: ", "That card now: "))
                    @match (family.place.house, family.kepala.as_str()) {
                        (Some(house), "") => a href=(house_href(family.village, house)) {
                            (place_words(&family.place))
                        },
                        (Some(house), kepala) => {
                            a href=(house_href(family.village, house)) { (kepala) }
                            ", " (place_words(&family.place))
                        },
                        (None, kepala) => (kepala),
                    }
                    "."
                }
            }
        }
    }
}

/// Fields with their labels.
pub(super) fn fields(fields: &[Field]) -> Markup {
    html! {
        dl class="facts" lang="id" {
            @for field in fields { div { dt { (field.label) } dd { (field.value) } } }
        }
    }
}

/// Where a record came from, in a word.
pub(super) const fn source(language: Language, source: Source) -> &'static str {
    match source {
        Source::TEMPLATE => language.say(source.name(), "template"),
        Source::ERASURE => language.say(source.name(), "erasure"),
        Source::RETURNED => language.say(source.name(), "handed back"),
        Source::MANUAL | Source::OPENSID | Source::SIAK | Source::NODE => source.name(),
        _ => language.say(source.name(), "other"),
    }
}

/// When and by whom a record was made, as far as the hub knows.
pub(super) fn made(
    language: Language,
    made_ms: Option<i64>,
    made_by: Option<&str>,
) -> Option<String> {
    let at = language.moment(made_ms?, clock::now_ms());
    let Some(by) = made_by.map(words::actor) else { return Some(at) };
    Some(format!("{at} {} {}", language.say("oleh", "by"), said(language, &by)))
}

/// When a record was made, who wrote it last, when and with which entry.
pub(super) fn origin(language: Language, from: &Provenance) -> String {
    let now_ms = clock::now_ms();
    let at = language.moment(from.time_ms, now_ms);
    let made = made(language, from.made_ms, from.made_by.as_deref());
    let written_by = words::actor(&from.actor);
    let actor = said(language, &written_by);
    let (source, seq) = (source(language, from.source), from.seq);
    match language {
        Language::Indonesian => {
            let made = made.map(|made| format!("Dibuat {made}. ")).unwrap_or_default();
            format!(
                "{made}Ditulis di desa {at} oleh {actor} ({source}), nomor {seq} dalam log desa."
            )
        }
        Language::English => {
            let made = made.map(|made| format!("Made {made}. ")).unwrap_or_default();
            format!(
                "{made}Written in the village {at} by {actor} ({source}), entry {seq} of its log."
            )
        }
    }
}

/// The form that opens what is closed.
fn opening(viewer: &Viewer, person: &Person) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    html! {
        section aria-labelledby="buka" {
            h2 id="buka" { (say("Buka yang tertutup", "Open what is closed")) }
            p { (say(
                "Data ini dilindungi. Yang membuka, kapan, dan alasannya dicatat selamanya. \
                 Data dibuka sekali, untuk satu orang.",
                "This data is protected. Who opens it, when and why is kept for ever. It is \
                 shown once, for one person."))
                " " (say("Paling banyak", "At most")) " " (REVEALS_AN_HOUR) " "
                (say("orang dalam satu jam.", "persons an hour.")) }
            form class="form narrow" method="post"
                action=(person_href(person.line.village, person.line.id)) {
                label class="check" { input type="checkbox" name="nomor" value="1"; " "
                    (say("NIK, nomor KK dan nomor surat", "NIK, family card and paper numbers")) }
                label class="check" { input type="checkbox" name="spesifik" value="1"; " "
                    (say("Kesehatan, disabilitas, kehamilan, KB; data anak; telepon dan letak",
                        "Health, disability, pregnancy, contraception; a child's data; telephone \
                         and place")) }
                div class="field" {
                    label for="alasan" { (say("Alasan", "Reason")) }
                    textarea id="alasan" name="alasan" required minlength="10" rows="2"
                        maxlength=(WORDS_MAX) aria-describedby="alasan-ket" {}
                    small id="alasan-ket" { (say(
                        "Untuk keperluan apa, misalnya nomor surat permohonan. Jangan tulis NIK.",
                        "What for, such as the number of a request. Write no NIK.")) }
                }
                button type="submit" { (say("Buka dan catat", "Open and note")) }
            }
        }
    }
}
