//! The puller: follows one village, from wherever the hub stands to live.
//!
//! Connect, Hello, Pull; verify each batch while the one before it is being
//! merged; Ack what is durable; compare sums at every catch-up. A lost link
//! is normal and tried again; a contradiction stops the village with a
//! trouble that people can read, and never touches the others.

mod contacts;
pub mod trouble;

use std::sync::Arc;
use std::time::Duration;

use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Fingerprint, Position};
use lumbung_link::backoff::Backoff;
use lumbung_link::limits;
use lumbung_proto::v1::{self, pull_control::Control, pull_item::Item};
use lumbung_telemetry::clock;
use lumbung_wire::batch;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

use crate::dataset::{Dataset, DatasetError, MergeBatch, Merged};
use crate::live::{Live, Phase};
use crate::merge::{MergeError, MergeWriter, decode};
use crate::uplink;
pub use contacts::Contacts;
use trouble::Trouble;

/// First and longest pause before a lost village is dialled again.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(15));

/// A village with a trouble is looked at again this often: the trouble may
/// have been mended there.
const LOOK_AGAIN: Duration = Duration::from_secs(20);

/// Control messages that may wait for the stream.
const CONTROLS_QUEUED: usize = 64;

/// Batches with fewer entries are verified in place; more go to a thread.
const INLINE_ENTRIES_MAX: u32 = 64;

/// What every puller of a hub shares.
#[derive(Clone)]
pub struct Shared {
    /// The dataset.
    pub dataset: Arc<dyn Dataset>,
    /// Its one writer.
    pub writer: MergeWriter,
    /// The view of the moment.
    pub live: Arc<Live>,
    /// Contacts on their way into the dataset.
    pub contacts: Contacts,
}

/// Why a session ended.
#[derive(Debug)]
enum Ended {
    /// The link is gone; try again.
    Lost,
    /// Something contradicts; a person must know.
    Trouble(Trouble),
    /// The hub itself can't go on with this batch now.
    Hub(String),
}

impl From<tonic::Status> for Ended {
    fn from(status: tonic::Status) -> Self {
        match status.code() {
            Code::DataLoss => Self::Trouble(Trouble::NodeDisk),
            Code::FailedPrecondition => Self::Trouble(Trouble::Protocol),
            Code::OutOfRange | Code::Internal if status.message().contains("too large") => {
                Self::Trouble(Trouble::BadBatch)
            }
            _ => Self::Lost,
        }
    }
}

/// Follows one village until the task is aborted.
pub async fn follow(village: VillageCode, address: String, shared: Shared) {
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    loop {
        shared.live.update(village, |live| live.phase = Phase::Connecting);
        let mut puller = Puller { village, shared: &shared, reached: false };
        let ended = puller.session(&address).await;
        let reached = puller.reached;
        if reached {
            backoff.reset();
        }
        let pause = match ended {
            Ended::Lost => {
                shared.live.update(village, |live| live.phase = Phase::Retrying);
                tracing::info!(%village, reached, "link lost");
                backoff.wait()
            }
            Ended::Trouble(trouble) => {
                tracing::warn!(%village, code = trouble.code(), "village stopped");
                shared.live.update(village, |live| {
                    live.phase = Phase::Stopped;
                    trouble.code().clone_into(&mut live.trouble);
                });
                shared.contacts.trouble(village, trouble.code());
                LOOK_AGAIN
            }
            Ended::Hub(why) => {
                tracing::error!(%village, why, "the hub could not merge");
                shared.live.update(village, |live| live.phase = Phase::Retrying);
                RETRY.1
            }
        };
        tokio::time::sleep(pause).await;
    }
}

struct Puller<'a> {
    village: VillageCode,
    shared: &'a Shared,
    /// Whether the node answered as the village it should be.
    reached: bool,
}

/// A merge under way, with what it was worth in credit.
struct Merging {
    task: JoinHandle<Result<Merged, MergeError>>,
    raw_bytes: u64,
}

