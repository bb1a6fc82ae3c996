//! Hands back to a village what it lost.

use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_ledger::{Entry, Forks, Header, Operation, Payload, Salt, Seq, Source};
use lumbung_link::meter::Traffic;
use lumbung_link::moving;
use lumbung_proto::v1::{self, inbox_client::InboxClient};
use lumbung_telemetry::clock;
use prost::Message as _;

use super::evidence;
use super::recovery::{PROTOCOL, Recovery};
use super::session::Ended;
use crate::dataset::{After, Change, Delivered, Outcome, SetAside};
use crate::merge::decode;
use crate::spans;
use crate::uplink::Line;

/// Versions handed back in one call.
const PARCELS_MAX: u32 = 128;

/// Bytes of content handed back in one call; one version more fits. Half a
/// minute on a link of 2 KB a second.
const PARCEL_BYTES_MAX: usize = 64 * 1024;

/// Notes which of these versions a receipt has found to be entries of the
/// village's log. Counts only what the village tells with its source.
pub fn note_common(forks: &mut Forks, receipt: &v1::Receipt, versions: &[SetAside]) {
    for said in receipt.outcomes.iter().filter(|said| said.common) {
        let number = said.number.cast_signed();
        let source = said.held.as_ref().map(|held| held.source);
        let mut versions = versions.iter().filter(|version| version.number == number);
        let made_there = versions
            .find(|version| source == Some(version.source.0.into()) && !version.source.repeats());
        if let Some(version) = made_there {
            forks.found(version.epoch, version.seq);
        }
    }
}

impl Recovery<'_> {
    /// Hands back what waits for the village, and notes the receipts.
    pub(super) async fn hand_back(
        &self,
        inbox: &mut InboxClient<Line>,
        traffic: &Traffic,
    ) -> Result<(), Ended> {
        let mut first = false;
        // Holds for one session, in which the village's disk can't go back: what
        // is not settled by then is handed back again, and shows it again.
        let mut forks = Forks::default();
        let mut after: Option<After> = None;
        loop {
            let from = after;
            let versions = self.dataset(move |dataset, village| {
                dataset.undelivered(&dataset.whole(), village, from, PARCELS_MAX)
            });
            let versions = within_bytes(versions.await?);
            if versions.is_empty() {
                break;
            }
            let parcels: Vec<_> = versions
                .iter()
                .map(|version| parcel(version, forks.of(version.epoch, version.fork)))
                .collect();
            let outward_bytes = parcels.iter().map(v1::Parcel::encoded_len).sum();
            let sending = inbox.deliver(tokio_stream::iter(parcels));
            let sending = spans::node_call(self.village, "lumbung.v1.Inbox/Deliver", sending);
            let receipt = moving::answer(traffic, outward_bytes, sending).await;
            let receipt = receipt.ok_or(Ended::Lost)??.into_inner();
            note_common(&mut forks, &receipt, &versions);
            let told = read_receipt(receipt, &versions);
            let Some(last) = told.last().map(|told| told.number) else { return Err(PROTOCOL) };
            first |= versions.iter().any(|version| version.outcome == Outcome::Waiting);
            after = versions
                .iter()
                .find(|version| version.number == last)
                .map(|version| (version.epoch, version.seq, version.number));
            self.dataset(move |dataset, village| {
                dataset.delivered(village, &told, clock::now_ms())
            })
            .await?;
        }
        // What is only handed back again was told before.
        if first {
            let what = self.dataset(|dataset, village| dataset.handed_back(village)).await?;
            self.note(evidence::returned(what)).await?;
        }
        Ok(())
    }
}

/// The first of the versions that go into one call.
fn within_bytes(mut versions: Vec<SetAside>) -> Vec<SetAside> {
    let mut bytes = 0;
    let fits = versions.iter().take_while(|version| {
        let fits = bytes < PARCEL_BYTES_MAX;
        bytes += version.bytes.len();
        fits
    });
    let fits = fits.count();
    versions.truncate(fits);
    versions
}

