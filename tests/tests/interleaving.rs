//! Any interleaving of edits, crashes, pulls of any size and repeated
//! batches ends with the hub equal to the fold of the village's log.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::dataset::{Dataset, DatasetError, MergeBatch};
use lumbung_hub::merge::decode;
use lumbung_ledger::{LogId, Position, Seq, Source, block};
use lumbung_node::barn::{Barn, Change, Expected, MemoryStore, OpenOptions, Submission};
use lumbung_tests::fictitious::dusun;
use lumbung_wire::batch;
use proptest::prelude::*;

const VILLAGE: u64 = 3_505_012_001;

#[derive(Clone, Debug)]
enum Act {
    /// Writes (or ends, at `None`) the record with this number.
    Edit(u8, Option<u8>),
    /// Power fails at the village.
    Crash,
    /// The hub pulls one batch of about this many bytes.
    Pull(u16),
    /// The hub's last batch arrives once more.
    Repeat,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => (0_u8..10, proptest::option::weighted(0.8, any::<u8>())).prop_map(|(id, to)| Act::Edit(id, to)),
        1 => Just(Act::Crash),
        4 => (1_u16..2_000).prop_map(Act::Pull),
        1 => Just(Act::Repeat),
    ];
    proptest::collection::vec(act, 1..60)
}

fn open(store: &MemoryStore, create: bool) -> Barn {
    let options =
        OpenOptions { indexer: |_, _| Vec::new(), create: create.then_some(LogId([3; 16])) };
    Barn::open_on(Arc::new(store.clone()), options).unwrap()
}

/// One batch over the wire, as node and hub do it.
fn pull(barn: &Barn, at: Position, bytes: usize) -> Option<MergeBatch> {
    let run = barn.read_after(at.seq, bytes).unwrap()?;
    let seq = run.entries.last().map(|entry| entry.header.seq)?;
    let last = Position { seq, chain: run.after, ..barn.head().position };
    let count = u32::try_from(run.entries.len()).unwrap();
    let sent = batch::pack(at, last, count, block::encode(&run.entries).unwrap());
    let verified = batch::verify(sent, at).unwrap();
    let changes = verified.entries.into_iter().map(|(entry, hash)| decode::change(entry, hash));
    let village = VillageCode::from_u64(VILLAGE).unwrap();
    Some(MergeBatch { village, prev: at, last: verified.last, changes: changes.collect() })
}

fn submission(id: u8, to: Option<u8>) -> Submission {
    let content: Option<Bytes> = to.map(|name| dusun(&format!("DUSUN {name}")));
    let id = RecordId::from_parts(1_790_000_000_000, u16::from(id), 5);
    let change = Change { id, kind: KindCode(1), schema: 1, content, expected: Expected::Any };
    Submission { actor: "uji".into(), source: Source::MANUAL, time_ms: 1, changes: vec![change] }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn the_hub_ends_as_the_fold_of_the_log(acts in acts()) {
        let folder = tempfile::tempdir().unwrap();
        let hub = SqliteDataset::open(folder.path().join("hub.db")).unwrap();
        let village = VillageCode::from_u64(VILLAGE).unwrap();
        hub.register(village, "").unwrap();
        let store = MemoryStore::default();
        let mut barn = open(&store, true);
        let mut at = Position::origin(barn.head().position.log_id);
        let mut last: Option<MergeBatch> = None;
        for act in acts.into_iter().chain(std::iter::repeat_n(Act::Pull(u16::MAX), 20)) {
            match act {
                Act::Edit(id, to) => drop(barn.submit_blocking(submission(id, to)).unwrap()),
                Act::Crash => {
                    barn.close();
                    store.crash();
                    barn = open(&store, false);
                }
                Act::Pull(bytes) => {
                    if let Some(batch) = pull(&barn, at, usize::from(bytes)) {
                        let merged = hub.merge(std::slice::from_ref(&batch), 1).unwrap();
                        at = merged.into_iter().next().unwrap().unwrap().position;
                        last = Some(batch);
                    }
                }
                Act::Repeat => {
                    if let Some(batch) = &last {
                        let again = hub.merge(std::slice::from_ref(batch), 1).unwrap();
                        let refused = matches!(again[0], Err(DatasetError::NotNext { .. }));
                        prop_assert!(refused, "a repeated batch was merged");
                    }
                }
            }
        }
        let (head, living) = barn.living().unwrap();
        let state = hub.village(village).unwrap();
        prop_assert_eq!(at.seq, head.position.seq);
        prop_assert_eq!(state.position.map_or(Seq::ZERO, |position| position.seq), head.position.seq);
        prop_assert_eq!(state.fingerprint, head.fingerprint);
        prop_assert_eq!(state.records, head.records);
        for stored in &living {
            let row = hub.record(village, stored.entry.header.id).unwrap().unwrap();
            prop_assert_eq!(row.seq, stored.entry.header.seq);
            prop_assert_eq!(Some(&row.bytes), stored.content());
        }
        prop_assert_eq!(hub.totals().unwrap().records, living.len() as u64);
    }
}
