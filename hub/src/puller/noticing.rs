//! Handing notices to the village of one session.
//!
//! At the start of a session and whenever the village's bell rings. What the
//! node answers is noted only after it said so; an answer that never came
//! leaves the notice in the queue, and the node takes the same version twice
//! without harm. A node that does not know notices, or can't read one, keeps
//! nobody from its records.

use std::collections::HashMap;
use std::sync::Arc;

use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Epoch, LogId};
use lumbung_link::meter::Traffic;
use lumbung_link::{moving, world};
use lumbung_proto::v1::{self, inbox_client::InboxClient};
use lumbung_telemetry::clock;
use prost::Message as _;
use tokio::sync::Notify;
use tonic::Code;

use super::Shared;
use super::session::Ended;
use super::trouble::Trouble;
use crate::dataset::notices::{Addressee, DueNotice, NoticeDelivered};
use crate::dataset::{DatasetError, HubsOwn};
use crate::notices::message_for;
use crate::spans;
use crate::uplink::Line;

/// Notices handed over in one call.
const NOTICES_MAX: u32 = 16;

/// Bytes of notices handed over in one call; one notice more fits. Half a minute
/// on a link of 2 KB a second.
const NOTICE_BYTES_MAX: usize = 64 * 1024;

/// The notices of one session.
pub(super) struct Noticing {
    village: VillageCode,
    dataset: Arc<dyn HubsOwn>,
    inbox: InboxClient<Line>,
    traffic: Traffic,
    bell: Arc<Notify>,
    log: (LogId, Epoch),
    software: Arc<str>,
}

impl Noticing {
    /// `log` and `software` are the node's, as it said; the traffic is that of
    /// the connection behind the inbox.
    pub(super) fn new(
        village: VillageCode,
        shared: &Shared,
        (inbox, traffic): (InboxClient<Line>, Traffic),
        log: (LogId, Epoch),
        software: &str,
    ) -> Self {
        let (dataset, bell) = (Arc::clone(&shared.dataset), shared.bell.of(village));
        Self { village, dataset, inbox, traffic, bell, log, software: software.into() }
    }

    /// Completes when something may wait for the village. Dropping it loses
    /// nothing.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }

    /// Hands over what waits.
    pub(super) async fn deliver(&mut self) -> Result<(), Ended> {
        let mut after = 0;
        loop {
            let due = self.work(move |dataset, to| {
                dataset.due_notices(to, after, clock::today(), NOTICES_MAX)
            });
            let due = due.await?;
            let parcels = within_bytes(&due, self.village);
            if parcels.is_empty() {
                return Ok(());
            }
            let sent = due[..parcels.len()].to_vec();
            let told = self.hand_over(parcels, &sent).await?;
            // What it did not look at comes first the next time.
            let looked_at = told.last().map(|told| told.number);
            self.work(move |dataset, to| dataset.note_deliveries(to, &told, clock::now_ms()))
                .await?;
            match looked_at {
                Some(number) => after = number,
                None => return Ok(()),
            }
        }
    }

    async fn hand_over(
        &mut self,
        parcels: Vec<v1::Parcel>,
        sent: &[DueNotice],
    ) -> Result<Vec<NoticeDelivered>, Ended> {
        let outward_bytes = parcels.iter().map(v1::Parcel::encoded_len).sum();
        let calling = self.inbox.deliver(tokio_stream::iter(parcels));
        let calling = spans::node_call(self.village, "lumbung.v1.Inbox/Deliver", calling);
        let answer = moving::answer(&self.traffic, outward_bytes, calling).await;
        match answer.ok_or(Ended::Lost)? {
            Ok(receipt) => Ok(read_receipt(&receipt.into_inner(), sent)),
            Err(status) if matches!(status.code(), Code::Unimplemented | Code::InvalidArgument) => {
                tracing::warn!(village = %self.village, "the node can't read a notice");
                let refused = |due: &DueNotice| NoticeDelivered {
                    number: due.number,
                    version: due.informasi.versi,
                    kept: false,
                };
                Ok(sent.iter().map(refused).collect())
            }
            Err(status) => Err(status.into()),
        }
    }