/// What is handed to the village for one version; `fork` is the last entry known
/// to be common to both branches.
#[must_use]
pub fn parcel(version: &SetAside, fork: Seq) -> v1::Parcel {
    let lost = v1::LostRecord {
        id: Bytes::copy_from_slice(version.id.as_bytes()),
        kind: u32::from(version.kind.0),
        schema: u32::from(version.schema),
        deleted: version.operation == Operation::Delete,
        withheld: version.withheld,
        time_ms: version.time_ms,
        actor: version.actor.to_string(),
        payload: version.bytes.clone(),
        seq: version.seq.0,
        fork: fork.0,
        source: u32::from(version.source.0),
        epoch: version.epoch.0,
    };
    let kind = Some(v1::parcel::Kind::LostRecord(lost));
    v1::Parcel { number: version.number.cast_unsigned(), kind }
}

/// What a receipt says about these versions, in their order. Words about
/// anything else are passed over.
#[must_use]
pub fn read_receipt(receipt: v1::Receipt, versions: &[SetAside]) -> Vec<Delivered> {
    let mut outcomes: std::collections::HashMap<u64, v1::Outcome> =
        receipt.outcomes.into_iter().map(|outcome| (outcome.number, outcome)).collect();
    let told = versions.iter().map_while(|version| {
        let said = outcomes.remove(&version.number.cast_unsigned())?;
        let outcome = match said.verdict() {
            v1::Verdict::Applied => Outcome::Applied,
            v1::Verdict::Equal => Outcome::Equal,
            v1::Verdict::Conflict => Outcome::Conflict,
            v1::Verdict::Unspecified | v1::Verdict::UnknownParcel => return None,
        };
        Some(Delivered {
            number: version.number,
            outcome,
            held: said.held.and_then(|held| held_change(version.id, held)),
            absent: said.absent,
        })
    });
    told.collect()
}

fn held_change(id: RecordId, held: v1::Held) -> Option<Change> {
    let entry = Entry {
        header: Header {
            seq: Seq(held.seq),
            id,
            kind: KindCode(u16::try_from(held.kind).ok()?),
            schema: u16::try_from(held.schema).ok()?,
            operation: Operation::Update,
            time_ms: held.time_ms,
            actor: Arc::from(held.actor),
            source: Source(u8::try_from(held.source).ok()?),
        },
        payload: Payload::Present { salt: Salt::default(), bytes: held.payload },
    };
    let hash = entry.content_hash();
    Some(decode::change(entry, hash))
}

#[cfg(test)]
pub(crate) mod tests {
    use lumbung_ledger::Epoch;

    use super::*;

    /// A version that waits.
    pub(crate) fn version(number: i64, epoch: u32, seq: u64) -> SetAside {
        SetAside {
            number,
            id: RecordId::from_parts(0, 1, 1),
            kind: KindCode(1),
            schema: 1,
            epoch: Epoch(epoch),
            seq: Seq(seq),
            operation: Operation::Update,
            time_ms: 0,
            actor: Arc::from("kader"),
            source: Source::MANUAL,
            bytes: Bytes::new(),
            withheld: false,
            fork: Seq(3),
            at_ms: 0,
            outcome: Outcome::Waiting,
        }
    }

    fn said(number: u64, source: Source) -> v1::Receipt {
        let held = Some(v1::Held { source: source.0.into(), ..v1::Held::default() });
        let outcome = v1::Outcome { number, held, common: true, ..v1::Outcome::default() };
        v1::Receipt { outcomes: vec![outcome] }
    }

    #[test]
    fn a_common_entry_moves_the_fork_of_its_own_branch() {
        let versions = [version(1, 1, 8), version(2, 1, 9), version(3, 2, 9)];
        let of = |forks: &Forks| {
            versions.each_ref().map(|version| forks.of(version.epoch, version.fork).0)
        };
        let mut forks = Forks::default();
        // It was handed back before, or is none of those that were handed over.
        note_common(&mut forks, &said(1, Source::RETURNED), &versions);
        note_common(&mut forks, &said(9, Source::MANUAL), &versions);
        assert_eq!(of(&forks), [3, 3, 3]);
        note_common(&mut forks, &said(1, Source::MANUAL), &versions);
        assert_eq!(of(&forks), [8, 8, 3]);
    }
}
