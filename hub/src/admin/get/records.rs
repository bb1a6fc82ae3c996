//! Records of one kind, by their names.

use lumbung_domain::id::Kind;
use lumbung_domain::record::Numbers;
use lumbung_proto::v1;
use lumbung_wire::record as wire;
use tonic::Status;

use super::super::sheet::{Column, Sheet};
use super::super::words::{self, name_of};
use crate::access::Operator;
use crate::dataset::StoredRecord;
use crate::desk::Desk;

fn title(record: &StoredRecord) -> String {
    let decoded =
        Kind::from_code(record.kind).and_then(|kind| wire::decode(kind, &record.bytes).ok());
    decoded.as_ref().map(|it| it.title(Numbers::Closed)).unwrap_or_default()
}

/// Records of one kind, without their content.
pub(super) fn of_kind(
    desk: &Desk,
    who: &Operator,
    asked: &v1::RecordsAsked,
) -> Result<Sheet, Status> {
    let (kind, of) = (words::kind(&asked.kind)?, words::maybe_village(&asked.village)?);
    let records = desk.records_of(who, kind, of, words::rows(asked.limit))?;
    let mut sheet = Sheet::new(
        "lumbung/records/1",
        &[
            Column::text("village", "kode", "code"),
            Column::text("name", "desa", "village"),
            Column::text("id", "id", "id"),
            Column::text("title", "nama", "name"),
            Column::moment("changed_ms", "diubah", "changed"),
            Column::text("actor", "oleh", "by"),
            Column::number("seq", "nomor", "seq").wide(),
            Column::text("source", "sumber", "source").wide(),
        ],
    );
    for record in &records {
        sheet.row([
            record.village.to_string(),
            name_of(record.village),
            record.id.to_string(),
            title(record),
            record.time_ms.to_string(),
            record.actor.clone(),
            record.seq.to_string(),
            record.source.name().to_owned(),
        ]);
    }
    Ok(sheet)
}
