//! What the district holds of this village, on its way back.
//!
//! Pages of records are written into a village that was made for them, and
//! count only when number and sum are what the district says. When the line
//! breaks the rest is asked for on the next one. What breaks before a single
//! page got through gets smaller pages.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lumbung_domain::id::{KindCode, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_identity::tls;
use lumbung_ledger::{Fingerprint, Position, Source};
use lumbung_link::backoff::Backoff;
use lumbung_link::channel::ConnectError;
use lumbung_link::limits::{BATCH_BYTES_FIRST, BATCH_BYTES_MIN};
use lumbung_proto::v1;
use lumbung_proto::v1::enrolment_client::EnrolmentClient;
use lumbung_proto::v1::restore_item::Item;
use lumbung_wire::{batch, pages};
use tokio::time::Instant;
use tonic::{Code, Status, Streaming};

use crate::barn::{OpenBarnError, StoreError, SubmitError};
use crate::identity::{Identity, IdentityError};
use crate::uplink;
use crate::village::{Kept, Rebuilding, Village};

/// Waits between two lines.
const BETWEEN_LINES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));

/// Why the village's data did not come back. What was written of it so far is
/// of no use.
#[derive(Debug, thiserror::Error)]
pub enum ReturnError {
    /// This node's certificate can't be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The district can't be reached.
    #[error("the district can't be reached")]
    Unreachable(#[from] ConnectError),
    /// The district refuses; its sentence is for people.
    #[error("the district refuses: {0}")]
    Refused(Status),
    /// The line broke while records were coming.
    #[error("the line broke on the way: {0}")]
    Cut(Status),
    /// The district has merged something of this village meanwhile, or knows no
    /// going on where a line broke.
    #[error("what the district holds has changed meanwhile")]
    MovedOn,
    /// What comes is not what it should be.
    #[error("what the district sends is malformed")]
    Malformed,
    /// The stream ended before its end.
    #[error("the district sent a part only")]
    Incomplete,
    /// The result is not what the district holds.
    #[error("what came back is not what the district holds")]
    Differs,
    /// The new store can't be made or read.
    #[error(transparent)]
    Open(#[from] OpenBarnError),
    /// A record can't be written.
    #[error("a record can't be written")]
    Write(#[from] SubmitError),
    /// The new store can't be finished.
    #[error("the new store can't be written")]
    Store(#[from] StoreError),
}

impl ReturnError {
    /// Whether the same question may be answered on another line.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Cut(_) | Self::Incomplete => true,
            Self::Refused(status) => !matches!(
                status.code(),
                Code::PermissionDenied
                    | Code::Unauthenticated
                    | Code::Unimplemented
                    | Code::InvalidArgument
            ),
            _ => false,
        }
    }
}

/// What the district says it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Up to where it has the village's log.
    pub position: Option<Position>,
    /// How many records that are.
    pub records: u64,
    /// When it last heard of the village, its own clock, Unix milliseconds.
    pub last_contact_ms: i64,
}

/// How long a line that breaks is taken up again without a page getting
/// through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Somebody waits for it.
    Limited(Duration),
    /// Nobody is there who could try again.
    Endless,
}

/// A village that was built of what came.
pub struct Returned {
    /// The village, open.
    pub village: Village,
    /// Records of a closed log that gave way to others; the district keeps
    /// them.
    pub left_out: u64,
    /// The district's own rows are not what was proven once.
    pub doubtful: bool,
}

/// Records that are coming.
pub struct Returning<'a> {
    identity: &'a Identity,
    items: Streaming<v1::RestoreItem>,
    held: Held,
    page_bytes: u32,
    /// Records that were taken.
    taken: u64,
}

impl<'a> Returning<'a> {
    /// Asks the district, with the certificate this node has.
    ///
    /// # Errors
    /// [`ReturnError`].
    pub async fn begin(identity: &'a Identity) -> Result<Self, ReturnError> {
        let page_bytes = BATCH_BYTES_FIRST;
        let request = v1::RestoreRequest { page_bytes, ..v1::RestoreRequest::default() };
        let (items, start) = ask(identity, request).await?;
        let held = Held {
            position: start.position.as_ref().and_then(batch::position_from_wire),
            records: start.records,
            last_contact_ms: start.last_contact_ms,
        };
        Ok(Self { identity, items, held, page_bytes, taken: 0 })
    }

    /// What the district holds.
    #[must_use]
    pub const fn held(&self) -> Held {
        self.held
    }

