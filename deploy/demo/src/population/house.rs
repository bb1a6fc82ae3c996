//! One house: how it is built, and what grows and is made there.

use jiff::civil::Date;
use lumbung_domain::id::RecordId;
use lumbung_domain::record::{
    Industri, KategoriIndustri, KategoriPekarangan, KriteriaRumah, MakananPokok, Pekarangan,
    RumahTangga, SumberAir, Titik,
};

use super::dice::Dice;
use super::lists;
use super::person::{code, days_before};

const YARDS: &[(u32, (KategoriPekarangan, &str, &str))] = &[
    (20, (KategoriPekarangan::Peternakan, "AYAM", "12 ekor")),
    (9, (KategoriPekarangan::Peternakan, "KAMBING", "3 ekor")),
    (5, (KategoriPekarangan::Peternakan, "SAPI", "2 ekor")),
    (5, (KategoriPekarangan::Perikanan, "LELE", "200 ekor")),
    (3, (KategoriPekarangan::Perikanan, "IKAN KOI", "50 ekor")),
    (14, (KategoriPekarangan::WarungHidup, "CABAI", "15 polybag")),
    (9, (KategoriPekarangan::WarungHidup, "TERONG", "10 pohon")),
    (7, (KategoriPekarangan::LumbungHidup, "SINGKONG", "20 pohon")),
    (9, (KategoriPekarangan::Toga, "JAHE", "5 polybag")),
    (8, (KategoriPekarangan::Toga, "KUNYIT", "6 polybag")),
    (7, (KategoriPekarangan::TanamanKeras, "SENGON", "8 pohon")),
    (4, (KategoriPekarangan::TanamanLainnya, "BELIMBING", "2 pohon")),
];
const INDUSTRIES: &[(u32, (KategoriIndustri, &str, &str))] = &[
    (10, (KategoriIndustri::Pangan, "KERIPIK SINGKONG", "10 kg/minggu")),
    (8, (KategoriIndustri::Pangan, "TEMPE", "15 kg/hari")),
    (5, (KategoriIndustri::Pangan, "GULA KELAPA", "8 kg/hari")),
    (5, (KategoriIndustri::Sandang, "JAHIT PAKAIAN", "20 potong/bulan")),
    (2, (KategoriIndustri::Konveksi, "SERAGAM", "60 potong/bulan")),
    (6, (KategoriIndustri::Jasa, "BENGKEL MOTOR", "1 unit")),
    (4, (KategoriIndustri::Jasa, "SALON", "1 unit")),
];

/// Draws a house of this RT and dasawisma, numbered within the village.
pub(super) fn rumah_tangga(
    dice: &mut impl Dice,
    (rt_id, dasawisma_id): (RecordId, RecordId),
    nomor: u32,
    centre: Titik,
    today: Date,
) -> RumahTangga {
    let good = dice.chance(820);
    let has = |dice: &mut _, per_mille| good || Dice::chance(dice, per_mille);
    let (tps, spal) = (has(&mut *dice, 350), has(&mut *dice, 300));
    let jamban = has(&mut *dice, 550);
    let sound = tps && spal && jamban;
    // Kaders judge by more than the three facilities; few contradict them.
    let judged_sound = if dice.chance(15) { !sound } else { sound };
    let air = water(dice);
    let mut house = RumahTangga {
        rt_id,
        dasawisma_id: Some(dasawisma_id),
        nomor: nomor.to_string(),
        titik: dice.chance(700).then(|| near(dice, centre)),
        kriteria: Some(if judged_sound { KriteriaRumah::Sehat } else { KriteriaRumah::TidakSehat }),
        punya_tps: Some(tps),
        punya_spal: Some(spal),
        punya_jamban: Some(jamban),
        jumlah_mck: Some(if jamban { dice.weighted(&[(88, 1), (11, 2), (1, 3)]) } else { 0 }),
        stiker_p4k: Some(false),
        air: Some(air),
        makanan_pokok: Some(if dice.chance(15) {
            MakananPokok::NonBeras
        } else {
            MakananPokok::Beras
        }),
        up2k: Some(dice.chance(70)),
        kesling: Some(dice.chance(400)),
        dinding: code(if good { 735 } else { dice.weighted(&[(5, 735), (3, 736), (2, 737)]) }),
        lantai: code(if good {
            dice.weighted(&[(8, 741), (2, 742)])
        } else {
            dice.pick(&[742, 744])
        }),
        atap: code(dice.weighted(&[(92, 745), (3, 746), (5, 747)])),
        status_rumah: code(dice.weighted(&[(80, 169), (12, 170), (3, 171), (4, 172), (1, 173)])),
        tahun: today.year().unsigned_abs(),
        diperiksa_pada: Some(days_before(today, dice.between(1, 330))),
        ..RumahTangga::default()
    };
    house.sumber_air_minum =
        code(if air.pdam { 499 } else { dice.weighted(&[(6, 496), (3, 497), (1, 505)]) });
    house.alamat = address(dice);
    for _ in 0..dice.weighted(&[(45, 0), (35, 1), (15, 2), (5, 3)]) {
        let (kategori, komoditi, jumlah) = dice.weighted(YARDS);
        let (komoditi, jumlah) = (komoditi.to_owned(), jumlah.to_owned());
        house.pekarangan.push(Pekarangan { kategori, komoditi, jumlah });
    }
    if dice.chance(80) {
        let (kategori, komoditi, jumlah) = dice.weighted(INDUSTRIES);
        let (komoditi, jumlah) = (komoditi.to_owned(), jumlah.to_owned());
        house.industri.push(Industri { kategori, komoditi, jumlah });
    }
    house
}

fn water(dice: &mut impl Dice) -> SumberAir {
    let mut air = SumberAir {
        pdam: dice.chance(220),
        sumur: dice.chance(780),
        sungai: dice.chance(12),
        dll: dice.chance(25),
    };
    air.sumur |= !(air.pdam || air.sungai || air.dll);
    air
}

fn address(dice: &mut impl Dice) -> String {
    let mut text = String::with_capacity(24);
    text.push_str(dice.pick(lists::STREETS));
    text.push_str(" NO. ");
    text.push_str(&(dice.below(180) + 1).to_string());
    text
}

/// Within about a kilometre and a half, to six decimals as telephones give.
pub(super) fn near(dice: &mut impl Dice, centre: Titik) -> Titik {
    let mut off = |from: f64| {
        let micro = (from * 1e6) as i64 + i64::from(dice.between(-14_000, 14_000));
        micro as f64 / 1e6
    };
    Titik { lat: off(centre.lat), lon: off(centre.lon) }
}
