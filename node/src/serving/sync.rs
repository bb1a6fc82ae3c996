//! The `Sync` service: how the district's hub follows this village.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use lumbung_ledger::{Position, Seq};
use lumbung_link::awaited::Within;
use lumbung_link::{limits, quiet, world};
use lumbung_proto::v1::{self, pull_control::Control, pull_item::Item};
use lumbung_telemetry::clock::Clock;
use lumbung_wire::authors::Authors;
use lumbung_wire::batch;
use lumbung_wire::forms::Forms;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use tracing::{Instrument as _, Span};

use super::allowance::Allowance;
use super::confirmed::{Confirmed, Visits};
use super::content;
use super::sending::{Next, Ready, packed, sound_after};
use crate::barn::{Barn, Head, RederiveError, Relation, RestartError, Sound, StoreError};
use crate::bundle::replaced_to_wire;
use crate::uplink::Account;
use crate::village::Village;

/// Items that may wait in a pull stream. Credit bounds the bytes.
const ITEMS_QUEUED: usize = 4;

/// Most positions one Restart may state.
const MARKS_MAX: usize = 1_024;

/// Every so many signs of life this end asks for one in return: a box in
/// between may acknowledge what it no longer delivers.
const BEATS_AN_ANSWER: u32 = 4;

/// For how long whoever calls may be silent: it gives a sign of life at least
/// this often, or begins a pull.
const SILENT_MAX: Duration =
    Duration::from_secs(quiet::LONGEST.as_secs() + limits::SIGN_LATE_MAX.as_secs());

/// Most ids one Fetch may ask for.
const FETCH_IDS_MAX: usize = 10_000;

/// The service.
#[derive(Clone)]
pub struct SyncService {
    village: Village,
    incarnation: [u8; 16],
    confirmed: Arc<Confirmed>,
    visits: Option<Arc<Visits>>,
    account: Option<Arc<Account>>,
    /// For how long whoever calls may be silent.
    awaits: Within,
    /// Where the last pull began. One that begins there again may have been
    /// refused what it was sent.
    begun: Arc<AtomicU64>,
}

impl SyncService {
    /// Serves `village`; `incarnation` is random, new at each start.
    #[must_use]
    pub fn new(village: Village, incarnation: [u8; 16], confirmed: Arc<Confirmed>) -> Self {
        let (visits, account, awaits) = (None, None, Within::new(SILENT_MAX));
        let begun = Arc::new(AtomicU64::new(u64::MAX));
        Self { village, incarnation, confirmed, visits, account, awaits, begun }
    }

    /// Keeps the numbers of contacts too.
    #[must_use]
    pub fn keeping(self, visits: Visits) -> Self {
        Self { visits: Some(Arc::new(visits)), ..self }
    }

    /// Gives signs of life by itself, as rarely as the link of `account`
    /// bears.
    #[must_use]
    pub fn quietly(self, account: Arc<Account>) -> Self {
        Self { account: Some(account), awaits: Within::new(SILENT_MAX), ..self }
    }

    /// For how long whoever calls may be silent.
    pub(super) const fn awaits(&self) -> &Within {
        &self.awaits
    }

    /// The village it serves.
    #[must_use]
    pub const fn village(&self) -> &Village {
        &self.village
    }

    /// Keeps the number of this contact and gives the last one before it.
    /// Contacts of a hub that counts none, or means another village, are not
    /// kept. One that the disk can't keep for now is told as one of a node that
    /// keeps none: it must not pass for a disk that went back in time later.
    async fn meet(&self, hello: &v1::HelloRequest) -> Result<Option<u64>, Status> {
        let Some(visits) = self.visits.clone() else { return Ok(None) };
        let known = hello.village == self.village.code().as_u64();
        let visit = if known { hello.visit } else { 0 };
        blocking(move || match visits.meet(visit).map_err(StoreError::Io) {
            Err(error) if error.hindrance().is_some() => {
                tracing::warn!(%error, "the number of this contact can't be kept");
                Ok(None)
            }
            met => met.map(Some),
        })
        .await
    }
}

