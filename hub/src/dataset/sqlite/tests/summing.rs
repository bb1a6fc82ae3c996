//! Sums that are kept are those that counting anew gives, whatever was merged
//! in between.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::dataset::search::{FamilyTerms, Gap, HouseTerms, ResidentTerms, Search as _, Slice};
use crate::recap::{KeptSums, Recap, RegionRef};

/// One thing that happens in a village.
#[derive(Clone, Debug)]
struct Step {
    village: usize,
    record: u64,
    what: u8,
    value: u32,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0_usize..3, 0_u64..6, 0_u8..5, 0_u32..4)
        .prop_map(|(village, record, what, value)| Step { village, record, what, value });
    proptest::collection::vec(step, 1..24)
}

fn raw(number: u64) -> Bytes {
    Bytes::copy_from_slice(id(number).as_bytes())
}

fn draft(step: &Step) -> Draft {
    let Step { record, value, .. } = *step;
    match step.what {
        0 => {
            let house = v1::RumahTangga { kriteria: value, rt_id: raw(99), ..Default::default() };
            create(100 + record, Kind::RumahTangga, &house)
        }
        1 => {
            let family = v1::Keluarga {
                rumah_tangga_id: raw(100 + u64::from(value)),
                aktif: value != 2,
                ..Default::default()
            };
            create(200 + record, Kind::Keluarga, &family)
        }
        2 => delete(300 + record, Kind::Warga),
        _ => {
            let warga = v1::Warga {
                keluarga_id: raw(200 + u64::from(value)),
                jenis_kelamin: 1 + value % 2,
                tanggal_lahir: 10_000 + 3_000 * i32::from(step.what) * value as i32,
                ..Default::default()
            };
            create(300 + record, Kind::Warga, &warga)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn kept_sums_are_counted_sums(steps in steps()) {
        let store = Store::new();
        let mut logs = [BAKUNG, SIDOMULYO, LOREJO].map(Log::new);
        let kept = KeptSums::default();
        for step in &steps {
            let batch = logs[step.village].batch([draft(step)]);
            store.merge(&[batch]);
            for t in [date(2026, 12, 31), date(2010, 1, 1)] {
                let cached =
                    Recap::with(&store.dataset, &Scope::whole(), &kept, RegionRef::Kabupaten, t).unwrap();
                let anew = Recap::of(&store.dataset, RegionRef::Kabupaten, t).unwrap();
                prop_assert_eq!(&cached.sheet, &anew.sheet);
                prop_assert_eq!(cached.unplaced, anew.unplaced);
            }
        }
    }
}

#[test]
fn only_a_village_that_moved_gets_another_mark() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    let marks = || store.dataset.row_marks(&Scope::whole()).unwrap();
    let before = marks();
    assert_eq!(before, marks());
    store.merge(&[log.batch([create(1, Kind::Warga, &warga(NIK))])]);
    let after = marks();
    let moved: Vec<_> =
        before.iter().zip(&after).filter(|(old, new)| old != new).map(|(old, _)| old.0).collect();
    assert_eq!(moved, [village(BAKUNG)]);
}

#[test]
fn gaps_and_ages_are_counted() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    let house = v1::RumahTangga { rt_id: raw(99), kriteria: 1, ..Default::default() };
    let family = v1::Keluarga { rumah_tangga_id: raw(100), aktif: true, ..Default::default() };
    let born = |year| lumbung_wire::date::to_wire(Some(date(year, 6, 1)));
    let woman = v1::Warga {
        nik: "9905014101900001".to_owned(),
        keluarga_id: raw(200),
        jenis_kelamin: 2,
        tanggal_lahir: born(1990),
        ..Default::default()
    };
    let old = v1::Warga { jenis_kelamin: 1, tanggal_lahir: born(1930), ..Default::default() };
    // Asked and answered: no water, no latrine.
    let dry = v1::RumahTangga { air: Some(0), jumlah_mck: Some(0), ..house.clone() };
    let wet = v1::RumahTangga { air: Some(2), jumlah_mck: Some(1), ..house.clone() };
    store.merge(&[log.batch([
        create(100, Kind::RumahTangga, &house),
        create(101, Kind::RumahTangga, &dry),
        create(102, Kind::RumahTangga, &wet),
        create(200, Kind::Keluarga, &family),
        create(201, Kind::Keluarga, &family),
        create(1, Kind::Warga, &woman),
        create(2, Kind::Warga, &old),
        create(3, Kind::Warga, &v1::Warga::default()),
    ])]);
    let one = Scope::of_village(village(BAKUNG));
    let slice = Slice { after: None, limit: 9 };
    let found = store.dataset.quality(&one).unwrap();
    let [it] = found[..] else { panic!("one village") };
    assert_eq!((it.residents, it.houses, it.families), (3, 3, 2));
    assert_eq!((it.without_nik, it.nik_contradicts), (2, 1), "born in June, not on 1 January");
    assert_eq!((it.unplaced, it.without_birth), (2, 1));
    assert_eq!((it.without_head, it.empty_families, it.without_number), (1, 1, 2));
    assert_eq!((it.without_dasawisma, it.healthy_doubtful, it.head_elsewhere), (3, 3, 3));
    assert_eq!((it.without_water, it.without_latrines), (1, 1), "an answer of none is one");
    for gap in Gap::ALL {
        let matched = match gap.kind() {
            Kind::Keluarga => {
                let terms = FamilyTerms { gap: Some(gap), ..Default::default() };
                store.dataset.find_families(&one, &terms, &slice).unwrap().matched
            }
            Kind::RumahTangga => {
                let terms = HouseTerms { gap: Some(gap), ..Default::default() };
                store.dataset.find_houses(&one, &terms, &slice).unwrap().matched
            }
            _ => {
                let terms = ResidentTerms { gap: Some(gap), ..Default::default() };
                store.dataset.find_residents(&one, &terms, &slice).unwrap().matched
            }
        };
        assert_eq!(matched, u64::from(gap.of(&it).0), "{gap:?} leads to its records");
        assert_eq!(Gap::from_code(gap.code()), Some(gap));
    }
    let ages = store.dataset.ages(&one, None, date(2026, 12, 31)).unwrap();
    assert_eq!(ages.groups[7], (0, 1), "36 years");
    assert_eq!(ages.groups[15], (1, 0), "96 years");
    assert_eq!(ages.unknown, 1);
    assert_eq!(store.dataset.count_records(&one, Kind::Warga).unwrap(), 3);
}
