//! Where to pull from, when node and hub do not simply go on where they
//! stopped.
//!
//! Each case of the positions table ends with data that can be proven equal:
//! a lost tail and a fork go on from the last common position after what the
//! village lost is set aside, and what was set aside is handed back before
//! the next pull (`hand_back`); another log begins from its start; a hub that went back
//! goes on from where it stands. Everything that is found is noted as an
//! incident with its evidence. Repeating any step after a crash of either
//! side changes nothing more.

use std::sync::Arc;

use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Position, Seq};
use lumbung_link::{limits, world};
use lumbung_proto::v1::{self, sync_client::SyncClient};
use lumbung_telemetry::clock;
use lumbung_wire::batch;
use tonic::{Code, Status};

use super::Shared;
use super::evidence::{self, Parted};
use super::narrowing::Narrowing;
use super::session::Ended;
use super::trouble::Trouble;
use crate::dataset::lineage::Meeting;
use crate::dataset::turns::Turn;
use crate::dataset::{DatasetError, HubsOwn, NewIncident};
use crate::repair;
use crate::spans;
use crate::uplink::Line;

/// One contact that may have to recover something.
pub(super) struct Recovery<'a> {
    pub(super) village: VillageCode,
    shared: &'a Shared,
}

/// Notes that two machines are connected for one village at the same moment,
/// and stops the village until an operator resolves it. `one` and `other` are
/// the incarnations of both. Gives the trouble to end both sessions with.
pub async fn twin(shared: &Shared, village: VillageCode, one: &[u8], other: &[u8]) -> Trouble {
    let recovery = Recovery { village, shared };
    match recovery.stop(evidence::at_once(one, other)).await {
        Ended::Trouble(trouble) => trouble,
        // The hub is stopping; both machines will be back.
        Ended::Lost => Trouble::Twin,
    }
}

impl<'a> Recovery<'a> {
    pub(super) const fn new(village: VillageCode, shared: &'a Shared) -> Self {
        Self { village, shared }
    }

    /// The number of this contact.
    pub(super) async fn next_visit(&self) -> Result<u64, Ended> {
        self.dataset(|dataset, village| dataset.next_visit(village, clock::now_ms())).await
    }

    /// Decides from the node's answer where to pull from, and makes that
    /// position the stored one. `head` is the node's.
    pub(super) async fn agree(
        &self,
        sync: &mut SyncClient<Line>,
        visit: u64,
        reply: &v1::HelloReply,
        head: Position,
        stored: Option<Position>,
    ) -> Result<Position, Ended> {
        if reply.relation() != v1::Relation::OtherLog {
            self.meet(visit, reply).await?;
        }
        self.compare_acked(reply, stored).await?;
        match (reply.relation(), stored) {
            (v1::Relation::First, None) => Ok(Position::origin(head.log_id)),
            (v1::Relation::Resume, Some(stored)) => {
                self.compare_epochs(reply, head, stored).await?;
                Ok(stored)
            }
            (v1::Relation::Ahead, Some(stored)) => {
                self.restart(sync, Parted::LostTail, reply, head, stored).await
            }
            (v1::Relation::Forked, Some(stored)) => {
                self.restart(sync, Parted::Forked, reply, head, stored).await
            }
            (v1::Relation::OtherLog, Some(stored)) if head.log_id != stored.log_id => {
                let origin = self.begin_log(reply, head, stored).await?;
                self.meet(visit, reply).await?;
                Ok(origin)
            }
            // No answer to the question that was asked.
            _ => Err(Ended::Trouble(Trouble::Protocol)),
        }
    }

    /// Takes the contact into the histories; stops when it shows a twin.
    async fn meet(&self, visit: u64, reply: &v1::HelloReply) -> Result<(), Ended> {
        let Some(shown) = reply.visit else { return Ok(()) };
        let incarnation = reply.incarnation.clone();
        let met = self
            .dataset(move |dataset, village| dataset.visited(village, visit, shown, &incarnation));
        match met.await? {
            Meeting::Known => Ok(()),
            Meeting::Back { shown, last } => {
                self.note(evidence::rewound(shown, last, &reply.incarnation)).await
            }
            Meeting::Twin { shown, last } => {
                Err(self.stop(evidence::taking_turns(shown, last, &reply.incarnation)).await)
            }
        }
    }

