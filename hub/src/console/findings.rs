//! The desk for contradictions between villages.

use axum::Router;
use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use lumbung_domain::recap::tanggal_indonesia;
use lumbung_domain::region::Desa;
use lumbung_telemetry::clock;
use maud::{Markup, html};
use serde::Deserialize;

use super::form;
use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::language::Language;
use super::person::{made, source};
use super::tile::{full_name, said as in_language};
use super::village::{narrowed, only};
use super::{ConsoleState, Page, Trouble, at_desk, whole};
use crate::access::Right;
use crate::access::audit::AuditEntry;
use crate::dataset::{CrossFinding, FindingCount, FindingCounts, FindingKind, FindingsAsked};
use crate::desk::{Desk, DeskError, Side, differ};
use crate::exports::Said;
use crate::words::actor;

/// Findings on one page.
const PAGE_ROWS: u32 = 100;

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new().route("/temuan", get(list)).route("/temuan/{number}", get(one).post(ask))
}

const fn tag(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::NikGanda => "nik",
        FindingKind::KkGanda => "kk",
        FindingKind::PindahTanpaDatang => "pindah",
        FindingKind::DatangTanpaPindah => "datang",
    }
}

/// What a contradiction is, in words.
pub(super) fn words(language: Language, kind: FindingKind) -> &'static str {
    language.of(match kind {
        FindingKind::NikGanda => ("NIK yang sama di dua desa", "The same NIK in two villages"),
        FindingKind::KkGanda => {
            ("Nomor KK yang sama di dua desa", "The same family card number in two villages")
        }
        FindingKind::PindahTanpaDatang => {
            ("Pindah keluar tanpa dicatat datang", "Moved out, not recorded as arrived")
        }
        FindingKind::DatangTanpaPindah => {
            ("Datang tanpa dicatat pindah keluar", "Moved in, not recorded as left")
        }
    })
}

/// What the villages do about it.
fn advice(language: Language, kind: FindingKind) -> &'static str {
    language.of(match kind {
        FindingKind::NikGanda => (
            "Kedua desa memeriksa KTP orangnya. Yang bukan warganya mencatat pindah keluar, atau \
             memperbaiki NIK. Temuan tertutup sendiri begitu catatan keduanya sepakat.",
            "Both villages check the person's card. The one they don't live in records a move or \
             corrects the NIK. The finding closes by itself once both records agree.",
        ),
        FindingKind::KkGanda => (
            "Kedua desa memeriksa kartu keluarganya. Yang salah menonaktifkan atau memperbaiki \
             nomornya; temuan lalu tertutup sendiri.",
            "Both villages check the family card. The wrong one ends or corrects it; the finding \
             then closes by itself.",
        ),
        FindingKind::PindahTanpaDatang => (
            "Desa tujuan mencatat kedatangannya, atau desa asal memperbaiki tujuan pindahnya.",
            "The village of arrival records it, or the village of origin corrects the move.",
        ),
        FindingKind::DatangTanpaPindah => (
            "Desa asal mencatat kepindahannya, atau desa tujuan memperbaiki asalnya.",
            "The village of origin records the move, or the village of arrival corrects it.",
        ),
    })
}

#[derive(Deserialize)]
struct Asked {
    jenis: Option<String>,
    status: Option<String>,
    /// Of this village only.
    desa: Option<String>,
    /// Only those with lower numbers.
    sebelum: Option<i64>,
}

impl Asked {
    fn kind(&self) -> Option<FindingKind> {
        FindingKind::ALL.into_iter().find(|kind| self.jenis.as_deref() == Some(tag(*kind)))
    }

    fn all(&self) -> bool {
        self.status.as_deref() == Some("semua")
    }

    /// The same list, further back.
    fn older(&self, last: i64) -> String {
        let list = self.href(self.kind().map(tag), self.all());
        let joint = if list.contains('?') { '&' } else { '?' };
        format!("{list}{joint}sebelum={last}")
    }

    /// The list with another kind, or with the closed ones too.
    fn href(&self, kind: Option<&str>, all: bool) -> String {
        let pairs = [
            ("desa", self.desa.as_deref().filter(|it| !it.is_empty())),
            ("jenis", kind),
            ("status", all.then_some("semua")),
        ];
        let pairs = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let pairs: Vec<_> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { "/temuan".to_owned() } else { format!("/temuan?{}", pairs.join("&")) }
    }
}

async fn list(
    State(state): State<ConsoleState>,
    Query(asked): Query<Asked>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    let desa = only(asked.desa.as_deref())?;
    at_desk(&state, viewer, move |desk, viewer| {
        let of = desa.map(|desa| desa.code);
        let terms =
            FindingsAsked { open_only: !asked.all(), kind: asked.kind(), before: asked.sebelum };
        let (found, counts) = desk.findings_page(&viewer.who, of, &terms, PAGE_ROWS)?;
        Ok(whole(list_page(viewer, (&found, &counts), &asked, desa)))
    })
    .await
}

