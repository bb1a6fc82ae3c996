//! One resident: what follows from sex, age and place in the family.

use jiff::civil::Date;
use lumbung_domain::code_list::{Code, CodeList};
use lumbung_domain::record::{
    BerkebutuhanKhusus, JenisKelamin, KegiatanPkk, KegiatanWarga, KelompokBelajar, OrangTua, Warga,
};

use super::dice::Dice;
use super::lists;

/// What a family knows about a member before the rest is drawn.
pub(super) struct Member {
    pub(super) jk: JenisKelamin,
    pub(super) age: i32,
    /// Official number of the relation to the head.
    pub(super) shdk: u16,
    /// Official number of the marital status.
    pub(super) kawin: u16,
    pub(super) agama: u16,
    pub(super) ayah: OrangTua,
    pub(super) ibu: OrangTua,
}

/// Numbers written in this folder are all in their lists; the tests check.
pub(super) fn code<L: CodeList>(number: u16) -> Option<Code<L>> {
    Code::from_wire(number)
}

/// A birth date of somebody who is `age` years old today.
pub(super) fn years_before(dice: &mut impl Dice, today: Date, age: i32) -> Date {
    let month = dice.between(1, 12) as i8;
    let day = dice.between(1, if month == 2 { 28 } else { 30 }) as i8;
    let had_birthday = (month, day) <= (today.month(), today.day());
    let year = today.year() - age as i16 - i16::from(!had_birthday);
    Date::new(year, month, day).unwrap_or(today)
}

/// The day so many days before `day`; negative is after.
pub(super) fn days_before(day: Date, days: i32) -> Date {
    day.saturating_sub(jiff::Span::new().days(days))
}

/// Draws the rest of a resident. The NIK is the caller's to give.
pub(super) fn warga(dice: &mut impl Dice, today: Date, member: Member) -> Warga {
    let Member { jk, age, shdk, kawin, agama, ayah, ibu } = member;
    let born = years_before(dice, today, age);
    let mut warga = Warga {
        nama: lists::name(dice, jk, born.year()),
        jenis_kelamin: Some(jk),
        tempat_lahir: dice.weighted(lists::BIRTHPLACES).to_owned(),
        tanggal_lahir: Some(born),
        agama: code(agama),
        status_kawin: code(kawin),
        shdk: code(shdk),
        warganegara: code(1),
        ayah,
        ibu,
        golongan_darah: code(dice.weighted(&[(55, 13), (12, 1), (13, 2), (4, 3), (16, 4)])),
        cacat: code(if dice.chance(12) { dice.pick(&[1, 2, 3, 4, 6]) } else { 7 }),
        status_dasar: code(1),
        status_penduduk: code(if dice.chance(15) { 2 } else { 1 }),
        suku: "JAWA".to_owned(),
        asuransi: code(dice.weighted(&[(28, 1), (42, 2), (24, 3), (5, 4), (1, 99)])),
        tabungan: Some(age >= 17 && dice.chance(380)),
        kesling: Some(age >= 17 && dice.chance(260)),
        ..Warga::default()
    };
    schooling(dice, &mut warga, age);
    work(dice, &mut warga, jk, age);
    papers(dice, &mut warga, born, age);
    health(dice, &mut warga, jk, age, kawin);
    activities(dice, &mut warga, jk, age);
    warga
}

fn schooling(dice: &mut impl Dice, warga: &mut Warga, age: i32) {
    let (done, now) = match age {
        ..=3 => (1, 1),
        4..=6 => (1, 2),
        7..=12 => (2, 4),
        13..=15 => (3, 6),
        16..=18 => (4, 7),
        19..=22 => (5, if dice.chance(280) { 11 } else { 18 }),
        23..=39 => (
            dice.weighted(&[(2, 2), (16, 3), (28, 4), (40, 5), (2, 6), (2, 7), (10, 8), (1, 9)]),
            18,
        ),
        40..=59 => (
            dice.weighted(&[(2, 1), (6, 2), (38, 3), (24, 4), (22, 5), (1, 7), (6, 8), (1, 9)]),
            18,
        ),
        _ => (dice.weighted(&[(18, 1), (22, 2), (44, 3), (8, 4), (6, 5), (2, 8)]), 18),
    };
    warga.pendidikan_kk = code(done);
    warga.pendidikan_sedang = code(now);
    let unlettered = age >= 15 && done == 1 && dice.chance(450);
    warga.buta3 = Some(unlettered);
    if age >= 7 && !unlettered {
        warga.dapat_membaca = code(dice.weighted(&[(40, 1), (52, 4), (8, 6)]));
    }
    let dropped_out = (16..45).contains(&age) && done <= 3 && dice.chance(90);
    warga.kelompok_belajar = Some(if dropped_out {
        dice.pick(&[KelompokBelajar::PaketB, KelompokBelajar::PaketC])
    } else if unlettered && dice.chance(150) {
        KelompokBelajar::Kf
    } else {
        KelompokBelajar::Tidak
    });
    warga.paud = Some((3..=6).contains(&age) && dice.chance(700));
}

