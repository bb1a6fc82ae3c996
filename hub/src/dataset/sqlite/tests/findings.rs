//! Contradictions between villages.

use lumbung_domain::region::roster;

use super::*;
use crate::dataset::{FindingCount, FindingKind, FindingsAsked, Row, RumahTanggaRow, Scope, bits};

fn open_kinds(store: &Store) -> Vec<FindingKind> {
    store
        .dataset
        .findings(&Scope::whole(), true, 100)
        .unwrap()
        .iter()
        .map(|found| found.kind)
        .collect()
}

fn pindah(nik: &str, peristiwa: u32, day: i32, desa: u64) -> v1::Mutasi {
    v1::Mutasi {
        warga_id: Bytes::copy_from_slice(id(1).as_bytes()),
        nik: nik.to_owned(),
        peristiwa,
        tgl_peristiwa: day,
        perpindahan: Some(v1::Perpindahan { desa, ..Default::default() }),
        ..Default::default()
    }
}

#[test]
fn a_nik_alive_in_two_villages_opens_and_closes_a_finding() {
    let store = Store::new();
    let (mut bakung, mut lorejo) = (Log::new(BAKUNG), Log::new(LOREJO));
    // Twice in one village is that village's own question.
    store
        .merge(&[bakung
            .batch([create(1, Kind::Warga, &warga(NIK)), create(2, Kind::Warga, &warga(NIK))])]);
    assert_eq!(open_kinds(&store), []);
    store.merge_at(&[lorejo.batch([create(9, Kind::Warga, &warga(NIK))])], 2000);
    let found =
        store.dataset.findings(&Scope::of_village(bakung.village), true, 10).unwrap().remove(0);
    assert_eq!((found.kind, found.since_ms), (FindingKind::NikGanda, 2000));
    assert_eq!(format!("{:016}", found.key), NIK);
    let sides: Vec<_> = found.claims.iter().map(|claim| (claim.village, claim.id)).collect();
    assert_eq!(sides, [(bakung.village, id(1)), (lorejo.village, id(9))]);
    assert_eq!(found.claims[1].actor, "kader-3");
    assert_eq!(store.state(&bakung).findings, 1);
    assert_eq!(store.dataset.totals(&Scope::whole()).unwrap().findings, 1);

    // Found again after reopening, from the file alone.
    let store = store.reopen();
    let moved = v1::Warga { status_dasar: 3, ..warga(NIK) };
    store.merge(&[bakung.batch([update(1, Kind::Warga, &moved)])]);
    assert_eq!(open_kinds(&store), [FindingKind::NikGanda], "the second one still lives there");
    store.merge_at(&[bakung.batch([delete(2, Kind::Warga)])], 3000);
    assert_eq!(open_kinds(&store), []);
    let closed = store.dataset.findings(&Scope::whole(), false, 10).unwrap().remove(0);
    assert_eq!((closed.number, closed.closed_ms), (found.number, Some(3000)));
    assert_eq!(store.state(&bakung).findings, 0);

    // And a new one when it happens again.
    store.merge(&[bakung.batch([update(1, Kind::Warga, &warga(NIK))])]);
    let again = store.dataset.findings(&Scope::whole(), true, 10).unwrap().remove(0);
    assert!(again.number > found.number);
}

#[test]
fn a_finding_closes_when_the_number_is_corrected() {
    let store = Store::new();
    let (mut bakung, mut lorejo) = (Log::new(BAKUNG), Log::new(LOREJO));
    store.merge(&[
        bakung.batch([create(1, Kind::Warga, &warga(NIK))]),
        lorejo.batch([create(1, Kind::Warga, &warga(NIK))]),
    ]);
    assert_eq!(open_kinds(&store), [FindingKind::NikGanda]);
    store.merge(&[lorejo.batch([update(1, Kind::Warga, &warga(OTHER_NIK))])]);
    assert_eq!(open_kinds(&store), []);
}

