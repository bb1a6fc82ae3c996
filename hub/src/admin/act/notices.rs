//! Notices: written, corrected, withdrawn.

use lumbung_domain::code_list::{Code, KategoriInformasi};
use lumbung_domain::informasi::Sasaran;
use lumbung_proto::v1;
use lumbung_telemetry::clock;
use tonic::Status;

use super::super::words;
use super::said;
use crate::access::Operator;
use crate::desk::Desk;
use crate::notices::Draft;
use crate::recap::RegionRef;

/// Writes a notice, or only says whom it would reach.
pub(super) fn write(
    desk: &Desk,
    who: &Operator,
    asked: v1::NoticeAct,
) -> Result<v1::ActReply, Status> {
    let sasaran = targets(&asked.targets)?;
    let only_try = asked.only_try;
    let blank = Draft {
        judul: String::new(),
        isi: String::new(),
        kategori: None,
        terbit: Some(clock::today()),
        berlaku_sampai: None,
    };
    let draft = over(blank, asked)?;
    if only_try {
        let villages = desk.reached_by(who, &draft, &sasaran)?.len();
        return Ok(said(format!("Akan sampai ke {villages} desa. Informasi belum dikirim.")));
    }
    let made = desk.inform(who, draft, sasaran)?;
    Ok(said(format!(
        "Informasi nomor {} untuk {} desa; sampai begitu desa tersambung. Tanda terimanya: \
         lumbung-hubctl describe notice {}",
        made.number, made.villages, made.number
    )))
}

/// Replaces what a notice says; what is not named stays.
pub(super) fn correct(
    desk: &Desk,
    who: &Operator,
    asked: v1::NoticeAct,
) -> Result<v1::ActReply, Status> {
    let number = asked.number;
    let informasi = desk.notice_to_correct(who, number)?;
    let seen = informasi.versi;
    let standing = Draft {
        judul: informasi.judul,
        isi: informasi.isi,
        kategori: informasi.kategori,
        terbit: informasi.terbit,
        berlaku_sampai: informasi.berlaku_sampai,
    };
    desk.correct_notice(who, number, seen, over(standing, asked)?)?;
    Ok(said(format!("Informasi nomor {number} diperbaiki; versi barunya dikirim ke desa.")))
}

/// A draft with what was named in its place.
fn over(mut draft: Draft, asked: v1::NoticeAct) -> Result<Draft, Status> {
    if let Some(judul) = asked.title {
        draft.judul = judul.trim().to_owned();
    }
    if let Some(isi) = asked.text {
        draft.isi = isi.trim().to_owned();
    }
    match asked.category {
        None => {}
        Some(0) => draft.kategori = None,
        Some(number) => {
            let number = u16::try_from(number).ok();
            let known = number.and_then(Code::<KategoriInformasi>::new);
            let unknown = || Status::invalid_argument("Kategori itu tidak dikenal.");
            draft.kategori = Some(known.ok_or_else(unknown)?);
        }
    }
    if let Some(from) = asked.from {
        draft.terbit = Some(words::date(&from)?);
    }
    match asked.until.as_deref() {
        None => {}
        Some("") => draft.berlaku_sampai = None,
        Some(until) => draft.berlaku_sampai = Some(words::day(until)?),
    }
    Ok(draft)
}

/// Whom a notice is for. Below a village, only RT are told apart; the desk
/// knows them.
fn targets(regions: &[String]) -> Result<Vec<Sasaran>, Status> {
    let target = |text: &String| {
        Ok(match words::region(text)? {
            RegionRef::Kabupaten => Sasaran::Kabupaten,
            RegionRef::Kecamatan(code) => Sasaran::Kecamatan(code),
            RegionRef::Desa(village) => Sasaran::Desa(village),
            RegionRef::Below(village, id) => Sasaran::Rt(village, id),
        })
    };
    regions.iter().map(target).collect()
}
