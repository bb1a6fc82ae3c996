//! A village that lies: the Sync service on a real socket, telling the hub
//! what no sound node would.
//!
//! Each [`Lie`] first tells three true entries, so that a test can see that
//! the hub keeps what was sound and takes nothing of what was not.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_ledger::{
    Entry, Epoch, Fingerprint, Header, LogId, Operation, Payload, Position, Salt, Seal, Seq,
    Source, block,
};
use lumbung_proto::v1::sync_server::{Sync, SyncServer};
use lumbung_proto::v1::{self, pull_control::Control, pull_item::Item};
use lumbung_wire::authors::Authors;
use lumbung_wire::forms::Forms;
use lumbung_wire::{batch, run};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use crate::fictitious::dusun;

/// Entries that are told truly before the lie.
pub const TRUE_ENTRIES: u64 = 3;

/// Bytes a zip bomb swells to.
const BOMB_BYTES: usize = 64 * 1024 * 1024;

/// What the village lies about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// A batch claims more entries than it holds.
    Numbers,
    /// A batch leaves out an entry.
    Gap,
    /// A batch is cut off.
    Truncated,
    /// A batch is larger than the protocol allows.
    TooLarge,
    /// A message is larger than gRPC may take.
    Oversized,
    /// A small batch swells to 64 MiB.
    Bomb,
    /// The chain does not belong to the entries.
    Chain,
    /// It says it is another village.
    Village,
    /// It says that its content sums up to something else.
    Fingerprint,
    /// A run leaves out an entry.
    RunGap,
    /// A run's chain does not belong to its entries.
    RunChain,
    /// A run names a dictionary that nobody has.
    RunDictionary,
    /// A run's seal is of something else.
    RunSeal,
    /// No lie, but one record that is no message of its kind, among others.
    BadRecord,
}

/// The village.
#[derive(Clone, Debug)]
pub struct Liar {
    lie: Lie,
    village: VillageCode,
    log: Arc<Log>,
}

#[derive(Debug)]
struct Log {
    id: LogId,
    entries: Vec<Entry>,
}

impl Log {
    fn new(lie: Lie, village: VillageCode) -> Self {
        let mut id = [7; 16];
        id[..8].copy_from_slice(&village.as_u64().to_be_bytes());
        let entries = (1..=TRUE_ENTRIES + 3).map(|seq| entry(lie, village, seq)).collect();
        Self { id: LogId(id), entries }
    }

    fn upto(&self, seq: u64) -> &[Entry] {
        let end = usize::try_from(seq).unwrap_or(usize::MAX).min(self.entries.len());
        &self.entries[..end]
    }

    fn position(&self, seq: u64) -> Position {
        let origin = Position::origin(self.id);
        let entries = self.upto(seq);
        let chain = entries.iter().fold(origin.chain, |chain, entry| chain.step(entry).0);
        Position { seq: Seq(entries.len() as u64), chain, epoch: Epoch::FIRST, log_id: self.id }
    }

    fn fingerprint(&self, seq: u64) -> Fingerprint {
        let mut sum = Fingerprint::default();
        for hash in self.upto(seq).iter().filter_map(Entry::content_hash) {
            sum += hash;
        }
        sum
    }

    /// The true batch of the entries after `after` up to `last`.
    fn batch(&self, after: u64, last: u64) -> v1::Batch {
        let (prev, last) = (self.position(after), self.position(last));
        let entries: Vec<_> = self
            .entries
            .iter()
            .filter(|entry| entry.header.seq > prev.seq && entry.header.seq <= last.seq)
            .cloned()
            .collect();
        let block = block::encode(&entries).unwrap_or_default();
        batch::pack(prev, last, u32::try_from(entries.len()).unwrap_or(u32::MAX), block)
    }
}

