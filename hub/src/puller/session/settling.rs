//! What follows once a batch is durable: the node hears so, and at the head
//! of its log both sides are compared.

use lumbung_ledger::{Fingerprint, Position, Seal};
use lumbung_proto::v1::{self, pull_control::Control};
use lumbung_telemetry::clock;
use lumbung_wire::batch;
use lumbung_wire::tree::Part;

use super::{Controls, Durable, Ended, Session, Standing, send};
use crate::live::Phase;
use crate::puller::trouble::Trouble;
use crate::spans;

impl Session<'_> {
    /// A batch is durable: say so to the node and to the watchers.
    pub(super) async fn merged(
        &mut self,
        Durable { merged, raw_bytes, seal, span }: Durable,
        controls: &Controls,
    ) -> Result<Standing, Ended> {
        self.progressed = true;
        self.shared.live.update(self.village, |live| {
            live.merged_seq = merged.position.seq.0;
            live.records = merged.records;
            live.quarantined += merged.quarantined;
            live.last_contact_ms = clock::now_ms();
        });
        if self.forms.slim {
            send(controls, Control::Acked(merged.position.seq.0)).await?;
        } else {
            let position = Some(batch::position_to_wire(merged.position));
            send(controls, Control::Ack(v1::pull_control::Ack { position })).await?;
            send(controls, Control::Credit(v1::pull_control::Credit { bytes: raw_bytes })).await?;
        }
        spans::acked(&span);
        drop(span);
        let standing = Standing { fingerprint: merged.fingerprint, records: merged.records };
        let own = Part { fingerprint: merged.fingerprint, records: merged.records };
        let equal =
            seal.map(|seal| seal == Seal::of(merged.position, own.fingerprint, own.records));
        self.stated((equal == Some(true)).then_some(own));
        match equal {
            Some(true) => self.settle(merged.position, standing),
            Some(false) => {
                // The seal does not say what the node has: it is asked.
                self.trouble(Trouble::Differs);
                send(controls, Control::Restate(true)).await?;
            }
            None => {}
        }
        Ok(standing)
    }

    /// The node says what everything sums up to: is it what is merged here?
    pub(super) fn compare(
        &mut self,
        caught_up: &v1::CaughtUp,
        position: Position,
        standing: Standing,
    ) -> Result<(), Ended> {
        let told = caught_up.position.as_ref().and_then(batch::position_from_wire);
        let sum = Fingerprint::from_slice(&caught_up.fingerprint);
        let (Some(told), Some(sum)) = (told, sum) else {
            return Err(Ended::Trouble(Trouble::BadBatch));
        };
        // The epoch may have moved on without an entry.
        let here = Position { epoch: position.epoch, ..told } == position;
        if !here {
            return Err(Ended::Trouble(Trouble::BadBatch));
        }
        self.stated(Some(Part { fingerprint: sum, records: caught_up.records }));
        self.settle(told, standing);
        Ok(())
    }

    /// Settles whether hub and node are equal at the position both stand at.
    pub(in crate::puller) fn settle(&mut self, told: Position, standing: Standing) {
        let (village, contacts) = (self.village, &self.shared.contacts);
        let trouble = self.differs(standing).map_or("", Trouble::code);
        let equal = trouble.is_empty();
        let now = clock::now_ms();
        self.shared.live.update(village, |live| {
            live.phase = Phase::Live;
            live.head_seq = told.seq.0;
            live.merged_seq = told.seq.0;
            live.records = standing.records;
            live.last_contact_ms = now;
            if equal {
                live.last_proof_ms = now;
                live.proven_seq = told.seq.0;
            }
            trouble.clone_into(&mut live.trouble);
        });
        if equal {
            self.progressed = true;
            contacts.proven(village, told.seq);
        } else {
            tracing::warn!(%village, trouble, "not proven equal");
            contacts.alive(village);
            contacts.trouble(village, trouble);
        }
    }
}