fn disk_failed(error: &StoreError) -> Status {
    tracing::error!(%error, "the barn can't be read");
    Status::data_loss("the village's barn can't be read; its clerk must look at the node")
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Status> {
    let call = Span::current();
    world::blocking(move || call.in_scope(work))
        .await
        .map_err(|_| Status::internal("the node is stopping"))?
        .map_err(|error| disk_failed(&error))
}

#[tonic::async_trait]
impl v1::sync_server::Sync for SyncService {
    async fn hello(
        &self,
        request: Request<v1::HelloRequest>,
    ) -> Result<Response<v1::HelloReply>, Status> {
        let hello = request.into_inner();
        let (oldest, newest) = limits::PROTOCOL_VERSIONS;
        let version = newest.min(hello.version_max);
        if version < oldest.max(hello.version_min) {
            return Err(Status::failed_precondition(format!(
                "this node speaks protocol {oldest} to {newest}, the hub {} to {}",
                hello.version_min, hello.version_max
            )));
        }
        let barn = self.village.barn().clone();
        let relation = match &hello.position {
            None => v1::Relation::First,
            Some(position) => {
                let position = batch::position_from_wire(position)
                    .ok_or_else(|| Status::invalid_argument("the position is malformed"))?;
                match blocking(move || barn.relate(position)).await? {
                    Relation::Resume => v1::Relation::Resume,
                    Relation::Ahead => v1::Relation::Ahead,
                    Relation::Forked => v1::Relation::Forked,
                    Relation::OtherLog => v1::Relation::OtherLog,
                }
            }
        };
        let visit = self.meet(&hello).await?;
        let barn = self.village.barn().clone();
        let (predecessor, replaced) =
            blocking(move || Ok((barn.predecessor()?, barn.replaced()?))).await?;
        let head = self.village.barn().head().position;
        Ok(Response::new(v1::HelloReply {
            version,
            village: self.village.code().as_u64(),
            log_id: Bytes::copy_from_slice(&head.log_id.0),
            head: Some(batch::position_to_wire(head)),
            incarnation: Bytes::copy_from_slice(&self.incarnation),
            clock_ms: self.village.clock().now_ms(),
            software: env!("CARGO_PKG_VERSION").to_owned(),
            relation: relation.into(),
            acked: self.confirmed.position().map(batch::position_to_wire),
            visit,
            predecessor: predecessor.map(batch::position_to_wire),
            replaced: replaced.map(replaced_to_wire),
            forms: Some(Forms::offered()),
        }))
    }

    async fn restart(
        &self,
        request: Request<v1::RestartRequest>,
    ) -> Result<Response<v1::RestartReply>, Status> {
        let v1::RestartRequest { position, marks } = request.into_inner();
        let malformed = || Status::invalid_argument("a position is malformed");
        let position = position.as_ref().and_then(batch::position_from_wire);
        let position = position.ok_or_else(malformed)?;
        if marks.len() > MARKS_MAX {
            return Err(Status::invalid_argument("too many marks"));
        }
        let marks: Option<Vec<_>> = marks.iter().map(batch::position_from_wire).collect();
        let barn = self.village.barn();
        let restarted = barn.restart(position, marks.ok_or_else(malformed)?).await;
        let restarted = restarted.map_err(|error| match error {
            RestartError::OtherLog => Status::failed_precondition("the position is of another log"),
            RestartError::Store(error) => disk_failed(&error),
            RestartError::Closed => Status::data_loss("the village's barn is closed"),
        })?;
        if restarted.fork != position {
            tracing::warn!(fork = %restarted.fork, head = %restarted.head, "the log forked");
            self.confirmed.restarted(restarted.fork);
        }
        Ok(Response::new(v1::RestartReply {
            fork: Some(batch::position_to_wire(restarted.fork)),
            head: Some(batch::position_to_wire(restarted.head)),
        }))
    }

    type PullStream = Pin<Box<dyn Stream<Item = Result<v1::PullItem, Status>> + Send>>;

    async fn pull(
        &self,
        request: Request<Streaming<v1::PullControl>>,
    ) -> Result<Response<Self::PullStream>, Status> {
        let mut controls = request.into_inner();
        let Some(Control::Start(start)) =
            controls.next().await.transpose()?.and_then(|c| c.control)
        else {
            return Err(Status::invalid_argument("a pull begins with Start"));
        };
        let barn = self.village.barn().clone();
        let position = match &start.position {
            None => Position::origin(barn.head().position.log_id),
            Some(position) => batch::position_from_wire(position)
                .ok_or_else(|| Status::invalid_argument("the position is malformed"))?,
        };
        let related = barn.clone();
        if blocking(move || related.relate(position)).await? != Relation::Resume {
            return Err(Status::failed_precondition("the position is not on this log's history"));
        }
        if start.position.is_some() && position.seq > Seq::ZERO {
            // Where the hub stands is durable there; the Ack that said so may
            // never have come.
            self.confirmed.note(position, self.village.clock().now_ms());
        }
        if self.account.is_some() {
            // From now on this end gives the signs, and asks for one in return.
            self.awaits.set(SILENT_MAX + quiet::LONGEST * BEATS_AN_ANSWER);
        }
        let (items, stream) = mpsc::channel(ITEMS_QUEUED);
        let forms = Forms::common(start.forms.as_ref());
        let feed = Feed {
            barn,
            clock: self.village.clock().clone(),
            position,
            forms,
            authors: Authors::default(),
            batch_bytes: batch_bytes(start.batch_bytes),
            allowance: match forms.slim {
                true => Allowance::window(start.credit_bytes),
                false => Allowance::credit(start.credit_bytes),
            },
            told: None,
            doubted: self.begun.swap(position.seq.0, Ordering::Relaxed) == position.seq.0,
            broken: false,
            confirmed: Arc::clone(&self.confirmed),
            account: self.account.clone(),
            beats: 0,
        };
        tokio::spawn(feed.run(controls, items).in_current_span());
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn fingerprint(
        &self,
        request: Request<v1::FingerprintRequest>,
    ) -> Result<Response<v1::FingerprintReply>, Status> {
        let asked = content::Asked::read(&request.into_inner())?;
        if asked.is_whole() {
            // The hub proves everything: the node looks after itself first.
            match self.village.check().await {
                // A broken log is told in the answer.
                Ok(()) | Err(RederiveError::Broken(_) | RederiveError::Closed) => {}
                Err(RederiveError::Store(error)) => return Err(disk_failed(&error)),
            }
        }
        let barn = self.village.barn().clone();
        Ok(Response::new(blocking(move || content::fingerprint(&barn, &asked)).await?))
    }

    type FetchStream = Pin<Box<dyn Stream<Item = Result<v1::FetchItem, Status>> + Send>>;

    async fn fetch(
        &self,
        request: Request<v1::FetchRequest>,
    ) -> Result<Response<Self::FetchStream>, Status> {
        let request = request.into_inner();
        if request.ids.len() > FETCH_IDS_MAX {
            return Err(Status::invalid_argument("too many ids in one fetch"));
        }
        let barn = self.village.barn().clone();
        let items = blocking(move || content::fetch(&barn, &request)).await?;
        Ok(Response::new(Box::pin(tokio_stream::iter(items.into_iter().map(Ok)))))
    }

    async fn rederive(
        &self,
        _: Request<v1::RederiveRequest>,
    ) -> Result<Response<v1::RederiveReply>, Status> {
        let outcome = content::rederived(self.village.put_right().await);
        outcome.map(Response::new).map_err(|error| disk_failed(&error))
    }
}

/// The size of batches that a hub asks for, within what this node gives.
fn batch_bytes(asked: u32) -> usize {
    asked.clamp(1, limits::BATCH_BYTES_MAX) as usize
}

/// One hub's pull: from a position to the head, then live.
struct Feed {
    barn: Barn,
    clock: Clock,
    position: Position,
    forms: Forms,
    /// Whom the hub knows.
    authors: Authors,
    batch_bytes: usize,
    allowance: Allowance,
    /// What the hub knows everything to sum up to.
    told: Option<Head>,
    /// Whether what is read is proven before it is sent: up to the head, when
    /// the last pull began at the same place.
    doubted: bool,
    /// The log goes no further that it could be proven: nothing is sent any
    /// more, but signs of life.
    broken: bool,
    confirmed: Arc<Confirmed>,
    /// Whom to ask how long to be silent; `None` = the other end pings.
    account: Option<Arc<Account>>,
    /// Signs of life since the last one that asked for an answer.
    beats: u32,
}

impl Feed {
    /// Runs until the hub goes away or the log can't be read.
    async fn run(
        mut self,
        mut controls: Streaming<v1::PullControl>,
        items: mpsc::Sender<Result<v1::PullItem, Status>>,
    ) {
        let mut head = self.barn.watch();
        loop {
            let now = *head.borrow_and_update();
            let behind = self.position.seq < now.position.seq;
            if behind && self.allowance.is_open() && !self.broken {
                let batch = self.next_batch().await;
                let failed = batch.is_err();
                let item = batch.map(|(item, sealed)| {
                    self.told = sealed.or(self.told);
                    item
                });
                if items.send(item).await.is_err() || failed {
                    return;
                }
                // Take what the hub said meanwhile, without waiting for it.
                while let Ok(control) = tokio::time::timeout(Duration::ZERO, controls.next()).await
                {
                    if !self.obey(control) {
                        return;
                    }
                }
                continue;
            }
            self.doubted &= behind;
            // Sums that were put right are told again.
            if !behind && self.told != Some(now) {
                self.told = Some(now);
                let caught_up = v1::CaughtUp {
                    position: Some(batch::position_to_wire(now.position)),
                    fingerprint: Bytes::copy_from_slice(&now.fingerprint.to_bytes()),
                    records: now.records,
                };
                if items.send(Ok(item(Item::CaughtUp(caught_up)))).await.is_err() {
                    return;
                }
                continue;
            }
            tokio::select! {
                biased;
                control = controls.next() => {
                    if !self.obey(control) {
                        return;
                    }
                }
                changed = head.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
                () = items.closed() => return,
                silence = silent(self.account.as_deref()) => {
                    if items.send(Ok(self.beat(now.position, silence))).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// A sign of life after a silence.
    fn beat(&mut self, head: Position, silence: Duration) -> v1::PullItem {
        let mut next_seconds = 0;
        if let Some(account) = &self.account {
            account.signed(silence);
            next_seconds = u32::try_from(account.silence().as_secs()).unwrap_or(u32::MAX);
        }
        // Its number says enough: the log is the one of this pull.
        let head = v1::Position { seq: head.seq.0, ..v1::Position::default() };
        let clock_ms = self.clock.now_ms();
        self.beats += 1;
        let asks = self.account.as_deref().is_some_and(Account::asks_answers);
        let answer = asks || self.beats.is_multiple_of(BEATS_AN_ANSWER);
        item(Item::Beat(v1::Beat { head: Some(head), clock_ms, next_seconds, answer }))
    }

    /// Takes one control message; `false` when the hub is gone.
    fn obey(&mut self, control: Option<Result<v1::PullControl, Status>>) -> bool {
        let Some(Ok(control)) = control else { return false };
        match control.control {
            Some(Control::Ack(ack)) => {
                let position = ack.position.as_ref().and_then(batch::position_from_wire);
                if let Some(position) = position.filter(|p| p.log_id == self.position.log_id) {
                    self.confirmed.note(position, self.clock.now_ms());
                }
            }
            Some(Control::Acked(seq)) => {
                if let Some(position) = self.allowance.acked(Seq(seq)) {
                    self.confirmed.note(position, self.clock.now_ms());
                }
            }
            Some(Control::Restate(_)) => self.told = None,
            Some(Control::Credit(credit)) => self.allowance.granted(credit.bytes),
            Some(Control::Size(size)) => {
                self.forms = self.forms.with_block(size.block);
                self.batch_bytes = batch_bytes(size.batch_bytes);
                self.allowance.resized(size.window_bytes);
            }
            Some(Control::Start(_)) | None => {}
        }
        true
    }

    /// The next batch, with the head it was sealed at, if it ends there; or
    /// the entry at which the log is broken.
    async fn next_batch(&mut self) -> Result<(v1::PullItem, Option<Head>), Status> {
        let (barn, prev, batch_bytes) = (self.barn.clone(), self.position, self.batch_bytes);
        let (forms, authors, doubted) = (self.forms, self.authors.clone(), self.doubted);
        let read = move || {
            let run = match sound_after(&barn, prev, batch_bytes, doubted)? {
                Sound::Run(run) => run,
                Sound::End => return Ok(Next::Nothing),
                Sound::Broken(seq) => return Ok(Next::Broken(seq)),
            };
            packed(&barn, forms, &authors, prev, &run)
        };
        match blocking(read).await? {
            Next::Batch(ready) => {
                let Ready { item: batch, last, size, sealed, author } = *ready;
                self.position = last;
                self.authors.note(&author);
                self.allowance.sent(last, size);
                Ok((item(batch), sealed))
            }
            Next::Broken(seq) => {
                tracing::error!(%seq, "the log does not prove itself; nothing after is sent");
                self.broken = true;
                let why = "the log does not prove itself from here on".to_owned();
                Ok((item(Item::Poison(v1::Poison { seq: seq.0, why })), None))
            }
            Next::Nothing => Err(Status::internal("the log has nothing after the position")),
        }
    }
}

/// Waits as long as the link bears silence, and says how long that was.
async fn silent(account: Option<&Account>) -> Duration {
    let Some(account) = account else { return std::future::pending().await };
    let silence = account.silence();
    tokio::time::sleep(silence).await;
    silence
}

const fn item(item: Item) -> v1::PullItem {
    v1::PullItem { item: Some(item) }
}