fn list_page(
    viewer: &Viewer,
    (found, counts): (&[CrossFinding], &FindingCounts),
    asked: &Asked,
    desa: Option<&'static Desa>,
) -> Markup {
    let (kind, all) = (asked.kind(), asked.all());
    let say = |id, en| viewer.language.say(id, en);
    let count = |kind: Option<FindingKind>| {
        let FindingCount { open, all: ever } = counts.of(kind);
        viewer.language.count(if all { ever } else { open })
    };
    let body = html! {
        h1 { (say("Temuan antardesa", "Findings between villages")) }
        (narrowed(viewer.language, desa, "/temuan"))
        p class="lead" { (say(
            "Catatan dua desa yang saling bertentangan. Hub hanya melaporkan, tidak memilih: \
             kedua desa yang memutuskan, lalu temuannya tertutup sendiri.",
            "Records of two villages that contradict each other. The hub only reports and never \
             chooses: both villages decide, then the finding closes by itself.")) }
        nav class="chips" aria-label=(say("Saring temuan", "Filter findings")) {
            a href=(asked.href(None, all))
                aria-current=[kind.is_none().then_some("true")] {
                (say("Semua", "All")) " " b { (count(None)) }
            }
            @for each in FindingKind::ALL {
                a href=(asked.href(Some(tag(each)), all))
                    aria-current=[(kind == Some(each)).then_some("true")] {
                    (words(viewer.language, each)) " " b { (count(Some(each))) }
                }
            }
            a href=(asked.href(kind.map(tag), !all)) {
                @if all { (say("Hanya yang terbuka", "Open ones only")) }
                @else { (say("Juga yang tertutup", "Closed ones too")) }
            }
        }
        h2 class="unseen" { (say("Daftar temuan", "The findings")) }
        @if found.is_empty() {
            p class="calm" { (say("Tidak ada temuan terbuka.", "No open findings.")) }
        }
        ul class="findings" {
            @for finding in found { (row(viewer, finding)) }
        }
        @if let Some(last) = found.last().filter(|_| found.len() == PAGE_ROWS as usize) {
            p { a class="button" href=(asked.older(last.number)) { (say("Lebih lama", "Older")) } }
        }
    };
    Frame::of(viewer, say("Temuan", "Findings"), Tab::Findings).page(&body)
}

fn villages_of(finding: &CrossFinding) -> String {
    let mut names: Vec<_> = finding.claims.iter().map(|claim| full_name(claim.village)).collect();
    names.extend(finding.other_village.map(full_name));
    names.join(" · ")
}

/// A finding in a list.
pub(super) fn row(viewer: &Viewer, finding: &CrossFinding) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let now_ms = clock::now_ms();
    html! {
        li {
            h3 { a href=(format!("/temuan/{}", finding.number)) {
                (words(viewer.language, finding.kind))
            } }
            p { (villages_of(finding)) }
            small {
                (say("Nomor ", "Number ")) (finding.number) " · "
                (say("terlihat sejak ", "seen since ")) (viewer.language.moment(finding.since_ms, now_ms))
                @if let Some(closed) = finding.closed_ms {
                    " · " (say("tertutup ", "closed ")) (viewer.language.moment(closed, now_ms))
                }
            }
        }
    }
}

async fn one(
    State(state): State<ConsoleState>,
    Path(number): Path<i64>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| Ok(whole(shown(desk, viewer, number, None)?))).await
}

fn shown(
    desk: &Desk,
    viewer: &Viewer,
    number: i64,
    wrong: Option<&str>,
) -> Result<Markup, DeskError> {
    let (finding, sides) = desk.finding(&viewer.who, number)?;
    let asked = desk.asked(&viewer.who, number)?;
    Ok(one_page(viewer, &finding, &sides, &asked, wrong))
}

#[derive(Deserialize)]
struct Question {
    pertanyaan: String,
}

async fn ask(
    State(state): State<ConsoleState>,
    Path(number): Path<i64>,
    viewer: Viewer,
    Form(question): Form<Question>,
) -> Result<Response, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        match desk.ask_villages(&viewer.who, number, &question.pertanyaan) {
            Ok(_) => Ok(Redirect::to(&format!("/temuan/{number}")).into_response()),
            Err(DeskError::Unfit(words)) => {
                let page =
                    whole(shown(desk, viewer, number, Some(in_language(viewer.language, &words)))?);
                Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
            }
            Err(error) => Err(error.into()),
        }
    })
    .await
}

