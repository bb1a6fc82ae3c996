//! Counting rules by table; several rows are the defects of earlier systems.

use jiff::civil::date;

use super::*;
use Indikator as I;

const T: Date = date(2026, 12, 31);

fn person(jk: JenisKelamin, lahir: Date) -> WargaFacts {
    WargaFacts { jk: Some(jk), lahir: Some(lahir), hadir: true, ..WargaFacts::default() }
}

fn woman(lahir: Date) -> WargaFacts {
    person(JenisKelamin::Perempuan, lahir)
}

fn man(lahir: Date) -> WargaFacts {
    person(JenisKelamin::LakiLaki, lahir)
}

fn count(warga: &[WargaFacts]) -> IndikatorVector {
    rumah_tangga_vector(&RumahFacts::default(), 1, warga, T)
}

/// The counts named, all others of people 0.
fn check(warga: &[WargaFacts], wanted: &[(Indikator, u64)]) {
    let vector = count(warga);
    for (indikator, found) in vector.iter().filter(|(i, _)| i.unit() == super::super::Satuan::Jiwa)
    {
        let wanted = wanted.iter().find(|(i, _)| *i == indikator).map_or(0, |(_, n)| *n);
        assert_eq!(found, wanted, "{} of {warga:?}", indikator.key());
    }
    let pus = wanted.iter().find(|(i, _)| *i == I::Pus).map_or(0, |(_, n)| *n);
    assert_eq!(vector.get(I::Pus), pus, "pus of {warga:?}");
}

#[test]
fn ages_fall_on_the_right_side_of_each_bound() {
    for (born, wanted) in [
        (date(2022, 1, 1), vec![(I::TotalP, 1), (I::BalitaP, 1)]),
        (date(2021, 12, 31), vec![(I::TotalP, 1)]),
        (date(2012, 1, 1), vec![(I::TotalP, 1)]),
        (date(2011, 12, 31), vec![(I::TotalP, 1), (I::Wus, 1)]),
        (date(1977, 1, 1), vec![(I::TotalP, 1), (I::Wus, 1)]),
        (date(1976, 12, 31), vec![(I::TotalP, 1)]),
        (date(1967, 1, 1), vec![(I::TotalP, 1)]),
        (date(1966, 12, 31), vec![(I::TotalP, 1), (I::Lansia, 1)]),
        (date(2026, 12, 31), vec![(I::TotalP, 1), (I::BalitaP, 1)]),
        (date(2027, 1, 1), vec![]),
    ] {
        check(&[woman(born)], &wanted);
    }
}

#[test]
fn five_years_is_no_longer_balita_and_forty_five_is_not_lansia() {
    check(&[man(date(2021, 6, 1))], &[(I::TotalL, 1)]);
    check(&[man(date(1981, 6, 1))], &[(I::TotalL, 1)]);
}

#[test]
fn never_married_is_not_a_couple() {
    let single = WargaFacts {
        status_kawin: Some(Code::<StatusKawin>::BELUM_KAWIN),
        ..woman(date(2000, 1, 1))
    };
    check(&[single], &[(I::TotalP, 1), (I::Wus, 1)]);
}

fn couple(husband_shdk: Code<Shdk>, wife_shdk: Code<Shdk>) -> [WargaFacts; 2] {
    let kawin = Some(Code::<StatusKawin>::KAWIN);
    [
        WargaFacts { status_kawin: kawin, shdk: Some(husband_shdk), ..man(date(1985, 1, 1)) },
        WargaFacts { status_kawin: kawin, shdk: Some(wife_shdk), ..woman(date(1990, 1, 1)) },
    ]
}

#[test]
fn a_couple_counts_once_and_ends_with_the_husbands_death() {
    let both = [(I::TotalL, 1), (I::TotalP, 1), (I::Wus, 1), (I::Pus, 1)];
    let kepala = Code::<Shdk>::KEPALA_KELUARGA;
    for (husband, wife) in [(kepala, Code::<Shdk>::ISTRI), (Code::<Shdk>::SUAMI, kepala)] {
        let mut family = couple(husband, wife);
        check(&family, &both);
        family[0].hadir = false;
        check(&family, &[(I::TotalP, 1), (I::Wus, 1), (I::Pus, 1)]);
        family[0].wafat = true;
        check(&family, &[(I::TotalP, 1), (I::Wus, 1)]);
        family[0].keluarga = 7;
        check(&family, &[(I::TotalP, 1), (I::Wus, 1), (I::Pus, 1)]);
    }
}

