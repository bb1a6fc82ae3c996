//! How a session begins: the hub says hello, and both agree where they stand.

use std::sync::Arc;
use std::time::Duration;

use lumbung_ledger::Position;
use lumbung_link::limits;
use lumbung_proto::v1::{self, sync_client::SyncClient};
use lumbung_telemetry::clock;
use lumbung_wire::batch;
use lumbung_wire::forms::Forms;
use tonic::Code;

use super::{Ended, Session, Standing};
use crate::live::Phase;
use crate::puller::noticing::Noticing;
use crate::puller::proving::Proving;
use crate::puller::recovery::Recovery;
use crate::puller::trouble::Trouble;
use crate::spans;
use crate::uplink::{self, Line};

/// A greeting that takes longer gives its place away: it waits for its link, not
/// for the hub.
const GREETING_IDLE_MAX: Duration = Duration::from_millis(100);

/// A node that was greeted.
pub(super) struct Greeted {
    pub(super) sync: SyncClient<Line>,
    pub(super) reply: v1::HelloReply,
    /// Where both stand.
    pub(super) position: Position,
    pub(super) standing: Standing,
    pub(super) noticing: Noticing,
}

impl Session<'_> {
    /// Greets once it is this village's turn.
    pub(super) async fn greet_in_turn(
        &mut self,
        session: &uplink::Session,
    ) -> Result<Greeted, Ended> {
        let place = Arc::clone(&self.shared.greeting).acquire_owned().await;
        let greeting = self.greet(session);
        tokio::pin!(greeting);
        let in_time = tokio::time::timeout(GREETING_IDLE_MAX, &mut greeting).await;
        drop(place);
        match in_time {
            Ok(greeted) => greeted,
            Err(_) => greeting.await,
        }
    }

    /// Says hello, and agrees with the node where both stand.
    async fn greet(&mut self, session: &uplink::Session) -> Result<Greeted, Ended> {
        let village = self.village;
        let (mut sync, mut inbox) = (session.sync.clone(), session.inbox.clone());
        let stored = self.state().await?.position;
        let recovery = Recovery::new(village, self.shared);
        let visit = recovery.next_visit().await?;
        let hello = self.hello(stored, visit);
        let asked = spans::node_call(village, "lumbung.v1.Sync/Hello", sync.hello(hello));
        let answer = tokio::time::timeout(limits::ANSWER_TIMEOUT, asked);
        let reply = answer.await.map_err(|_| Ended::Lost)?.map_err(|status| {
            // The one precondition of Hello is a common protocol version.
            match status.code() {
                Code::FailedPrecondition => Ended::Trouble(Trouble::Protocol),
                _ => status.into(),
            }
        })?;
        let reply = reply.into_inner();
        let head = self.judge(&reply)?;
        let position = recovery.agree(&mut sync, visit, &reply, head, stored).await?;
        recovery.hand_back(&mut inbox, &self.traffic).await?;
        let log = (head.log_id, head.epoch.max(position.epoch));
        let mut noticing = Noticing::new(
            village,
            self.shared,
            (inbox, self.traffic.clone()),
            log,
            &reply.software,
        );
        noticing.deliver().await?;
        let state = self.state().await?;
        let standing = Standing { fingerprint: state.fingerprint, records: state.records };
        self.proving = Some(Proving::new(&state, self.shared, sync.clone()));
        self.forms = Forms::common(reply.forms.as_ref());
        Ok(Greeted { sync, reply, position, standing, noticing })
    }

    fn hello(&self, stored: Option<Position>, visit: u64) -> v1::HelloRequest {
        v1::HelloRequest {
            version_min: limits::PROTOCOL_VERSIONS.0,
            version_max: limits::PROTOCOL_VERSIONS.1,
            village: self.village.as_u64(),
            clock_ms: clock::now_ms(),
            position: stored.map(batch::position_to_wire),
            visit,
            forms: Some(Forms::offered()),
        }
    }

    /// Whether the node that should be there answers; gives its head.
    fn judge(&mut self, reply: &v1::HelloReply) -> Result<Position, Ended> {
        if reply.village != self.village.as_u64() {
            return Err(Ended::Trouble(Trouble::OtherVillage));
        }
        let (oldest, newest) = limits::PROTOCOL_VERSIONS;
        if !(oldest..=newest).contains(&reply.version) {
            return Err(Ended::Trouble(Trouble::Protocol));
        }
        let head = reply.head.as_ref().and_then(batch::position_from_wire);
        let head = head.ok_or(Ended::Trouble(Trouble::BadBatch))?;
        self.reached = true;
        self.shared.contacts.reached(self.village, &reply.software);
        self.shared.live.update(self.village, |live| {
            live.phase = Phase::CatchingUp;
            live.head_seq = head.seq.0;
            live.last_contact_ms = clock::now_ms();
        });
        Ok(head)
    }
}
