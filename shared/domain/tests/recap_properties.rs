//! A recap is a sum: it depends on the houses, not on how they are grouped or
//! ordered, and every sum obeys the rules of the sheets.

use jiff::civil::{Date, date};
use lumbung_domain::code_list::{Code, Shdk, StatusKawin};
use lumbung_domain::indicator::{
    Indikator, IndikatorVector, RumahFacts, WargaFacts, rumah_tangga_vector,
};
use lumbung_domain::recap::{Cell, Isi, Level, Sheet, SheetRow};
use lumbung_domain::record::{JenisKelamin, KriteriaRumah, MakananPokok, SumberAir};
use proptest::prelude::*;

const T: Date = date(2026, 12, 31);

fn rumah() -> impl Strategy<Value = RumahFacts> {
    (any::<u16>(), 0_u16..4, 0_u32..3, 0_u32..3).prop_map(|(bits, mck, kriteria, makanan)| {
        let bit = |n: u16| bits & 1 << n != 0;
        RumahFacts {
            kriteria: KriteriaRumah::from_wire(kriteria),
            punya_tps: bit(0),
            punya_spal: bit(1),
            punya_jamban: bit(2),
            jumlah_mck: mck,
            stiker_p4k: bit(3),
            air: SumberAir { pdam: bit(4), sumur: bit(5), sungai: bit(6), dll: bit(7) },
            makanan_pokok: MakananPokok::from_wire(makanan),
            up2k: bit(8),
            kesling: bit(9),
            pekarangan: bit(10),
            industri: bit(11),
        }
    })
}

fn lahir() -> impl Strategy<Value = Date> {
    (1930_i16..=2027, 1_i8..=12, 1_i8..=28).prop_map(|(y, m, d)| date(y, m, d))
}

fn warga() -> impl Strategy<Value = WargaFacts> {
    let codes = (0_u16..=4, 0_u16..=11, 0_u32..3);
    (codes, proptest::option::weighted(0.95, lahir()), any::<u16>(), 0_u32..3).prop_map(
        |((kawin, shdk, jk), lahir, bits, keluarga)| {
            let bit = |n: u16| bits & 1 << n != 0;
            WargaFacts {
                keluarga,
                jk: JenisKelamin::from_wire(jk),
                lahir,
                status_kawin: Code::<StatusKawin>::from_wire(kawin),
                shdk: Code::<Shdk>::from_wire(shdk),
                hamil: bit(0),
                menyusui: bit(1),
                buta3: bit(2),
                berkebutuhan_khusus: bit(3),
                up2k: bit(4),
                kesling: bit(5),
                hadir: bit(6) || bit(7),
                wafat: bit(8) && bit(9),
            }
        },
    )
}

fn house() -> impl Strategy<Value = IndikatorVector> {
    (rumah(), 1_u64..4, proptest::collection::vec(warga(), 0..9))
        .prop_map(|(rumah, kk, warga)| rumah_tangga_vector(&rumah, kk, &warga, T))
}

/// Houses, each with the group it falls into.
type Grouped = Vec<(IndikatorVector, u8)>;

/// The same houses in two orders.
fn grouped_houses() -> impl Strategy<Value = (Grouped, Grouped)> {
    proptest::collection::vec((house(), 0_u8..5), 0..40)
        .prop_flat_map(|houses| (Just(houses.clone()), Just(houses).prop_shuffle()))
}