#[test]
fn a_family_number_in_two_villages_is_found() {
    let store = Store::new();
    let (mut bakung, mut lorejo) = (Log::new(BAKUNG), Log::new(LOREJO));
    store.merge(&[
        bakung.batch([create(1, Kind::Keluarga, &keluarga(NIK))]),
        lorejo.batch([create(1, Kind::Keluarga, &keluarga(NIK))]),
    ]);
    assert_eq!(open_kinds(&store), [FindingKind::KkGanda]);
    let unused = v1::Keluarga { aktif: false, ..keluarga(NIK) };
    store.merge(&[bakung.batch([update(1, Kind::Keluarga, &unused)])]);
    assert_eq!(open_kinds(&store), []);
}

#[test]
fn a_temporary_or_blank_nik_is_nobodys_claim() {
    let store = Store::new();
    let (mut bakung, mut lorejo) = (Log::new(BAKUNG), Log::new(LOREJO));
    for nik in ["", "0990501000100001"] {
        store.merge(&[
            bakung.batch([create(nik.len() as u64, Kind::Warga, &warga(nik))]),
            lorejo.batch([create(nik.len() as u64, Kind::Warga, &warga(nik))]),
        ]);
    }
    assert_eq!(open_kinds(&store), []);
    assert!(store.dataset.quarantine(&Scope::whole()).unwrap().is_empty());
}

#[test]
fn a_move_without_its_other_end_is_found_until_the_other_end_comes() {
    let store = Store::new();
    let (mut bakung, mut lorejo) = (Log::new(BAKUNG), Log::new(LOREJO));
    store.merge(&[bakung.batch([create(5, Kind::Mutasi, &pindah(NIK, 3, 20_000, LOREJO))])]);
    let found =
        store.dataset.findings(&Scope::of_village(lorejo.village), true, 10).unwrap().remove(0);
    assert_eq!(found.kind, FindingKind::PindahTanpaDatang);
    assert_eq!(found.other_village, Some(lorejo.village));
    assert_eq!(found.claims.len(), 1);
    assert_eq!(store.state(&lorejo).findings, 1);
    assert_eq!(store.state(&bakung).findings, 1);

    // Too late to be the same move: two questions now.
    let late = pindah(NIK, 5, 20_181, BAKUNG);
    store.merge(&[lorejo.batch([create(6, Kind::Mutasi, &late)])]);
    let kinds = [FindingKind::DatangTanpaPindah, FindingKind::PindahTanpaDatang];
    assert_eq!(open_kinds(&store), kinds);
    let in_time = pindah(NIK, 5, 20_180, BAKUNG);
    store.merge(&[lorejo.batch([update(6, Kind::Mutasi, &in_time)])]);
    assert_eq!(open_kinds(&store), []);
    store.merge(&[bakung.batch([delete(5, Kind::Mutasi)])]);
    assert_eq!(open_kinds(&store), [FindingKind::DatangTanpaPindah]);
}

#[test]
fn a_move_that_names_another_village_is_a_new_question() {
    let store = Store::new();
    let mut bakung = Log::new(BAKUNG);
    store.merge(&[bakung.batch([create(5, Kind::Mutasi, &pindah(NIK, 3, 20_000, LOREJO))])]);
    let renamed = pindah(NIK, 3, 20_000, SIDOMULYO);
    store.merge(&[bakung.batch([update(5, Kind::Mutasi, &renamed)])]);
    let open = store.dataset.findings(&Scope::whole(), true, 10).unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].other_village, Some(village(SIDOMULYO)));
    // Beyond the kabupaten the hub can't know; nor is it a move to stay.
    for desa in [3_573_012_001, BAKUNG, 0] {
        let away = pindah(NIK, 3, 20_000, desa);
        store.merge(&[bakung.batch([update(5, Kind::Mutasi, &away)])]);
        assert_eq!(open_kinds(&store), []);
    }
}

