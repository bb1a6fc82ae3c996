//! Searching: the form, and pages of its answers.
//!
//! A question is posted and answered under a ticket, and a NIK leads straight
//! to the person, so that neither a name nor a number stands in an address.

mod form;

use axum::Router;
use axum::extract::{Form, Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::indicator::umur_tahun;
use lumbung_domain::region::{Desa, VillageCode, roster};
use lumbung_telemetry::clock;
use lumbung_wire::date;
use maud::{Markup, html};
use serde::Deserialize;

use self::form::Asked;
pub(super) use self::form::{gap_conditions, regions};
use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::language::Language;
use super::tile::full_name;
use super::{ConsoleState, Page, Trouble, at_desk, whole};
use crate::access::Right;
use crate::dataset::search::{FamilyLine, HouseLine, Place, PlaceLine, ResidentLine};
use crate::desk::search::{Answer, COUNTED_MAX, Lines, PAGE, Question};
use crate::recap::RegionRef;

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/cari", get(blank).post(ask))
        .route("/cari/nik", post(by_nik))
        .route("/cari/syarat", get(by_conditions))
        .route("/cari/{ticket}", get(answer))
}

async fn blank(viewer: Viewer) -> Result<Page, Trouble> {
    viewer.who.must(Right::SeeRecords).map_err(crate::desk::DeskError::from)?;
    let body = html! {
        (head(&viewer))
        (form::render(&viewer, &Question::default(), &[], true))
    };
    Ok(whole(Frame::of(&viewer, title(viewer.language), Tab::Search).page(&body)))
}

const fn title(language: Language) -> &'static str {
    language.say("Cari", "Search")
}

/// The heading, and the way to one person by number.
fn head(viewer: &Viewer) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    html! {
        h1 { (say("Cari warga, keluarga, rumah", "Search residents, families, houses")) }
        @if viewer.who.may(Right::Reveal) { details class="more" {
            summary { (say("Cari dengan NIK", "Search by NIK")) }
            form class="pick" method="post" action="/cari/nik" {
                label for="nik" { "NIK" }
                input id="nik" name="nik" inputmode="numeric" autocomplete="off" required
                    aria-describedby="nik-ket";
                button { (say("Buka", "Open")) }
            }
            p id="nik-ket" { small { (say(
                "16 angka. NIK tidak disimpan di alamat halaman, riwayat atau catatan; bahwa \
                 Anda mencari tercatat di buku catatan.",
                "16 digits. The NIK is kept in no address, history or log; that you searched is \
                 noted in the audit log.")) } }
        } }
    }
}

async fn ask(
    State(state): State<ConsoleState>,
    viewer: Viewer,
    Form(asked): Form<Asked>,
) -> Result<Redirect, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        let ticket = desk.ask(&viewer.who, asked.question()?)?;
        Ok(Redirect::to(&format!("/cari/{ticket}")))
    })
    .await
}

/// A search from a link of another page. Links name no person.
async fn by_conditions(
    State(state): State<ConsoleState>,
    viewer: Viewer,
    Query(asked): Query<Asked>,
) -> Result<Redirect, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        let ticket = desk.ask(&viewer.who, asked.question()?.without_name())?;
        Ok(Redirect::to(&format!("/cari/{ticket}")))
    })
    .await
}

#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    nik: String,
}

async fn by_nik(
    State(state): State<ConsoleState>,
    viewer: Viewer,
    Form(typed): Form<Typed>,
) -> Result<Response, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        let found = desk.find_nik(&viewer.who, &typed.nik)?;
        if let [one] = &found[..] {
            return Ok(Redirect::to(&person_href(one.village, one.id)).into_response());
        }
        let say = |id, en| viewer.language.say(id, en);
        let body = html! {
            (head(viewer))
            @if found.is_empty() {
                p class="alert" role="status" { (say(
                    "Tidak ada warga dengan NIK ini di wilayah Anda. Mungkin desanya belum \
                     mencatat, atau NIK-nya tertulis lain. Coba cari dengan nama.",
                    "No resident with this NIK in your area. The village may not have recorded \
                     it, or wrote it otherwise. Try the name.")) }
            } @else {
                p role="status" { (say(
                    "Lebih dari satu warga memakai NIK ini. Yang berbeda antardesa ada di ",
                    "More than one resident carries this NIK. What differs between villages is among "))
                    a href="/temuan" { (say("temuan", "findings")) } "." }
                ul class="results" {
                    @for line in &found { (resident(viewer.language, line)) }
                }
            }
            (form::render(viewer, &Question::default(), &[], true))
        };
        let page = Frame::of(viewer, title(viewer.language), Tab::Search).page(&body);
        Ok(whole(page).into_response())
    })
    .await
}