proptest! {
    #[test]
    fn any_grouping_and_order_gives_the_same_total((houses, shuffled) in grouped_houses()) {
        let flat: IndikatorVector = houses.iter().map(|(vector, _)| vector).sum();
        let groups = (0..5).map(|group| {
            let members = shuffled.iter().filter(|(_, of)| *of == group);
            members.map(|(vector, _)| vector).sum::<IndikatorVector>()
        });
        prop_assert_eq!(groups.sum::<IndikatorVector>(), flat);
    }

    #[test]
    fn a_sheet_of_sheets_has_the_total_of_the_houses((houses, _) in grouped_houses()) {
        let row = |label: String, vector| SheetRow { label, vector, note: String::new() };
        let groups = (0..5_u8).map(|group| {
            let members = houses.iter().filter(|(_, of)| *of == group);
            let rows = members.map(|(vector, _)| row(String::new(), *vector)).collect();
            let sheet = Sheet::new(Level::Dasawisma.form(), format!("{group}"), T, rows);
            row(sheet.wilayah.clone(), sheet.total)
        });
        let rt = Sheet::new(Level::Rt.form(), "RT", T, groups.collect());
        let flat: IndikatorVector = houses.iter().map(|(vector, _)| vector).sum();
        prop_assert_eq!(rt.total, flat);

        let cells = rt.cells();
        for (at, column) in rt.form.columns.iter().enumerate() {
            let Isi::Jumlah(indikator) = column.isi else { continue };
            let printed = cells.rows.iter().map(|row| match row[at] {
                Cell::Number(count) => count,
                Cell::Text(_) => panic!("a count is a number"),
            });
            prop_assert_eq!(printed.sum::<u64>(), flat.get(indikator), "{}", column.key);
        }
    }

    #[test]
    fn every_sum_obeys_the_rules_of_the_sheets(
        houses in proptest::collection::vec(house(), 0..30),
    ) {
        use Indikator as I;
        let sum: IndikatorVector = houses.iter().sum();
        prop_assert!(sum.kejanggalan().is_empty(), "{:?}", sum.kejanggalan());
        let get = |indikator| sum.get(indikator);
        prop_assert_eq!(get(I::JmlKrt), houses.len() as u64);
        prop_assert_eq!(get(I::RumahSehat) + get(I::RumahTidakSehat), get(I::JmlKrt));
        prop_assert_eq!(get(I::MakanBeras) + get(I::MakanNonBeras), get(I::JmlKrt));
        prop_assert!(get(I::JmlKk) >= get(I::JmlKrt));
        prop_assert_eq!(sum.jiwa(), get(I::TotalL) + get(I::TotalP));
        prop_assert!(get(I::BalitaL) <= get(I::TotalL) && get(I::BalitaP) <= get(I::TotalP));
        prop_assert!(get(I::Pus) <= get(I::Wus) && get(I::Wus) <= get(I::TotalP));
        prop_assert!(get(I::Lansia) + get(I::BalitaL) + get(I::BalitaP) <= sum.jiwa());
        prop_assert!(get(I::AirSungaiDll) >= get(I::AirSungai).max(get(I::AirDll)));
        prop_assert!(get(I::AirSungaiDll) <= get(I::AirSungai) + get(I::AirDll));
        prop_assert_eq!(get(I::Buta3), get(I::Buta3L) + get(I::Buta3P));
    }

    #[test]
    fn who_lives_elsewhere_changes_nothing(
        rumah in rumah(),
        warga in proptest::collection::vec(warga(), 0..9),
    ) {
        let present: Vec<_> = warga.iter().copied().filter(|one| one.hadir || one.wafat).collect();
        prop_assert_eq!(
            rumah_tangga_vector(&rumah, 1, &present, T).iter().collect::<Vec<_>>(),
            rumah_tangga_vector(&rumah, 1, &without_absent_husbands(&warga), T)
                .iter()
                .collect::<Vec<_>>()
        );
    }
}

/// Residents away who are no husbands of anyone here: a living husband at
/// another place keeps his wife a wife.
fn without_absent_husbands(warga: &[WargaFacts]) -> Vec<WargaFacts> {
    let husband = |one: &WargaFacts| {
        one.shdk == Some(Code::<Shdk>::KEPALA_KELUARGA) || one.shdk == Some(Code::<Shdk>::SUAMI)
    };
    let away = |one: &&WargaFacts| !(one.hadir || one.wafat);
    warga.iter().filter(|one| !(away(one) && husband(one))).copied().collect()
}
