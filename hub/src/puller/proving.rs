//! What a session does about differences: when it proves rows against the
//! log, and what follows for the village.
//!
//! A proof holds up the session's pull while it runs, so that the hub's
//! position stands still; what the node saves meanwhile makes it begin again.

use std::sync::Arc;

use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Position, Seq};
use lumbung_link::world;
use lumbung_proto::v1::sync_client::SyncClient;
use lumbung_telemetry::clock;
use lumbung_wire::tree::Part;

use super::Shared;
use super::session::{Ended, Session, Standing};
use super::trouble::Trouble;
use crate::dataset::VillageState;
use crate::repair::{Due, Outcome, Proof, ProofError, Turn, log_broken};
use crate::uplink::Line;

/// The proofs of one session.
#[derive(Debug)]
pub(super) struct Proving {
    due: Due,
    sync: SyncClient<Line>,
    /// What the last proof could not put right. Equal sums don't end it: rows
    /// may be wrong beside them.
    doubt: Option<Trouble>,
}

impl Proving {
    pub(super) fn new(state: &VillageState, shared: &Shared, sync: SyncClient<Line>) -> Self {
        let doubt = [Trouble::NodeLog, Trouble::Differs]
            .into_iter()
            .find(|trouble| state.trouble == trouble.code());
        let agenda = shared.agenda.clone();
        let due = Due::new(state.village, agenda, state.deep_proof_ms, doubt.is_some());
        Self { due, sync, doubt }
    }
}

/// Completes when the session's village is to be proven and has been caught
/// up with; for ever otherwise.
pub(super) async fn due(proving: Option<&Proving>) -> Turn {
    match proving {
        Some(Proving { due, .. }) if due.stated.is_some() => due.wait().await,
        _ => std::future::pending().await,
    }
}

impl Session<'_> {
    /// What the node says that everything sums up to where both stand; `None`
    /// once there is more to merge.
    pub(super) fn stated(&mut self, stated: Option<Part>) {
        if let Some(proving) = &mut self.proving {
            proving.due.stated = stated;
        }
    }

    /// What is wrong, by the node's last statement and what is merged. When
    /// the sums differ, the proof that finds out where is due.
    pub(super) fn differs(&mut self, standing: Standing) -> Option<Trouble> {
        let proving = self.proving.as_mut()?;
        let own = Part { fingerprint: standing.fingerprint, records: standing.records };
        let differs = proving.due.stated.is_some_and(|stated| stated != own);
        if differs {
            proving.due.contradicted();
        }
        proving.doubt.or(differs.then_some(Trouble::Differs))
    }

    /// Proves the rows against the log, and puts right what differs.
    pub(super) async fn prove(
        &mut self,
        turn: Turn,
        position: Position,
        standing: Standing,
    ) -> Result<Standing, Ended> {
        let (village, shared) = (self.village, self.shared);
        let Some(Proving { due, sync, doubt }) = &mut self.proving else { return Ok(standing) };
        due.begin();
        let stated = due.stated;
        let (dataset, traffic) = (&shared.dataset, &self.traffic);
        let outcome = Proof { village, dataset, sync, traffic, stated }.run().await;
        drop(turn);
        let contacts = &shared.contacts;
        match outcome.map_err(|error| ended(self.village, &error))? {
            Outcome::Equal { merged, words } => {
                due.equal();
                *doubt = None;
                let (fingerprint, records) = (merged.fingerprint, merged.records);
                due.stated = Some(Part { fingerprint, records });
                contacts.deep_proof(village, true, words);
                shared.live.update(village, |live| live.quarantined += merged.quarantined);
                let standing = Standing { fingerprint, records };
                self.settle(position, standing);
                return Ok(standing);
            }
            Outcome::MovedOn => due.moved_on(),
            Outcome::Unanswered => due.failed(),
            Outcome::Broken(seq) => {
                due.failed();
                *doubt = Some(Trouble::NodeLog);
                contacts.deep_proof(village, false, Trouble::NodeLog.words());
                tracing::error!(%village, %seq, "the node's log does not prove itself");
                self.trouble(Trouble::NodeLog);
            }
            Outcome::Unrepaired(why) => {
                due.failed();
                *doubt = Some(Trouble::Differs);
                contacts.deep_proof(village, false, why);
                self.trouble(Trouble::Differs);
            }
        }
        Ok(standing)
    }

    /// The node can send nothing from this entry on: its log is broken there.
    /// The line stays; what is merged stays as it is.
    pub(super) async fn broken(&mut self, seq: Seq) -> Result<(), Ended> {
        let (village, dataset) = (self.village, Arc::clone(&self.shared.dataset));
        tracing::error!(
            code = "puller-4775",
            %village, %seq,
            "the node's log can't be sent from here on"
        );
        let incident = log_broken(seq);
        let noted =
            world::blocking(move || dataset.note_incident(village, &incident, clock::now_ms()));
        noted.await.map_err(|_| Ended::Lost)?.map_err(|error| {
            tracing::error!(%village, %error, "an incident can't be noted");
            Ended::Trouble(Trouble::HubDisk)
        })?;
        if let Some(proving) = &mut self.proving {
            proving.doubt = Some(Trouble::NodeLog);
        }
        self.trouble(Trouble::NodeLog);
        Ok(())
    }

    /// Tells of a trouble that does not end the session.
    pub(super) fn trouble(&self, trouble: Trouble) {
        let (village, shared) = (self.village, self.shared);
        tracing::warn!(%village, code = trouble.code(), "a village is in trouble");
        shared.live.update(village, |live| {
            live.last_contact_ms = clock::now_ms();
            trouble.code().clone_into(&mut live.trouble);
        });
        shared.contacts.trouble(village, trouble.code());
    }
}

fn ended(village: VillageCode, error: &ProofError) -> Ended {
    match error {
        ProofError::Stopping(_) => Ended::Lost,
        ProofError::NodeDisk => Ended::Trouble(Trouble::NodeDisk),
        ProofError::Dataset(error) => {
            tracing::error!(%village, %error, "the village's rows can't be proven");
            Ended::Trouble(Trouble::HubDisk)
        }
    }
}