#[derive(Deserialize)]
struct Turned {
    hal: Option<usize>,
}

async fn answer(
    State(state): State<ConsoleState>,
    Path(ticket): Path<String>,
    Query(turned): Query<Turned>,
    viewer: Viewer,
) -> Result<Response, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        let page = turned.hal.unwrap_or(1);
        let answer = match desk.answer(&viewer.who, &ticket, page) {
            // Questions are kept for a while only: begin anew.
            Err(crate::desk::DeskError::NotThere) => {
                return Ok(Redirect::to("/cari").into_response());
            }
            answer => answer?,
        };
        let places = match answer.question.region {
            Some(RegionRef::Desa(village) | RegionRef::Below(village, _)) => {
                let mut places = desk.places(&viewer.who, village, Kind::Rt)?;
                places.extend(desk.places(&viewer.who, village, Kind::Dasawisma)?);
                places
            }
            _ => Vec::new(),
        };
        let body = html! {
            (head(viewer))
            (form::render(viewer, &answer.question, &places, false))
            (answered(viewer.language, &answer, &ticket))
        };
        let page = Frame::of(viewer, title(viewer.language), Tab::Search).page(&body);
        Ok(whole(page).into_response())
    })
    .await
}

/// "1.234" or "lebih dari 1.000".
fn counted(language: Language, matched: u64) -> String {
    if matched > COUNTED_MAX {
        let more = language.say("lebih dari", "more than");
        return format!("{more} {}", language.count(COUNTED_MAX));
    }
    language.count(matched)
}

fn answered(language: Language, answer: &Answer, ticket: &str) -> Markup {
    let say = |id, en| language.say(id, en);
    let first = (answer.page - 1) * PAGE + 1;
    let shown = match &answer.lines {
        Lines::Residents(lines) => lines.len(),
        Lines::Families(lines) => lines.len(),
        Lines::Houses(lines) => lines.len(),
        Lines::Places(lines) => lines.len(),
    };
    html! {
        section aria-labelledby="hasil" {
            h2 id="hasil" { (say("Hasil", "Results")) }
            @if shown == 0 {
                p role="status" { (say(
                    "Tidak ada yang cocok. Kurangi syaratnya, atau ketik sebagian nama saja.",
                    "Nothing fits. Ask for less, or type only part of the name.")) }
            } @else {
                p role="status" {
                    (language.count(first as u64)) "–" (language.count((first + shown - 1) as u64)) " "
                    (say("dari", "of")) " " (counted(language, answer.matched)) "."
                }
            }
            ul class="results" {
                @match &answer.lines {
                    Lines::Residents(lines) => @for line in lines { (resident(language, line)) },
                    Lines::Families(lines) => @for line in lines { (family(language, line)) },
                    Lines::Houses(lines) => @for line in lines { (house(language, line)) },
                    Lines::Places(lines) => @for line in lines { (group(language, line)) },
                }
            }
            nav class="pager" aria-label=(say("Halaman hasil", "Pages of results")) {
                @if answer.page > 1 {
                    a class="button" href=(format!("/cari/{ticket}?hal={}", answer.page - 1)) {
                        (say("Sebelumnya", "Previous"))
                    }
                }
                @if answer.more {
                    a class="button" href=(format!("/cari/{ticket}?hal={}", answer.page + 1)) {
                        (say("Berikutnya", "Next"))
                    }
                } @else if answer.matched > (first + shown) as u64 {
                    p { (say(
                        "Masih ada lagi. Sempitkan pencarian, atau ekspor datanya.",
                        "There is more. Narrow the search, or export the data.")) }
                }
            }
        }
    }
}

pub(super) fn person_href(village: VillageCode, id: RecordId) -> String {
    format!("/warga/{village}/{id}")
}