    async fn stop(&self, incident: NewIncident) -> Ended {
        let stopped = self.dataset(move |dataset, village| {
            dataset.stop_twin(village, &incident, clock::now_ms())
        });
        match stopped.await {
            Ok(()) => Ended::Trouble(Trouble::Twin),
            Err(ended) => ended,
        }
    }

    /// Whether the hub once confirmed more than it now has.
    async fn compare_acked(
        &self,
        reply: &v1::HelloReply,
        stored: Option<Position>,
    ) -> Result<(), Ended> {
        let Some(acked) = reply.acked.as_ref().and_then(batch::position_from_wire) else {
            return Ok(());
        };
        let behind = match stored {
            None => acked.seq > Seq::ZERO,
            Some(stored) => {
                stored.log_id == acked.log_id
                    && (stored.epoch, stored.seq) < (acked.epoch, acked.seq)
            }
        };
        if behind { self.note(evidence::hub_behind(acked, stored)).await } else { Ok(()) }
    }

    /// Whether the node began an epoch that no hub agreed on with it.
    async fn compare_epochs(
        &self,
        reply: &v1::HelloReply,
        head: Position,
        stored: Position,
    ) -> Result<(), Ended> {
        let acked = reply.acked.as_ref().and_then(batch::position_from_wire);
        let agreed = acked.map_or(stored.epoch, |acked| acked.epoch.max(stored.epoch));
        if head.epoch <= agreed {
            return Ok(());
        }
        self.note(evidence::lost_unsent(stored, head)).await
    }

    /// Agrees with the node on a fork and steps onto its branch: first on one of
    /// the marks, then on the very entry behind it.
    async fn restart(
        &self,
        sync: &mut SyncClient<Line>,
        parted: Parted,
        told: &v1::HelloReply,
        head: Position,
        stored: Position,
    ) -> Result<Position, Ended> {
        let marks = self.dataset(|dataset, village| dataset.marks(village)).await?;
        let (fork, restarted) = self.ask_restart(sync, parted, head, stored, &marks).await?;
        if fork == stored {
            return Ok(stored);
        }
        if fork != Position::origin(stored.log_id) && !marks.contains(&fork) {
            return Err(PROTOCOL);
        }
        let ends = (fork.seq, stored.seq);
        let passed = self.dataset(move |dataset, village| dataset.passed(village, ends)).await?;
        let mut narrowing = Narrowing::new(fork, stored, passed.into_iter().chain(marks));
        while let Some(asked) = narrowing.question() {
            let (newest, _) = self.ask_restart(sync, parted, head, stored, &asked).await?;
            if !narrowing.answer(newest) {
                return Err(PROTOCOL);
            }
        }
        let fork = narrowing.fork();
        self.leave(told, stored, restarted).await?;
        let position = Position { epoch: restarted.epoch, ..fork };
        let told = move |lost| evidence::restarted(parted, stored, restarted, fork, lost);
        let lost = self.dataset(move |dataset, village| {
            dataset.branch_off(village, position, &told, clock::now_ms())
        });
        let lost = lost.await?;
        tracing::warn!(village = %self.village, %stored, %position, lost, "the log was restarted");
        self.stand_at(position);
        Ok(position)
    }

    /// Asks the node which of `marks` is the newest on its log, and where that
    /// stands since it left what the hub has: the same, however often it is
    /// asked.
    async fn ask_restart(
        &self,
        sync: &mut SyncClient<Line>,
        parted: Parted,
        head: Position,
        stored: Position,
        marks: &[Position],
    ) -> Result<(Position, Position), Ended> {
        let request = v1::RestartRequest {
            position: Some(batch::position_to_wire(stored)),
            marks: marks.iter().copied().map(batch::position_to_wire).collect(),
        };
        let asked = sync.restart(request);
        let asked = spans::node_call(self.village, "lumbung.v1.Sync/Restart", asked);
        let answer = tokio::time::timeout(limits::ANSWER_TIMEOUT, asked).await;
        let reply = answer.map_err(|_| Ended::Lost)?.map_err(|status| too_old(status, parted))?;
        let v1::RestartReply { fork, head: restarted } = reply.into_inner();
        let read = |position: Option<v1::Position>| {
            position.as_ref().and_then(batch::position_from_wire).ok_or(PROTOCOL)
        };
        let (fork, restarted) = (read(fork)?, read(restarted)?);
        let sound = restarted.log_id == stored.log_id
            && restarted.epoch > stored.epoch
            && restarted.seq >= head.seq.min(fork.seq);
        if fork == stored || sound { Ok((fork, restarted)) } else { Err(PROTOCOL) }
    }

