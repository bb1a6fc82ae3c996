//! Writing a notice, in two steps: the form, then what would go to whom and a
//! second yes. Nothing is kept before that.

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use lumbung_domain::code_list::{Code, CodeList as _, KategoriInformasi};
use lumbung_domain::informasi::Sasaran;
use lumbung_domain::region::{VillageCode, roster};
use lumbung_telemetry::clock;
use maud::{Markup, html};

use super::super::form::{self, Field};
use super::super::frame::{Frame, Tab};
use super::super::guard::Viewer;
use super::super::tile::said;
use super::super::{ConsoleState, Page, Trouble, at_desk, whole};
use super::target_words;
use super::whom::{self, Rts, for_whom, targets};
use crate::access::Right;
use crate::desk::DeskError;
use crate::notices::Draft;

/// Villages whose names stand on the second step; more are a number.
const NAMED_MAX: usize = 12;

/// The fields of a form, as they came.
pub(super) type Fields = Vec<(String, String)>;

pub(super) fn value<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
}

/// What the form says; `None` when a date or the category can't be read.
pub(super) fn draft(fields: &Fields) -> Option<Draft> {
    let date = |name: &str| match value(fields, name) {
        "" => Some(None),
        text => text.parse().ok().map(Some),
    };
    let kategori = match value(fields, "kategori") {
        "" => None,
        text => Some(text.parse().ok().and_then(Code::<KategoriInformasi>::new)?),
    };
    Some(Draft {
        judul: value(fields, "judul").trim().to_owned(),
        isi: value(fields, "isi").trim().to_owned(),
        kategori,
        terbit: Some(date("terbit")?.unwrap_or_else(clock::today)),
        berlaku_sampai: date("sampai")?,
    })
}

pub(super) async fn blank(viewer: Viewer) -> Result<Page, Trouble> {
    viewer.who.must(Right::Inform).map_err(DeskError::from)?;
    Ok(whole(form_page(&viewer, &Vec::new(), None, None)))
}

pub(super) async fn write(
    State(state): State<ConsoleState>,
    viewer: Viewer,
    Form(fields): Form<Fields>,
) -> Result<Response, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        viewer.who.must(Right::Inform).map_err(DeskError::from)?;
        let rts = Rts::of(desk, viewer, &fields)?;
        let again = |words: &str| {
            let page = whole(form_page(viewer, &fields, Some(words), rts.as_ref()));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        };
        let say = |id, en| viewer.language.say(id, en);
        match value(&fields, "kirim") {
            "rt" if rts.is_none() => {
                return again(say(
                    "Pilih satu desa saja, yang sudah mengirim data RT-nya, lalu tekan lagi.",
                    "Choose one village only, one that has sent its RT, and press again.",
                ));
            }
            "rt" | "ubah" => {
                return Ok(whole(form_page(viewer, &fields, None, rts.as_ref())).into_response());
            }
            "desa" => return Ok(whole(form_page(viewer, &fields, None, None)).into_response()),
            _ => {}
        }
        let (Some(draft), Some(sasaran)) = (draft(&fields), targets(&fields)) else {
            return again(say(
                "Tanggal, kategori atau kode desa tidak dikenal. Informasi belum dikirim.",
                "A date, the category or a village's code is not known. Nothing was sent.",
            ));
        };
        if sasaran.is_empty() {
            return again(say(
                "Pilih dulu untuk siapa informasi ini. Informasi belum dikirim.",
                "Choose for whom this is. Nothing was sent.",
            ));
        }
        if value(&fields, "kirim") != "ya" {
            return match desk.reached_by(&viewer.who, &draft, &sasaran) {
                Ok(villages) => {
                    let rts = desk.rts_named(&viewer.who, &sasaran)?;
                    let rts: Vec<_> = rts.iter().map(whom::rt_words).collect();
                    let whom = Whom { sasaran: &sasaran, villages: &villages, rts: &rts };
                    Ok(whole(review(viewer, &fields, &draft, &whom)).into_response())
                }
                Err(DeskError::Unfit(words)) => again(said(viewer.language, &words)),
                Err(error) => Err(error.into()),
            };
        }
        match desk.inform(&viewer.who, draft, sasaran) {
            Ok(made) => Ok(Redirect::to(&format!("/informasi/{}", made.number)).into_response()),
            Err(DeskError::Unfit(words)) => again(said(viewer.language, &words)),
            Err(error) => Err(error.into()),
        }
    })
    .await
}

/// Whom a notice would reach.
struct Whom<'a> {
    sasaran: &'a [Sasaran],
    villages: &'a [VillageCode],
    /// The RT among the targets, in words.
    rts: &'a [String],
}