pub(super) fn house_href(village: VillageCode, id: RecordId) -> String {
    format!("/rumah/{village}/{id}")
}

/// An English word for one thing or for several.
const fn plural(one: bool, single: &'static str, several: &'static str) -> &'static str {
    if one { single } else { several }
}

/// "52 tahun", "8 bulan"; nothing when the birth date isn't known.
pub(super) fn age(language: Language, born: Option<i32>) -> Option<String> {
    let born = born.and_then(date::from_days)?;
    let today = clock::today();
    let years = umur_tahun(born, today);
    if years < 1 {
        let months = lumbung_domain::indicator::umur_bulan(born, today).max(0);
        return Some(format!(
            "{months} {}",
            language.say("bulan", plural(months == 1, "month", "months"))
        ));
    }
    Some(format!("{years} {}", language.say("tahun", plural(years == 1, "year", "years"))))
}

/// "RT 004, Melati, Jl. Mawar 3".
pub(super) fn place_words(place: &Place) -> String {
    let rt = place.rt.as_ref().map(|(_, rt)| format!("RT {rt}"));
    let dasawisma = place.dasawisma.as_ref().map(|(_, name)| format!("Dasawisma {name}"));
    let alamat = Some(place.alamat.clone()).filter(|alamat| !alamat.is_empty());
    [alamat, rt, dasawisma].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What a list says about somebody beside the name.
pub(super) fn resident_words(language: Language, line: &ResidentLine) -> String {
    let shdk = line.shdk.and_then(|code| code.label()).map(str::to_lowercase);
    let status = line.status_dasar.filter(|code| code.number() > 1).and_then(|code| code.label());
    let nik = (!line.has_nik).then(|| language.say("belum punya NIK", "no NIK yet").to_owned());
    let parts = [
        line.jenis_kelamin.map(|jk| jk.letter().to_owned()),
        age(language, line.tanggal_lahir),
        shdk,
        status.map(str::to_lowercase),
        nik,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn nameless(language: Language, name: &str) -> &str {
    if name.is_empty() { language.say("(tanpa nama kepala)", "(no head named)") } else { name }
}

fn resident(language: Language, line: &ResidentLine) -> Markup {
    html! {
        li {
            a href=(person_href(line.village, line.id)) { (nameless(language, &line.nama)) }
            p { (resident_words(language, line)) }
            small { (place_words(&line.place)) " · " (full_name(line.village)) }
        }
    }
}

fn people(language: Language, count: u32) -> String {
    format!("{count} {}", language.say("jiwa", plural(count == 1, "person", "people")))
}

fn house(language: Language, line: &HouseLine) -> Markup {
    html! {
        li {
            a href=(house_href(line.village, line.id)) { (nameless(language, &line.kepala)) }
            p { (people(language, line.people)) }
            small { (place_words(&line.place)) " · " (full_name(line.village)) }
        }
    }
}

fn family(language: Language, line: &FamilyLine) -> Markup {
    let name = nameless(language, &line.kepala);
    html! {
        li {
            @if let Some(house) = line.place.house {
                a href=(house_href(line.village, house)) { (name) }
            } @else {
                b { (name) }
            }
            p { (people(language, line.people))
                @if !line.aktif { " · " (language.say("kartu tidak berlaku", "card not in use")) } }
            small { (place_words(&line.place)) " · " (full_name(line.village)) }
        }
    }
}

fn group(language: Language, line: &PlaceLine) -> Markup {
    let around: Vec<_> = line
        .around
        .iter()
        .map(|(kind, label)| match kind {
            Kind::Rt => format!("RT {label}"),
            Kind::Rw => format!("RW {label}"),
            _ => format!(
                "{} {label}",
                roster().village(line.village).map_or("Dusun", Desa::label_dusun)
            ),
        })
        .collect();
    let region = RegionRef::Below(line.village, line.id);
    html! {
        li {
            a href=(format!("/rekap?wilayah={region}")) { (line.label) }
            p { (line.houses) " " (language.say("rumah", plural(line.houses == 1, "house", "houses"))) }
            small {
                (around.join(", ")) @if !around.is_empty() { " · " } (full_name(line.village))
            }
        }
    }
}
