//! What operators write down and decide about a village, and when nobody is
//! told of it.

use lumbung_proto::v1;
use lumbung_telemetry::clock;
use tonic::Status;

use super::super::words::{self, name_of};
use super::said;
use crate::access::Operator;
use crate::desk::Desk;
use crate::desk::machine::Leftovers;
use crate::reason::Place;
use crate::recap::RegionRef;

/// Whom to call; nobody without a name and a number.
pub(super) fn contact(
    desk: &Desk,
    who: &Operator,
    asked: &v1::ContactAct,
) -> Result<v1::ActReply, Status> {
    let code = words::village(&asked.code)?;
    desk.set_contact(who, code, &asked.name, &asked.telephone)?;
    let name = name_of(code);
    Ok(said(match asked.name.trim().is_empty() {
        false => format!("Narahubung {name} dicatat."),
        true => format!("Narahubung {name} dihapus."),
    }))
}

/// What the others should know of a village.
pub(super) fn remark(
    desk: &Desk,
    who: &Operator,
    asked: &v1::RemarkAct,
) -> Result<v1::ActReply, Status> {
    let code = words::village(&asked.code)?;
    desk.set_remark(who, code, &asked.words)?;
    let name = name_of(code);
    Ok(said(match asked.words.trim().is_empty() {
        false => format!("Catatan tentang {name} disimpan."),
        true => format!("Catatan tentang {name} dihapus."),
    }))
}

/// What becomes of the records of a closed log.
pub(super) fn leftovers(
    desk: &Desk,
    who: &Operator,
    asked: &v1::LeftoversAct,
) -> Result<v1::ActReply, Status> {
    let code = words::village(&asked.code)?;
    let decision = if asked.end { Leftovers::Forget } else { Leftovers::Return };
    let count = desk.settle_leftovers(who, code, decision)?;
    Ok(said(match asked.end {
        true => format!("{count} catatan lama diakhiri. Versinya tetap tersimpan."),
        false => format!(
            "{count} catatan lama dikembalikan ke {} pada kontak berikutnya.",
            name_of(code)
        ),
    }))
}

/// From now on nobody is told about a region.
pub(super) fn start_maintenance(
    desk: &Desk,
    who: &Operator,
    asked: &v1::MaintenanceAct,
) -> Result<v1::ActReply, Status> {
    let region = words::maybe_region(&asked.region)?.unwrap_or(RegionRef::Kabupaten);
    let window = desk.start_maintenance(who, region, asked.hours, &asked.reason)?;
    let about = match window.place {
        Place::Hub => "semuanya".to_owned(),
        place => place.name(),
    };
    Ok(said(format!(
        "Nomor {}: tidak ada pemberitahuan tentang {about} sampai {}. Penggabungan data berjalan \
         terus.",
        window.number,
        clock::display(window.until_ms)
    )))
}

/// A letter through every channel.
pub(super) fn test_alerts(desk: &Desk, who: &Operator) -> Result<v1::ActReply, Status> {
    let tried = desk.test_letters(who)?;
    let done = tried.iter().filter(|(_, delivered)| delivered.is_ok()).count();
    let sentences = tried.iter().map(|(channel, delivered)| match delivered {
        Ok(()) => format!("{channel}: terkirim."),
        Err(error) => format!("{channel}: tidak terkirim ({error})."),
    });
    let sentence = match tried.is_empty() {
        true => "Tidak ada saluran di pemberitahuan.toml. Tidak ada yang dikirim.".to_owned(),
        false => sentences.collect::<Vec<_>>().join("\n"),
    };
    let (done, of) = (done as u64, tried.len() as u64);
    Ok(v1::ActReply { sentence, done, of, ..Default::default() })
}