fn work(dice: &mut impl Dice, warga: &mut Warga, jk: JenisKelamin, age: i32) {
    let man = jk == JenisKelamin::LakiLaki;
    let job = match age {
        ..=5 => 1,
        6..=18 => 3,
        19..=22 if warga.pendidikan_sedang == code(11) => 3,
        75.. if dice.chance(600) => 1,
        60.. if dice.chance(60) => 4,
        _ if man => dice.weighted(&[
            (26, 9),
            (13, 20),
            (14, 15),
            (16, 88),
            (9, 19),
            (5, 26),
            (2, 27),
            (4, 81),
            (3, 84),
            (2, 5),
            (1, 6),
            (1, 7),
            (2, 65),
            (1, 85),
            (2, 10),
            (1, 35),
            (3, 1),
        ]),
        _ => dice.weighted(&[
            (48, 2),
            (14, 9),
            (9, 20),
            (8, 88),
            (8, 15),
            (4, 84),
            (2, 5),
            (3, 65),
            (1, 73),
            (1, 74),
            (1, 30),
            (2, 1),
        ]),
    };
    warga.pekerjaan = code(job);
    warga.koperasi = Some(age >= 20 && dice.chance(60));
    if warga.koperasi == Some(true) {
        warga.jenis_koperasi = "SIMPAN PINJAM".to_owned();
    }
    warga.up2k = Some(!man && age >= 20 && dice.chance(60));
    if age >= 17 && dice.chance(420) {
        // A prefix that no operator gives out.
        warga.telepon = digits("0800", 8, dice);
    }
}

/// `prefix` and so many digits after it.
pub(super) fn digits(prefix: &str, count: usize, dice: &mut impl Dice) -> String {
    let mut text = String::with_capacity(prefix.len() + count);
    text.push_str(prefix);
    let mut number = dice.next_u64();
    for _ in 0..count {
        text.push(char::from(b'0' + (number % 10) as u8));
        number /= 10;
    }
    text
}

fn papers(dice: &mut impl Dice, warga: &mut Warga, born: Date, age: i32) {
    let (card, recorded) = match age {
        ..=16 => (if dice.chance(350) { 3 } else { 1 }, 1),
        17 => (1, 2),
        _ => (2, dice.weighted(&[(90, 8), (5, 3), (3, 4), (2, 2)])),
    };
    warga.ktp_el = code(card);
    warga.status_rekam = code(recorded);
    if age <= 25 && dice.chance(850) {
        let prefix = if born.year() >= 2_010 { "3505-LU-" } else { "3505-LT-" };
        warga.dokumen.akta_lahir = digits(prefix, 8, dice);
    }
}

fn health(dice: &mut impl Dice, warga: &mut Warga, jk: JenisKelamin, age: i32, kawin: u16) {
    let ill = dice.chance(match age {
        ..=39 => 8,
        40..=59 => 45,
        _ => 130,
    });
    warga.sakit_menahun = code(if ill {
        dice.weighted(&[(6, 1), (3, 3), (4, 5), (8, 6), (2, 7), (4, 13)])
    } else {
        14
    });
    warga.berkebutuhan_khusus = Some(match warga.cacat.map(Code::number) {
        Some(1..=3) => BerkebutuhanKhusus::Fisik,
        Some(4) => BerkebutuhanKhusus::Mental,
        Some(6) => BerkebutuhanKhusus::Lainnya,
        _ => BerkebutuhanKhusus::Tidak,
    });
    let fertile = jk == JenisKelamin::Perempuan && kawin == 2 && (18..=44).contains(&age);
    if fertile {
        let pregnant = age < 42 && dice.chance(45);
        warga.hamil = Some(pregnant);
        warga.menyusui = Some(false);
        if !pregnant && dice.chance(620) {
            warga.cara_kb = code(dice.weighted(&[(18, 1), (14, 2), (52, 3), (12, 5), (4, 6)]));
        }
        warga.akseptor_kb = Some(warga.cara_kb.is_some());
    }
    let child = age < 5;
    let woman = jk == JenisKelamin::Perempuan && age >= 20;
    let attends = if child { dice.chance(820) } else { woman && dice.chance(110) };
    warga.aktif_posyandu = Some(attends);
    if attends {
        warga.frekuensi_posyandu = "1 KALI SEBULAN".to_owned();
    }
    warga.bkb = Some(child && dice.chance(330));
}

fn activities(dice: &mut impl Dice, warga: &mut Warga, jk: JenisKelamin, age: i32) {
    if age < 17 {
        return;
    }
    for (per_mille, activity) in [
        (120, KegiatanWarga::Pancasila),
        (620, KegiatanWarga::KerjaBakti),
        (480, KegiatanWarga::RukunKematian),
        (640, KegiatanWarga::Keagamaan),
        (350, KegiatanWarga::Jimpitan),
        (400, KegiatanWarga::Arisan),
    ] {
        if dice.chance(per_mille) {
            warga.kegiatan_warga.answer(activity, Some(true));
        }
    }
    let per_mille = if jk == JenisKelamin::Perempuan { 160 } else { 30 };
    for activity in KegiatanPkk::ALL {
        if dice.chance(per_mille) {
            warga.kegiatan_pkk.push(*activity);
        }
    }
}