fn entry(lie: Lie, village: VillageCode, seq: u64) -> Entry {
    let bad = lie == Lie::BadRecord && seq == TRUE_ENTRIES + 1;
    let (kind, bytes) = if bad {
        (Kind::Warga, Bytes::from_static(b"\x0a\xff\xff\xff\xff\x0f not a message"))
    } else {
        (Kind::Dusun, dusun(&format!("DUSUN {seq}")))
    };
    Entry {
        header: Header {
            seq: Seq(seq),
            id: record_id(village, seq),
            kind: kind.code(),
            schema: 1,
            operation: Operation::Create,
            time_ms: 1_700_000_000_000,
            actor: Arc::from("pembohong"),
            source: Source::MANUAL,
        },
        payload: Payload::Present { salt: Salt([seq as u8; 8]), bytes },
    }
}

/// The record that entry `seq` of the lying village creates.
#[must_use]
pub fn record_id(village: VillageCode, seq: u64) -> RecordId {
    RecordId::from_parts(1_700_000_000_000 + seq, 0, village.as_u64())
}

impl Liar {
    /// Starts lying at `address`, until the task is aborted.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn serve(
        lie: Lie,
        village: VillageCode,
        address: SocketAddr,
    ) -> anyhow::Result<JoinHandle<Result<(), tonic::transport::Error>>> {
        let listener = TcpListener::bind(address).await.context("the liar's address is taken")?;
        let liar = Self { lie, village, log: Arc::new(Log::new(lie, village)) };
        let server = tonic::transport::Server::builder()
            .add_service(SyncServer::new(liar))
            .serve_with_incoming(TcpListenerStream::new(listener));
        Ok(tokio::spawn(server))
    }

    /// Whether it speaks the newest forms, and lies in those.
    const fn is_slim(&self) -> bool {
        matches!(self.lie, Lie::RunGap | Lie::RunChain | Lie::RunDictionary | Lie::RunSeal)
    }

    /// The entries after `after` up to `last` as a run; the seal is true at
    /// the end of the log.
    fn run(&self, after: u64, last: u64) -> v1::Run {
        let (prev, end) = (self.log.position(after), self.log.position(last));
        let upto = self.log.upto(last);
        let entries = &upto[self.log.upto(after).len()..];
        let seal = Seal::of(end, self.log.fingerprint(last), end.seq.0);
        let seal = (upto.len() == self.log.entries.len()).then_some(seal);
        let forms = Forms::common(Some(&Forms::offered()));
        run::pack(forms, &Authors::default(), prev, end, entries, seal).unwrap_or_default()
    }

    fn lying_run(&self) -> v1::Run {
        let end = self.log.entries.len() as u64;
        let mut run = self.run(TRUE_ENTRIES, end);
        match self.lie {
            Lie::RunGap => run = self.run(TRUE_ENTRIES + 1, end),
            Lie::RunChain => run.chain = Bytes::copy_from_slice(&[7; 16]),
            Lie::RunDictionary => run.dictionary = Some(u32::MAX),
            _ => run.seal = Bytes::copy_from_slice(&[7; 16]),
        }
        run
    }

    /// What follows the true entries.
    fn lies(&self) -> Vec<v1::PullItem> {
        let end = self.log.entries.len() as u64;
        if self.is_slim() {
            return vec![item(Item::Run(self.lying_run()))];
        }
        let truth = self.log.batch(TRUE_ENTRIES, end);
        let batch = match self.lie {
            Lie::Numbers => {
                let mut last = self.log.position(end);
                last.seq = Seq(end + 40);
                let last = Some(batch::position_to_wire(last));
                v1::Batch { last, count: truth.count + 40, ..truth }
            }
            Lie::Gap => self.log.batch(TRUE_ENTRIES + 1, end),
            Lie::Truncated => {
                let payload = truth.payload.slice(..truth.payload.len() / 2);
                v1::Batch { payload, ..truth }
            }
            Lie::TooLarge => plain(truth, batch::RAW_BYTES_MAX + 1),
            Lie::Oversized => plain(truth, 3 * 1024 * 1024),
            Lie::Bomb => v1::Batch {
                codec: v1::Codec::Zstd.into(),
                raw_bytes: 4_096,
                payload: bomb(),
                ..truth
            },
            Lie::Chain => {
                let mut last = self.log.position(end);
                last.chain.0[0] ^= 1;
                v1::Batch { last: Some(batch::position_to_wire(last)), ..truth }
            }
            Lie::Fingerprint => return vec![self.caught_up(TRUE_ENTRIES)],
            _ => truth,
        };
        vec![item(Item::Batch(batch)), self.caught_up(end)]
    }

    fn caught_up(&self, seq: u64) -> v1::PullItem {
        let mut fingerprint = self.log.fingerprint(seq).to_bytes();
        if self.lie == Lie::Fingerprint {
            fingerprint[0] ^= 1;
        }
        item(Item::CaughtUp(v1::CaughtUp {
            position: Some(batch::position_to_wire(self.log.position(seq))),
            fingerprint: Bytes::copy_from_slice(&fingerprint),
            records: seq,
        }))
    }
}

