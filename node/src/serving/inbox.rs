//! The `Inbox` service: what the district hands to this village.
//!
//! Parcels are looked at in the order they come. Those beyond the bounds of
//! one call are left alone and not named in the receipt; the hub delivers
//! them again.

use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_ledger::{Epoch, Seq, Source};
use lumbung_proto::v1::{self, parcel::Kind};
use lumbung_wire::informasi;
use prost::Message as _;
use tonic::{Request, Response, Status, Streaming};

use crate::barn::{Latest, SubmitError};
use crate::village::Village;
use crate::village::notices::Taken;
use crate::village::returned::{Lost, LostContent, TakenBack, Verdict};

/// Parcels that are looked at in one call.
const PARCELS_MAX: usize = 512;

/// Bytes of parcels that are taken in one call.
const PARCEL_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of a receipt; one outcome more fits into a message.
const RECEIPT_BYTES_MAX: usize = 512 * 1024;

/// The service.
#[derive(Clone)]
pub struct InboxService {
    village: Village,
}

impl InboxService {
    /// Takes parcels for `village`.
    #[must_use]
    pub const fn new(village: Village) -> Self {
        Self { village }
    }
}

#[tonic::async_trait]
impl v1::inbox_server::Inbox for InboxService {
    async fn deliver(
        &self,
        request: Request<Streaming<v1::Parcel>>,
    ) -> Result<Response<v1::Receipt>, Status> {
        let mut stream = request.into_inner();
        let mut parcels = Vec::new();
        let mut bytes = 0;
        while let Some(parcel) = stream.message().await? {
            bytes += parcel.encoded_len();
            if parcels.len() < PARCELS_MAX && bytes <= PARCEL_BYTES_MAX {
                parcels.push(parcel);
            }
        }
        let receipt = take(&self.village, parcels).await?;
        Ok(Response::new(within_a_message(receipt)))
    }
}

/// Takes parcels, however they came, and gives the receipt.
///
/// # Errors
/// `INVALID_ARGUMENT` when a parcel can't be read: then none was looked at.
/// `DATA_LOSS` when the barn fails.
pub async fn take(village: &Village, parcels: Vec<v1::Parcel>) -> Result<v1::Receipt, Status> {
    let (mut lost, mut notices) = (Vec::new(), Vec::new());
    let mut outcomes = Vec::new();
    for v1::Parcel { number, kind } in parcels {
        match kind {
            Some(Kind::LostRecord(record)) => {
                let record = read(record).ok_or_else(|| Status::invalid_argument("a parcel"))?;
                lost.push((number, record));
            }
            Some(Kind::Notice(notice)) => {
                let read = informasi::from_wire(&notice);
                let read = read.ok_or_else(|| Status::invalid_argument("a parcel"))?;
                notices.push((number, notice, read));
            }
            None => outcomes.push(v1::Outcome {
                number,
                verdict: v1::Verdict::UnknownParcel.into(),
                ..v1::Outcome::default()
            }),
        }
    }
    let (numbers, records): (Vec<_>, Vec<_>) = lost.into_iter().unzip();
    let forks: Vec<_> = records.iter().map(|record| record.fork).collect();
    let taken = village.take_back(records).await.map_err(|error| barn_failed(&error))?;
    let told = numbers.into_iter().zip(forks).zip(taken);
    outcomes.extend(told.map(|((number, fork), taken)| outcome(number, fork, taken)));
    for (number, notice, read) in notices {
        let taken = village.take_notice(&notice, &read).await;
        let verdict = match taken.map_err(|error| barn_failed(&error))? {
            Taken::Kept => v1::Verdict::Applied,
            Taken::Known => v1::Verdict::Equal,
        };
        outcomes.push(v1::Outcome { number, verdict: verdict.into(), ..v1::Outcome::default() });
    }
    Ok(v1::Receipt { outcomes })
}

/// The outcomes that fit into one message.
fn within_a_message(mut receipt: v1::Receipt) -> v1::Receipt {
    let mut bytes = 0;
    let fits = receipt.outcomes.iter().take_while(|outcome| {
        let fits = bytes <= RECEIPT_BYTES_MAX;
        bytes += outcome.encoded_len();
        fits
    });
    let fits = fits.count();
    receipt.outcomes.truncate(fits);
    receipt
}

fn barn_failed(error: &SubmitError) -> Status {
    tracing::error!(%error, "what the district hands over can't be kept");
    Status::data_loss("the village's barn can't be written; its clerk must look at the node")
}

fn read(record: v1::LostRecord) -> Option<Lost> {
    Some(Lost {
        id: RecordId::from_slice(&record.id)?,
        kind: KindCode(u16::try_from(record.kind).ok()?),
        schema: u16::try_from(record.schema).ok()?,
        content: match (record.deleted, record.withheld) {
            (true, _) if record.source == u32::from(Source::ERASURE.0) => LostContent::Erased,
            (true, _) => LostContent::Deleted,
            (false, true) => LostContent::Withheld,
            (false, false) => LostContent::Present(record.payload),
        },
        time_ms: record.time_ms,
        actor: Arc::from(record.actor),
        seq: Seq(record.seq),
        fork: Seq(record.fork),
        epoch: Epoch(record.epoch),
        source: Source(u8::try_from(record.source).ok()?),
    })
}

fn outcome(number: u64, fork: Seq, taken: TakenBack) -> v1::Outcome {
    let TakenBack { verdict, found, common } = taken;
    // What was changed after the fork comes with the next pull.
    let told_here = verdict != Verdict::Applied
        && found.as_ref().is_none_or(|found| found.entry.header.seq <= fork || common);
    let held = found.as_ref().filter(|found| told_here && found.alive()).map(held);
    let absent = told_here && held.is_none();
    let verdict = match verdict {
        Verdict::Applied => v1::Verdict::Applied,
        Verdict::Equal => v1::Verdict::Equal,
        Verdict::Conflict => v1::Verdict::Conflict,
    };
    v1::Outcome { number, verdict: verdict.into(), held, absent, common }
}

/// What the village has of a record that lives, on the wire.
pub(crate) fn held(found: &Latest) -> v1::Held {
    let header = &found.entry.header;
    v1::Held {
        seq: header.seq.0,
        kind: u32::from(header.kind.0),
        schema: u32::from(header.schema),
        time_ms: header.time_ms,
        actor: header.actor.to_string(),
        source: u32::from(header.source.0),
        payload: found.content().cloned().unwrap_or_else(Bytes::new),
    }
}
