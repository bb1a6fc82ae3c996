//! Rules that a save is refused or warned by, with the records of the village
//! and those of the same save.

use jiff::civil::{Date, date};
use lumbung_domain::code_list::{Code, Peristiwa, Shdk, StatusDasar};
use lumbung_domain::record::{Dasawisma, Keluarga, MasaAktif, Mutasi, Rt, RumahTangga, Warga};

use super::*;

fn code() -> VillageCode {
    VillageCode::from_u64(3_505_012_001).unwrap()
}

/// A village in a folder of its own, and what tests do to it.
struct Scene {
    village: Village,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { village: Village::create(folder.path(), code()).unwrap(), folder }
    }

    fn wish(&self, record: Record) -> Wish {
        let id = Some(self.village.mint().next(1));
        Wish { id, kind: record.kind(), record: Some(record), seen: None }
    }

    async fn save(&self, wishes: Vec<Wish>) -> Result<Saved, SaveError> {
        self.village.save("uji", Source::MANUAL, wishes).await
    }

    /// Saves a record that must be taken, and says how it was warned of.
    async fn put(&self, record: Record) -> (RecordId, Vec<&'static str>) {
        let saved = self.save(vec![self.wish(record)]).await.unwrap();
        (saved.ids[0], codes(&saved.remarks))
    }

    async fn rt(&self, nomor: &str) -> RecordId {
        self.put(rt(nomor)).await.0
    }

    /// A resident of a family in a house of this RT.
    async fn resident(&self, warga: Warga) -> RecordId {
        self.put(Record::Warga(Box::new(warga))).await.0
    }
}

fn codes(remarks: &[Remark]) -> Vec<&'static str> {
    remarks.iter().map(|remark| remark.finding.code).collect()
}

fn refusal(saved: Result<Saved, SaveError>) -> Vec<&'static str> {
    match saved {
        Err(SaveError::Refused(remarks)) => {
            let is_rejection = |it: &&Remark| it.finding.severity == Severity::Reject;
            remarks.iter().filter(is_rejection).map(|it| it.finding.code).collect()
        }
        other => panic!("not refused by validation: {other:?}"),
    }
}

fn taken(saved: Result<Saved, SaveError>) -> u8 {
    match saved {
        Err(SaveError::Barn(SubmitError::Taken { index, .. })) => index,
        other => panic!("not refused for its key: {other:?}"),
    }
}

fn rt(nomor: &str) -> Record {
    Record::Rt(Rt { nomor: nomor.to_owned(), ..Rt::default() })
}

fn group(nama: &str, rt_id: RecordId) -> Record {
    let nama = nama.to_owned();
    Record::Dasawisma(Dasawisma { nama, rt_id, aktif: true, ..Dasawisma::default() })
}

fn house(rt_id: RecordId, dasawisma_id: Option<RecordId>) -> Record {
    Record::RumahTangga(Box::new(RumahTangga { rt_id, dasawisma_id, ..RumahTangga::default() }))
}

fn family(rumah_tangga_id: RecordId) -> Record {
    Record::Keluarga(Keluarga { rumah_tangga_id, aktif: true, ..Keluarga::default() })
}

fn event(warga_id: RecordId, peristiwa: Code<Peristiwa>, day: Date) -> Record {
    Record::Mutasi(Box::new(Mutasi {
        warga_id,
        peristiwa: Some(peristiwa),
        tgl_peristiwa: Some(day),
        ..Mutasi::default()
    }))
}

fn born(day: Date) -> Warga {
    Warga { nama: "SITI".to_owned(), tanggal_lahir: Some(day), ..Warga::default() }
}