/// Questions that were sent, and the form for another.
fn questions(
    viewer: &Viewer,
    finding: &CrossFinding,
    asked: &[AuditEntry],
    wrong: Option<&str>,
) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let now_ms = clock::now_ms();
    let may_ask = finding.closed_ms.is_none() && viewer.who.may(Right::Act);
    if asked.is_empty() && !may_ask {
        return html! {};
    }
    html! {
        section class="narrow left" aria-labelledby="tanya-judul" {
            h2 id="tanya-judul" { (say("Tanyakan kepada desa", "Ask the villages")) }
            @if !asked.is_empty() {
                ul class="claims" {
                    @for entry in asked {
                        li { span lang="id" { (entry.words) } br;
                            small { (viewer.language.moment(entry.at_ms, now_ms)) (say(" oleh ", " by ")) (entry.operator) } }
                    }
                }
            }
            @if may_ask {
                (form::alert(wrong))
                form class="form" method="post" action=(format!("/temuan/{}", finding.number)) {
                    div class="field" {
                        label for="pertanyaan" { (say("Pertanyaan", "Question")) }
                        textarea id="pertanyaan" name="pertanyaan" rows="4" required maxlength="500" lang="id" {
                            "Mohon diperiksa: " (words(Language::Indonesian, finding.kind)) ". "
                            (advice(Language::Indonesian, finding.kind))
                        }
                        small { (say(
                            "Sampai di komputer desa sebagai informasi, dengan nomor catatannya. \
                             Jangan tulis NIK.",
                            "Arrives at the villages' computers as a notice, with the records' \
                             ids. Don't write a NIK.")) }
                    }
                    button type="submit" { (say("Kirim pertanyaan", "Send the question")) }
                }
            }
        }
    }
}

fn one_page(
    viewer: &Viewer,
    finding: &CrossFinding,
    sides: &[Side],
    asked: &[AuditEntry],
    wrong: Option<&str>,
) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let now_ms = clock::now_ms();
    let body = html! {
        p class="crumbs" { a href="/temuan" { (say("Temuan", "Findings")) } " / " (finding.number) }
        h1 { (words(viewer.language, finding.kind)) }
        @match finding.closed_ms {
            Some(closed) => p class="done" {
                (say("Tertutup sendiri ", "Closed by itself ")) (viewer.language.moment(closed, now_ms))
                (say(": catatan desa tidak bertentangan lagi.",
                     ": the records contradict each other no more."))
            },
            None => p class="lead" { (advice(viewer.language, finding.kind)) },
        }
        p { small { (say("Terlihat sejak ", "Seen since ")) (viewer.language.moment(finding.since_ms, now_ms)) "." } }
        div class="sides" {
            @for side in sides { (side_card(viewer, side, sides)) }
            @if let Some(other) = finding.other_village {
                section class="side" {
                    h2 { a href=(format!("/desa/{other}")) { (full_name(other)) } }
                    p { (say("Disebut di catatan itu, tetapi belum mencatat apa-apa.",
                             "Named in that record, but has recorded nothing.")) }
                }
            }
        }
        (questions(viewer, finding, asked, wrong))
    };
    Frame::of(viewer, words(viewer.language, finding.kind), Tab::Findings).page(&body)
}

/// Whether any side says something under a label.
fn said(label: &str, sides: &[Side]) -> bool {
    sides.iter().filter_map(|side| side.said(label)).any(|said| !said.value.is_empty())
}

/// A value as people read it: dates with the month's name.
fn as_read(value: &str) -> String {
    let date = (value.len() == "2026-11-24".len()).then(|| value.parse()).and_then(Result::ok);
    date.map_or_else(|| value.to_owned(), tanggal_indonesia)
}

fn side_card(viewer: &Viewer, side: &Side, sides: &[Side]) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let now_ms = clock::now_ms();
    let claim = &side.claim;
    html! {
        section class="side" {
            h2 { a href=(format!("/desa/{}", claim.village)) { (full_name(claim.village)) } }
            @let first = claim.first.as_ref();
            @let made_ms = first.map(|first| first.time_ms).or_else(|| claim.id.minted_ms());
            p { small {
                @if let Some(made) = made(viewer.language, made_ms, first.map(|first| &*first.actor)) {
                    (say("Dibuat ", "Made ")) (made) ". " br;
                }
                (say("Terakhir ditulis ", "Last written ")) (viewer.language.moment(claim.time_ms, now_ms))
                (say(" oleh ", " by ")) (in_language(viewer.language, &actor(&claim.actor))) " (" (source(viewer.language, claim.source))
                (say(", nomor urut ", ", entry ")) (claim.seq) ")"
            } }
            @match &side.says {
                None => p { (say(
                    "Isinya di luar wilayah Anda. Minta operator kabupaten membandingkannya.",
                    "Its content is outside your region. Ask the district operator to compare.")) },
                Some(says) if says.is_empty() => p { (say(
                    "Catatannya sudah tidak ada atau tidak bisa dibaca.",
                    "The record is gone or can't be read.")) },
                Some(says) => dl class="facts one" lang="id" {
                    @for Said { label, value, .. } in says.iter().filter(|it| said(it.label, sides)) {
                        @let differs = differ(label, sides);
                        div class=[differs.then_some("differs")] {
                            dt { (label) }
                            dd {
                                @if value.is_empty() { "-" } @else { (as_read(value)) }
                                @if differs {
                                    " " span class="flag" lang=(viewer.language.tag()) { (say("berbeda", "differs")) }
                                }
                            }
                        }
                    }
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_told_with_their_month_and_all_else_as_it_is() {
        assert_eq!(as_read("2025-02-11"), "11 Februari 2025");
        for other in ["JL. MAWAR NO. 52", "2025-02-31", "12345678901", ""] {
            assert_eq!(as_read(other), other);
        }
    }
}