/// The batch with `bytes` zeros for its payload, and honest about the size.
fn plain(truth: v1::Batch, bytes: usize) -> v1::Batch {
    v1::Batch {
        codec: v1::Codec::Plain.into(),
        raw_bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
        payload: Bytes::from(vec![0; bytes]),
        ..truth
    }
}

fn bomb() -> Bytes {
    zstd::bulk::compress(&vec![0; BOMB_BYTES], 1).unwrap_or_default().into()
}

const fn item(item: Item) -> v1::PullItem {
    v1::PullItem { item: Some(item) }
}

type Items<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Sync for Liar {
    async fn hello(
        &self,
        request: Request<v1::HelloRequest>,
    ) -> Result<Response<v1::HelloReply>, Status> {
        let relation = match request.into_inner().position {
            None => v1::Relation::First,
            Some(_) => v1::Relation::Resume,
        };
        let village = match self.lie {
            Lie::Village => self.village.as_u64() + 1,
            _ => self.village.as_u64(),
        };
        Ok(Response::new(v1::HelloReply {
            version: 1,
            village,
            log_id: Bytes::copy_from_slice(&self.log.id.0),
            head: Some(batch::position_to_wire(self.log.position(u64::MAX))),
            incarnation: Bytes::from_static(&[1; 16]),
            clock_ms: 0,
            software: "palsu".to_owned(),
            relation: relation.into(),
            forms: self.is_slim().then(Forms::offered),
            ..v1::HelloReply::default()
        }))
    }

    async fn restart(
        &self,
        _: Request<v1::RestartRequest>,
    ) -> Result<Response<v1::RestartReply>, Status> {
        Err(Status::unimplemented("no"))
    }

    type PullStream = Items<v1::PullItem>;

    async fn pull(
        &self,
        request: Request<Streaming<v1::PullControl>>,
    ) -> Result<Response<Self::PullStream>, Status> {
        let mut controls = request.into_inner();
        let first = controls.message().await?.and_then(|control| control.control);
        let Some(Control::Start(start)) = first else {
            return Err(Status::invalid_argument("a pull begins with Start"));
        };
        let from = start.position.map_or(0, |position| position.seq);
        let (items, stream) = mpsc::channel(8);
        let mut queue = Vec::new();
        if from < TRUE_ENTRIES {
            queue.push(item(match self.is_slim() {
                true => Item::Run(self.run(from, TRUE_ENTRIES)),
                false => Item::Batch(self.log.batch(from, TRUE_ENTRIES)),
            }));
        }
        if from <= TRUE_ENTRIES {
            queue.extend(self.lies());
        } else {
            queue.push(self.caught_up(from));
        }
        tokio::spawn(async move {
            for item in queue {
                if items.send(Ok(item)).await.is_err() {
                    return;
                }
            }
            // The stream stays open as long as the hub does.
            while let Some(Ok(_)) = controls.next().await {}
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn fingerprint(
        &self,
        _: Request<v1::FingerprintRequest>,
    ) -> Result<Response<v1::FingerprintReply>, Status> {
        Err(Status::unavailable("no"))
    }

    type FetchStream = Items<v1::FetchItem>;

    async fn fetch(
        &self,
        _: Request<v1::FetchRequest>,
    ) -> Result<Response<Self::FetchStream>, Status> {
        Err(Status::unavailable("no"))
    }

    async fn rederive(
        &self,
        _: Request<v1::RederiveRequest>,
    ) -> Result<Response<v1::RederiveReply>, Status> {
        Err(Status::unavailable("no"))
    }
}
