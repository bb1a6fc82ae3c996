//! Notices: what was told to whom, and how far it has come.

mod mend;
mod whom;
mod write;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use lumbung_domain::informasi::{Informasi, Keberlakuan, Sasaran};
use lumbung_domain::region::{VillageCode, roster};
use lumbung_telemetry::clock;
use maud::{Markup, html};

use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::tile::full_name;
use super::{ConsoleState, Page, Trouble, at_desk, whole};
use crate::access::Right;
use crate::dataset::notices::{DeliveryState, ListedNotice, NoticeDetail, NoticeVillage, Reach};
use crate::dataset::search::PlaceLine;
use crate::desk::DeskError;

/// Targets that are named; more are a number.
const TARGETS_SHOWN: usize = 4;

/// Notices on one page.
const SHOWN_MAX: u32 = 200;

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/informasi", get(list).post(write::write))
        .route("/informasi/tulis", get(write::blank))
        .route("/informasi/{number}", get(one))
        .route("/informasi/{number}/perbaiki", get(mend::form).post(mend::correct))
        .route("/informasi/{number}/tarik", get(sure).post(withdraw))
}

async fn list(State(state): State<ConsoleState>, viewer: Viewer) -> Result<Page, Trouble> {
    at_desk(&state, viewer, |desk, viewer| {
        let notices = desk.notices(&viewer.who, SHOWN_MAX)?;
        Ok(whole(list_page(viewer, &notices)))
    })
    .await
}

fn list_page(viewer: &Viewer, notices: &[ListedNotice]) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let today = clock::today();
    let (past, in_force): (Vec<_>, Vec<_>) =
        notices.iter().partition(|it| it.notice.informasi.keberlakuan(today).is_past());
    let body = html! {
        h1 { (say("Informasi untuk desa", "Notices to villages")) }
        p class="lead" { (say(
            "Ditulis sekali di sini, sampai ke semua desa yang dituju begitu tersambung, lewat \
             internet atau stik. Tanda terimanya dihitung dari catatan desa sendiri.",
            "Written once here, reaches every village it is for as soon as it connects, by \
             internet or by stick. Receipts are counted from the villages' own records.")) }
        @if viewer.who.may(Right::Inform) {
            p { a class="button" href="/informasi/tulis" { (say("Tulis informasi", "Write a notice")) } }
        }
        @if notices.is_empty() {
            p class="calm" { (say("Belum ada informasi.", "No notices yet.")) }
        }
        h2 class="unseen" { (say("Yang berlaku", "In force")) }
        (items(viewer, &in_force))
        @if !past.is_empty() {
            details class="more" open[in_force.is_empty()] {
                summary { (say("Lewat atau ditarik", "Past or withdrawn")) " (" (past.len()) ")" }
                (items(viewer, &past))
            }
        }
    };
    Frame::of(viewer, say("Informasi", "Notices"), Tab::Notices).page(&body)
}

fn items(viewer: &Viewer, notices: &[&ListedNotice]) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    html! {
        ul class="findings" {
            @for listed in notices {
                @let informasi = &listed.notice.informasi;
                li {
                    h3 lang="id" { a href=(format!("/informasi/{}", listed.notice.number)) { (informasi.judul) } }
                    p { (status(viewer, informasi)) " · " (target_words(viewer, &informasi.sasaran)) }
                    (progress(viewer, listed.reach))
                    small { (viewer.language.moment(listed.notice.changed_ms, clock::now_ms())) (say(" oleh ", " by "))
                        (listed.notice.written_by) }
                }
            }
        }
    }
}

fn status(viewer: &Viewer, informasi: &Informasi) -> &'static str {
    viewer.language.of(match informasi.keberlakuan(clock::today()) {
        Keberlakuan::BelumTerbit => ("belum terbit", "not yet in force"),
        Keberlakuan::Berlaku => ("berlaku", "in force"),
        Keberlakuan::Berakhir => ("lewat", "past"),
        Keberlakuan::Ditarik => ("ditarik", "withdrawn"),
    })
}