/// What would go to whom.
fn review(viewer: &Viewer, fields: &Fields, draft: &Draft, whom: &Whom<'_>) -> Markup {
    let Whom { sasaran, villages, rts } = whom;
    let language = viewer.language;
    let say = |id, en| language.say(id, en);
    let names = villages.iter().take(NAMED_MAX).filter_map(|code| roster().village(*code));
    let names: Vec<_> = names.map(|desa| desa.name).collect();
    let more = villages.len().saturating_sub(NAMED_MAX);
    let body = html! {
        p class="crumbs" { a href="/informasi" { (say("Informasi", "Notices")) } }
        h1 { (say("Periksa sebelum dikirim", "Check before it is sent")) }
        p class="lead" {
            (say("Akan sampai ke ", "Will reach ")) b { (villages.len()) " " (say("desa", "villages")) }
            ": " (target_words(viewer, sasaran)) "."
            @if !rts.is_empty() {
                br; small { (rts.join(", ")) }
            } @else if *sasaran != [Sasaran::Kabupaten] {
                br; small { (names.join(", "))
                    @if more > 0 { (say(" dan ", " and ")) (more) (say(" lagi", " more")) } }
            }
        }
        div class="side letter" lang="id" {
            h2 { (draft.judul) }
            @for line in draft.isi.lines() { p { (line) } }
        }
        p { small {
            @if let Some(from) = draft.terbit { (say("Berlaku mulai ", "In force from ")) (language.day(from)) }
            @match draft.berlaku_sampai {
                Some(until) => { (say(" sampai ", " until ")) (language.day(until)) },
                None => (say(", sampai ditarik", ", until withdrawn")),
            }
            "."
        } }
        form class="form left" method="post" action="/informasi" {
            @for (name, value) in fields.iter().filter(|(name, _)| name != "kirim") {
                input type="hidden" name=(name) value=(value);
            }
            p class="files" {
                button type="submit" name="kirim" value="ya" {
                    (say("Kirim ke ", "Send to ")) (villages.len()) " " (say("desa", "villages"))
                }
                button class="button" type="submit" name="kirim" value="ubah" { (say("Ubah", "Change")) }
            }
        }
    };
    let title = say("Periksa informasi", "Check the notice");
    Frame::of(viewer, title, Tab::Notices).page(&body)
}

fn form_page(viewer: &Viewer, fields: &Fields, wrong: Option<&str>, rts: Option<&Rts>) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let body = html! {
        p class="crumbs" { a href="/informasi" { (say("Informasi", "Notices")) } }
        h1 { (say("Tulis informasi", "Write a notice")) }
        (form::alert(wrong))
        form class="form wide-form" method="post" action="/informasi" {
            (text(viewer, fields))
            (for_whom(viewer, fields, rts))
            p class="files" {
                button type="submit" { (say("Periksa dulu", "Check first")) }
                (whom::turn(viewer, rts))
            }
        }
    };
    Frame::of(viewer, say("Tulis informasi", "Write a notice"), Tab::Notices).page(&body)
}

/// The fields of what a notice says.
pub(super) fn text(viewer: &Viewer, fields: &Fields) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    html! {
        (Field {
            name: "judul",
            label: say("Judul", "Title"),
            value: value(fields, "judul"),
            ..Field::default()
        }.render())
        div class="field" {
            label for="isi-informasi" { (say("Isi", "Text")) }
            textarea id="isi-informasi" name="isi" rows="8" required
                aria-describedby="isi-ket" { (value(fields, "isi")) }
            small id="isi-ket" { (say("Jangan tulis NIK, nama orang atau data kesehatan: informasi ini dibaca banyak orang.",
                         "No NIK, names of people or health data: many people read this.")) }
        }
        div class="field" {
            label for="kategori" { (say("Kategori", "Category")) }
            select id="kategori" name="kategori" {
                @for entry in KategoriInformasi::entries() {
                    option lang="id" value=(entry.code)
                        selected[value(fields, "kategori") == entry.code.to_string()] { (entry.label) }
                }
            }
        }
        div class="pair" {
            (Field {
                name: "terbit",
                label: say("Berlaku mulai", "In force from"),
                kind: "date",
                value: value(fields, "terbit"),
                required: false,
                hint: Some(say("Kosong = hari ini.", "Empty = today.")),
                ..Field::default()
            }.render())
            (Field {
                name: "sampai",
                label: say("Berlaku sampai", "In force until"),
                kind: "date",
                value: value(fields, "sampai"),
                required: false,
                hint: Some(say("Kosong = sampai ditarik.", "Empty = until withdrawn.")),
                ..Field::default()
            }.render())
        }
    }
}