#[test]
fn each_departure_goes_with_one_arrival_at_the_place_it_names() {
    let store = Store::new();
    let (mut bakung, mut lorejo) = (Log::new(BAKUNG), Log::new(LOREJO));
    let mut sidomulyo = Log::new(SIDOMULYO);
    // There, back, and there again, where only the first arrival is recorded.
    store.merge(&[
        bakung.batch([
            create(5, Kind::Mutasi, &pindah(NIK, 3, 20_000, LOREJO)),
            create(6, Kind::Mutasi, &pindah(NIK, 5, 20_050, LOREJO)),
            create(7, Kind::Mutasi, &pindah(NIK, 3, 20_090, LOREJO)),
        ]),
        lorejo.batch([
            create(8, Kind::Mutasi, &pindah(NIK, 5, 20_001, BAKUNG)),
            create(9, Kind::Mutasi, &pindah(NIK, 3, 20_049, BAKUNG)),
        ]),
    ]);
    let open = store.dataset.findings(&Scope::whole(), true, 10).unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].kind, open[0].claims[0].id), (FindingKind::PindahTanpaDatang, id(7)));
    // Who arrives elsewhere did not arrive where the departure says.
    store.merge(&[sidomulyo.batch([create(1, Kind::Mutasi, &pindah(NIK, 5, 20_091, BAKUNG))])]);
    let kinds = [FindingKind::DatangTanpaPindah, FindingKind::PindahTanpaDatang];
    assert_eq!(open_kinds(&store), kinds);
    // An arrival that does not say from where goes with any departure.
    store.merge(&[sidomulyo.batch([delete(1, Kind::Mutasi)])]);
    store.merge(&[lorejo.batch([create(10, Kind::Mutasi, &pindah(NIK, 5, 20_092, 0))])]);
    assert_eq!(open_kinds(&store), []);
}

#[test]
fn a_move_to_nowhere_in_particular_is_found_once_all_who_may_know_are_here() {
    let store = Store::new();
    let mut bakung = Log::new(BAKUNG);
    let near = |jenis| {
        let movement = v1::Perpindahan { jenis, ..Default::default() };
        v1::Mutasi { perpindahan: Some(movement), ..pindah(NIK, 3, 20_000, 0) }
    };
    store.merge(&[bakung.batch([create(5, Kind::Mutasi, &near(1))])]);
    assert_eq!(open_kinds(&store), [], "others of the kecamatan are not here yet");
    let kecamatan = bakung.village.kecamatan();
    let here = roster().villages().iter().filter(|desa| desa.code.kecamatan() == kecamatan);
    for desa in here {
        store.dataset.register(desa.code, "").unwrap();
    }
    // Out of the kabupaten is beyond what the hub sees; out of the kecamatan
    // may be anywhere in it.
    for (jenis, kinds) in [(1, vec![FindingKind::PindahTanpaDatang]), (2, vec![]), (3, vec![])] {
        store.merge(&[bakung.batch([update(5, Kind::Mutasi, &near(jenis))])]);
        assert_eq!(open_kinds(&store), kinds, "jenis {jenis}");
    }
    store.merge(&[bakung.batch([update(5, Kind::Mutasi, &near(1))])]);
    let open = store.dataset.findings(&Scope::whole(), true, 10).unwrap();
    assert_eq!(open[0].other_village, None);
    let mut lorejo = Log::new(LOREJO);
    store.merge(&[lorejo.batch([create(6, Kind::Mutasi, &pindah(NIK, 5, 20_002, BAKUNG))])]);
    assert_eq!(open_kinds(&store), []);
}

#[test]
fn a_move_is_found_when_the_village_it_names_comes_later() {
    let store = Store::new();
    let mut bakung = Log::new(BAKUNG);
    let later = roster().villages().last().unwrap().code;
    let away = pindah(NIK, 3, 20_000, later.as_u64());
    store.merge(&[bakung.batch([create(5, Kind::Mutasi, &away)])]);
    assert_eq!(open_kinds(&store), []);
    store.dataset.register(later, "").unwrap();
    let mut there = Log::new(later.as_u64());
    store.merge(&[there.batch([create(1, Kind::Warga, &warga(""))])]);
    assert_eq!(open_kinds(&store), [FindingKind::PindahTanpaDatang]);
}