fn target_words(viewer: &Viewer, sasaran: &[Sasaran]) -> String {
    let say = |id: &'static str, en: &'static str| viewer.language.say(id, en);
    let mut rts: BTreeMap<VillageCode, usize> = BTreeMap::new();
    let mut words = Vec::new();
    for sasaran in sasaran {
        words.push(match sasaran {
            Sasaran::Kabupaten => say("seluruh kabupaten", "the whole kabupaten").to_owned(),
            Sasaran::Kecamatan(code) => {
                let name = roster().kecamatan_of(*code).map_or("?", |kecamatan| kecamatan.name);
                format!("Kecamatan {name}")
            }
            Sasaran::Desa(village) => full_name(*village),
            Sasaran::Rt(village, _) => {
                *rts.entry(*village).or_default() += 1;
                continue;
            }
        });
    }
    let below = rts.into_iter();
    words.extend(below.map(|(village, count)| {
        format!("{count} {} {}", say("RT di", "RT in"), full_name(village))
    }));
    let more = words.len().saturating_sub(TARGETS_SHOWN);
    words.truncate(TARGETS_SHOWN);
    let more = if more > 0 { format!(" + {more}") } else { String::new() };
    format!("{}{more}", words.join(", "))
}

/// How far a notice has come, as a bar and in words.
fn progress(viewer: &Viewer, reach: Reach) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    html! {
        div class="progress" {
            progress value=(reach.delivered) max=(reach.targeted.max(1))
                aria-label=(say("Sampai", "Delivered")) {}
            span {
                (say("sampai ", "delivered ")) b { (reach.delivered) } (say(" dari ", " of ")) (reach.targeted)
                (say(" desa, dibaca ", " villages, read in ")) b { (reach.read) }
            }
        }
    }
}

async fn one(
    State(state): State<ConsoleState>,
    Path(number): Path<i64>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        let detail = desk.notice(&viewer.who, number)?;
        let rts = desk.rts_named(&viewer.who, &detail.listed.notice.informasi.sasaran)?;
        Ok(whole(one_page(viewer, &detail, &rts)))
    })
    .await
}

fn one_page(viewer: &Viewer, detail: &NoticeDetail, rts: &[PlaceLine]) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let notice = &detail.listed.notice;
    let informasi = &notice.informasi;
    let date = |it: Option<jiff::civil::Date>| it.map(|it| viewer.language.day(it));
    let body = html! {
        p class="crumbs" { a href="/informasi" { (say("Informasi", "Notices")) } " / " (notice.number) }
        h1 lang="id" { (informasi.judul) }
        p class="lead" {
            (status(viewer, informasi))
            @if let Some(from) = date(informasi.terbit) { (say(", mulai ", ", from ")) (from) }
            @if let Some(until) = date(informasi.berlaku_sampai) { (say(", sampai ", ", until ")) (until) }
            " · " (target_words(viewer, &informasi.sasaran))
            @if !rts.is_empty() {
                br; small { (rts.iter().map(whom::rt_words).collect::<Vec<_>>().join(", ")) }
            }
        }
        div class="side letter" lang="id" { @for line in informasi.isi.lines() { p { (line) } } }
        p { small { (say("Ditulis ", "Written ")) (viewer.language.moment(notice.changed_ms, clock::now_ms()))
            (say(" oleh ", " by ")) (notice.written_by)
            @if informasi.versi > 1 { (say(", versi ", ", version ")) (informasi.versi) } } }
        section aria-labelledby="terima" {
            h2 id="terima" { (say("Tanda terima", "Receipts")) }
            (progress(viewer, detail.listed.reach))
            (receipts(viewer, &detail.villages))
        }
        @if viewer.who.may(Right::Inform) && !informasi.ditarik {
            p class="files" {
                a class="button" href=(format!("/informasi/{}/perbaiki", notice.number)) {
                    (say("Perbaiki isinya", "Correct what it says"))
                }
                a class="button" href=(format!("/informasi/{}/tarik", notice.number)) {
                    (say("Tarik informasi ini", "Withdraw this notice"))
                }
            }
        }
    };
    Frame::of(viewer, &informasi.judul, Tab::Notices).page(&body)
}

