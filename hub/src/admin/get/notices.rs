//! Notices to villages, and the receipts of one.

use jiff::civil::Date;
use lumbung_telemetry::clock;
use tonic::Status;

use super::super::sheet::{Column, Sheet};
use super::super::words::name_of;
use crate::access::Operator;
use crate::dataset::notices::{DeliveryState, NoticeDetail};
use crate::desk::Desk;

/// Notices that reach one of the operator's villages, newest first.
pub(super) fn all(desk: &Desk, who: &Operator, limit: u32) -> Result<Sheet, Status> {
    let today = clock::today();
    let mut sheet = Sheet::new(
        "lumbung/notices/1",
        &[
            Column::number("number", "no", "no"),
            Column::text("title", "judul", "title"),
            Column::text("state", "keadaan", "state"),
            Column::number("targeted", "tujuan", "targeted"),
            Column::number("delivered", "sampai", "delivered"),
            Column::number("read", "dibaca", "read"),
            Column::moment("made_ms", "dibuat", "made"),
            Column::moment("changed_ms", "diubah", "changed").wide(),
            Column::text("written_by", "oleh", "by").wide(),
        ],
    );
    for listed in desk.notices(who, limit)? {
        let notice = listed.notice;
        sheet.row([
            notice.number.to_string(),
            notice.informasi.judul.clone(),
            notice.informasi.keberlakuan(today).label().to_owned(),
            listed.reach.targeted.to_string(),
            listed.reach.delivered.to_string(),
            listed.reach.read.to_string(),
            notice.made_ms.to_string(),
            notice.changed_ms.to_string(),
            notice.written_by,
        ]);
    }
    Ok(sheet)
}

/// One notice and how far it is, village by village.
pub(super) fn one(desk: &Desk, who: &Operator, number: i64) -> Result<Sheet, Status> {
    let NoticeDetail { listed, villages } = desk.notice(who, number)?;
    let (notice, reach) = (listed.notice, listed.reach);
    let informasi = &notice.informasi;
    let mut sheet = Sheet::new(
        "lumbung/notice/1",
        &[
            Column::text("village", "kode", "code"),
            Column::text("name", "desa", "village"),
            Column::text("state", "keadaan", "state"),
            Column::moment("at_ms", "sejak", "since").wide(),
            Column::moment("received_ms", "diterima", "received"),
            Column::moment("read_ms", "dibaca", "read"),
            Column::number("rt_read", "RT membaca", "RT that read"),
        ],
    );
    sheet.note(informasi.judul.clone());
    let day =
        |day: Option<Date>, none: &str| day.map_or_else(|| none.to_owned(), |day| day.to_string());
    sheet.note(format!(
        "{}; terbit {}, berlaku sampai {}; versi {} oleh {}, {}.",
        informasi.keberlakuan(clock::today()).label(),
        day(informasi.terbit, "kapan saja"),
        day(informasi.berlaku_sampai, "ditarik"),
        informasi.versi,
        notice.written_by,
        clock::display(notice.changed_ms),
    ));
    sheet.note(informasi.isi.clone());
    sheet.note(format!(
        "Sampai di {} dari {} desa, dibaca di {}.",
        reach.delivered, reach.targeted, reach.read
    ));
    for village in villages {
        sheet.row([
            village.village.to_string(),
            name_of(village.village),
            state(village.state).to_owned(),
            village.at_ms.to_string(),
            village.received_ms.to_string(),
            village.read_ms.unwrap_or(0).to_string(),
            village.rt_read.to_string(),
        ]);
    }
    Ok(sheet)
}

/// How far a notice is at a village, as a stable code.
const fn state(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Queued => "menunggu",
        DeliveryState::Delivered => "sampai",
        DeliveryState::NodeTooOld => "node_terlalu_lama",
    }
}
