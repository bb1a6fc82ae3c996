//! One session: connect, Hello, Pull, until something ends it.
//!
//! Batches are verified while those before them are being merged, and merged
//! in order; Ack and Credit go out only for what is durable. Nothing of a
//! batch that does not verify is applied.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Fingerprint, Position, Seal, Seq};
use lumbung_link::meter::Traffic;
use lumbung_link::{limits, world};
use lumbung_proto::v1::{self, pull_control::Control, pull_item::Item};
use lumbung_telemetry::clock;
use lumbung_wire::authors::Authors;
use lumbung_wire::batch;
use lumbung_wire::forms::Forms;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};
use tracing::{Instrument as _, Span};

mod greeting;
mod parcel;
mod settling;

use self::greeting::Greeted;
use self::parcel::{Parcel, Proven};
use super::Shared;
use super::again::Again;
use super::noticing::Noticing;
use super::pace::{Form, Pace};
use super::patience::Patience;
use super::proving::{self, Proving};
use super::trouble::Trouble;
use crate::dataset::{Merged, VillageState};
use crate::merge::{MergeError, Pending};
use crate::metrics::{Cut, Received};
use crate::spans;
use crate::uplink::{self, Open};

/// Control messages that may wait for the stream.
const CONTROLS_QUEUED: usize = 64;

/// Merges that may be under way for one village: the writer never waits for
/// the next batch to be verified, and finds several of one village for one
/// transaction.
const MERGING_MAX: usize = 4;

/// How often an idle link is looked at: did anything, be it a keepalive,
/// arrive since?
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// From this many missing entries on, a village waits for its turn to catch
/// up.
const TURN_FROM_ENTRIES: u64 = 1_000;

/// A link that delivers nothing for this long gives its turn away.
const TURN_IDLE_MAX: Duration = Duration::from_millis(400);

/// Why a session ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The link is gone; try again.
    Lost,
    /// Something contradicts or fails; people must know.
    Trouble(Trouble),
}

impl From<Status> for Ended {
    fn from(status: Status) -> Self {
        match status.code() {
            Code::DataLoss => Self::Trouble(Trouble::NodeDisk),
            // Larger than `limits::MESSAGE_BYTES_MAX`.
            Code::OutOfRange | Code::Internal if status.message().contains("too large") => {
                Self::Trouble(Trouble::BadBatch)
            }
            _ => Self::Lost,
        }
    }
}

/// What the dataset holds of the village, durably.
#[derive(Clone, Copy)]
pub(super) struct Standing {
    pub(super) fingerprint: Fingerprint,
    pub(super) records: u64,
}

/// A batch in the writer's queue.
struct Merging {
    pending: Pending,
    /// What it is worth in credit.
    raw_bytes: u64,
    /// What all records amount to after it, if it ends at the head.
    seal: Option<Seal>,
    /// Its way, for traces.
    span: Span,
}

/// A batch that is durable.
struct Durable {
    merged: Merged,
    raw_bytes: u64,
    seal: Option<Seal>,
    span: Span,
}

/// Where a pull stands.
struct Pulling {
    position: Position,
    /// Whom the node need not name again.
    authors: Authors,
    standing: Standing,
    merging: VecDeque<Merging>,
    turn: Option<OwnedSemaphorePermit>,
    /// Whether the node has more than it sent.
    behind: bool,
    /// Since when there is room for the batch that the node has.
    waiting_since: Option<Instant>,
    /// The version of blocks that the node was last asked for.
    block: u32,
}

type Controls = mpsc::Sender<v1::PullControl>;

/// A pull that has begun.
struct Opened {
    pulling: Pulling,
    items: tonic::Streaming<v1::PullItem>,
    controls: Controls,
    noticing: Noticing,
}