fn receipts(viewer: &Viewer, villages: &[NoticeVillage]) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let now_ms = clock::now_ms();
    let time =
        |at_ms: i64| if at_ms > 0 { viewer.language.moment(at_ms, now_ms) } else { "-".to_owned() };
    // Whom it has not reached comes first.
    let mut villages: Vec<_> = villages.iter().collect();
    villages.sort_by_key(|village| village.state == DeliveryState::Delivered);
    html! {
        div class="scroll" tabindex="0" role="region" aria-labelledby="terima" {
            table class="stack receipts" {
                caption class="unseen" { (say("Tanda terima per desa", "Receipts by village")) }
                thead { tr {
                    th scope="col" { (say("Desa", "Village")) }
                    th scope="col" { (say("Keadaan", "State")) }
                    th scope="col" { (say("Diterima", "Received")) }
                    th scope="col" { (say("Dibaca", "Read")) }
                    th scope="col" class="n" { (say("RT membaca", "RT that read")) }
                } }
                tbody {
                    @for village in villages {
                        tr {
                            th scope="row" { a href=(format!("/desa/{}", village.village)) { (full_name(village.village)) } }
                            td { (match village.state {
                                DeliveryState::Queued => say("menunggu desa tersambung", "waits for the village"),
                                DeliveryState::Delivered => say("sampai", "delivered"),
                                DeliveryState::NodeTooOld => say("program desa terlalu lama", "the node is too old"),
                            }) }
                            td class=[(village.received_ms == 0).then_some("zero")]
                                data-label=(say("diterima", "received")) { (time(village.received_ms)) }
                            td class=[village.read_ms.is_none().then_some("zero")]
                                data-label=(say("dibaca", "read")) { (time(village.read_ms.unwrap_or(0))) }
                            td class={ "n broad" @if village.rt_read == 0 { " zero" } }
                                data-label=(say("RT membaca", "RT that read")) { (village.rt_read) }
                        }
                    }
                }
            }
        }
    }
}

async fn sure(
    State(state): State<ConsoleState>,
    Path(number): Path<i64>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        viewer.who.must(Right::Inform).map_err(DeskError::from)?;
        let detail = desk.notice(&viewer.who, number)?;
        let say = |id, en| viewer.language.say(id, en);
        let body = html! {
            h1 { (say("Tarik informasi ini?", "Withdraw this notice?")) }
            p { b lang="id" { (detail.listed.notice.informasi.judul) } }
            p { (say("Desa yang sudah menerimanya diberi tahu bahwa informasi ini tidak berlaku lagi. \
                      Ini tidak bisa dibatalkan.",
                     "Villages that have it are told that it no longer holds. This can't be undone.")) }
            form class="form narrow left" method="post" action=(format!("/informasi/{number}/tarik")) {
                button class="grave" type="submit" { (say("Ya, tarik informasi ini", "Yes, withdraw it")) }
                a class="button" href=(format!("/informasi/{number}")) { (say("Batal", "Cancel")) }
            }
        };
        Ok(whole(Frame::of(viewer, say("Tarik informasi", "Withdraw a notice"), Tab::Notices).page(&body)))
    })
    .await
}

async fn withdraw(
    State(state): State<ConsoleState>,
    Path(number): Path<i64>,
    viewer: Viewer,
) -> Result<Response, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        desk.withdraw_notice(&viewer.who, number)?;
        Ok(Redirect::to(&format!("/informasi/{number}")).into_response())
    })
    .await
}