    /// Notes that the hub leaves the history it followed for the node's, as
    /// sticks do (`turns`); stops when that shows a twin. What the node
    /// remembers as confirmed is the one place of which it is known to lie on
    /// its log.
    async fn leave(
        &self,
        reply: &v1::HelloReply,
        stored: Position,
        to: Position,
    ) -> Result<(), Ended> {
        let acked = reply.acked.as_ref().and_then(batch::position_from_wire);
        let turned = self.dataset(move |dataset, village| {
            let (state, now_ms) = (dataset.village(village)?, clock::now_ms());
            // This contact is of the history that begins now.
            let left_ms = state.last_contact_ms.max(state.last_stick_ms).min(now_ms - 1);
            let holds = |at: &Position| acked.is_some_and(|acked| repair::same_place(&acked, at));
            dataset.turned(village, (stored, left_ms), now_ms, &holds)
        });
        match turned.await? {
            Turn::Back => Ok(()),
            Turn::Twin => {
                Err(self.stop(evidence::line_and_sticks(to, stored, &reply.incarnation)).await)
            }
        }
    }

    /// Begins with another log of the village.
    async fn begin_log(
        &self,
        reply: &v1::HelloReply,
        head: Position,
        stored: Position,
    ) -> Result<Position, Ended> {
        let origin = Position::origin(head.log_id);
        let predecessor = reply.predecessor.as_ref().and_then(batch::position_from_wire);
        let rebuilt = predecessor == Some(stored);
        let replaced = reply.replaced;
        let told = move |left| match rebuilt {
            true => evidence::rebuilt(stored, origin, left, replaced),
            false => evidence::reinstalled(stored, origin, left, replaced),
        };
        let left = self.dataset(move |dataset, village| {
            let now_ms = clock::now_ms();
            if let Some(v1::Replaced { at_ms, whole, .. }) = replaced {
                dataset.note_damaged_store(village, at_ms, whole && rebuilt, now_ms)?;
            }
            dataset.begin_log(village, origin, &told, now_ms)
        });
        let left = left.await?;
        tracing::warn!(village = %self.village, rebuilt, left, "another log begins");
        self.stand_at(origin);
        Ok(origin)
    }

    /// Shows where the hub stands now; nothing is proven there yet.
    fn stand_at(&self, position: Position) {
        self.shared.live.update(self.village, |live| {
            live.merged_seq = position.seq.0;
            live.proven_seq = 0;
        });
    }

    pub(super) async fn note(&self, incident: NewIncident) -> Result<(), Ended> {
        self.dataset(move |dataset, village| {
            dataset.note_incident(village, &incident, clock::now_ms())
        })
        .await
    }

    /// Work on the dataset, which blocks.
    pub(super) async fn dataset<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn HubsOwn, VillageCode) -> Result<T, DatasetError> + Send + 'static,
    ) -> Result<T, Ended> {
        let (dataset, village) = (Arc::clone(&self.shared.dataset), self.village);
        let done = world::blocking(move || work(&*dataset, village)).await;
        done.map_err(|_| Ended::Lost)?.map_err(|error| {
            tracing::error!(%village, %error, "a recovery can't be written");
            Ended::Trouble(Trouble::HubDisk)
        })
    }
}

/// The node's answer is none to what was asked.
pub(super) const PROTOCOL: Ended = Ended::Trouble(Trouble::Protocol);

/// A node that knows no Restart must be updated first.
fn too_old(status: Status, parted: Parted) -> Ended {
    match (status.code(), parted) {
        (Code::Unimplemented, Parted::LostTail) => Ended::Trouble(Trouble::LostTail),
        (Code::Unimplemented, Parted::Forked) => Ended::Trouble(Trouble::Forked),
        _ => status.into(),
    }
}