pub(super) struct Session<'a> {
    pub(super) village: VillageCode,
    pub(super) shared: &'a Shared,
    pub(super) traffic: Traffic,
    /// Learned from the village's links so far.
    pace: &'a mut Pace,
    again: &'a mut Again,
    forms: Forms,
    reached: bool,
    progressed: bool,
    patience: Patience,
    pub(super) proving: Option<Proving>,
    /// Bytes received when they were last counted into classes.
    classed: u64,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        village: VillageCode,
        shared: &'a Shared,
        pace: &'a mut Pace,
        again: &'a mut Again,
    ) -> Self {
        let traffic = shared.live.get(village).map(|live| live.traffic).unwrap_or_default();
        let patience = Patience::new(false, traffic.received(), Instant::now());
        let (reached, progressed, proving) = (false, false, None);
        let classed = traffic.received();
        let forms = Forms::default();
        Self {
            village,
            shared,
            traffic,
            pace,
            again,
            forms,
            reached,
            progressed,
            patience,
            proving,
            classed,
        }
    }

    /// What came since the last look came for this.
    fn came(&mut self, class: Received) {
        let received = self.traffic.received();
        self.shared.writer.counts().received(class, received.saturating_sub(self.classed));
        self.classed = received;
    }

    /// Whether the node answered as the village it should be.
    pub(super) const fn reached(&self) -> bool {
        self.reached
    }

    /// Whether anything was merged or proven.
    pub(super) const fn progressed(&self) -> bool {
        self.progressed
    }

    /// Runs over the connection that `open` makes until something ends it; a
    /// village is followed for ever.
    pub(super) async fn run(&mut self, open: &impl Open) -> Ended {
        self.again.expect(false);
        let Err(ended) = self.follow(open).await;
        if matches!(ended, Ended::Lost) && self.again.torn(self.traffic.received()) {
            self.shared.writer.counts().sent_again(Cut::Torn);
        }
        if self.reached && !self.progressed && matches!(ended, Ended::Lost) {
            self.pace.broke();
        }
        ended
    }

    async fn follow(&mut self, open: &impl Open) -> Result<Infallible, Ended> {
        // A village that is stopped is not even dialled.
        self.state().await?;
        let session = open.open(self.traffic.clone()).await.map_err(|_| Ended::Lost)?;
        self.patience = Patience::new(session.is_quiet(), self.traffic.received(), Instant::now());
        let span = spans::opening(self.village);
        // What happens once, or seldom, has no place of its own in the task: a
        // hub keeps thousands of them.
        let begun = Box::pin(self.begin(&session)).instrument(span).await;
        self.came(Received::Opening);
        let begun = begun?;
        let Opened { pulling, items, controls, noticing } = begun;
        self.pull(pulling, items, &controls, noticing).await
    }

    /// Agrees with the node where to begin, and begins.
    async fn begin(&mut self, session: &uplink::Session) -> Result<Opened, Ended> {
        let greeted = self.greet_in_turn(session).await?;
        let Greeted { mut sync, reply, position, standing, noticing } = greeted;
        let turn = self.turn(&reply, position).await;
        let (controls, outgoing) = mpsc::channel(CONTROLS_QUEUED);
        let block = self.block();
        send(&controls, Control::Start(self.start(position, block))).await?;
        let opening = sync.pull(ReceiverStream::new(outgoing));
        let opening = spans::node_call(self.village, "lumbung.v1.Sync/Pull", opening);
        let opened = tokio::time::timeout(limits::ANSWER_TIMEOUT, opening).await;
        let items = opened.map_err(|_| Ended::Lost)??.into_inner();
        let behind = reply.head.as_ref().is_some_and(|head| head.seq > position.seq.0);
        let merging = VecDeque::with_capacity(MERGING_MAX);
        let (authors, waiting_since) = (Authors::default(), None);
        let pulling =
            Pulling { position, authors, standing, merging, turn, behind, waiting_since, block };
        Ok(Opened { pulling, items, controls, noticing })
    }

    fn start(&self, position: Position, block: u32) -> v1::pull_control::Start {
        let (batch_bytes, credit_bytes) = match self.forms.slim {
            true => (self.pace.batch_bytes(), self.pace.window_bytes()),
            false => (limits::BATCH_BYTES, limits::CREDIT_BYTES),
        };
        let position = Some(batch::position_to_wire(position));
        let forms = self.forms.with_block(block).to_wire();
        v1::pull_control::Start { position, batch_bytes, credit_bytes, forms }
    }

    /// Newest version of a block that suits the link, of those that both ends
    /// know.
    fn block(&self) -> u32 {
        match self.pace.form(self.shared.is_in_a_hurry()) {
            Form::Columns => self.forms.block(),
            Form::Rows => 1,
        }
    }

    /// Waits for a turn when there is much to catch up on.
    async fn turn(
        &self,
        reply: &v1::HelloReply,
        position: Position,
    ) -> Option<OwnedSemaphorePermit> {
        let head = reply.head.as_ref().map_or(0, |head| head.seq);
        if head.saturating_sub(position.seq.0) < TURN_FROM_ENTRIES {
            return None;
        }
        Arc::clone(&self.shared.catching_up).acquire_owned().await.ok()
    }

    /// Where the dataset says this village stands.
    async fn state(&self) -> Result<VillageState, Ended> {
        let (dataset, village) = (Arc::clone(&self.shared.dataset), self.village);
        let state = world::blocking(move || dataset.village(village)).await;
        let state = state.map_err(|_| Ended::Lost)?.map_err(|error| {
            tracing::error!(%village, %error, "where the village stands can't be read");
            Ended::Trouble(Trouble::HubDisk)
        })?;
        if state.twin_ms != 0 {
            return Err(Ended::Trouble(Trouble::Twin));
        }
        Ok(state)
    }

    async fn pull(
        &mut self,
        mut at: Pulling,
        mut items: tonic::Streaming<v1::PullItem>,
        controls: &Controls,
        mut noticing: Noticing,
    ) -> Result<Infallible, Ended> {
        let mut look = tokio::time::interval(LOOK_EVERY);
        self.again.begin(self.traffic.received());
        loop {
            self.again.expect(at.behind);
            let room = at.merging.len() < MERGING_MAX;
            if room && at.behind && at.waiting_since.is_none() {
                at.waiting_since = Some(Instant::now());
            }
            let item = tokio::select! {
                // In order, so that a simulated world repeats: what is durable
                // is acknowledged before more is taken.
                biased;
                merged = next(&mut at.merging) => {
                    at.standing = self.merged(merged?, controls).await?;
                    continue;
                }
                item = items.message(), if room => item?,
                () = tokio::time::sleep(TURN_IDLE_MAX),
                    if at.turn.is_some() && at.merging.is_empty() => {
                    at.turn = None;
                    continue;
                }
                _ = look.tick() => {
                    self.look()?;
                    continue;
                }
                () = self.shared.wishes.wished(self.village) => {
                    send(controls, Control::Restate(true)).await?;
                    continue;
                }
                proof = proving::due(self.proving.as_ref()), if at.merging.is_empty() => {
                    self.came(Received::Live);
                    let proved = Box::pin(self.prove(proof, at.position, at.standing)).await;
                    self.came(Received::Proof);
                    at.standing = proved?;
                    continue;
                }
                () = noticing.rung() => {
                    Box::pin(noticing.deliver()).await?;
                    continue;
                }
            };
            if item.is_some() {
                self.again.item(self.traffic.received());
            }
            self.came(if at.behind { Received::CatchUp } else { Received::Live });
            match item.and_then(|item| item.item) {
                None => return Err(Ended::Lost),
                Some(Item::Batch(batch)) => {
                    self.arrived(&mut at, Parcel::Batch(batch), controls).await?;
                }
                Some(Item::Run(run)) => self.arrived(&mut at, Parcel::Run(run), controls).await?,
                Some(Item::CaughtUp(caught_up)) => {
                    while !at.merging.is_empty() {
                        at.standing = self.merged(next(&mut at.merging).await?, controls).await?;
                    }
                    self.compare(&caught_up, at.position, at.standing)?;
                    (at.behind, at.waiting_since, at.turn) = (false, None, None);
                }
                Some(Item::Beat(beat)) => {
                    self.patience.promised(beat.next_seconds);
                    if beat.answer {
                        let nothing = v1::pull_control::Credit { bytes: 0 };
                        send(controls, Control::Credit(nothing)).await?;
                    }
                    let head = beat.head.map_or(0, |head| head.seq);
                    self.shared.live.update(self.village, |live| {
                        live.head_seq = live.head_seq.max(head);
                        live.last_contact_ms = clock::now_ms();
                    });
                }
                Some(Item::Poison(poison)) => {
                    // What came before is merged first. `why` is the node's
                    // text: not for a log.
                    while !at.merging.is_empty() {
                        at.standing = self.merged(next(&mut at.merging).await?, controls).await?;
                    }
                    (at.behind, at.waiting_since, at.turn) = (false, None, None);
                    self.broken(Seq(poison.seq)).await?;
                }
            }
        }
    }

    /// A batch is here: proves it, hands it to the writer, and learns from
    /// the time it took.
    async fn arrived(
        &mut self,
        at: &mut Pulling,
        parcel: Parcel,
        controls: &Controls,
    ) -> Result<(), Ended> {
        let span = spans::batch(self.village, parcel.wire_bytes());
        self.take(at, parcel, controls).instrument(span).await
    }

    async fn take(
        &mut self,
        at: &mut Pulling,
        parcel: Parcel,
        controls: &Controls,
    ) -> Result<(), Ended> {
        self.stated(None);
        let took = at.waiting_since.take().map(|since| since.elapsed());
        let wire_bytes = parcel.wire_bytes();
        let proven = self.verify(parcel, &at.authors, at.position);
        let proven = proven.instrument(spans::verifying()).await;
        spans::verified(proven.as_ref().ok().map(|proven| proven.batch.changes.len()));
        let Proven { batch, raw_bytes, size, seal } = proven?;
        if self.again.whole(at.position, batch.last) {
            self.shared.writer.counts().sent_again(Cut::Whole);
        }
        at.position = batch.last;
        if let Some(change) = batch.changes.last() {
            at.authors.note(&change.actor);
        }
        at.behind = seal.is_none();
        if seal.is_some() {
            at.turn = None;
        }
        self.shared.live.update(self.village, |live| {
            live.head_seq = live.head_seq.max(at.position.seq.0);
        });
        let pending = self.shared.writer.submit(batch).await;
        let pending = pending.map_err(|_| Ended::Lost)?;
        at.merging.push_back(Merging { pending, raw_bytes, seal, span: Span::current() });
        let learned = took.is_some_and(|took| self.pace.arrived(size, wire_bytes, took));
        let block = self.block();
        if self.forms.slim && (learned || (at.behind && block != at.block)) {
            at.block = block;
            let size = v1::pull_control::Size {
                batch_bytes: self.pace.batch_bytes(),
                window_bytes: self.pace.window_bytes(),
                block,
            };
            send(controls, Control::Size(size)).await?;
        }
        Ok(())
    }

    /// Notes a sign of life of an idle link: bytes that arrived since. Ends one
    /// that broke its promise.
    fn look(&mut self) -> Result<(), Ended> {
        let (alive, waits) = self.patience.look(self.traffic.received(), Instant::now());
        if alive {
            self.shared.contacts.alive(self.village);
            self.shared.live.update(self.village, |live| live.last_contact_ms = clock::now_ms());
        }
        if waits { Ok(()) } else { Err(Ended::Lost) }
    }
}

/// The oldest merge under way, once it is durable; for ever when there is
/// none.
async fn next(merging: &mut VecDeque<Merging>) -> Result<Durable, Ended> {
    let Some(oldest) = merging.front_mut() else { return std::future::pending().await };
    let outcome = (&mut oldest.pending).await;
    let (raw_bytes, seal, span) = (oldest.raw_bytes, oldest.seal, oldest.span.clone());
    merging.pop_front();
    match outcome {
        Ok(merged) => Ok(Durable { merged, raw_bytes, seal, span }),
        // Somebody else moved the position: begin again from what is stored.
        Err(MergeError::NotNext | MergeError::Stopping) => Err(Ended::Lost),
        Err(MergeError::Dataset(_)) => Err(Ended::Trouble(Trouble::HubDisk)),
    }
}

async fn send(controls: &Controls, control: Control) -> Result<(), Ended> {
    let control = v1::PullControl { control: Some(control) };
    controls.send(control).await.map_err(|_| Ended::Lost)
}
