//! The page of one house: who lives there and what the house is like.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use maud::{Markup, html};

use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::person::{fields, named, origin};
use super::search::{person_href, place_words, resident_words};
use super::tile::full_name;
use super::{ConsoleState, Page, Trouble, at_desk, whole};
use crate::dataset::search::HouseholdFamily;
use crate::desk::person::House;
use crate::recap::RegionRef;

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new().route("/rumah/{village}/{id}", get(show))
}

async fn show(
    State(state): State<ConsoleState>,
    Path((village, id)): Path<(String, String)>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    let (village, id) = named(&village, &id)?;
    at_desk(&state, viewer, move |desk, viewer| {
        Ok(whole(render(viewer, &desk.house(&viewer.who, village, id)?)))
    })
    .await
}

fn render(viewer: &Viewer, house: &House) -> Markup {
    let language = viewer.language;
    let say = |id, en| language.say(id, en);
    let line = &house.household.line;
    let recap = |id| format!("/rekap?wilayah={}", RegionRef::Below(line.village, id));
    let title = if line.kepala.is_empty() {
        say("Rumah tanpa kepala", "House without a head").to_owned()
    } else {
        format!("{} {}", say("Rumah", "House of"), line.kepala)
    };
    let body = html! {
        nav class="crumbs" aria-label=(say("Wilayah di atasnya", "Regions above")) {
            a href=(format!("/desa/{}", line.village)) { (full_name(line.village)) }
            @if let Some((id, rt)) = &line.place.rt { " › " a href=(recap(*id)) { "RT " (rt) } }
            @if let Some((id, group)) = &line.place.dasawisma {
                " › " a href=(recap(*id)) { "Dasawisma " (group) }
            }
        }
        h1 { (title) }
        p class="lead" { (place_words(&line.place)) " · " (line.people) " " (say("jiwa", "people")) }
        section aria-labelledby="penghuni" {
            h2 id="penghuni" { (say("Penghuni", "Who lives here")) }
            @if house.household.families.is_empty() {
                p { (say("Belum ada keluarga di rumah ini.", "No family in this house yet.")) }
            }
            @for (family, number) in house.household.families.iter().zip(1..) {
                (members(viewer, family, number))
            }
        }
        section aria-labelledby="rumah" {
            h2 id="rumah" { (say("Data rumah (4.14.2a)", "The house (4.14.2a)")) }
            (fields(&house.fields))
        }
        section aria-labelledby="asal" {
            h2 id="asal" { (say("Asal catatan", "Where this comes from")) }
            p { (origin(language, &house.provenance)) }
        }
    };
    Frame::of(viewer, &title, Tab::Search).page(&body)
}

fn members(viewer: &Viewer, family: &HouseholdFamily, number: u32) -> Markup {
    let language = viewer.language;
    html! {
        h3 { (language.say("Keluarga", "Family")) " " (number)
            @if !family.aktif {
                " (" (language.say("kartu tidak berlaku", "card not in use")) ")"
            } }
        ul class="results" {
            @for member in &family.members {
                li {
                    a href=(person_href(member.village, member.id)) { (member.nama) }
                    p { (resident_words(language, member)) }
                }
            }
        }
    }
}
