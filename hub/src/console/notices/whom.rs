//! Whom a notice is for: places of the form, from the whole kabupaten down to
//! single RT of one village.
//!
//! RT are a second look at the form, asked for by a button of it: their list
//! is the village's own and comes from the dataset.

use std::collections::BTreeSet;

use lumbung_domain::id::Kind;
use lumbung_domain::informasi::Sasaran;
use lumbung_domain::region::{Kecamatan, KecamatanCode, VillageCode, roster};
use maud::{Markup, html};

use super::super::guard::Viewer;
use super::super::tile::full_name;
use super::write::{Fields, value};
use crate::dataset::search::PlaceLine;
use crate::desk::{Desk, DeskError};

/// The one village whose RT are chosen from.
pub(super) struct Rts {
    village: VillageCode,
    list: Vec<PlaceLine>,
}

impl Rts {
    /// What the form is to offer: the RT of its one village when they are
    /// asked for or some are chosen already.
    pub(super) fn of(
        desk: &Desk,
        viewer: &Viewer,
        fields: &Fields,
    ) -> Result<Option<Self>, DeskError> {
        let wanted = value(fields, "kirim") == "rt" || chosen(fields, "rt").next().is_some();
        let Some(village) = only_village(fields).filter(|_| wanted) else { return Ok(None) };
        let list = desk.rts(&viewer.who, village)?;
        Ok((!list.is_empty()).then_some(Self { village, list }))
    }
}

fn chosen<'a>(fields: &'a Fields, name: &'a str) -> impl Iterator<Item = &'a str> {
    fields.iter().filter(move |(key, _)| key == name).map(|(_, code)| code.as_str())
}

/// The village of a form that names one village and nothing wider.
pub(super) fn only_village(fields: &Fields) -> Option<VillageCode> {
    let wider = value(fields, "semua") == "ya" || chosen(fields, "kecamatan").next().is_some();
    let codes: BTreeSet<_> = chosen(fields, "desa").collect();
    let code = codes.first().filter(|_| !wider && codes.len() == 1)?;
    Some(VillageCode::parse(code).ok().and_then(|code| roster().village(code))?.code)
}

/// Whom the form names, without what a wider choice names already; `None`
/// when a code is of no place.
pub(super) fn targets(fields: &Fields) -> Option<Vec<Sasaran>> {
    if value(fields, "semua") == "ya" {
        return Some(vec![Sasaran::Kabupaten]);
    }
    if chosen(fields, "rt").next().is_some() {
        let village = only_village(fields)?;
        let one = |id: &str| Some(Sasaran::Rt(village, id.parse().ok()?));
        let rts: BTreeSet<_> = chosen(fields, "rt").map(one).collect::<Option<_>>()?;
        return Some(rts.into_iter().collect());
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

/// An RT as people tell it from others of its village.
pub(super) fn rt_words(rt: &PlaceLine) -> String {
    let around = rt.around.iter().map(|(kind, label)| match kind {
        Kind::Rw => format!("RW {label}"),
        _ => label.clone(),
    });
    let around: Vec<_> = around.collect();
    if around.is_empty() {
        format!("RT {}", rt.label)
    } else {
        format!("RT {} ({})", rt.label, around.join(", "))
    }
}

/// RT of one village, and the way back to all places.
fn one_village(viewer: &Viewer, fields: &Fields, rts: &Rts) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let ticked = |rt: &PlaceLine| chosen(fields, "rt").any(|id| id == rt.id.to_string());
    html! {
        fieldset class="field whom" {
            legend { (say("Untuk siapa", "For whom")) }
            input type="hidden" name="desa" value=(rts.village.compact());
            p { b { (full_name(rts.village)) } }
            p { small { (say("Pilih RT yang dituju. Tanpa pilihan, informasi ini untuk seluruh desa.",
                             "Choose the RT it is for. With none chosen it is for the whole village.")) } }
            div class="checks" role="group" aria-label="RT" {
                @for rt in &rts.list {
                    label {
                        input type="checkbox" name="rt" value=(rt.id) checked[ticked(rt)];
                        " " (rt_words(rt))
                    }
                }
            }
        }
    }
}

/// The button that shows the other of both looks. It stands after the form's
/// own: the Enter key presses the first.
pub(super) fn turn(viewer: &Viewer, rts: Option<&Rts>) -> Markup {
    let (to, words) = match rts {
        None => ("rt", ("Hanya beberapa RT dari satu desa", "Only some RT of one village")),
        Some(_) => ("desa", ("Pilih desa lain", "Choose other villages")),
    };
    html! {
        button class="button" type="submit" name="kirim" value=(to) formnovalidate {
            (viewer.language.of(words))
        }
    }
}

/// The whole kabupaten, or kecamatan and villages of the operator; or RT of
/// one village.
pub(super) fn for_whom(viewer: &Viewer, fields: &Fields, rts: Option<&Rts>) -> Markup {
    if let Some(rts) = rts {
        return one_village(viewer, fields, rts);
    }
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

    #[test]
    fn rt_are_of_one_village_and_of_nothing_wider() {
        let village = VillageCode::parse("3505012001").unwrap();
        let rt = lumbung_domain::id::RecordId::from_parts(1, 0, 7);
        let id = rt.to_string();
        let one = fields(&[("desa", "3505012001"), ("rt", &id)]);
        assert_eq!(targets(&one), Some(vec![Sasaran::Rt(village, rt)]));
        for wider in [("desa", "3505022001"), ("kecamatan", "350501")] {
            let both = fields(&[("desa", "3505012001"), wider, ("rt", &id)]);
            assert_eq!(targets(&both), None, "{wider:?}");
        }
        assert_eq!(targets(&fields(&[("desa", "3505012001"), ("rt", "tujuh")])), None);
        assert_eq!(targets(&fields(&[("rt", &id)])), None);
    }
}
