//! Writing a notice, in two steps: the form, then what would go to whom and a
//! second yes. Nothing is kept before that.

use std::collections::BTreeSet;

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use lumbung_domain::code_list::{Code, CodeList as _, KategoriInformasi};
use lumbung_domain::informasi::Sasaran;
use lumbung_domain::region::{Kecamatan, KecamatanCode, VillageCode, roster};
use lumbung_telemetry::clock;
use maud::{Markup, html};

use super::super::form::{self, Field};
use super::super::frame::{Frame, Tab};
use super::super::guard::Viewer;
use super::super::tile::said;
use super::super::{ConsoleState, Page, Trouble, at_desk, whole};
use super::target_words;
use crate::access::Right;
use crate::desk::DeskError;
use crate::notices::Draft;

/// Villages whose names stand on the second step; more are a number.
const NAMED_MAX: usize = 12;

type Fields = Vec<(String, String)>;

fn value<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
}

fn chosen<'a>(fields: &'a Fields, name: &'a str) -> impl Iterator<Item = &'a str> {
    fields.iter().filter(move |(key, _)| key == name).map(|(_, code)| code.as_str())
}

/// Whom the form names, without what a wider choice names already; `None`
/// when a code is of no place.
fn targets(fields: &Fields) -> Option<Vec<Sasaran>> {
    if value(fields, "semua") == "ya" {
        return Some(vec![Sasaran::Kabupaten]);
    }
    let kecamatan: Vec<_> =
        chosen(fields, "kecamatan").map(KecamatanCode::parse).collect::<Option<_>>()?;
    let mut sasaran: BTreeSet<_> = kecamatan.iter().copied().map(Sasaran::Kecamatan).collect();
    for code in chosen(fields, "desa") {
        let desa = VillageCode::parse(code).ok().and_then(|code| roster().village(code))?;
        if !kecamatan.contains(&desa.kecamatan) {
            sasaran.insert(Sasaran::Desa(desa.code));
        }
    }
    Some(sasaran.into_iter().collect())
}

fn draft(fields: &Fields) -> Option<Draft> {
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
    Ok(whole(form_page(&viewer, &Vec::new(), None)))
}

pub(super) async fn write(
    State(state): State<ConsoleState>,
    viewer: Viewer,
    Form(fields): Form<Fields>,
) -> Result<Response, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        viewer.who.must(Right::Inform).map_err(DeskError::from)?;
        let again = |words: &str| {
            let page = whole(form_page(viewer, &fields, Some(words)));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        };
        let say = |id, en| viewer.language.say(id, en);
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
        let (sure, back) = (value(&fields, "kirim") == "ya", value(&fields, "kirim") == "ubah");
        if back {
            return Ok(whole(form_page(viewer, &fields, None)).into_response());
        }
        if !sure {
            return match desk.reached_by(&viewer.who, &draft, &sasaran) {
                Ok(villages) => {
                    let whom = (&sasaran[..], &villages[..]);
                    Ok(whole(review(viewer, &fields, &draft, whom)).into_response())
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

/// What would go to whom.
fn review(
    viewer: &Viewer,
    fields: &Fields,
    draft: &Draft,
    (sasaran, villages): (&[Sasaran], &[VillageCode]),
) -> Markup {
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
            @if sasaran != [Sasaran::Kabupaten] {
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

fn form_page(viewer: &Viewer, fields: &Fields, wrong: Option<&str>) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let body = html! {
        p class="crumbs" { a href="/informasi" { (say("Informasi", "Notices")) } }
        h1 { (say("Tulis informasi", "Write a notice")) }
        (form::alert(wrong))
        form class="form wide-form" method="post" action="/informasi" {
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
            (for_whom(viewer, fields))
            button type="submit" { (say("Periksa dulu", "Check first")) }
        }
    };
    Frame::of(viewer, say("Tulis informasi", "Write a notice"), Tab::Notices).page(&body)
}

/// The whole kabupaten, or kecamatan and villages of the operator.
fn for_whom(viewer: &Viewer, fields: &Fields) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let scope = viewer.who.scope();
    let own: Vec<_> = roster()
        .kecamatan()
        .iter()
        .filter(|kecamatan| roster().villages_of(kecamatan.code).any(|desa| scope.holds(desa.code)))
        .collect();
    let alone = own.len() == 1;
    html! {
        fieldset class="field whom" {
            legend { (say("Untuk siapa", "For whom")) }
            @if scope.is_whole() {
                label class="check" {
                    input type="checkbox" name="semua" value="ya" checked[value(fields, "semua") == "ya"];
                    " " b { (say("Seluruh kabupaten", "The whole kabupaten")) }
                }
            }
            p { small { (say("Atau buka satu kecamatan, lalu pilih semuanya atau desa-desanya saja.",
                             "Or open a kecamatan and choose all of it, or only some villages.")) } }
            @for kecamatan in own { (one_kecamatan(viewer, fields, kecamatan, alone)) }
        }
    }
}

/// A kecamatan that folds: all of it, or its villages one by one.
fn one_kecamatan(viewer: &Viewer, fields: &Fields, kecamatan: &Kecamatan, alone: bool) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let scope = viewer.who.scope();
    let all = chosen(fields, "kecamatan").any(|code| code == kecamatan.code.compact());
    let villages: Vec<_> =
        roster().villages_of(kecamatan.code).filter(|desa| scope.holds(desa.code)).collect();
    let named = |code: VillageCode| chosen(fields, "desa").any(|it| it == code.compact());
    let count = villages.iter().filter(|desa| named(desa.code)).count();
    html! {
        details open[alone || all || count > 0] {
            summary {
                span { (kecamatan.name) " "
                    small {
                        @if all { (say("semua ", "all ")) (villages.len()) (say(" desa dipilih", " villages chosen")) }
                        @else if count > 0 {
                            (count) (say(" dari ", " of ")) (villages.len())
                            (say(" desa dipilih", " villages chosen"))
                        }
                        @else { (villages.len()) (say(" desa", " villages")) }
                    }
                }
            }
            label class="check" {
                input type="checkbox" name="kecamatan" value=(kecamatan.code.compact()) checked[all];
                " " b { (say("Semua desa di Kecamatan ", "All villages of Kecamatan ")) (kecamatan.name) }
            }
            div class="checks" role="group" aria-label=(kecamatan.name) {
                @for desa in villages {
                    label {
                        input type="checkbox" name="desa" value=(desa.code.compact())
                            checked[named(desa.code)];
                        " " (desa.name)
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_wider_choice_swallows_the_villages_in_it() {
        let both = fields(&[
            ("kecamatan", "350501"),
            ("desa", "3505012001"),
            ("desa", "3505022001"),
            ("desa", "3505022001"),
        ]);
        let kecamatan = KecamatanCode::parse("350501").unwrap();
        let village = VillageCode::parse("3505022001").unwrap();
        let expected = vec![Sasaran::Kecamatan(kecamatan), Sasaran::Desa(village)];
        assert_eq!(targets(&both), Some(expected));
        let all = fields(&[("semua", "ya"), ("desa", "3505012001")]);
        assert_eq!(targets(&all), Some(vec![Sasaran::Kabupaten]));
        for wrong in [("kecamatan", "999999x"), ("desa", "9999999999"), ("desa", "")] {
            assert_eq!(targets(&fields(&[wrong])), None, "{wrong:?}");
        }
    }
}
