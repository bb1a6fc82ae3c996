//! Which software the villages' nodes run, and which of them are behind.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use lumbung_domain::region::roster;
use lumbung_telemetry::clock;
use maud::{Markup, html};

use super::charts::bar;
use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::language::Language;
use super::{ConsoleState, Page, Trouble, at_desk, whole};
use crate::desk::versions::{Runs, Version, Versions};

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new().route("/versi", get(show))
}

async fn show(State(state): State<ConsoleState>, viewer: Viewer) -> Result<Page, Trouble> {
    at_desk(&state, viewer, |desk, viewer| {
        Ok(whole(page(viewer, &desk.versions(&viewer.who)?, clock::now_ms())))
    })
    .await
}

/// What the page comes to, in a sentence.
fn sentence(language: Language, versions: &Versions) -> String {
    let behind: usize = versions.behind().map(|version| version.villages.len()).sum();
    let heard = versions.heard();
    let unknown = match (language, versions.unknown.len()) {
        (_, 0) => String::new(),
        (Language::Indonesian, unknown) => format!(" {unknown} belum diketahui."),
        (Language::English, unknown) => format!(" {unknown} not known."),
    };
    match (language, behind) {
        (_, _) if heard == 0 => language
            .say("Belum ada desa yang menyebut versinya.", "No village has named its version yet.")
            .to_owned(),
        (Language::Indonesian, 0) => {
            format!("{heard} desa memakai versi terbaru.{unknown}")
        }
        (Language::Indonesian, behind) => {
            format!("{behind} dari {heard} desa tertinggal versinya.{unknown}")
        }
        (Language::English, 0) => {
            format!("{heard} villages run the newest version.{unknown}")
        }
        (Language::English, behind) => {
            format!("{behind} of {heard} villages are behind.{unknown}")
        }
    }
}

fn page(viewer: &Viewer, versions: &Versions, now_ms: i64) -> Markup {
    let language = viewer.language;
    let say = |id, en| language.say(id, en);
    let body = html! {
        p class="crumbs" { a href="/" { (say("Desa", "Villages")) } }
        h1 { (sentence(language, versions)) }
        p class="lead" {
            (say("Seperti disebut node pada kontak terakhirnya. Hub ini sendiri memakai ",
                 "As nodes named it at their last contact. This hub itself runs "))
            b { (env!("CARGO_PKG_VERSION")) } "."
        }
        @if !versions.known.is_empty() { (sums(language, versions)) }
        @if versions.behind().next().is_some() {
            section aria-labelledby="tertinggal" {
                h2 id="tertinggal" { (say("Tertinggal, yang paling lama di atas",
                                          "Behind, the oldest first")) }
                p { (say(
                    "Versi lama tetap dilayani. Perbarui program di komputer desa bila ada \
                     kesempatan; data desa tidak berubah karenanya.",
                    "Old versions are served all the same. Update the program on the village's \
                     computer when there is a chance; its data does not change by that.")) }
                (table(language, versions.behind(), now_ms))
            }
        }
        @if !versions.unknown.is_empty() {
            section aria-labelledby="tak-diketahui" {
                h2 id="tak-diketahui" { (say("Belum diketahui", "Not known")) }
                ul class="names" {
                    @for runs in &versions.unknown { li { (village(runs)) } }
                }
            }
        }
        @if versions.never > 0 {
            p { small { (versions.never)
                (say(" desa belum pernah tersambung.", " villages have never been connected.")) } }
        }
    };
    Frame::of(viewer, say("Versi node", "Node versions"), Tab::Villages).page(&body)
}

/// Whether it is behind, and in which channel where that is not the ordinary
/// one: what is newest there says nothing of the others.
fn state(language: Language, version: &Version) -> String {
    let state = match version.behind {
        true => language.say("tertinggal", "behind"),
        false => language.say("terbaru", "newest"),
    };
    match version.channel.as_str() {
        "" => state.to_owned(),
        channel => format!("{state} {} {channel}", language.say("di", "in")),
    }
}

fn sums(language: Language, versions: &Versions) -> Markup {
    let say = |id, en| language.say(id, en);
    let heard = versions.heard().max(1);
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(say("Versi", "Versions")) {
            table class="shares" {
                thead { tr {
                    th scope="col" { (say("Versi", "Version")) }
                    th scope="col" { (say("Keadaan", "State")) }
                    th scope="col" class="n" { (say("Desa", "Villages")) }
                    th scope="col" { (say("Bagian", "Share")) }
                } }
                tbody {
                    @for version in &versions.known {
                        @let count = version.villages.len();
                        tr {
                            th scope="row" { (version.software) }
                            td { (state(language, version)) }
                            td class="n" { (language.count(count as u64)) }
                            @let tenths = (count * 1000 / heard) as u64;
                            td { (bar(tenths)) span { (language.percent(tenths)) } }
                        }
                    }
                }
            }
        }
    }
}

fn table<'a>(
    language: Language,
    versions: impl Iterator<Item = &'a Version>,
    now_ms: i64,
) -> Markup {
    let say = |id, en| language.say(id, en);
    let contact = |at_ms: i64| match at_ms {
        0 => say("belum pernah", "never").to_owned(),
        at_ms => language.moment(at_ms, now_ms),
    };
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(say("Desa yang tertinggal", "Villages behind")) {
            table {
                thead { tr {
                    th scope="col" { (say("Desa", "Village")) }
                    th scope="col" { (say("Versi", "Version")) }
                    th scope="col" { (say("Kontak terakhir", "Last contact")) }
                } }
                tbody {
                    @for version in versions {
                        @for runs in &version.villages {
                            tr {
                                th scope="row" { (village(runs)) }
                                td { (version.software) }
                                td { (contact(runs.last_ms)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn village(runs: &Runs) -> Markup {
    let kecamatan = roster().kecamatan_of(runs.desa.kecamatan).map_or("", |it| it.name);
    html! {
        a href=(format!("/desa/{}", runs.desa.code)) { (runs.desa.name) } " " small { (kecamatan) }
    }
}
