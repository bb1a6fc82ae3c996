//! Small changes as kaders and clerks make them on a working day.

use jiff::civil::Date;
use lumbung_domain::code_list::{Code, StatusDasar, StatusKawin};
use lumbung_domain::indicator::umur_tahun;
use lumbung_domain::record::{JenisKelamin, KriteriaRumah, Record, RumahTangga, Warga};
use rand::Rng;

use super::dice::Dice;
use super::house;
use super::person::{code, digits};

/// The record with one plausible change. Kinds that people rarely touch come
/// back unchanged.
#[must_use]
pub fn edit<R: Rng>(dice: &mut R, record: &Record, today: Date) -> Record {
    match record {
        Record::Warga(warga) => Record::Warga(Box::new(edit_warga(dice, warga, today))),
        Record::RumahTangga(house) => Record::RumahTangga(Box::new(edit_house(dice, house, today))),
        Record::Keluarga(family) => {
            let mut family = family.clone();
            family.kelas_sosial = code(dice.weighted(&[(2, 2), (4, 3), (2, 4)]));
            Record::Keluarga(family)
        }
        Record::Dasawisma(group) => {
            let mut group = group.clone();
            group.tahun = today.year().unsigned_abs();
            Record::Dasawisma(group)
        }
        Record::Dusun(_)
        | Record::Rw(_)
        | Record::Rt(_)
        | Record::Mutasi(_)
        | Record::TandaTerima(_)
        | Record::PernyataanJumlah(_) => record.clone(),
    }
}

fn edit_warga(dice: &mut impl Dice, warga: &Warga, today: Date) -> Warga {
    let mut warga = warga.clone();
    let age = warga.tanggal_lahir.map_or(30, |born| umur_tahun(born, today));
    let here = matches!(warga.status_dasar, None | Some(Code::<StatusDasar>::HIDUP));
    let fertile = here
        && warga.jenis_kelamin == Some(JenisKelamin::Perempuan)
        && warga.status_kawin == Some(Code::<StatusKawin>::KAWIN)
        && (18..=44).contains(&age);
    if fertile && dice.chance(400) {
        let pregnant = warga.hamil != Some(true);
        warga.hamil = Some(pregnant);
        if pregnant {
            (warga.akseptor_kb, warga.cara_kb) = (Some(false), None);
        } else {
            warga.menyusui = Some(true);
        }
    } else if age < 17 {
        warga.aktif_posyandu = Some(warga.aktif_posyandu != Some(true) && age < 5);
        warga.golongan_darah = code(dice.pick(&[1, 2, 3, 4]));
    } else {
        match dice.below(4) {
            0 => warga.telepon = digits("0800", 8, dice),
            1 => warga.pekerjaan = code(dice.pick(&[9, 15, 19, 20, 84, 88])),
            2 => warga.tabungan = Some(warga.tabungan != Some(true)),
            _ => warga.asuransi = code(dice.pick(&[2, 3, 4])),
        }
    }
    warga
}

fn edit_house(dice: &mut impl Dice, house: &RumahTangga, today: Date) -> RumahTangga {
    let mut house = house.clone();
    match dice.below(4) {
        0 => {
            house.punya_tps = Some(true);
            house.punya_spal = Some(true);
            house.punya_jamban = Some(true);
            house.jumlah_mck = Some(house.jumlah_mck.unwrap_or(0).max(1));
            house.kriteria = Some(KriteriaRumah::Sehat);
        }
        1 => house.kesling = Some(house.kesling != Some(true)),
        2 => house.stiker_p4k = Some(house.stiker_p4k != Some(true)),
        _ => house.titik = house.titik.map(|place| house::near(dice, place)),
    }
    house.diperiksa_pada = Some(today);
    house
}
