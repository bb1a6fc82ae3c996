//! The audit log: who saw and decided what, and whether it is whole.

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get;
use lumbung_domain::region::{VillageCode, roster};
use lumbung_telemetry::clock;
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::search::person_href;
use super::tile::full_name;
use super::{ConsoleState, Page, Trouble, at_desk, person, whole};
use crate::access::Right;
use crate::access::audit::{Act, AuditCheck, AuditEntry, AuditFilter};

/// Entries on one page.
const PAGE_ROWS: u32 = 100;

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new().route("/audit", get(log))
}

#[derive(Deserialize)]
struct Asked {
    operator: Option<String>,
    tindakan: Option<String>,
    tentang: Option<String>,
    sebelum: Option<u64>,
}

impl Asked {
    fn filter(&self) -> AuditFilter {
        let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        AuditFilter {
            operator: some(&self.operator),
            act: some(&self.tindakan),
            subject: some(&self.tentang),
            before: self.sebelum,
            limit: PAGE_ROWS,
            ..AuditFilter::default()
        }
    }
}

async fn log(
    State(state): State<ConsoleState>,
    Query(asked): Query<Asked>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        let filter = asked.filter();
        let entries = desk.audit(&viewer.who, &filter)?;
        let check = desk.check_audit_on(&viewer.who)?;
        Ok(whole(page(viewer, &filter, &entries, check)))
    })
    .await
}

fn verdict(viewer: &Viewer, check: AuditCheck) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    match check {
        AuditCheck::Whole(head) => {
            let hash = blake3::Hash::from(head.hash).to_hex();
            html! {
                p class="done" {
                    (say("Utuh: ", "Whole: ")) (head.seq)
                    (say(" catatan, rantainya tidak terputus. Sidik: ",
                         " entries, the chain is unbroken. Digest: "))
                    code { (&hash[..16]) }
                    ". " (say("Catatan lama diperiksa lagi seluruhnya dengan ",
                              "Old entries are all checked again by ")) code { "lumbung-hubctl audit verify" } "."
                }
            }
        }
        AuditCheck::BrokenAt(seq) => html! {
            p class="alert" role="alert" {
                (say("Rantai terputus di catatan nomor ", "The chain breaks at entry ")) (seq) ". "
                (say("Ada yang mengubah berkas data di luar Lumbung. Simpan salinan berkas itu dan \
                      hubungi petugas keamanan.",
                     "Somebody changed the data file outside Lumbung. Keep a copy of the file and \
                      call the security officer."))
            }
        },
    }
}

/// What an entry is about, with a link where there is a page.
fn subject(viewer: &Viewer, entry: &AuditEntry) -> Markup {
    let text = &entry.subject;
    let village = VillageCode::parse(text).ok().and_then(|code| roster().village(code));
    if entry.act == Act::Revealed.code()
        && viewer.who.may(Right::SeeRecords)
        && let Some((desa, id)) = text.split_once('/')
        && let Ok((desa, id)) = person::named(desa, id)
    {
        return html! {
            a href=(person_href(desa, id)) { (viewer.language.say("Catatan ", "Record ")) (id) }
            ", " (full_name(desa))
        };
    }
    html! {
        @if let Some(desa) = village { a href=(format!("/desa/{}", desa.code)) { (desa.full_name()) } }
        @else { (text) }
    }
}

fn act_words(viewer: &Viewer, code: &str) -> String {
    let known = Act::ALL.into_iter().find(|act| act.code() == code);
    known.map_or(code, |act| viewer.language.of(act.words())).to_owned()
}

fn page(
    viewer: &Viewer,
    filter: &AuditFilter,
    entries: &[AuditEntry],
    check: AuditCheck,
) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let now_ms = clock::now_ms();
    let value = |text: &Option<String>| text.clone().unwrap_or_default();
    let body = html! {
        h1 { (say("Buku catatan", "Audit log")) }
        p class="lead" { (say(
            "Siapa masuk, melihat data seseorang, mengekspor dan memutuskan apa. Hanya bertambah; \
             tidak bisa diubah atau dipotong.",
            "Who signed in, saw a person's data, exported and decided what. Only ever added to; \
             it can't be changed or cut.")) }
        (verdict(viewer, check))
        @if let Some(subject) = &filter.subject {
            p class="files" {
                span { (say("Hanya tentang ", "Only about ")) code { (subject) } }
                a class="button" href="/audit" { (say("Semua catatan", "All entries")) }
            }
        }
        form class="pick" method="get" action="/audit" {
            label { (say("Operator ", "Operator ")) input name="operator" value=(value(&filter.operator)); }
            label { (say("Tindakan ", "Act "))
                select name="tindakan" {
                    option value="" { (say("semua", "all")) }
                    @for act in Act::ALL {
                        option value=(act.code()) selected[filter.act.as_deref() == Some(act.code())] {
                            (viewer.language.of(act.words()))
                        }
                    }
                }
            }
            button type="submit" { (say("Saring", "Filter")) }
        }
        @if entries.is_empty() { p class="calm" { (say("Tidak ada catatan.", "No entries.")) } }
        @else {
            div class="scroll" tabindex="0" role="region"
                aria-label=(say("Catatan", "Entries")) {
                table class="stack audit" {
                    caption class="unseen" { (say("Catatan, terbaru dahulu", "Entries, newest first")) }
                    thead { tr {
                        th scope="col" class="n" { (say("No", "No")) }
                        th scope="col" { (say("Waktu", "Time")) }
                        th scope="col" { (say("Operator", "Operator")) }
                        th scope="col" { (say("Tindakan", "Act")) }
                        th scope="col" { (say("Tentang", "About")) }
                        th scope="col" { (say("Alasan", "Reason")) }
                    } }
                    tbody {
                        @for entry in entries {
                            tr {
                                td class="n" { (entry.seq) }
                                td class="nowrap" { (viewer.language.moment(entry.at_ms, now_ms)) }
                                td { (entry.operator) }
                                td { (act_words(viewer, &entry.act)) }
                                td class="why" { (subject(viewer, entry)) }
                                td lang="id" { (entry.words) }
                            }
                        }
                    }
                }
            }
        }
        @if let Some(last) = entries.last().filter(|_| entries.len() == PAGE_ROWS as usize) {
            p { a class="button" href=(format!("/audit?operator={}&tindakan={}&tentang={}&sebelum={}",
                value(&filter.operator), value(&filter.act), value(&filter.subject), last.seq)) {
                (say("Lebih lama", "Older"))
            } }
        }
    };
    Frame::of(viewer, say("Buku catatan", "Audit log"), Tab::Audit).page(&body)
}
