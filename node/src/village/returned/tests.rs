//! What comes back, what stays, and what the hub is told.

use std::sync::Arc;

use lumbung_domain::id::Kind;
use lumbung_domain::identity::Nik;
use lumbung_domain::record::{Dusun, Record, Warga};
use lumbung_domain::region::VillageCode;
use lumbung_ledger::LogId;
use lumbung_telemetry::clock::Clock;
use lumbung_wire::record::{SCHEMA, encode};

use super::*;
use crate::barn::{Ground, MemoryStore};

pub(crate) fn village(store: &MemoryStore) -> Village {
    let ground = Ground { store: Arc::new(store.clone()), witness: None, salts: 1 };
    let code = VillageCode::from_u64(3_505_012_001).unwrap();
    let create = Some(LogId([4; 16]));
    Village::open_in_task(ground, create, code, Clock::standing_at(1_790_000_000_000)).unwrap()
}

pub(crate) fn id(number: u16) -> RecordId {
    RecordId::from_parts(1_790_000_000_000, number, 1)
}

pub(crate) fn dusun(nama: &str) -> Bytes {
    encode(&Record::Dusun(Dusun { nama: nama.to_owned(), ..Dusun::default() }))
}

pub(crate) async fn put(village: &Village, number: u16, kind: Kind, content: Option<Bytes>) -> Seq {
    let change = Change {
        id: id(number),
        kind: kind.code(),
        schema: SCHEMA,
        content,
        expected: Expected::Any,
    };
    let submission = Submission {
        actor: "kader".into(),
        source: Source::MANUAL,
        time_ms: 9,
        changes: vec![change],
    };
    village.barn().submit(submission).await.unwrap().last
}

fn lost(number: u16, seq: u64, fork: u64, content: LostContent) -> Lost {
    Lost {
        id: id(number),
        kind: Kind::Dusun.code(),
        schema: SCHEMA,
        content,
        time_ms: 5,
        actor: "kader lama".into(),
        seq: Seq(seq),
        fork: Seq(fork),
        epoch: Epoch::FIRST,
        source: Source::MANUAL,
    }
}

fn present(nama: &str) -> LostContent {
    LostContent::Present(dusun(nama))
}

async fn one(village: &Village, lost: Lost) -> TakenBack {
    village.take_back(vec![lost]).await.unwrap().remove(0)
}

#[tokio::test]
async fn what_only_the_lost_branch_had_comes_back_under_its_author() {
    let village = village(&MemoryStore::default());
    put(&village, 1, Kind::Dusun, Some(dusun("A"))).await;
    put(&village, 2, Kind::Dusun, Some(dusun("B"))).await;
    let all = vec![
        lost(1, 3, 2, present("A2")),
        lost(3, 4, 2, present("C")),
        lost(2, 5, 2, LostContent::Deleted),
    ];
    let taken = village.take_back(all.clone()).await.unwrap();
    assert!(taken.iter().all(|taken| taken.verdict == Verdict::Applied), "{taken:?}");
    let back = village.barn().latest(id(1)).unwrap().unwrap();
    assert_eq!(back.content(), Some(&dusun("A2")));
    let header = &back.entry.header;
    assert_eq!((&*header.actor, header.time_ms), ("kader lama", 5));
    assert_eq!(header.source, Source::RETURNED);
    assert!(village.barn().get(id(2)).unwrap().is_none());
    assert!(village.barn().get(id(3)).unwrap().is_some());

    // The hub did not hear the receipt and delivers again.
    let before = village.barn().head();
    let taken = village.take_back(all).await.unwrap();
    assert!(taken.iter().all(|taken| taken.verdict == Verdict::Equal), "{taken:?}");
    assert_eq!(village.barn().head(), before);
    assert_eq!(village.barn().verify().unwrap().faults, []);
}

#[tokio::test]
async fn what_the_village_changed_since_stays() {
    let village = village(&MemoryStore::default());
    put(&village, 1, Kind::Dusun, Some(dusun("A"))).await;
    let fork = put(&village, 2, Kind::Dusun, Some(dusun("B"))).await.0;
    put(&village, 1, Kind::Dusun, Some(dusun("A BARU"))).await;
    put(&village, 2, Kind::Dusun, None).await;
    let before = village.barn().head();
    for lost in [
        lost(1, 3, fork, present("A2")),
        lost(1, 3, fork, LostContent::Deleted),
        lost(2, 4, fork, present("B2")),
        lost(1, 3, fork, LostContent::Withheld),
    ] {
        assert_eq!(one(&village, lost).await.verdict, Verdict::Conflict);
    }
    // By chance the same on both branches.
    assert_eq!(one(&village, lost(1, 3, fork, present("A BARU"))).await.verdict, Verdict::Equal);
    let ended = one(&village, lost(2, 4, fork, LostContent::Deleted)).await;
    assert_eq!(ended.verdict, Verdict::Equal);
    assert_eq!(village.barn().head(), before);
}

