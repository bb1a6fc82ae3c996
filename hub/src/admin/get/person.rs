//! One person and one house: what the forms say, closed or opened once.

use lumbung_domain::record::Field;
use lumbung_proto::v1;
use lumbung_telemetry::clock;
use tonic::Status;

use super::super::sheet::{Column, Sheet};
use super::super::words::{self, name_of};
use crate::access::Operator;
use crate::dataset::search::Place;
use crate::desk::Desk;
use crate::desk::person::{House, Opening, Person, Provenance, Unplaced};
use crate::words::actor;

/// One resident with numbers and specific data closed.
pub(super) fn closed(
    desk: &Desk,
    who: &Operator,
    asked: &v1::PersonAsked,
) -> Result<Sheet, Status> {
    let (village, id) = words::record(&asked.village, &asked.id)?;
    let person = desk.person(who, village, id)?;
    let mut sheet = person_sheet(&person);
    if person.has_closed {
        sheet.note("Yang bertanda * tertutup; lumbung-hubctl reveal membukanya dengan alasan.");
    }
    Ok(sheet)
}

/// One resident with what was asked opened; noted by the desk before.
pub(super) fn opened(
    desk: &Desk,
    who: &Operator,
    asked: &v1::RevealAsked,
) -> Result<Sheet, Status> {
    let (village, id) = words::record(&asked.village, &asked.id)?;
    let opening = Opening { numbers: asked.numbers, specific: asked.specific };
    let person = desk.reveal(who, village, id, opening, &asked.reason)?;
    let mut sheet = person_sheet(&person);
    sheet.note("Data dibuka sekali ini dan sudah dicatat.");
    Ok(sheet)
}

/// One house with everybody in it.
pub(super) fn house(desk: &Desk, who: &Operator, asked: &v1::HouseAsked) -> Result<Sheet, Status> {
    let (village, id) = words::record(&asked.village, &asked.id)?;
    let House { household, fields, provenance } = desk.house(who, village, id)?;
    let mut sheet = Sheet::new("lumbung/house/1", &COLUMNS);
    let line = &household.line;
    place(&mut sheet, &name_of(line.village), &line.place);
    sheet.row(plain("rumah", "kepala", line.kepala.clone()));
    sheet.row(plain("rumah", "jiwa", line.people.to_string()));
    for (family, number) in household.families.iter().zip(1..) {
        let in_use = if family.aktif { "" } else { ", kartu tidak berlaku" };
        let part = format!("keluarga {number}{in_use}");
        for member in &family.members {
            let relation = member.shdk.and_then(|code| code.label()).unwrap_or("anggota");
            let reference = format!("{}/{}", member.village, member.id);
            sheet.row([part.clone(), relation.to_lowercase(), member.nama.clone(), reference]);
        }
    }
    form(&mut sheet, "Data rumah (4.14.2a)", &fields);
    origin(&mut sheet, &provenance);
    Ok(sheet)
}

const COLUMNS: [Column; 4] = [
    Column::text("part", "bagian", "part"),
    Column::text("what", "tentang", "about"),
    Column::text("value", "isi", "value"),
    Column::text("ref", "rujukan", "reference").wide(),
];

fn plain(part: &str, what: &str, value: String) -> [String; 4] {
    [part.to_owned(), what.to_owned(), value, String::new()]
}

fn person_sheet(person: &Person) -> Sheet {
    let mut sheet = Sheet::new("lumbung/person/1", &COLUMNS);
    let line = &person.line;
    place(&mut sheet, &name_of(line.village), &line.place);
    if let Some(house) = line.place.house {
        let reference = format!("{}/{house}", line.village);
        sheet.row(["tempat".into(), "rumah".into(), reference.clone(), reference]);
    }
    if let Some(Unplaced::Anew(family)) = &person.unplaced {
        let house = family.place.house.map(|house| format!("{}/{house}", family.village));
        let (part, what) = ("tempat".to_owned(), "kartu keluarga itu sekarang".to_owned());
        sheet.row([part, what, family.kepala.clone(), house.unwrap_or_default()]);
    }
    for filled in &person.forms {
        form(&mut sheet, filled.form, &filled.fields);
    }
    origin(&mut sheet, &person.provenance);
    if let Some(unplaced) = &person.unplaced {
        sheet.note(unplaced.words().id);
    }
    sheet
}

fn place(sheet: &mut Sheet, village: &str, place: &Place) {
    sheet.row(plain("tempat", "desa", village.to_owned()));
    sheet.row(plain("tempat", "alamat", place.alamat.clone()));
    for (what, group) in [("RT", &place.rt), ("dasawisma", &place.dasawisma)] {
        if let Some((_, name)) = group {
            sheet.row(plain("tempat", what, name.clone()));
        }
    }
}

fn form(sheet: &mut Sheet, name: &str, fields: &[Field]) {
    for field in fields {
        sheet.row(plain(name, field.label, field.value.clone()));
    }
}

fn origin(sheet: &mut Sheet, from: &Provenance) {
    if let Some(made_ms) = from.made_ms {
        sheet.row(plain("asal catatan", "dibuat", clock::display(made_ms)));
    }
    if let Some(made_by) = &from.made_by {
        sheet.row(plain("asal catatan", "dibuat oleh", actor(made_by).id));
    }
    sheet.row(plain("asal catatan", "ditulis", clock::display(from.time_ms)));
    sheet.row(plain("asal catatan", "oleh", actor(&from.actor).id));
    sheet.row(plain("asal catatan", "sumber", from.source.name().to_owned()));
    sheet.row(plain("asal catatan", "nomor urut", from.seq.to_string()));
}
