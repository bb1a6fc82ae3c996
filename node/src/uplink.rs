//! The way to the district: this node dials, and then serves.
//!
//! Villages sit behind routers, so the node opens the connection; once both
//! ends have proven who they are the roles swap and the hub calls. A link
//! counts as good only when the hub has spoken: a handshake alone can end at
//! a proxy or a hub that has revoked us. Where a direct connection never
//! becomes good, the same bytes go through a tunnel inside ordinary gRPC.
//!
//! The link is held as quietly as the network in between allows
//! ([`lumbung_link::quiet`]), and within the day's budget that the district
//! sets; over it, the node only calls in now and then.

mod account;
mod dial;
mod session;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lumbung_link::backoff::Backoff;
use lumbung_link::meter::{Metered, Traffic};
use lumbung_telemetry::clock;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tonic::transport::server::Connected;

pub use account::{Account, LinkState, Missed};
pub use dial::join_channel;
pub use session::Services;
pub(crate) use session::Word;

use crate::identity::Identity;
use dial::Way;

/// First and longest pause before dialling again. The hub of a district that
/// comes back after a power cut is met by 248 nodes within the first minute.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(120));

/// A session that lasted this long was a good one, even if nothing was to be
/// told: the next failure starts with a short pause again.
const LASTED: Duration = Duration::from_secs(60);

/// Direct connections that were made and never became good before the tunnel
/// is tried.
const UNSPOKEN_MAX: u32 = 2;

/// A working tunnel is kept this long before the direct way is tried again.
const TUNNEL_FOR: Duration = Duration::from_secs(60 * 60);

/// Over the day's budget the node calls in this often.
const CALL_IN_EVERY: Duration = Duration::from_secs(6 * 60 * 60);

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// No connection at all.
    Unreachable,
    /// Connected, but the hub never spoke.
    Unspoken,
    /// It was good, and is over.
    Over,
    /// The hub has no place now.
    Wait(Duration),
}

/// Sessions with the district, one after another.
trait Sessions: Sync {
    /// Runs the next one to its end.
    fn run(&self, way: Way) -> impl Future<Output = Ended> + Send;
}

/// Those over lines that this machine dials.
struct Dialled {
    identity: Identity,
    services: Services,
    traffic: Traffic,
    account: Arc<Account>,
}

impl Sessions for Dialled {
    async fn run(&self, way: Way) -> Ended {
        session::run(&self.identity, &self.services, &self.traffic, &self.account, way).await
    }
}

/// Lines to a district in a simulated world; see [`keep_over`].
pub trait Lines: Send + Sync {
    /// A line.
    type Line: AsyncRead + AsyncWrite + Connected + Send + Sync + Unpin + 'static;

    /// The next one; `None` = nobody answers.
    fn next(&self) -> impl Future<Output = Option<Self::Line>> + Send;
}

/// Those over such lines.
struct Given<L> {
    lines: L,
    services: Services,
    traffic: Traffic,
    account: Arc<Account>,
}

impl<L: Lines> Sessions for Given<L> {
    async fn run(&self, way: Way) -> Ended {
        let Some(line) = self.lines.next().await else { return Ended::Unreachable };
        let line = Metered::new(line, self.traffic.clone());
        session::over(line, way, &self.services, &self.account, None).await
    }
}

/// Holds the way to the district for ever.
pub async fn keep(identity: Identity, services: Services, traffic: Traffic, account: Arc<Account>) {
    let (of, by) = (services.clone(), Arc::clone(&account));
    hold(&Dialled { identity, services, traffic, account }, &of, &by).await;
}

/// Holds the way to a district that has spoken already, over lines that need
/// no certificates, for ever: for simulation.
pub async fn keep_over(
    lines: impl Lines,
    services: Services,
    traffic: Traffic,
    account: Arc<Account>,
) {
    let (of, by) = (services.clone(), Arc::clone(&account));
    hold(&Given { lines, services, traffic, account }, &of, &by).await;
}

async fn hold(sessions: &impl Sessions, services: &Services, account: &Account) {
    let mut backoff = Backoff::new(RETRY.0, RETRY.1);
    let mut unspoken = 0;
    let mut tunnel_until: Option<Instant> = None;
    loop {
        let tunnel = tunnel_until.is_some_and(|until| Instant::now() < until);
        let way = if tunnel || unspoken >= UNSPOKEN_MAX { Way::Tunnel } else { Way::Direct };
        let begun = Instant::now();
        let confirmed = services.confirmed.seq();
        let ended = sessions.run(way).await;
        account.save();
        account.missed(match ended {
            Ended::Unreachable => Missed::Unreachable,
            Ended::Unspoken => Missed::Refused,
            Ended::Over => Missed::Unknown,
            Ended::Wait(_) => Missed::Full,
        });
        match (ended, way) {
            (Ended::Over | Ended::Wait(_), Way::Tunnel) => {
                unspoken = 0;
                tunnel_until.get_or_insert_with(|| Instant::now() + TUNNEL_FOR);
            }
            (Ended::Over | Ended::Wait(_), Way::Direct) => unspoken = 0,
            (Ended::Unspoken, Way::Direct) => unspoken += 1,
            // The tunnel doesn't work either: both are tried in turn.
            (Ended::Unspoken | Ended::Unreachable, Way::Tunnel) => {
                unspoken = 0;
                tunnel_until = None;
            }
            (Ended::Unreachable, Way::Direct) => {}
        }
        if tunnel_until.is_some_and(|until| Instant::now() >= until) {
            tunnel_until = None;
        }
        let pause = match ended {
            Ended::Wait(pause) => pause,
            Ended::Over if account.is_overspent(clock::now_ms()) => CALL_IN_EVERY,
            ended => {
                // A line that broke but got something through is worth
                // dialling again at once.
                let progressed = services.confirmed.seq() > confirmed;
                if ended == Ended::Over && (progressed || begun.elapsed() >= LASTED) {
                    backoff.reset();
                }
                backoff.wait()
            }
        };
        tracing::debug!(?ended, ?way, pause_ms = pause.as_millis(), "not connected");
        tokio::time::sleep(pause).await;
    }
}

/// The file that keeps what the link has cost and taught.
#[must_use]
pub fn account_file(data: &Path) -> std::path::PathBuf {
    crate::identity::folder(data).join("link.toml")
}
