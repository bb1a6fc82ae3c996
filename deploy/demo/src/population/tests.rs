use std::collections::{HashMap, HashSet};

use jiff::civil::{Date, date};
use lumbung_domain::code_list::{Code, Peristiwa, StatusDasar};
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::indicator::umur_tahun;
use lumbung_domain::record::{Record, Warga};
use lumbung_domain::region::VillageCode;
use lumbung_domain::validation::{Outcome, check_record};

use super::*;

const TODAY: Date = date(2026, 11, 24);

fn minted() -> impl FnMut() -> RecordId {
    let mut next = 0;
    move || {
        next += 1;
        RecordId::from_parts(next, 0, 7)
    }
}

fn made(plan: &VillagePlan) -> Vec<(RecordId, Record)> {
    village(plan, TODAY, &mut minted())
}

fn residents(records: &[(RecordId, Record)]) -> impl Iterator<Item = &Warga> {
    records.iter().filter_map(|(_, record)| match record {
        Record::Warga(warga) => Some(&**warga),
        _ => None,
    })
}

fn alive(records: &[(RecordId, Record)]) -> impl Iterator<Item = &Warga> {
    residents(records).filter(|warga| warga.status_dasar == Some(Code::<StatusDasar>::HIDUP))
}

fn count(records: &[(RecordId, Record)], kind: Kind) -> f64 {
    records.iter().filter(|(_, record)| record.kind() == kind).count() as f64
}

#[test]
fn the_same_seed_makes_the_same_village() {
    let (one, other) = (plans(7, 0.05), plans(7, 0.05));
    assert_eq!(one, other);
    assert_eq!(made(&one[3]), made(&other[3]));
    let elsewhere = plans(8, 0.05);
    assert_ne!(made(&one[3]), made(&elsewhere[3]));
}

#[test]
fn villages_add_up_and_keep_their_bounds() {
    let full = plans(1, 1.0);
    assert_eq!(full.len(), 248);
    assert_eq!(full.iter().map(|plan| plan.residents).sum::<u32>(), KABUPATEN_RESIDENTS);
    assert!(full.iter().all(|plan| (1_526..=11_193).contains(&plan.residents)));
    let small = plans(1, 0.001);
    assert!(small.iter().all(|plan| plan.residents == 40));
    for plan in small.iter().take(30).chain(&plans(1, 0.03)[..30]) {
        assert_eq!(alive(&made(plan)).count(), plan.residents as usize);
    }
}

#[test]
fn parents_come_first_and_nothing_is_refused() {
    let mut warned = 0;
    for plan in plans(2, 0.05) {
        let records = made(&plan);
        let mut seen = HashMap::new();
        for (id, record) in &records {
            if let Some(parent) = record.parent() {
                assert!(seen.contains_key(&parent), "{record:?}");
            }
            if let Record::RumahTangga(house) = record {
                assert!(house.dasawisma_id.is_some_and(|group| seen.contains_key(&group)));
            }
            assert_eq!(seen.insert(*id, record.kind()), None);
            let verdict = check_record(record, TODAY);
            assert!(verdict.may_save(), "{verdict:?}");
            warned += usize::from(verdict.outcome() == Outcome::Warn);
        }
        for record in records.iter().filter_map(|(_, record)| match record {
            Record::Keluarga(family) => family.kepala_id,
            _ => None,
        }) {
            assert_eq!(seen.get(&record), Some(&Kind::Warga));
        }
    }
    assert!(warned > 100, "{warned}");
}