#[test]
fn what_is_left_of_a_closed_log_claims_nothing() {
    let store = Store::new();
    let (mut bakung, mut lorejo) = (Log::new(BAKUNG), Log::new(LOREJO));
    store.merge(&[
        bakung.batch([
            create(1, Kind::Warga, &warga(NIK)),
            create(2, Kind::Keluarga, &keluarga(NIK)),
            create(3, Kind::Mutasi, &pindah(OTHER_NIK, 5, 20_000, LOREJO)),
        ]),
        lorejo.batch([
            create(1, Kind::Warga, &warga(NIK)),
            create(2, Kind::Keluarga, &keluarga(NIK)),
            create(3, Kind::Mutasi, &pindah(OTHER_NIK, 3, 20_000, BAKUNG)),
        ]),
    ]);
    assert_eq!(open_kinds(&store), [FindingKind::KkGanda, FindingKind::NikGanda]);
    // Reinstalled: nothing of the old log counts, so neither number is held
    // twice, and the arrival is recorded nowhere.
    let anew = Position::origin(LogId([0x99; 16]));
    store.dataset.resume_at(bakung.village, anew).unwrap();
    assert_eq!(open_kinds(&store), [FindingKind::PindahTanpaDatang]);
    // Nor does it when the other village moves on.
    store.merge(&[lorejo.batch([update(1, Kind::Warga, &warga(NIK))])]);
    assert_eq!(open_kinds(&store), [FindingKind::PindahTanpaDatang]);
}

#[test]
fn looking_for_claims_takes_an_index() {
    let store = Store::new();
    let conn = Connection::open(store.path()).unwrap();
    for (rest, index) in [
        ("warga WHERE nik = ?1 AND status_dasar <= 1 ORDER BY village, id", "warga_nik"),
        ("keluarga WHERE no_kk = ?1 AND aktif ORDER BY village, id", "keluarga_no_kk"),
        ("mutasi WHERE nik = ?1 AND peristiwa IN (3, 5) ORDER BY village, id", "mutasi_nik"),
        ("mutasi WHERE desa = ?1 AND nik IS NOT NULL AND peristiwa IN (3, 5)", "mutasi_desa"),
    ] {
        let sql = format!("EXPLAIN QUERY PLAN SELECT village, id FROM {rest}");
        let plan: String = conn.query_row(&sql, [1], |row| row.get(3)).unwrap();
        assert!(plan.contains(index), "{plan}");
    }
}

#[test]
fn a_village_reads_back_as_facts() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    let house = v1::RumahTangga {
        kriteria: 1,
        kepala_id: Bytes::copy_from_slice(id(2).as_bytes()),
        ..rumah_tangga()
    };
    let rt = v1::Rt { nomor: "001".into(), ..Default::default() };
    let in_family = v1::Warga {
        keluarga_id: Bytes::copy_from_slice(id(600).as_bytes()),
        status_dasar: 1,
        ..warga("")
    };
    store.merge(&[log.batch([
        create(400, Kind::Rt, &rt),
        create(500, Kind::RumahTangga, &house),
        create(600, Kind::Keluarga, &keluarga("")),
        create(1, Kind::Warga, &in_family),
        create(2, Kind::Warga, &v1::Warga { nama: "KEPALA".into(), ..in_family.clone() }),
        create(3, Kind::Warga, &warga("")),
        create(8, Kind::Mutasi, &pindah("", 5, 20_000, 0)),
        create(9, Kind::Mutasi, &pindah("", 1, 10_000, 0)),
    ])]);
    let facts = store.dataset.facts(&Scope::whole(), log.village).unwrap();
    assert_eq!(facts.seq, Seq(8));
    assert_eq!((facts.regions.len(), &*facts.regions[0].label), (1, "001"));
    assert_eq!((facts.houses.len(), &*facts.houses[0].kepala), (1, "KEPALA"));
    assert_eq!((facts.families.len(), facts.families[0].house), (1, 0));
    assert_eq!((facts.residents.len(), facts.unplaced), (2, 1));
    let events = &facts.residents[0].events;
    let codes: Vec<u16> = events.iter().map(|(_, peristiwa)| peristiwa.number()).collect();
    assert_eq!(codes, [1, 5], "in order of their day");
    let row = match &log.batch([create(500, Kind::RumahTangga, &house)]).changes[0].content {
        Content::Row(Row::RumahTangga(row)) => row.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(RumahTanggaRow { rumah: bits::house::SEHAT, ..row.clone() }, row);
}

