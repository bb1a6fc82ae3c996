//! Events of the last two years: births, deaths, moves beyond the kabupaten.

use jiff::civil::Date;
use lumbung_domain::code_list::{Code, Peristiwa};
use lumbung_domain::id::RecordId;
use lumbung_domain::record::{Kelahiran, Kematian, Mutasi, Perpindahan, Warga};

use super::dice::Dice;
use super::lists;
use super::person::{code, days_before};

/// How far back events are kept, days.
const EVENT_DAYS: i32 = 720;

/// A day within the last two years.
pub(super) fn recent(dice: &mut impl Dice, today: Date) -> Date {
    days_before(today, dice.between(1, EVENT_DAYS))
}

fn event(warga_id: RecordId, warga: &Warga, what: Code<Peristiwa>, day: Date) -> Mutasi {
    Mutasi {
        warga_id,
        nik: warga.nik,
        peristiwa: Some(what),
        tgl_peristiwa: Some(day),
        ..Mutasi::default()
    }
}

/// Up to two weeks after the event, not after today.
fn reported(dice: &mut impl Dice, day: Date, today: Date) -> Option<Date> {
    Some(days_before(day, -dice.between(0, 14)).min(today))
}

/// The birth of a resident who is younger than two years.
pub(super) fn birth(
    dice: &mut impl Dice,
    id: RecordId,
    warga: &Warga,
    which: u16,
    today: Date,
) -> Option<Mutasi> {
    let day = warga.tanggal_lahir.filter(|day| *day > days_before(today, EVENT_DAYS))?;
    let mut event = event(id, warga, Code::<Peristiwa>::LAHIR, day);
    event.tgl_lapor = reported(dice, day, today);
    event.kelahiran = Some(Kelahiran {
        waktu: time(dice),
        tempat: code(dice.weighted(&[(60, 1), (25, 2), (10, 3), (5, 4)])),
        jenis: code(1),
        anak_ke: which,
        penolong: code(dice.weighted(&[(55, 1), (44, 2), (1, 3)])),
        berat_gram: dice.between(240, 390) as u32 * 10,
        panjang_mm: dice.between(450, 530) as u32,
    });
    Some(event)
}

/// The death of a resident.
pub(super) fn death(dice: &mut impl Dice, id: RecordId, warga: &Warga, today: Date) -> Mutasi {
    let day = recent(dice, today);
    let mut event = event(id, warga, Code::<Peristiwa>::MATI, day);
    event.tgl_lapor = reported(dice, day, today);
    event.kematian = Some(Kematian {
        tempat: dice.pick(&["RUMAH", "RUMAH SAKIT"]).to_owned(),
        jam: time(dice),
        sebab: dice.pick(lists::CAUSES).to_owned(),
        penolong: "TENAGA KESEHATAN".to_owned(),
        akta: String::new(),
    });
    event
}

/// A move to or from somewhere outside the kabupaten.
pub(super) fn far_move(
    dice: &mut impl Dice,
    id: RecordId,
    warga: &Warga,
    leaves: bool,
    (day, today): (Date, Date),
) -> Mutasi {
    let what =
        if leaves { Code::<Peristiwa>::PINDAH_KELUAR } else { Code::<Peristiwa>::PINDAH_MASUK };
    let mut event = event(id, warga, what, day);
    event.tgl_lapor = reported(dice, day, today);
    event.perpindahan = Some(Perpindahan {
        jenis: if leaves { code(dice.weighted(&[(7, 3), (3, 4)])) } else { None },
        alamat: dice.pick(lists::ELSEWHERE).to_owned(),
        desa: None,
        alasan: dice.pick(lists::REASONS).to_owned(),
    });
    event
}

fn time(dice: &mut impl Dice) -> String {
    let (hour, minute) = (dice.below(24) as u8, dice.below(60) as u8);
    let digit = |number: u8| char::from(b'0' + number);
    [digit(hour / 10), digit(hour % 10), ':', digit(minute / 10), digit(minute % 10)]
        .iter()
        .collect()
}