#[test]
fn averages_are_the_kabupatens() {
    let plan = VillagePlan { residents: 20_000, ..plans(3, 1.0)[5].clone() };
    let records = made(&plan);
    let people = alive(&records).count() as f64;
    let ages = |from: i32, to: i32| {
        let within = alive(&records).filter(|warga| {
            warga.tanggal_lahir.is_some_and(|born| (from..=to).contains(&umur_tahun(born, TODAY)))
        });
        within.count() as f64 / people
    };
    let families = count(&records, Kind::Keluarga);
    for (name, found, least, most) in [
        ("residents per KK", people / families, 2.95, 3.25),
        ("KK per house", families / count(&records, Kind::RumahTangga), 1.03, 1.07),
        ("residents per RT", people / count(&records, Kind::Rt), 170.0, 192.0),
        ("KK per dasawisma", families / count(&records, Kind::Dasawisma), 12.5, 16.5),
        ("RT per RW", count(&records, Kind::Rt) / count(&records, Kind::Rw), 8.3, 10.0),
        ("balita", ages(0, 4), 0.06, 0.08),
        ("school age", ages(5, 17), 0.14, 0.24),
        ("lansia", ages(60, 130), 0.13, 0.18),
    ] {
        assert!((least..=most).contains(&found), "{name}: {found}");
    }
}

#[test]
fn living_niks_repeat_only_where_planned() {
    let plans = plans(4, 0.06);
    let planned = contradictions(&plans);
    let mut holders: HashMap<u64, HashSet<VillageCode>> = HashMap::new();
    let mut cards: HashMap<u64, HashSet<VillageCode>> = HashMap::new();
    let mut moves: HashMap<u64, Vec<(VillageCode, Code<Peristiwa>)>> = HashMap::new();
    for plan in &plans {
        let records = made(plan);
        let mut own = HashSet::new();
        for warga in residents(&records) {
            let Some(nik) = warga.nik else { continue };
            assert!(own.insert(nik), "a NIK twice in one village");
            if warga.status_dasar == Some(Code::<StatusDasar>::HIDUP) {
                holders.entry(nik.as_u64()).or_default().insert(plan.code);
            }
        }
        for (_, record) in &records {
            match record {
                Record::Keluarga(family) => {
                    let number = family.no_kk.expect("every family has a card").as_u64();
                    assert!(cards.entry(number).or_default().insert(plan.code));
                }
                Record::Mutasi(event)
                    if event.perpindahan.as_ref().is_some_and(|p| p.desa.is_some()) =>
                {
                    let nik = event.nik.expect("such moves carry a NIK").as_u64();
                    let what = event.peristiwa.expect("every event has a kind");
                    moves.entry(nik).or_default().push((plan.code, what));
                }
                _ => {}
            }
        }
    }
    let of = |kind| planned.iter().filter(move |case| case.kind == kind);
    let pair = |case: &Contradiction| HashSet::from([case.here, case.there]);
    let twice = |held: &HashMap<u64, HashSet<VillageCode>>| {
        held.values().filter(|villages| villages.len() > 1).cloned().collect::<Vec<_>>()
    };
    for (found, kind) in [
        (twice(&holders), ContradictionKind::NikGanda),
        (twice(&cards), ContradictionKind::KkGanda),
    ] {
        assert_eq!(found.len(), of(kind).count());
        assert!(of(kind).all(|case| found.contains(&pair(case))));
    }
    let (out, into) = (Code::<Peristiwa>::PINDAH_KELUAR, Code::<Peristiwa>::PINDAH_MASUK);
    for case in of(ContradictionKind::PindahBerpasangan) {
        let ends = [(case.here, out), (case.there, into)];
        assert!(moves.values().any(|m| m.len() == 2 && ends.iter().all(|end| m.contains(end))));
    }
    let single = moves.values().filter(|ends| ends.len() == 1).count();
    let unpaired = of(ContradictionKind::PindahTanpaDatang)
        .chain(of(ContradictionKind::DatangTanpaPindah))
        .count();
    assert_eq!(single, unpaired);
}

#[test]
fn edits_stay_legal_and_mostly_change_something() {
    let mut dice = ChaCha8Rng::seed_from_u64(5);
    let records = made(&plans(5, 0.05)[0]);
    let editable = records
        .iter()
        .map(|(_, record)| record)
        .filter(|record| matches!(record.kind(), Kind::Warga | Kind::RumahTangga));
    let (mut changed, mut all) = (0, 0);
    for record in editable {
        let edited = edit(&mut dice, record, TODAY);
        assert!(check_record(&edited, TODAY).may_save());
        all += 1;
        changed += usize::from(edited != *record);
    }
    assert!(changed * 10 > all * 7, "{changed} of {all}");
}
