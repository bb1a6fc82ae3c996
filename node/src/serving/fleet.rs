//! The `Fleet` service: what the district arranges with this node.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lumbung_proto::v1;
use lumbung_telemetry::clock;
use tokio::sync::watch;
use tonic::{Request, Response, Status};

use crate::backup::may_go;
use crate::identity::Identity;
use crate::uplink::{Account, Services, Why, Word};

/// The longest pause the district may ask for.
const WAIT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The service of one connection.
pub struct FleetService {
    identity: Identity,
    account: Arc<Account>,
    word: watch::Sender<Word>,
    /// What is served beside it, and what this node witnesses.
    services: Services,
}

impl FleetService {
    /// Serves the district's arrangements; what it says of this connection
    /// goes to `word`.
    pub(crate) const fn new(
        identity: Identity,
        account: Arc<Account>,
        word: watch::Sender<Word>,
        services: Services,
    ) -> Self {
        Self { identity, account, word, services }
    }

    /// Looks at the district's audit log; what can't be kept is not told.
    async fn look(&self, asked: v1::ArrangeRequest) -> Option<v1::AuditWitnessed> {
        let witness = Arc::clone(self.services.witness.as_ref()?);
        let looked = tokio::task::spawn_blocking(move || witness.look(&asked)).await.ok()?;
        looked.inspect_err(|error| tracing::error!(%error, "what is witnessed can't be kept")).ok()
    }

    /// How the computer is; what can't be measured is not told.
    async fn machine(&self) -> Option<v1::NodeMachine> {
        let (barn, folder) = (self.services.barn.clone(), self.identity.data().to_owned());
        let measured = tokio::task::spawn_blocking(move || (barn.disk_bytes(), space(&folder)));
        let (store_bytes, disk) = measured.await.ok()?;
        Some(v1::NodeMachine {
            disk_free_mib: disk.map_or(0, |(free, _)| mebibytes(free).max(1)),
            store_mib: mebibytes(store_bytes),
            unclean_stops: self.services.unclean_stops,
            arch: std::env::consts::ARCH.to_owned(),
        })
    }

    /// Notes which damaged stores nobody misses any more. It is told again at
    /// the next contact.
    async fn damaged_may_go(&self, set_aside_ms: &[i64]) {
        let (dir, stores) = (self.identity.data().to_owned(), set_aside_ms.to_vec());
        let noted = tokio::task::spawn_blocking(move || may_go(&dir, &stores, clock::now_ms()));
        if let Ok(Err(error)) = noted.await {
            tracing::warn!(%error, "what may be removed can't be noted");
        }
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
        self.account.arranged(arranged.budget_bytes_a_day, arranged.clock_ms);
        let word = match arranged.wait_seconds {
            0 => Word::Stay,
            seconds => {
                let pause = Duration::from_secs(seconds.into()).min(WAIT_MAX);
                Word::Wait(pause, Why::read(&arranged.wait_reason))
            }
        };
        self.word.send_replace(word);
        self.damaged_may_go(&arranged.damaged_may_go_ms).await;
        let audit = self.look(arranged).await;
        let link = self.account.state();
        Ok(Response::new(v1::ArrangeReply {
            clock_ms: now_ms,
            spent_today_bytes: link.spent_today_bytes,
            quiet_held_seconds: link.quiet_held_seconds,
            quiet_broke_seconds: link.quiet_broke_seconds,
            tunnelled: link.tunnelled,
            audit,
            machine: self.machine().await,
        }))
    }

    async fn diagnose(
        &self,
        _request: Request<v1::DiagnoseRequest>,
    ) -> Result<Response<v1::DiagnoseReply>, Status> {
        let barn = self.services.barn.clone();
        let folder = self.identity.data().to_owned();
        let measured = tokio::task::spawn_blocking(move || {
            (barn.head(), barn.disk_bytes(), barn.boots(), space(&folder), up_seconds())
        });
        let measured = measured.await.map_err(|_| Status::unavailable("the node is stopping"))?;
        let (head, store_bytes, starts, disk, machine_up_seconds) = measured;
        let (warnings, errors) = lumbung_telemetry::logged();
        let logged = lumbung_telemetry::logged_lately().into_iter().map(|it| v1::LoggedLine {
            at_ms: it.at_ms,
            level: it.level.to_owned(),
            code: it.code,
            words: it.words,
            times: it.times,
        });
        Ok(Response::new(v1::DiagnoseReply {
            clock_ms: clock::now_ms(),
            software: env!("CARGO_PKG_VERSION").to_owned(),
            machine: format!("{} {}", std::env::consts::ARCH, std::env::consts::OS),
            started_ms: self.account.opened_ms(),
            machine_up_seconds: machine_up_seconds.unwrap_or(0),
            starts,
            disk_free_bytes: disk.map_or(0, |(free, _)| free),
            disk_total_bytes: disk.map_or(0, |(_, total)| total),
            store_bytes,
            records: head.records,
            head_seq: head.position.seq.0,
            confirmed_seq: self.services.confirmed.seq().0,
            warnings,
            errors,
            logged: logged.collect(),
        }))
    }
}

/// In MiB, rounded up.
fn mebibytes(bytes: u64) -> u32 {
    bytes.div_ceil(1024 * 1024).try_into().unwrap_or(u32::MAX)
}

/// Free and all space on the disk of a folder, bytes.
fn space(folder: &Path) -> Option<(u64, u64)> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    Some((bytes(stat.f_bavail), bytes(stat.f_blocks)))
}

/// For how long the machine runs.
fn up_seconds() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    text.split('.').next()?.parse().ok()
}
