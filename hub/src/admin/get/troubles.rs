//! What went wrong and waits for somebody: quarantine, incidents, needs, and
//! when nobody is told of them.

use lumbung_domain::id::Kind;
use lumbung_proto::v1;
use tonic::Status;

use super::super::sheet::{Column, Sheet};
use super::super::words::{self, name_of};
use crate::access::Operator;
use crate::desk::{Desk, DeskError};
use crate::reason::{Need, Place};

/// Entries that this hub could not take, oldest first.
pub(super) fn quarantine(desk: &Desk, who: &Operator, of: &str) -> Result<Sheet, Status> {
    let entries = desk.quarantine(who, words::maybe_village(of)?)?;
    let mut sheet = Sheet::new(
        "lumbung/quarantine/1",
        &[
            Column::number("number", "no", "no"),
            Column::text("village", "kode", "code"),
            Column::text("name", "desa", "village"),
            Column::number("seq", "nomor urut", "seq"),
            Column::text("kind", "jenis", "kind"),
            Column::text("reason", "alasan", "reason"),
            Column::moment("since_ms", "sejak", "since"),
            Column::text("record", "catatan", "record").wide(),
            Column::bytes("bytes", "ukuran", "size").wide(),
        ],
    );
    for entry in entries {
        let kind = Kind::from_code(entry.kind);
        sheet.row([
            entry.number.to_string(),
            entry.village.to_string(),
            name_of(entry.village),
            entry.seq.to_string(),
            kind.map_or_else(|| entry.kind.0.to_string(), |kind| kind.to_string()),
            entry.reason,
            entry.since_ms.to_string(),
            entry.id.to_string(),
            entry.bytes.to_string(),
        ]);
    }
    Ok(sheet)
}

/// What happened to villages, newest first.
pub(super) fn incidents(
    desk: &Desk,
    who: &Operator,
    asked: &v1::IncidentsAsked,
) -> Result<Sheet, Status> {
    let (of, limit) = (words::maybe_village(&asked.village)?, words::rows(asked.limit));
    let found = desk.incidents(who, of, limit)?;
    let mut sheet = Sheet::new(
        "lumbung/incidents/1",
        &[
            Column::number("number", "no", "no"),
            Column::moment("at_ms", "waktu", "at"),
            Column::text("village", "kode", "code"),
            Column::text("name", "desa", "village"),
            Column::text("kind", "jenis", "kind").wide(),
            Column::text("heading", "kejadian", "incident"),
            Column::text("heading_en", "kejadian (Inggris)", "incident"),
            Column::text("sentence", "keterangan", "what happened"),
            Column::text("sentence_en", "keterangan (Inggris)", "what happened"),
        ],
    );
    for incident in found {
        let heading = incident.heading().to_owned();
        let (heading_en, english) =
            (incident.heading_en().to_owned(), incident.english().to_owned());
        sheet.row([
            incident.number.to_string(),
            incident.at_ms.to_string(),
            incident.village.to_string(),
            name_of(incident.village),
            incident.code,
            heading,
            heading_en,
            incident.sentence,
            english,
        ]);
    }
    Ok(sheet)
}

/// What needs somebody.
pub(super) fn needs(desk: &Desk, who: &Operator, of: &str) -> Result<Sheet, Status> {
    let of = words::maybe_village(of)?;
    if of.is_some_and(|code| !who.scope().holds(code)) {
        return Err(DeskError::NotThere.into());
    }
    let (_, reasons) = desk.overview(who)?;
    let mut sheet = Sheet::new(
        "lumbung/needs/1",
        &[
            Column::text("code", "kode", "code"),
            Column::text("severity", "tingkat", "severity"),
            Column::text("place", "tempat", "place"),
            Column::moment("since_ms", "sejak", "since"),
            Column::text("what", "apa", "what"),
            Column::text("what_en", "apa (Inggris)", "what"),
            Column::text("todo", "tindakan", "to do"),
            Column::text("todo_en", "tindakan (Inggris)", "to do"),
            Column::text("village", "kode desa", "village").wide(),
            Column::text("call", "hubungi", "call").wide(),
            Column::text("message", "pesan siap kirim", "ready message").wide(),
        ],
    );
    let about = |need: &&Need| of.is_none_or(|code| need.villages.contains(&code));
    for need in reasons.needs.iter().filter(about) {
        let code = match need.place {
            Place::Village(code) => code.to_string(),
            _ => String::new(),
        };
        let call = need.call.as_ref().map(|call| format!("{}, {}", call.nama, call.telepon));
        sheet.row([
            need.code.to_owned(),
            need.severity.code().to_owned(),
            need.place.name(),
            need.since_ms.to_string(),
            need.what.id.clone(),
            need.what.en.clone(),
            need.todo.id.clone(),
            need.todo.en.clone(),
            code,
            call.unwrap_or_default(),
            need.message.clone().unwrap_or_default(),
        ]);
    }
    Ok(sheet)
}

/// Times in which nobody is told of what needs somebody, by their end.
pub(super) fn maintenance(desk: &Desk, who: &Operator) -> Result<Sheet, Status> {
    let mut sheet = Sheet::new(
        "lumbung/maintenance/1",
        &[
            Column::number("number", "nomor", "number"),
            Column::text("region", "wilayah", "region"),
            Column::text("name", "nama", "name"),
            Column::moment("from_ms", "mulai", "from"),
            Column::moment("until_ms", "sampai", "until"),
            Column::text("reason", "sebab", "reason"),
        ],
    );
    for window in desk.maintenance(who)? {
        let (region, name) = match window.place {
            Place::Hub => (String::new(), "semuanya".to_owned()),
            Place::Kecamatan(code) => (code.to_string(), window.place.name()),
            Place::Village(code) => (code.to_string(), window.place.name()),
        };
        sheet.row([
            window.number.to_string(),
            region,
            name,
            window.from_ms.to_string(),
            window.until_ms.to_string(),
            window.reason,
        ]);
    }
    Ok(sheet)
}
