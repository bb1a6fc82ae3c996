//! Recaps for the public: those that were made, and making the next one.

use axum::Router;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::get;
use jiff::ToSpan as _;
use jiff::civil::Date;
use lumbung_telemetry::clock;
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::recap::DATE_WORDS;
use super::{ConsoleState, Page, Trouble, at_desk, whole};
use crate::access::Right;
use crate::desk::publications::PublicationList;
use crate::recap::RegionRef;

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new().route("/terbitan", get(show).post(publish))
}

async fn show(State(state): State<ConsoleState>, viewer: Viewer) -> Result<Page, Trouble> {
    at_desk(&state, viewer, |desk, viewer| {
        Ok(whole(page(viewer, &desk.publications(&viewer.who)?)))
    })
    .await
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    tanggal: String,
}

async fn publish(
    State(state): State<ConsoleState>,
    viewer: Viewer,
    Form(asked): Form<Asked>,
) -> Result<Redirect, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        let day = asked.tanggal.parse();
        let day = day.map_err(|_| Trouble::words(StatusCode::UNPROCESSABLE_ENTITY, DATE_WORDS))?;
        desk.publish(&viewer.who, day)?;
        Ok(Redirect::to("/terbitan"))
    })
    .await
}

/// The published sheet of the widest region that the operator sees.
fn sheet_href(viewer: &Viewer, day: Date) -> String {
    let region = match viewer.who.scope().is_whole() {
        true => format!("wilayah={}&", RegionRef::Kabupaten),
        false => String::new(),
    };
    format!("/rekap?{region}tanggal={day}&umum=1")
}

fn page(viewer: &Viewer, list: &PublicationList) -> Markup {
    let language = viewer.language;
    let say = |id, en| language.say(id, en);
    let now_ms = clock::now_ms();
    let may = viewer.who.may(Right::Export) && viewer.who.scope().is_whole();
    let body = html! {
        p class="crumbs" { a href="/rekap" { (say("Rekap", "Recap")) } }
        h1 { (say("Terbitan untuk umum", "Publications")) }
        p class="lead" { (say(
            "Satu untuk tiap triwulan, dari kabupaten sampai RT. Sekali terbit tidak berubah lagi, \
             juga bila data desa diperbaiki atau dihapus. Angkanya digeser acak, supaya terbitan \
             yang dikurangkan satu sama lain tidak membuka siapa pun.",
            "One for each quarter, from the kabupaten down to the RT. Once made it never changes, \
             also when villages' data is put right or erased. Its counts are moved by chance, so \
             that publications subtracted from each other give nobody away.")) }
        @if let Some(next) = list.next {
            section aria-labelledby="berikutnya" {
                h2 id="berikutnya" { (say("Bisa diterbitkan sekarang", "Can be made now")) }
                p { (say("Keadaan pada ", "As of ")) b { (language.day(next)) } ". "
                    (say("Paling lambat ", "Until ")) (language.day(list.running))
                    (say("; sesudah itu yang ini tidak bisa dibuat lagi.",
                         "; after that this one can't be made any more.")) }
                @if may {
                    form class="form narrow left" method="post" action="/terbitan" {
                        input type="hidden" name="tanggal" value=(next);
                        p { (say("Periksa dulu apakah data desa sudah lengkap: terbitan tidak bisa \
                                  ditarik atau dibuat ulang.",
                                 "Check first that the villages' data is complete: a publication \
                                  can't be withdrawn or made again.")) }
                        button type="submit" { (say("Terbitkan", "Publish")) }
                    }
                } @else {
                    p { small { (say(
                        "Diterbitkan oleh operator yang boleh mengekspor dan melihat seluruh kabupaten.",
                        "Made by operators who may export and see the whole kabupaten.")) } }
                }
            }
        } @else {
            p { (say("Yang berikutnya, keadaan pada ", "The next one, as of ")) (language.day(list.running))
                (say(", bisa dibuat mulai ", ", can be made from "))
                (language.day(list.running.saturating_add(1.day()))) (say(".", " on.")) }
        }
        section aria-labelledby="ada" {
            h2 id="ada" { (say("Yang sudah terbit", "Made so far")) }
            @if list.made.is_empty() {
                p { (say("Belum ada.", "None yet.")) }
            } @else {
                div class="scroll" tabindex="0" role="region"
                    aria-label=(say("Yang sudah terbit", "Made so far")) {
                    table {
                        thead { tr {
                            th scope="col" { (say("Keadaan pada", "As of")) }
                            th scope="col" { (say("Dibuat", "Made")) }
                            th scope="col" { (say("Oleh", "By")) }
                        } }
                        tbody {
                            @for it in &list.made { tr {
                                th scope="row" {
                                    a href=(sheet_href(viewer, it.day)) { (language.day(it.day)) }
                                }
                                td { (language.moment(it.made_ms, now_ms)) }
                                td { (it.made_by) }
                            } }
                        }
                    }
                }
            }
        }
    };
    Frame::of(viewer, say("Terbitan untuk umum", "Publications"), Tab::Recap).page(&body)
}
