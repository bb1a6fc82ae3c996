//! The desk for entries that the hub could not take.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use lumbung_domain::id::Kind;
use lumbung_domain::region::Desa;
use lumbung_telemetry::clock;
use maud::{Markup, html};
use serde::Deserialize;

use super::exporting::kind_words;
use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::language::Language;
use super::tile::full_name;
use super::village::{narrowed, only};
use super::{ConsoleState, Page, Trouble, at_desk, whole};
use crate::access::Right;
use crate::dataset::QuarantinedEntry;
use crate::dataset::notices::Notice;
use crate::merge::decode::reason_in_english;

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/karantina", get(list))
        .route("/karantina/{number}/ulang", post(replay))
        .route("/karantina/{number}/kembali", post(send_back))
}

#[derive(Deserialize)]
struct Asked {
    hasil: Option<String>,
    /// Of this village only.
    desa: Option<String>,
    /// Only those with higher numbers.
    sesudah: Option<i64>,
}

/// Entries on one page.
const PAGE_ROWS: u32 = 50;

async fn list(
    State(state): State<ConsoleState>,
    Query(asked): Query<Asked>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    let desa = only(asked.desa.as_deref())?;
    at_desk(&state, viewer, move |desk, viewer| {
        let (of, after) = (desa.map(|desa| desa.code), asked.sesudah.unwrap_or(0));
        let entries = desk.quarantine_after(&viewer.who, of, after, PAGE_ROWS)?;
        let returns = match entries.is_empty() {
            true => Vec::new(),
            false => desk.returns_of(&viewer.who, &entries)?,
        };
        Ok(whole(page(viewer, &entries, &returns, desa, asked.hasil.as_deref())))
    })
    .await
}

fn page(
    viewer: &Viewer,
    entries: &[QuarantinedEntry],
    returns: &[(i64, Notice)],
    desa: Option<&'static Desa>,
    outcome: Option<&str>,
) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let body = html! {
        h1 { (say("Karantina", "Quarantine")) }
        (narrowed(viewer.language, desa, "/karantina"))
        p class="lead" { (say(
            "Catatan yang belum bisa diterima hub. Isinya disimpan utuh dan ikut dihitung dalam \
             bukti kesamaan; catatan lain desa itu tetap masuk.",
            "Records that the hub can't take yet. They are kept whole and count in the proof of \
             equality; the village's other records go on.")) }
        @match outcome {
            Some("diterima") => p class="done" role="status" {
                (say("Catatan itu sekarang diterima.", "The record is taken now."))
            },
            Some("dikirim") => p class="done" role="status" {
                (say("Desa diberi tahu. Begitu catatannya diperbaiki, karantina ini selesai sendiri.",
                     "The village is told. Once it has corrected the record, this ends by itself."))
            },
            Some("tetap") => p class="alert" role="status" {
                (say("Masih belum bisa diterima. Alasannya ada di bawah; desa perlu \
                      memperbaikinya.",
                     "It still can't be taken. The reason is below; the village has to correct \
                      it."))
            },
            _ => {}
        }
        @if entries.is_empty() {
            p class="calm" { (say("Karantina kosong.", "The quarantine is empty.")) }
        }
        h2 class="unseen" { (say("Daftar catatan", "The records")) }
        ul class="findings" {
            @for entry in entries {
                @let asked = returns.iter().find(|(number, _)| *number == entry.number);
                (one(viewer, entry, asked.map(|(_, notice)| notice)))
            }
        }
        @if let Some(last) = entries.last().filter(|_| entries.len() == PAGE_ROWS as usize) {
            @let of = desa.map_or_else(String::new, |desa| format!("desa={}&", desa.code));
            p { a class="button" href=(format!("/karantina?{of}sesudah={}", last.number)) {
                (say("Berikutnya", "Next"))
            } }
        }
    };
    Frame::of(viewer, say("Karantina", "Quarantine"), Tab::Quarantine).page(&body)
}

/// `asked`: the notice with which the village was asked last.
fn one(viewer: &Viewer, entry: &QuarantinedEntry, asked: Option<&Notice>) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let now_ms = clock::now_ms();
    let kind = Kind::from_code(entry.kind);
    html! {
        li {
            h3 { a href=(format!("/desa/{}", entry.village)) { (full_name(entry.village)) } }
            (reason(viewer, &entry.reason))
            small {
                (kind.map_or_else(|| say("jenis baru", "a new kind"), |it| kind_words(it, viewer.language)))
                (say(", nomor urut ", ", entry ")) (entry.seq) ", " (entry.bytes)
                (say(" bita, sejak ", " bytes, since ")) (viewer.language.moment(entry.since_ms, now_ms))
            }
            @if let Some(notice) = asked {
                p { a href=(format!("/informasi/{}", notice.number)) {
                    (say("Desa sudah diminta memperbaikinya ", "The village was asked to correct it, "))
                    (viewer.language.moment(notice.made_ms, now_ms))
                } }
            }
            @if viewer.who.may(Right::Act) {
                form class="files" method="post" action=(format!("/karantina/{}/ulang", entry.number)) {
                    button class="button" type="submit" {
                        (say("Coba terima lagi", "Try to take it again"))
                    }
                    " "
                    button class="button" type="submit"
                        formaction=(format!("/karantina/{}/kembali", entry.number)) {
                        @if asked.is_none() {
                            (say("Minta desa memperbaiki", "Ask the village to correct it"))
                        } @else {
                            (say("Minta sekali lagi", "Ask the village once more"))
                        }
                    }
                }
            }
        }
    }
}

/// Why it could not be taken: as it was said where the words are another
/// version's.
fn reason(viewer: &Viewer, reason: &str) -> Markup {
    let english = reason_in_english(reason).filter(|_| viewer.language == Language::English);
    html! {
        @match english {
            Some(english) => p { (english) },
            None => p lang="id" { (reason) },
        }
    }
}

async fn replay(
    State(state): State<ConsoleState>,
    Path(number): Path<i64>,
    viewer: Viewer,
) -> Result<Response, Trouble> {
    let taken =
        at_desk(&state, viewer, move |desk, viewer| Ok(desk.replay(&viewer.who, number)?)).await?;
    let outcome = if taken { "diterima" } else { "tetap" };
    Ok(Redirect::to(&format!("/karantina?hasil={outcome}")).into_response())
}

async fn send_back(
    State(state): State<ConsoleState>,
    Path(number): Path<i64>,
    viewer: Viewer,
) -> Result<Response, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        desk.send_back(&viewer.who, number)?;
        Ok(Redirect::to("/karantina?hasil=dikirim").into_response())
    })
    .await
}