#[tokio::test]
async fn a_house_lies_in_the_rt_of_its_dasawisma() {
    let scene = Scene::new();
    let (one, two) = (scene.rt("001").await, scene.rt("002").await);
    let (melati, _) = scene.put(group("Melati", one)).await;
    let elsewhere = scene.save(vec![scene.wish(house(two, Some(melati)))]).await;
    assert_eq!(refusal(elsewhere), ["dasawisma_id.rt_lain"]);
    // Within one save too, whatever comes first.
    let mawar = scene.wish(group("Mawar", one));
    let home = scene.wish(house(two, mawar.id));
    assert_eq!(refusal(scene.save(vec![home, mawar]).await), ["dasawisma_id.rt_lain"]);

    let (home, _) = scene.put(house(one, Some(melati))).await;
    let moved = Wish {
        id: Some(melati),
        kind: Kind::Dasawisma,
        record: Some(group("Melati", two)),
        seen: None,
    };
    assert_eq!(refusal(scene.save(vec![moved.clone()]).await), ["dasawisma_id.rt_lain"]);
    let follows = Wish {
        id: Some(home),
        kind: Kind::RumahTangga,
        record: Some(house(two, Some(melati))),
        seen: None,
    };
    scene.save(vec![moved, follows]).await.unwrap();
}

#[tokio::test]
async fn a_dasawisma_of_an_unusual_size_is_told() {
    const SIZE: &str = "dasawisma.jumlah_kk";
    let scene = Scene::new();
    let one = scene.rt("001").await;
    let (melati, told) = scene.put(group("Melati", one)).await;
    assert!(told.contains(&SIZE), "{told:?}");
    let (home, _) = scene.put(house(one, Some(melati))).await;
    for count in 1..=21 {
        let (_, told) = scene.put(family(home)).await;
        assert_eq!(told.contains(&SIZE), !(10..=20).contains(&count), "{count} {told:?}");
    }
}

#[tokio::test]
async fn an_event_is_not_before_the_birth() {
    let scene = Scene::new();
    let siti = scene.resident(born(date(2020, 3, 1))).await;
    let mati = |day| event(siti, Code::<Peristiwa>::MATI, day);
    let early = scene.save(vec![scene.wish(mati(date(2020, 2, 29)))]).await;
    assert_eq!(refusal(early), ["tgl_peristiwa.sebelum_lahir"]);
    scene.put(mati(date(2020, 3, 1))).await;
}

#[tokio::test]
async fn a_family_has_one_head() {
    let scene = Scene::new();
    let one = scene.rt("001").await;
    let (home, _) = scene.put(house(one, None)).await;
    let (card, _) = scene.put(family(home)).await;
    let member = |shdk| {
        let warga = Warga { keluarga_id: Some(card), shdk: Some(shdk), ..born(date(1990, 1, 1)) };
        Record::Warga(Box::new(warga))
    };
    let (_, told) = scene.put(member(Code::<Shdk>::ISTRI)).await;
    assert!(told.contains(&"keluarga.tanpa_kepala"), "{told:?}");
    let (_, told) = scene.put(member(Code::<Shdk>::KEPALA_KELUARGA)).await;
    assert!(!told.iter().any(|code| code.starts_with("keluarga.")), "{told:?}");
    let (_, told) = scene.put(member(Code::<Shdk>::KEPALA_KELUARGA)).await;
    assert!(told.contains(&"keluarga.banyak_kepala"), "{told:?}");
}

#[tokio::test]
async fn numbers_and_names_stand_once_in_their_region() {
    let scene = Scene::new();
    let one = scene.rt("001").await;
    // A spreadsheet drops zeros; people write names as they like.
    assert_eq!(taken(scene.save(vec![scene.wish(rt("1"))]).await), index::RT);
    let two = scene.rt("2").await;
    scene.put(group("Melati", one)).await;
    let again = scene.save(vec![scene.wish(group(" MELATI", one))]).await;
    assert_eq!(taken(again), index::DASAWISMA);
    scene.put(group("Melati", two)).await;

    // An RT that has ended leaves its number to the next.
    let aktif = MasaAktif { dari: None, sampai: Some(date(2025, 12, 31)) };
    let ended = Record::Rt(Rt { nomor: "001".to_owned(), aktif, ..Rt::default() });
    let ended = Wish { id: Some(one), kind: Kind::Rt, record: Some(ended), seen: None };
    scene.save(vec![ended]).await.unwrap();
    scene.rt("001").await;
}