    /// Work on the dataset, which blocks.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn HubsOwn, Addressee<'_>) -> Result<T, DatasetError> + Send + 'static,
    ) -> Result<T, Ended> {
        let (dataset, village) = (Arc::clone(&self.dataset), self.village);
        let (log, software) = (Some(self.log), Arc::clone(&self.software));
        let done = world::blocking(move || {
            work(&*dataset, Addressee { village, log, software: &software })
        });
        done.await.map_err(|_| Ended::Lost)?.map_err(|error| {
            tracing::error!(%village, %error, "notices can't be read or noted");
            Ended::Trouble(Trouble::HubDisk)
        })
    }
}

/// What is handed to a village for a notice.
#[must_use]
pub fn notice_parcel(village: VillageCode, due: &DueNotice) -> v1::Parcel {
    let message = message_for(village, &due.informasi);
    v1::Parcel { number: due.number.cast_unsigned(), kind: Some(v1::parcel::Kind::Notice(message)) }
}

/// The parcels of the first notices, as many as go into one call.
fn within_bytes(due: &[DueNotice], village: VillageCode) -> Vec<v1::Parcel> {
    let mut bytes = 0;
    let parcels = due.iter().map(|due| notice_parcel(village, due));
    parcels
        .take_while(|parcel| {
            let fits = bytes < NOTICE_BYTES_MAX;
            bytes += parcel.encoded_len();
            fits
        })
        .collect()
}

/// What a receipt says about these notices, in their order, up to the first
/// that it does not name.
fn read_receipt(receipt: &v1::Receipt, sent: &[DueNotice]) -> Vec<NoticeDelivered> {
    let outcomes: HashMap<u64, v1::Verdict> =
        receipt.outcomes.iter().map(|outcome| (outcome.number, outcome.verdict())).collect();
    let told = sent.iter().map_while(|due| {
        let kept = match outcomes.get(&due.number.cast_unsigned())? {
            v1::Verdict::Applied | v1::Verdict::Equal => true,
            v1::Verdict::UnknownParcel => false,
            v1::Verdict::Unspecified | v1::Verdict::Conflict => return None,
        };
        Some(NoticeDelivered { number: due.number, version: due.informasi.versi, kept })
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use lumbung_domain::id::RecordId;
    use lumbung_domain::informasi::{Informasi, Sasaran};

    use super::*;

    fn due(number: i64) -> DueNotice {
        let informasi = Informasi {
            id: RecordId::from_parts(1, 0, number.unsigned_abs()),
            versi: 2,
            judul: "A".repeat(100),
            isi: "B".repeat(10_000),
            kategori: None,
            terbit: None,
            berlaku_sampai: None,
            sasaran: vec![Sasaran::Kabupaten],
            ditarik: false,
        };
        DueNotice { number, informasi }
    }

    fn outcome(number: u64, verdict: v1::Verdict) -> v1::Outcome {
        v1::Outcome { number, verdict: verdict.into(), ..v1::Outcome::default() }
    }

    #[test]
    fn a_receipt_counts_up_to_what_it_does_not_name() {
        let sent = [due(1), due(2), due(3), due(4)];
        let outcomes = vec![
            outcome(2, v1::Verdict::UnknownParcel),
            outcome(1, v1::Verdict::Applied),
            outcome(4, v1::Verdict::Equal),
            outcome(99, v1::Verdict::Applied),
        ];
        let told = read_receipt(&v1::Receipt { outcomes }, &sent);
        let told: Vec<_> = told.iter().map(|told| (told.number, told.version, told.kept)).collect();
        assert_eq!(told, [(1, 2, true), (2, 2, false)]);
    }

    #[test]
    fn one_call_stays_small() {
        let many: Vec<_> = (1..=16).map(due).collect();
        let village = VillageCode::from_u64(3_505_012_001).unwrap();
        let parcels = within_bytes(&many, village);
        let bytes: usize = parcels.iter().map(prost::Message::encoded_len).sum();
        assert!(parcels.len() < many.len());
        assert!((NOTICE_BYTES_MAX..NOTICE_BYTES_MAX + 20_000).contains(&bytes), "{bytes}");
    }
}
