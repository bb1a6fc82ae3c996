//! Recap sheets.

use lumbung_domain::recap::{Cell, Isi};
use lumbung_proto::v1::{self, CellKind};
use tonic::Status;

use super::super::sheet::{Column, Sheet};
use super::super::words;
use crate::access::Operator;
use crate::desk::Desk;
use crate::exports;

/// A recap sheet: for the office, or for anybody.
pub(super) fn sheet(desk: &Desk, who: &Operator, asked: &v1::RecapAsked) -> Result<Sheet, Status> {
    let (region, date) = (words::region(&asked.region)?, words::date(&asked.date)?);
    let edition = words::edition(&asked.edition)?;
    let recap =
        desk.recap_for(who, region, date, words::audience(asked.public))?.in_edition(edition);
    let printed = words::printed(&recap, asked.public)?;
    let form = &recap.sheet.form;
    let columns = form.columns.iter().map(|column| {
        let label = match column.group {
            "" => column.header.to_owned(),
            group => format!("{group}: {}", column.header),
        };
        let number_kind = matches!(column.isi, Isi::Jumlah(_));
        v1::ListColumn {
            key: column.key.to_owned(),
            label_id: label.clone(),
            label_en: label,
            kind: if number_kind { CellKind::Number } else { CellKind::Text }.into(),
            wide: false,
        }
    });
    // What to ask for next, where a row is a region of its own.
    let below = v1::ListColumn {
        key: "region".to_owned(),
        label_id: "wilayah".to_owned(),
        label_en: "region".to_owned(),
        kind: CellKind::Text.into(),
        wide: true,
    };
    let columns = columns.chain([below]).collect();
    let mut sheet = Sheet::with_columns("lumbung/recap/2", columns);
    // A publication holds for its own day.
    let date = recap.sheet.tanggal_acuan;
    sheet.note(format!("{} {}: {}, {date}", form.number(), form.title, recap.sheet.wilayah));
    let regions = recap.below.iter().copied().chain(std::iter::repeat(None));
    let total = std::iter::once((&printed.cells.total, Some(region)));
    for (row, region) in printed.cells.rows.iter().zip(regions).chain(total) {
        let cells = row.iter().map(|cell| match cell {
            Cell::Number(number) => number.to_string(),
            Cell::Text(text) => text.clone(),
        });
        sheet.row(cells.chain([region.map(|region| region.to_string()).unwrap_or_default()]));
    }
    for note in printed.footnotes {
        sheet.note(note.id);
    }
    Ok(sheet)
}

/// Recaps for the public: those that were made, newest first.
pub(super) fn publications(desk: &Desk, who: &Operator) -> Result<Sheet, Status> {
    let mut sheet = Sheet::new(
        "lumbung/publications/1",
        &[
            Column::text("date", "tanggal", "date"),
            Column::moment("made_ms", "dibuat", "made"),
            Column::text("made_by", "oleh", "by"),
            Column::number("rules", "versi aturan", "rules").wide(),
        ],
    );
    let list = desk.publications(who)?;
    for it in list.made {
        sheet.row([it.day.to_string(), it.made_ms.to_string(), it.made_by, it.rules.to_string()]);
    }
    let running = list.running;
    sheet.note(match list.next {
        Some(next) => format!(
            "Bisa diterbitkan: {next} (lumbung-hubctl publish {next}), paling lambat {running}"
        ),
        None => format!("Berikutnya: {running}, sesudah hari itu"),
    });
    Ok(sheet)
}

/// A recap sheet as a file.
pub(in super::super) fn file(
    desk: &Desk,
    who: &Operator,
    asked: &v1::ExportRecapRequest,
) -> Result<Vec<u8>, Status> {
    let wanted = asked.recap.clone().unwrap_or_default();
    let (region, date) = (words::region(&wanted.region)?, words::date(&wanted.date)?);
    let edition = words::edition(&wanted.edition)?;
    let recap =
        desk.recap_for(who, region, date, words::audience(wanted.public))?.in_edition(edition);
    if !recap.houses.is_empty() {
        return Err(Status::failed_precondition(
            "Lembar per rumah menyebut nama orang, jadi tidak ditulis ke berkas dari sini. Pakai \
             lembar RT ke atas.",
        ));
    }
    let printed = words::printed(&recap, wanted.public)?;
    if !asked.workbook {
        return Ok(exports::recap_csv(&recap, &printed));
    }
    exports::recap_xlsx(&recap, &printed).map_err(|error| {
        tracing::error!(%error, "a workbook can't be made");
        Status::internal("Berkas tidak bisa dibuat.")
    })
}