#[tokio::test]
async fn status_and_events_are_told_apart_when_they_differ() {
    let scene = Scene::new();
    let siti = scene.resident(born(date(1950, 3, 1))).await;
    let mati = event(siti, Code::<Peristiwa>::MATI, date(2026, 5, 2));
    let dead = Warga { status_dasar: Some(Code::<StatusDasar>::MATI), ..born(date(1950, 3, 1)) };
    let dies = Wish {
        id: Some(siti),
        kind: Kind::Warga,
        record: Some(Record::Warga(Box::new(dead.clone()))),
        seen: None,
    };
    // Both in one save: nothing to tell.
    let saved = scene.save(vec![scene.wish(mati), dies]).await.unwrap();
    let told = |codes: &[&'static str]| -> Vec<&'static str> {
        codes.iter().filter(|code| code.starts_with("status_dasar.")).copied().collect()
    };
    assert_eq!(told(&codes(&saved.remarks)), [""; 0]);

    let tono = scene.resident(born(date(1950, 3, 1))).await;
    let (_, warned) = scene.put(event(tono, Code::<Peristiwa>::MATI, date(2026, 5, 2))).await;
    assert_eq!(told(&warned), ["status_dasar.beda_peristiwa"]);
    let (_, warned) = scene.put(Record::Warga(Box::new(dead))).await;
    assert_eq!(told(&warned), ["status_dasar.tanpa_peristiwa"]);
}

#[tokio::test]
async fn a_form_that_was_read_too_early_overwrites_nothing() {
    let scene = Scene::new();
    let siti = scene.resident(born(date(1950, 3, 1))).await;
    let read = scene.village.barn().get(siti).unwrap().unwrap().entry.header.seq;
    let with = |telepon: &str, seen| {
        let warga = Warga { telepon: telepon.to_owned(), ..born(date(1950, 3, 1)) };
        let record = Some(Record::Warga(Box::new(warga)));
        vec![Wish { id: Some(siti), kind: Kind::Warga, record, seen }]
    };
    scene.save(with("1", Some(read))).await.unwrap();
    let stale = scene.save(with("2", Some(read))).await;
    assert!(matches!(stale, Err(SaveError::Barn(SubmitError::Stale { .. }))), "{stale:?}");
    assert_eq!(scene.village.census().unwrap().warga(siti).unwrap().telepon, "1");
    scene.save(with("3", None)).await.unwrap();
}

#[tokio::test]
async fn indexes_of_an_older_version_are_renewed_while_opening() {
    let scene = Scene::new();
    let dir = scene.folder.path().to_owned();
    scene.village.close();
    std::fs::remove_dir_all(&dir).unwrap();
    // A barn whose indexer knew nothing, as one of an older version.
    let old = OpenOptions { indexer: |_, _| Vec::new(), create: Some(LogId([7; 16])) };
    let barn = Barn::open(&dir, old).unwrap();
    let id = RecordId([3; 16]);
    let changes = vec![change(id, Kind::Rt, Some(&rt("001")), Expected::Absent)];
    let (actor, source, time_ms) = ("uji".into(), Source::MANUAL, 1);
    barn.submit(Submission { actor, source, time_ms, changes }).await.unwrap();
    barn.close();

    let village = Village::open(&dir, code()).unwrap();
    assert_eq!(village.barn().verify().unwrap().faults, []);
    assert_eq!(village.barn().mending().unwrap(), None, "nothing was wrong");
    let again = Wish { id: None, kind: Kind::Rt, record: Some(rt("1")), seen: None };
    assert_eq!(taken(village.save("uji", Source::MANUAL, vec![again]).await), index::RT);
}