#[test]
fn a_claim_that_another_process_merged_is_seen() {
    let store = Store::new();
    let (mut bakung, mut lorejo) = (Log::new(BAKUNG), Log::new(LOREJO));
    let mut sidomulyo = Log::new(SIDOMULYO);
    // This one has remembered the file as it is, then a command merges.
    store.merge(&[sidomulyo.batch([create(1, Kind::Warga, &warga(OTHER_NIK))])]);
    let command = SqliteDataset::open(store.path()).unwrap();
    let merged = |dataset: &SqliteDataset, batch| {
        dataset.merge(&[batch], 2000).unwrap().remove(0).unwrap();
    };
    let card = keluarga("9905010101010009");
    let claims = [create(1, Kind::Warga, &warga(NIK)), create(2, Kind::Keluarga, &card)];
    merged(&command, bakung.batch(claims.clone()));
    assert_eq!(open_kinds(&store), []);
    store.merge(&[lorejo.batch(claims)]);
    assert_eq!(open_kinds(&store).len(), 2, "by NIK and by card");

    // And the other way round, with an actor that is new to both.
    merged(&command, sidomulyo.batch([update(1, Kind::Warga, &warga(NIK))]));
    let found =
        store.dataset.findings(&Scope::of_village(sidomulyo.village), true, 10).unwrap().remove(0);
    let actors: Vec<_> = found.claims.iter().map(|claim| &*claim.actor).collect();
    assert_eq!(actors, ["kader-1", "kader-2", "kader-3"]);
}

#[test]
fn two_writers_of_one_file_never_both_continue_one_position() {
    let store = Store::new();
    let mut bakung = Log::new(BAKUNG);
    let other = SqliteDataset::open(store.path()).unwrap();
    let batches: Vec<_> =
        (0..60).map(|number| bakung.batch([create(number, Kind::Warga, &warga(""))])).collect();
    let offer = |dataset: &SqliteDataset| {
        let mut taken = 0;
        while taken < batches.len() {
            let seq = dataset.village(bakung.village).unwrap().position.map_or(0, |at| at.seq.0);
            let Some(next) = batches.get(seq as usize) else { break };
            let outcome = dataset.merge(std::slice::from_ref(next), 1).unwrap().remove(0);
            match outcome {
                Ok(_) => taken += 1,
                Err(DatasetError::NotNext { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        taken
    };
    let (here, there) = std::thread::scope(|scope| {
        let there = scope.spawn(|| offer(&other));
        (offer(&store.dataset), there.join().unwrap())
    });
    assert_eq!(here + there, batches.len(), "each batch was taken once");
    let state = store.state(&bakung);
    assert_eq!((state.position, state.records), (Some(bakung.position), 60));
}

#[test]
fn findings_are_counted_beyond_the_page_and_read_kind_by_kind() {
    let store = Store::new();
    let (mut bakung, mut lorejo) = (Log::new(BAKUNG), Log::new(LOREJO));
    let niks = ["3505904101900001", "3505904101900002", "3505904101900003"];
    let people = || (1..).zip(niks).map(|(at, nik)| create(at, Kind::Warga, &warga(nik)));
    store.merge(&[bakung.batch(people()), lorejo.batch(people())]);
    let whole = Scope::whole();
    let asked = |kind, before| FindingsAsked { open_only: true, kind, before };
    let page = |asked: &FindingsAsked, limit| {
        let found = store.dataset.findings_before(&whole, asked, limit).unwrap();
        found.iter().map(|it| it.number).collect::<Vec<_>>()
    };
    let nik = Some(FindingKind::NikGanda);
    let all = page(&asked(nik, None), 9);
    assert_eq!((page(&asked(nik, None), 2), all.len()), (all[..2].to_vec(), 3));
    assert_eq!(page(&asked(nik, Some(all[1])), 2), all[2..]);
    assert!(page(&asked(Some(FindingKind::KkGanda), None), 9).is_empty());
    store.merge(&[bakung.batch([delete(1, Kind::Warga)])]);
    let counts = |scope: &Scope| store.dataset.count_findings(scope).unwrap();
    let expected = FindingCount { open: 2, all: 3 };
    assert_eq!((counts(&whole).of(nik), counts(&whole).of(None)), (expected, expected));
    assert_eq!(counts(&Scope::of_village(village(SIDOMULYO))).of(None), FindingCount::default());
}