impl Puller<'_> {
    /// One session, until it ends. Never ends well: a village is followed
    /// for ever.
    async fn session(&mut self, address: &str) -> Ended {
        match self.run(address).await {
            Ok(()) => Ended::Lost,
            Err(ended) => ended,
        }
    }

    async fn run(&mut self, address: &str) -> Result<(), Ended> {
        let village = self.village;
        let traffic = self.shared.live.get(village).map(|live| live.traffic).unwrap_or_default();
        let session = uplink::reach(address, traffic).await.map_err(|_| Ended::Lost)?;
        let mut sync = session.sync;
        let stored = self.stored().await?;
        let hello = self.hello(stored);
        let answer = tokio::time::timeout(limits::ANSWER_TIMEOUT, sync.hello(hello)).await;
        let reply = answer.map_err(|_| Ended::Lost)??.into_inner();
        let position = self.judge(&reply, stored)?;
        self.reached = true;
        let (controls, outgoing) = mpsc::channel(CONTROLS_QUEUED);
        let start = v1::pull_control::Start {
            position: Some(batch::position_to_wire(position)),
            batch_bytes: limits::BATCH_BYTES,
            credit_bytes: limits::CREDIT_BYTES,
        };
        send(&controls, Control::Start(start)).await?;
        let items = sync.pull(ReceiverStream::new(outgoing)).await?.into_inner();
        self.pull(position, items, &controls).await
    }

    /// Where the dataset says this village stands.
    async fn stored(&self) -> Result<Option<Position>, Ended> {
        let (dataset, village) = (Arc::clone(&self.shared.dataset), self.village);
        let state = tokio::task::spawn_blocking(move || dataset.village(village)).await;
        let state = state.map_err(|_| Ended::Lost)?;
        state
            .map(|state| state.position)
            .map_err(|error: DatasetError| Ended::Hub(error.to_string()))
    }

    fn hello(&self, stored: Option<Position>) -> v1::HelloRequest {
        v1::HelloRequest {
            version_min: limits::PROTOCOL_VERSIONS.0,
            version_max: limits::PROTOCOL_VERSIONS.1,
            village: self.village.as_u64(),
            clock_ms: clock::now_ms(),
            position: stored.map(batch::position_to_wire),
        }
    }

    /// Decides from the node's answer where to pull from.
    fn judge(&self, reply: &v1::HelloReply, stored: Option<Position>) -> Result<Position, Ended> {
        if reply.village != self.village.as_u64() {
            return Err(Ended::Trouble(Trouble::OtherVillage));
        }
        let (oldest, newest) = limits::PROTOCOL_VERSIONS;
        if !(oldest..=newest).contains(&reply.version) {
            return Err(Ended::Trouble(Trouble::Protocol));
        }
        let head = reply.head.as_ref().and_then(batch::position_from_wire);
        let head = head.ok_or(Ended::Trouble(Trouble::BadBatch))?;
        let now = clock::now_ms();
        self.shared.contacts.reached(self.village, &reply.software);
        self.shared.live.update(self.village, |live| {
            live.phase = Phase::CatchingUp;
            live.head_seq = head.seq.0;
            live.last_contact_ms = now;
        });
        match (reply.relation(), stored) {
            (v1::Relation::Ahead, _) => Err(Ended::Trouble(Trouble::LostTail)),
            (v1::Relation::Forked, _) => Err(Ended::Trouble(Trouble::Forked)),
            (v1::Relation::OtherLog, _) => Err(Ended::Trouble(Trouble::OtherLog)),
            (_, Some(stored)) => Ok(stored),
            (_, None) => Ok(Position::origin(head.log_id)),
        }
    }

    async fn pull(
        &self,
        mut position: Position,
        mut items: tonic::Streaming<v1::PullItem>,
        controls: &mpsc::Sender<v1::PullControl>,
    ) -> Result<(), Ended> {
        let mut merging: Option<Merging> = None;
        loop {
            // While a batch is being merged, the next one is already read
            // and verified; merges stay in order.
            let item = tokio::select! {
                item = items.message() => item?,
                merged = wait(&mut merging) => {
                    self.merged(merged?, &mut merging, controls).await?;
                    continue;
                }
            };
            let Some(item) = item.and_then(|item| item.item) else { return Ok(()) };
            match item {
                Item::Batch(batch) => {
                    let verified = self.verify(batch, position).await?;
                    if merging.is_some() {
                        let merged = wait(&mut merging).await?;
                        self.merged(merged, &mut merging, controls).await?;
                    }
                    position = verified.0.last;
                    let head = position.seq.0;
                    self.shared.live.update(self.village, |live| {
                        live.head_seq = live.head_seq.max(head);
                    });
                    let writer = self.shared.writer.clone();
                    merging = Some(Merging {
                        task: tokio::spawn(async move { writer.merge(verified.0).await }),
                        raw_bytes: verified.1,
                    });
                }
                Item::CaughtUp(caught_up) => {
                    if merging.is_some() {
                        let merged = wait(&mut merging).await?;
                        self.merged(merged, &mut merging, controls).await?;
                    }
                    self.compare(&caught_up, position).await?;
                }
                Item::Beat(beat) => {
                    let head = beat.head.as_ref().map_or(0, |head| head.seq);
                    self.shared.live.update(self.village, |live| live.head_seq = head);
                }
                Item::Poison(poison) => {
                    tracing::warn!(village = %self.village, seq = poison.seq, "entry withheld");
                }
            }
        }
    }

    async fn verify(
        &self,
        batch: v1::Batch,
        position: Position,
    ) -> Result<(MergeBatch, u64), Ended> {
        let village = self.village;
        let work = move || {
            let small = batch.count <= INLINE_ENTRIES_MAX;
            let verify = move || {
                let verified = batch::verify(batch, position)?;
                let changes = verified.entries.into_iter();
                let changes = changes.map(|(entry, hash)| decode::change(entry, hash)).collect();
                let raw_bytes = verified.raw_bytes as u64;
                let last = verified.last;
                Ok::<_, batch::BatchError>((
                    MergeBatch { village, prev: position, last, changes },
                    raw_bytes,
                ))
            };
            (small, verify)
        };
        let (small, verify) = work();
        let verified = match small {
            true => verify(),
            false => tokio::task::spawn_blocking(verify).await.map_err(|_| Ended::Lost)?,
        };
        verified.map_err(|error| {
            tracing::warn!(%village, %error, "batch refused");
            Ended::Trouble(Trouble::BadBatch)
        })
    }

    /// A batch is durable: say so to the node and to the watchers.
    async fn merged(
        &self,
        merged: Merged,
        merging: &mut Option<Merging>,
        controls: &mpsc::Sender<v1::PullControl>,
    ) -> Result<(), Ended> {
        let raw_bytes = merging.take().map_or(0, |merging| merging.raw_bytes);
        let now = clock::now_ms();
        self.shared.live.update(self.village, |live| {
            live.merged_seq = merged.position.seq.0;
            live.records = merged.records;
            live.quarantined += merged.quarantined;
            live.last_contact_ms = now;
        });
        let position = Some(batch::position_to_wire(merged.position));
        send(controls, Control::Ack(v1::pull_control::Ack { position })).await?;
        send(controls, Control::Credit(v1::pull_control::Credit { bytes: raw_bytes })).await
    }

    /// The node says what everything sums up to: is it what is merged here?
    async fn compare(&self, caught_up: &v1::CaughtUp, position: Position) -> Result<(), Ended> {
        let told = caught_up.position.as_ref().and_then(batch::position_from_wire);
        let sum = Fingerprint::from_slice(&caught_up.fingerprint);
        let (Some(told), Some(sum)) = (told, sum) else {
            return Err(Ended::Trouble(Trouble::BadBatch));
        };
        if told.seq != position.seq || told.chain != position.chain {
            return Err(Ended::Trouble(Trouble::BadBatch));
        }
        let (dataset, village) = (Arc::clone(&self.shared.dataset), self.village);
        let state = tokio::task::spawn_blocking(move || dataset.village(village)).await;
        let state = state.map_err(|_| Ended::Lost)?;
        let state = state.map_err(|error| Ended::Hub(error.to_string()))?;
        let equal = state.fingerprint == sum && state.records == caught_up.records;
        let now = clock::now_ms();
        self.shared.live.update(self.village, |live| {
            live.phase = Phase::Live;
            live.head_seq = told.seq.0;
            live.merged_seq = told.seq.0;
            live.records = state.records;
            live.last_contact_ms = now;
            if equal {
                live.last_proof_ms = now;
                live.proven_seq = told.seq.0;
            }
            let code = if equal { "" } else { Trouble::Differs.code() };
            code.clone_into(&mut live.trouble);
        });
        if equal {
            self.shared.contacts.proven(village, told.seq);
        } else {
            tracing::warn!(%village, "the sums differ");
            self.shared.contacts.trouble(village, Trouble::Differs.code());
        }
        Ok(())
    }
}

/// The merge under way; for ever when there is none.
async fn wait(merging: &mut Option<Merging>) -> Result<Merged, Ended> {
    let Some(merging) = merging else { return std::future::pending().await };
    match (&mut merging.task).await {
        Ok(Ok(merged)) => Ok(merged),
        // Somebody else moved the position: begin again from what is stored.
        Ok(Err(MergeError::NotNext | MergeError::Stopping)) | Err(_) => Err(Ended::Lost),
        Ok(Err(error)) => Err(Ended::Hub(error.to_string())),
    }
}

async fn send(controls: &mpsc::Sender<v1::PullControl>, control: Control) -> Result<(), Ended> {
    let control = v1::PullControl { control: Some(control) };
    controls.send(control).await.map_err(|_| Ended::Lost)
}
