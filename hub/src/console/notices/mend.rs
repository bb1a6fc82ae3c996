//! Correcting a notice: what it says becomes its next version; whom it is for
//! stays.

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use lumbung_domain::informasi::Informasi;
use maud::{Markup, html};

use super::super::form;
use super::super::frame::{Frame, Tab};
use super::super::guard::Viewer;
use super::super::tile::said;
use super::super::{ConsoleState, Page, Trouble, at_desk, whole};
use super::target_words;
use super::write::{Fields, draft, text, value};
use crate::desk::DeskError;

/// The fields of the form as the notice stands.
fn fields_of(informasi: &Informasi) -> Fields {
    let date = |it: Option<jiff::civil::Date>| it.map(|it| it.to_string()).unwrap_or_default();
    let kategori = informasi.kategori.map(|code| code.number().to_string()).unwrap_or_default();
    [
        ("judul", informasi.judul.clone()),
        ("isi", informasi.isi.clone()),
        ("kategori", kategori),
        ("terbit", date(informasi.terbit)),
        ("sampai", date(informasi.berlaku_sampai)),
        ("versi", informasi.versi.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

pub(super) async fn form(
    State(state): State<ConsoleState>,
    Path(number): Path<i64>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        let informasi = desk.notice_to_correct(&viewer.who, number)?;
        Ok(whole(page(viewer, number, &informasi, &fields_of(&informasi), None)))
    })
    .await
}

pub(super) async fn correct(
    State(state): State<ConsoleState>,
    Path(number): Path<i64>,
    viewer: Viewer,
    Form(fields): Form<Fields>,
) -> Result<Response, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        let informasi = desk.notice_to_correct(&viewer.who, number)?;
        let again = |words: &str| {
            let page = whole(page(viewer, number, &informasi, &fields, Some(words)));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        };
        let (Some(draft), Ok(seen)) = (draft(&fields), value(&fields, "versi").parse()) else {
            return again(viewer.language.say(
                "Tanggal atau kategori tidak dikenal. Perbaikan belum dikirim.",
                "A date or the category is not known. Nothing was sent.",
            ));
        };
        match desk.correct_notice(&viewer.who, number, seen, draft) {
            Ok(()) => Ok(Redirect::to(&format!("/informasi/{number}")).into_response()),
            Err(DeskError::Unfit(words)) => again(said(viewer.language, &words)),
            Err(error) => Err(error.into()),
        }
    })
    .await
}

fn page(
    viewer: &Viewer,
    number: i64,
    informasi: &Informasi,
    fields: &Fields,
    wrong: Option<&str>,
) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let back = format!("/informasi/{number}");
    let body = html! {
        p class="crumbs" {
            a href="/informasi" { (say("Informasi", "Notices")) } " / " a href=(back) { (number) }
        }
        h1 { (say("Perbaiki informasi", "Correct the notice")) }
        (form::alert(wrong))
        p class="lead" {
            (say("Untuk ", "For ")) (target_words(viewer, &informasi.sasaran))
            (say(". Tujuannya tidak bisa diubah; desa yang sudah menerima mendapat versi \
                  berikutnya, dan harus membacanya lagi.",
                 ". Whom it is for can't be changed; villages that have it get the next version \
                  and have to read it again."))
        }
        form class="form wide-form" method="post" action=(format!("{back}/perbaiki")) {
            input type="hidden" name="versi" value=(value(fields, "versi"));
            (text(viewer, fields))
            p class="files" {
                button type="submit" { (say("Kirim perbaikan", "Send the correction")) }
                a class="button" href=(back) { (say("Batal", "Cancel")) }
            }
        }
    };
    let title = say("Perbaiki informasi", "Correct the notice");
    Frame::of(viewer, title, Tab::Notices).page(&body)
}
