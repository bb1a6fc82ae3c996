//! What the district holds of this village, on its way back.
//!
//! The stream is written record by record into a village that was made for
//! it, and counts only when number and sum are what the district says.

use std::path::Path;
use std::sync::Arc;

use lumbung_domain::id::{KindCode, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_identity::tls;
use lumbung_ledger::{Fingerprint, Position, Source};
use lumbung_link::channel::ConnectError;
use lumbung_proto::v1;
use lumbung_proto::v1::enrolment_client::EnrolmentClient;
use lumbung_proto::v1::restore_item::Item;
use lumbung_wire::batch;
use tonic::{Status, Streaming};

use crate::barn::{OpenBarnError, StoreError, SubmitError};
use crate::identity::{Identity, IdentityError};
use crate::uplink;
use crate::village::{Kept, Rebuilding, Village};

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

/// Records that are coming.
pub struct Returning {
    items: Streaming<v1::RestoreItem>,
    held: Held,
}

impl Returning {
    /// Asks the district, with the certificate this node has.
    ///
    /// # Errors
    /// [`ReturnError`].
    pub async fn begin(identity: &Identity) -> Result<Self, ReturnError> {
        let config = identity.client(tls::ALPN_H2)?;
        let channel = uplink::join_channel(&identity.address(), config).await?;
        let mut client = EnrolmentClient::new(channel);
        let items = client.restore(v1::RestoreRequest {}).await.map_err(ReturnError::Refused)?;
        let mut items = items.into_inner();
        let first = items.message().await.map_err(ReturnError::Refused)?;
        let Some(Item::Start(start)) = first.and_then(|item| item.item) else {
            return Err(ReturnError::Malformed);
        };
        let held = Held {
            position: start.position.as_ref().and_then(batch::position_from_wire),
            records: start.records,
            last_contact_ms: start.last_contact_ms,
        };
        Ok(Self { items, held })
    }

    /// What the district holds.
    #[must_use]
    pub const fn held(&self) -> Held {
        self.held
    }

    /// Makes a village in `dir`, where there is none, of everything that
    /// comes, and tells each record's arrival. Gives it open, proven equal
    /// to what the district holds.
    ///
    /// # Errors
    /// [`ReturnError`].
    pub async fn build(
        mut self,
        dir: &Path,
        code: VillageCode,
        mut arrived: impl FnMut(),
    ) -> Result<Village, ReturnError> {
        let village = Village::create(dir, code)?;
        let (mut rebuilding, mut end) = (Rebuilding::default(), None);
        while let Some(item) = self.items.message().await.map_err(ReturnError::Cut)? {
            match item.item {
                Some(Item::Record(record)) => {
                    arrived();
                    let kept = kept(record).ok_or(ReturnError::Malformed)?;
                    rebuilding.add(&village, kept).await?;
                }
                Some(Item::End(ended)) => end = Some(ended),
                Some(Item::Start(_)) | None => {}
            }
        }
        rebuilding.finish().await?;
        let end = end.ok_or(ReturnError::Incomplete)?;
        let head = village.barn().head();
        let sum = Fingerprint::from_slice(&end.fingerprint);
        if head.records != end.records || sum != Some(head.fingerprint) {
            return Err(ReturnError::Differs);
        }
        if let Some(position) = self.held.position {
            village.set_predecessor(position)?;
        }
        Ok(village)
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
    })
}