#[tokio::test]
async fn an_entry_that_both_branches_have_moves_the_fork() {
    let village = village(&MemoryStore::default());
    for nama in ["A", "A2"] {
        put(&village, 1, Kind::Dusun, Some(dusun(nama))).await;
    }
    put(&village, 2, Kind::Dusun, Some(dusun("B"))).await;
    // The hub's mark is old: it only knows that entry 1 is common.
    let shared = Lost { time_ms: 9, actor: "kader".into(), ..lost(2, 3, 1, present("B")) };
    let taken = village.take_back(vec![shared, lost(1, 4, 1, present("A3"))]).await.unwrap();
    assert!(taken[0].common && taken[0].verdict == Verdict::Equal, "{taken:?}");
    assert_eq!(taken[1].verdict, Verdict::Applied);
    // Without it the village's own would have looked like a later change.
    assert_eq!(one(&village, lost(1, 4, 1, present("A4"))).await.verdict, Verdict::Conflict);
}

/// What came back has its author and time again; under its old number too it
/// does not make what the village saved before it look older than the fork.
#[tokio::test]
async fn only_an_entry_made_here_moves_the_fork_and_only_of_its_branch() {
    let village = village(&MemoryStore::default());
    let fork = put(&village, 1, Kind::Dusun, Some(dusun("A"))).await.0;
    put(&village, 1, Kind::Dusun, Some(dusun("A BARU"))).await;
    let all = vec![lost(2, 3, fork, present("B")), lost(1, 4, fork, present("A2"))];
    for first in [Verdict::Applied, Verdict::Equal, Verdict::Equal] {
        let taken = village.take_back(all.clone()).await.unwrap();
        let verdicts: Vec<_> = taken.iter().map(|taken| taken.verdict).collect();
        assert_eq!(verdicts, [first, Verdict::Conflict]);
        assert!(!taken[0].common, "{taken:?}");
    }
    let back = village.barn().latest(id(2)).unwrap().unwrap();
    assert_eq!(back.entry.header.seq, Seq(3), "under its old number");

    // An entry that was made here proves something of its own branch alone, and
    // nothing of another log.
    put(&village, 3, Kind::Dusun, Some(dusun("C"))).await;
    let shared = Lost { time_ms: 9, actor: "kader".into(), ..lost(3, 4, fork, present("C")) };
    for (epoch, common) in [(Epoch(2), true), (Epoch(0), false)] {
        let shared = Lost { epoch, ..shared.clone() };
        let all = vec![shared, lost(1, 5, fork, present("A2"))];
        let taken = village.take_back(all).await.unwrap();
        assert_eq!((taken[0].common, taken[1].verdict), (common, Verdict::Conflict));
    }
    let left = Lost { epoch: Epoch(0), ..lost(1, 5, fork, present("A2")) };
    let shared = Lost { epoch: Epoch(0), ..shared };
    let taken = village.take_back(vec![shared, left]).await.unwrap();
    assert_eq!(taken[1].verdict, Verdict::Conflict);
}

#[tokio::test]
async fn a_number_that_another_record_has_by_now_is_a_conflict() {
    let village = village(&MemoryStore::default());
    let warga = |number| {
        let nik = Nik::from_u64(number);
        encode(&Record::Warga(Box::new(Warga { nik, ..Warga::default() })))
    };
    let number = 3_505_904_101_700_001;
    put(&village, 1, Kind::Warga, Some(warga(number))).await;
    let lost = Lost {
        kind: Kind::Warga.code(),
        content: LostContent::Present(warga(number)),
        ..lost(2, 2, 0, LostContent::Deleted)
    };
    let taken = one(&village, lost).await;
    assert_eq!(taken.verdict, Verdict::Conflict);
    assert!(taken.found.is_none());
}

#[tokio::test]
async fn a_lost_erasure_is_made_again_whatever_came_after() {
    let village = village(&MemoryStore::default());
    put(&village, 1, Kind::Dusun, Some(dusun("A"))).await;
    put(&village, 1, Kind::Dusun, Some(dusun("A BARU"))).await;
    assert_eq!(one(&village, lost(1, 2, 1, LostContent::Erased)).await.verdict, Verdict::Applied);
    let ended = village.barn().latest(id(1)).unwrap().unwrap();
    assert_eq!(ended.entry.header.source, Source::ERASURE);
    assert_eq!(one(&village, lost(1, 2, 1, LostContent::Erased)).await.verdict, Verdict::Equal);
    // What was erased does not come back either.
    assert_eq!(one(&village, lost(1, 2, 1, present("A2"))).await.verdict, Verdict::Conflict);
    assert_eq!(village.barn().verify().unwrap().faults, []);
}
