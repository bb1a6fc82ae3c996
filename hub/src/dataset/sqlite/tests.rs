//! What the dataset promises, tried out on files. `findings` has its own
//! file, and so has everything that random histories try.

mod auditing;
mod erasing;
mod findings;
mod first_entries;
mod histories;
mod judging;
mod keeping;
mod noticing;
mod publishing;
mod recovering;
mod repairing;
mod restoring;
mod searching;
mod stating;
mod summing;
mod telling;
mod watching;

use bytes::Bytes;
use lumbung_domain::id::{Kind, KindCode, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Entry, Header, LogId, Operation, Payload, Position, Salt, Seq, Source};
use lumbung_proto::v1;
use prost::Message as _;
use tempfile::TempDir;

use super::*;
use crate::dataset::Content;
use crate::merge::decode;
use crate::words::Words;

const BAKUNG: u64 = 3_505_012_001;
const SIDOMULYO: u64 = 3_505_012_002;
const LOREJO: u64 = 3_505_012_003;

/// A kind that this version doesn't know.
const FUTURE: KindCode = KindCode(4711);

fn village(code: u64) -> VillageCode {
    VillageCode::from_u64(code).unwrap()
}

/// Words that are the same in both languages.
fn words(text: &str) -> Words {
    Words::new(text, text)
}

fn id(number: u64) -> RecordId {
    RecordId::from_parts(1_790_000_000_000, 0, number)
}

/// Everything a dataset file holds, table by table, but for what is noted of
/// who came: nothing else may change where nobody may change anything.
pub(crate) fn everything(file: &Path) -> BTreeMap<String, String> {
    const WHO_CAME: [&str; 3] = ["audit", "audit_witness", "operator_session"];
    let conn = Connection::open(file).unwrap();
    let mut tables =
        conn.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let tables: Vec<_> = tables.map(Result::unwrap).collect();
    let kept = tables.into_iter().filter(|table| !WHO_CAME.contains(&table.as_str()));
    kept.map(|table| {
        let mut rows = conn.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = rows.column_count();
        let rows = rows.query_map([], |row| {
            (0..columns).map(|at| row.get::<_, rusqlite::types::Value>(at)).collect()
        });
        let mut rows: Vec<_> = rows
            .unwrap()
            .map(|row: rusqlite::Result<Vec<rusqlite::types::Value>>| format!("{:?}", row.unwrap()))
            .collect();
        rows.sort();
        (table, rows.join("\n"))
    })
    .collect()
}

/// A dataset in a folder that goes with it.
struct Store {
    folder: TempDir,
    dataset: SqliteDataset,
}

impl Store {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dataset = SqliteDataset::open(folder.path().join("hub.sqlite")).unwrap();
        for code in [BAKUNG, SIDOMULYO, LOREJO] {
            dataset.register(village(code), "").unwrap();
        }
        Self { folder, dataset }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("hub.sqlite")
    }

    fn reopen(self) -> Self {
        let Self { folder, dataset } = self;
        drop(dataset);
        let dataset = SqliteDataset::open(folder.path().join("hub.sqlite")).unwrap();
        Self { folder, dataset }
    }

    /// Merges batches that must all be taken.
    fn merge(&self, batches: &[MergeBatch]) -> Vec<Merged> {
        self.merge_at(batches, 1000)
    }

    fn merge_at(&self, batches: &[MergeBatch], now_ms: i64) -> Vec<Merged> {
        let outcomes = self.dataset.merge(batches, now_ms).unwrap();
        outcomes.into_iter().map(|outcome| outcome.unwrap()).collect()
    }

    fn state(&self, log: &Log) -> VillageState {
        self.dataset.village(log.village).unwrap()
    }
}

/// What is done to one record.
#[derive(Clone, Debug)]
struct Draft {
    id: RecordId,
    kind: KindCode,
    operation: Operation,
    /// `None` = withheld.
    bytes: Option<Bytes>,
}

fn create(number: u64, kind: Kind, message: &impl prost::Message) -> Draft {
    let bytes = Some(message.encode_to_vec().into());
    Draft { id: id(number), kind: kind.code(), operation: Operation::Create, bytes }
}

fn update(number: u64, kind: Kind, message: &impl prost::Message) -> Draft {
    Draft { operation: Operation::Update, ..create(number, kind, message) }
}

fn delete(number: u64, kind: Kind) -> Draft {
    let bytes = Some(Bytes::new());
    Draft { id: id(number), kind: kind.code(), operation: Operation::Delete, bytes }
}

/// Bytes that are no message of any kind.
fn garbled(mut draft: Draft) -> Draft {
    draft.bytes = Some(Bytes::from_static(&[0xff; 9]));
    draft
}

/// One village's log, as its node would write it.
struct Log {
    village: VillageCode,
    position: Position,
}

impl Log {
    fn new(code: u64) -> Self {
        let mut log_id = [7; 16];
        log_id[..8].copy_from_slice(&code.to_le_bytes());
        Self { village: village(code), position: Position::origin(LogId(log_id)) }
    }

    fn batch(&mut self, drafts: impl IntoIterator<Item = Draft>) -> MergeBatch {
        let (prev, mut chains) = (self.position, Vec::new());
        let changes = drafts
            .into_iter()
            .map(|draft| {
                let entry = self.entry(draft);
                let (chain, hash) = self.position.chain.step(&entry);
                self.position.chain = chain;
                self.position.seq = entry.header.seq;
                chains.push((self.position.seq, chain));
                decode::change(entry, hash)
            })
            .collect();
        MergeBatch { village: self.village, prev, last: self.position, changes, chains }
    }

    fn entry(&self, draft: Draft) -> Entry {
        let payload = match draft.bytes {
            Some(bytes) => Payload::Present { salt: Salt([3; 8]), bytes },
            None => Payload::Withheld { digest: [9; 32] },
        };
        Entry {
            header: Header {
                seq: self.position.seq.next(),
                id: draft.id,
                kind: draft.kind,
                schema: 1,
                operation: draft.operation,
                time_ms: 1_790_000_000_000 + self.position.seq.0 as i64,
                actor: format!("kader-{}", self.village.as_u64() % 10).into(),
                source: Source::MANUAL,
            },
            payload,
        }
    }
}

/// A living resident; province 99 does not exist.
fn warga(nik: &str) -> v1::Warga {
    v1::Warga { nik: nik.to_owned(), nama: "CONTOH".to_owned(), ..Default::default() }
}

const NIK: &str = "9905010101010001";
const OTHER_NIK: &str = "9905010101010002";

fn keluarga(no_kk: &str) -> v1::Keluarga {
    v1::Keluarga {
        no_kk: no_kk.to_owned(),
        rumah_tangga_id: Bytes::copy_from_slice(id(500).as_bytes()),
        aktif: true,
        ..Default::default()
    }
}

fn rumah_tangga() -> v1::RumahTangga {
    let rt_id = Bytes::copy_from_slice(id(400).as_bytes());
    v1::RumahTangga { rt_id, ..Default::default() }
}