    /// Makes a village in `dir`, where there is none, of everything that
    /// comes, and tells how many records have arrived. Gives it open, proven
    /// equal to what the district holds.
    ///
    /// # Errors
    /// [`ReturnError`].
    pub async fn build(
        mut self,
        dir: &Path,
        code: VillageCode,
        patience: Patience,
        mut arrived: impl FnMut(u64),
    ) -> Result<Returned, ReturnError> {
        let village = Village::create(dir, code)?;
        let mut rebuilding = Rebuilding::default();
        let (mut progress, mut got_through) = (Instant::now(), false);
        let end = loop {
            let records = match self.next().await {
                Ok(Item::Page(page)) => pages::unpack(&page).map_err(|_| ReturnError::Malformed)?,
                Ok(Item::Record(record)) => vec![record],
                Ok(Item::End(end)) => break end,
                Ok(Item::Start(_)) => return Err(ReturnError::Malformed),
                Err(broken) => {
                    if !got_through {
                        self.page_bytes = (self.page_bytes / 2).max(BATCH_BYTES_MIN);
                    }
                    self.go_on(broken, patience, progress).await?;
                    got_through = false;
                    continue;
                }
            };
            (progress, got_through) = (Instant::now(), true);
            for record in records {
                rebuilding.add(&village, kept(record).ok_or(ReturnError::Malformed)?).await?;
                self.taken += 1;
            }
            arrived(self.taken);
        };
        let left_out = rebuilding.finish().await?;
        let head = village.barn().head();
        let sum = Fingerprint::from_slice(&end.fingerprint).ok_or(ReturnError::Malformed)?;
        let whole = head.records + left_out.records == end.records
            && head.fingerprint + left_out.sum == sum;
        if !whole {
            return Err(ReturnError::Differs);
        }
        if let Some(position) = self.held.position {
            village.set_predecessor(position)?;
        }
        Ok(Returned { village, left_out: left_out.records, doubtful: end.doubtful })
    }

    async fn next(&mut self) -> Result<Item, ReturnError> {
        let item = self.items.message().await.map_err(|status| match status.code() {
            // The district said so; the line did not break.
            Code::PermissionDenied | Code::Unauthenticated => ReturnError::Refused(status),
            _ => ReturnError::Cut(status),
        })?;
        item.ok_or(ReturnError::Incomplete)?.item.ok_or(ReturnError::Malformed)
    }

    /// Asks for the rest on another line, because the last one was `broken`.
    async fn go_on(
        &mut self,
        mut broken: ReturnError,
        patience: Patience,
        progress: Instant,
    ) -> Result<(), ReturnError> {
        let mut backoff = Backoff::new(BETWEEN_LINES.0, BETWEEN_LINES.1);
        loop {
            let patient = match patience {
                Patience::Endless => true,
                Patience::Limited(within) => progress.elapsed() < within,
            };
            if !patient || !broken.may_pass() {
                return Err(broken);
            }
            tracing::warn!(error = %broken, taken = self.taken, "the line broke; once more");
            tokio::time::sleep(backoff.wait()).await;
            let request = v1::RestoreRequest {
                page_bytes: self.page_bytes,
                after: self.taken,
                position: self.held.position.map(batch::position_to_wire),
            };
            match ask(self.identity, request).await {
                Ok((items, start)) => {
                    let position = start.position.as_ref().and_then(batch::position_from_wire);
                    if (position, start.after) != (self.held.position, self.taken) {
                        return Err(ReturnError::MovedOn);
                    }
                    self.items = items;
                    return Ok(());
                }
                Err(error) => broken = error,
            }
        }
    }
}

async fn ask(
    identity: &Identity,
    request: v1::RestoreRequest,
) -> Result<(Streaming<v1::RestoreItem>, v1::RestoreStart), ReturnError> {
    let config = identity.client(tls::ALPN_H2)?;
    let channel = uplink::join_channel(&identity.address(), config).await?;
    let mut client = EnrolmentClient::new(channel);
    let items = client.restore(request).await.map_err(ReturnError::Refused)?;
    let mut items = items.into_inner();
    let first = items.message().await.map_err(ReturnError::Refused)?;
    match first.and_then(|item| item.item) {
        Some(Item::Start(start)) => Ok((items, start)),
        _ => Err(ReturnError::Malformed),
    }
}

fn kept(record: v1::RestoreRecord) -> Option<Kept> {
    Some(Kept {
        id: RecordId::from_slice(&record.id)?,
        kind: KindCode(u16::try_from(record.kind).ok()?),
        schema: u16::try_from(record.schema).ok()?,
        content: record.payload,
        time_ms: record.time_ms,
        actor: Arc::from(record.actor),
        source: Source(u8::try_from(record.source).ok()?),
        leftover: record.leftover,
    })
}
