//! The `Fleet` service: what the district arranges with this node.

use std::sync::Arc;
use std::time::Duration;

use lumbung_proto::v1;
use lumbung_telemetry::clock;
use tokio::sync::watch;
use tonic::{Request, Response, Status};

use super::AuditWitness;
use crate::identity::Identity;
use crate::uplink::{Account, Word};

/// The longest pause the district may ask for.
const WAIT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The service of one connection.
pub struct FleetService {
    identity: Identity,
    account: Arc<Account>,
    word: watch::Sender<Word>,
    /// What this node witnesses of the district's audit log; `None` = nothing.
    witness: Option<Arc<AuditWitness>>,
}

impl FleetService {
    /// Serves the district's arrangements; what it says of this connection
    /// goes to `word`.
    pub(crate) const fn new(
        identity: Identity,
        account: Arc<Account>,
        word: watch::Sender<Word>,
        witness: Option<Arc<AuditWitness>>,
    ) -> Self {
        Self { identity, account, word, witness }
    }

    /// Looks at the district's audit log; what can't be kept is not told.
    async fn look(&self, asked: v1::ArrangeRequest) -> Option<v1::AuditWitnessed> {
        let witness = Arc::clone(self.witness.as_ref()?);
        let looked = tokio::task::spawn_blocking(move || witness.look(&asked)).await.ok()?;
        looked.inspect_err(|error| tracing::error!(%error, "what is witnessed can't be kept")).ok()
    }

    fn told(&self, clock_ms: i64) {
        if let Err(error) = self.identity.time().told(clock_ms) {
            tracing::warn!(%error, "the district's time can't be kept");
        }
    }
}

#[tonic::async_trait]
impl v1::fleet_server::Fleet for FleetService {
    async fn certify(
        &self,
        request: Request<v1::CertifyRequest>,
    ) -> Result<Response<v1::CertifyReply>, Status> {
        let given = request.into_inner();
        if given.certificate.is_empty() || given.anchors.is_empty() {
            return Err(Status::invalid_argument("no certificate or no roots"));
        }
        let clock_ms = given.clock_ms;
        let identity = self.identity.clone();
        let kept = tokio::task::spawn_blocking(move || {
            identity.renew(&given.certificate, &given.anchors, &given.hub_key)?;
            identity.keep_recipient(&given.backup_recipient)
        });
        match kept.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, "a new certificate can't be kept");
                return Err(Status::internal("the new certificate can't be kept"));
            }
            Err(_) => return Err(Status::unavailable("the node is stopping")),
        }
        self.told(clock_ms);
        tracing::info!("certificate renewed");
        Ok(Response::new(v1::CertifyReply {}))
    }

    async fn arrange(
        &self,
        request: Request<v1::ArrangeRequest>,
    ) -> Result<Response<v1::ArrangeReply>, Status> {
        let arranged = request.into_inner();
        let now_ms = clock::now_ms();
        self.told(arranged.clock_ms);
        let ahead_ms = arranged.clock_ms.saturating_sub(now_ms);
        self.account.arranged(arranged.budget_bytes_a_day, ahead_ms);
        let word = match arranged.wait_seconds {
            0 => Word::Stay,
            seconds => Word::Wait(Duration::from_secs(seconds.into()).min(WAIT_MAX)),
        };
        self.word.send_replace(word);
        let audit = self.look(arranged).await;
        let link = self.account.state(now_ms);
        Ok(Response::new(v1::ArrangeReply {
            clock_ms: now_ms,
            spent_today_bytes: link.spent_today_bytes,
            quiet_held_seconds: link.quiet_held_seconds,
            quiet_broke_seconds: link.quiet_broke_seconds,
            tunnelled: link.tunnelled,
            audit,
        }))
    }
}