#[test]
fn a_married_daughter_in_law_is_a_couple_though_her_father_in_law_died() {
    let kepala = Code::<Shdk>::KEPALA_KELUARGA;
    let mut family = couple(kepala, Code::from_wire(5).unwrap());
    family[0].wafat = true;
    check(&family, &[(I::TotalP, 1), (I::Wus, 1), (I::Pus, 1)]);
}

#[test]
fn overlapping_groups_are_all_counted() {
    let mother = WargaFacts {
        hamil: true,
        menyusui: true,
        buta3: true,
        berkebutuhan_khusus: true,
        up2k: true,
        kesling: true,
        ..woman(date(2000, 1, 1))
    };
    check(
        &[mother],
        &[
            (I::TotalP, 1),
            (I::Wus, 1),
            (I::IbuHamil, 1),
            (I::IbuMenyusui, 1),
            (I::Buta3P, 1),
            (I::BerkebutuhanKhusus, 1),
            (I::Up2k, 1),
            (I::Kesling, 1),
        ],
    );
}

#[test]
fn who_is_away_is_counted_nowhere_and_blanks_are_told() {
    let away = WargaFacts { hadir: false, hamil: true, ..woman(date(2000, 1, 1)) };
    let ageless = WargaFacts { lahir: None, ..man(date(2000, 1, 1)) };
    let sexless = WargaFacts { jk: None, up2k: true, ..man(date(1950, 1, 1)) };
    check(
        &[away, ageless, sexless],
        &[(I::TotalL, 1), (I::WargaTanpaJk, 1), (I::WargaTanpaLahir, 1)],
    );
}

fn house(rumah: RumahFacts, wanted: &[(Indikator, u64)]) {
    let vector = rumah_tangga_vector(&rumah, 2, &[], T);
    for (indikator, n) in wanted {
        assert_eq!(vector.get(*indikator), *n, "{} of {rumah:?}", indikator.key());
    }
    assert!(vector.kejanggalan().is_empty(), "{rumah:?}");
}

#[test]
fn a_house_is_judged_by_the_kader_and_otherwise_by_what_it_has() {
    let all = RumahFacts {
        punya_tps: true,
        punya_spal: true,
        punya_jamban: true,
        ..RumahFacts::default()
    };
    house(all, &[(I::RumahSehat, 1), (I::RumahBelumDinilai, 1)]);
    house(RumahFacts { punya_spal: false, ..all }, &[(I::RumahTidakSehat, 1)]);
    house(
        RumahFacts { kriteria: Some(KriteriaRumah::TidakSehat), ..all },
        &[(I::RumahTidakSehat, 1), (I::RumahBelumDinilai, 0)],
    );
    let judged = RumahFacts { kriteria: Some(KriteriaRumah::Sehat), ..RumahFacts::default() };
    house(judged, &[(I::RumahSehat, 1), (I::JmlKrt, 1), (I::JmlKk, 2)]);
}

#[test]
fn food_counts_houses_and_water_counts_each_source() {
    house(RumahFacts::default(), &[(I::MakanBeras, 1), (I::MakananBelumDiisi, 1)]);
    let corn = RumahFacts { makanan_pokok: Some(MakananPokok::NonBeras), ..RumahFacts::default() };
    house(corn, &[(I::MakanBeras, 0), (I::MakanNonBeras, 1)]);
    let air = SumberAir { pdam: true, sungai: true, dll: true, ..SumberAir::default() };
    house(
        RumahFacts { air, jumlah_mck: 3, ..RumahFacts::default() },
        &[
            (I::AirPdam, 1),
            (I::AirSumur, 0),
            (I::AirSungai, 1),
            (I::AirDll, 1),
            (I::AirSungaiDll, 1),
            (I::JumlahMck, 3),
        ],
    );
}

#[test]
fn a_house_flag_counts_one_where_no_resident_is_named() {
    let rumah = RumahFacts { up2k: true, kesling: true, ..RumahFacts::default() };
    let named = WargaFacts { up2k: true, ..woman(date(1990, 1, 1)) };
    let vector = rumah_tangga_vector(&rumah, 1, &[named, named], T);
    assert_eq!((vector.get(I::Up2k), vector.get(I::Kesling)), (2, 1));
}

#[test]
fn last_years_recap_stays_last_years() {
    let family = [woman(date(2021, 6, 1)), man(date(1966, 6, 1))];
    let facts = RumahFacts::default();
    let year = |y| rumah_tangga_vector(&facts, 1, &family, date(y, 12, 31));
    assert_eq!((year(2025).get(I::BalitaP), year(2025).get(I::Lansia)), (1, 0));
    assert_eq!((year(2026).get(I::BalitaP), year(2026).get(I::Lansia)), (0, 1));
}
