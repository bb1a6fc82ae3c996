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
//! sets. Where the budget can't pay for an open line, the node calls in now and
//! then, and at once when there is something to tell and something left.

mod account;
mod answering;
mod dial;
mod session;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lumbung_link::backoff::Backoff;
use lumbung_link::meter::{Metered, Traffic};
use lumbung_link::world;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tonic::transport::server::Connected;

pub use account::{Account, LinkState, Missed};
pub use answering::{Answering, answer};
pub use dial::{carried, join_channel};
pub use session::Services;
pub(crate) use session::{Why, Word};

use crate::identity::Identity;
use dial::Way;
use session::Stalled;

/// First and longest pause before dialling again. The hub of a district that
/// comes back after a power cut is met by 248 nodes within the first minute.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(120));

/// The longest pause before somebody who did not answer as the district is
/// dialled again: a handshake costs kilobytes, and seldom is it mended sooner.
const REFUSED: Duration = Duration::from_secs(60 * 60);

/// Where nobody answers, and where nobody is the district, over the day's
/// budget: dialling costs little, a handshake more.
const OVERSPENT: (Duration, Duration) =
    (Duration::from_secs(15 * 60), Duration::from_secs(6 * 60 * 60));

/// How often a village with something to tell looks whether it may call.
const AFFORD_LOOK_EVERY: Duration = Duration::from_secs(60);

/// A session that lasted this long was a good one, even if nothing was to be
/// told: the next failure starts with a short pause again.
const LASTED: Duration = Duration::from_secs(60);

/// While the district holds a line that it dialled itself, this node looks
/// this often whether it must dial.
const DIALLED_LOOK_EVERY: Duration = Duration::from_secs(5);

/// Direct connections that were made and never became good before the tunnel
/// is tried.
const UNSPOKEN_MAX: u32 = 2;

/// A working tunnel is kept this long before the direct way is tried again.
const TUNNEL_FOR: Duration = Duration::from_secs(60 * 60);

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// No connection at all.
    Unreachable,
    /// Connected, but the hub never spoke.
    Unspoken,
    /// It was good, and is over.
    Over,
    /// Everything is told, and an open line is more than the budget pays for.
    HungUp,
    /// The hub lets nobody stay now.
    Wait(Duration, Why),
}

/// Sessions with the district, one after another.
trait Sessions: Sync {
    /// Runs the next one to its end.
    fn run(&self, way: Way) -> impl Future<Output = Ended> + Send;

    /// How often this village was seen to have joined anew: whatever was
    /// learnt of the way before may be wrong since.
    fn joinings(&self) -> u32;

    /// Completes once that is more often.
    fn joined_since(&self, joinings: u32) -> impl Future<Output = ()> + Send;
}

/// Those over lines that this machine dials.
struct Dialled {
    identity: Identity,
    services: Services,
    traffic: Traffic,
    account: Arc<Account>,
    /// Whether small packets are sent, because large ones seem to vanish.
    narrow: AtomicBool,
}

impl Sessions for Dialled {
    async fn run(&self, way: Way) -> Ended {
        let Self { identity, services, traffic, account, .. } = self;
        let narrow = self.narrow.load(Ordering::Relaxed);
        match session::run(identity, services, traffic, account, way, narrow).await {
            Ok(ended) => ended,
            Err(Stalled) => {
                // The other size in turn; one that works stays in use.
                self.narrow.store(!narrow, Ordering::Relaxed);
                Ended::Unspoken
            }
        }
    }

    fn joinings(&self) -> u32 {
        self.identity.joinings()
    }

    async fn joined_since(&self, joinings: u32) {
        self.identity.joined_since(joinings).await;
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
    async fn run(&self, _: Way) -> Ended {
        let Some(line) = self.lines.next().await else { return Ended::Unreachable };
        let line = Metered::new(line, self.traffic.clone());
        session::over(line, None, &self.services, &self.account, None).await
    }

    fn joinings(&self) -> u32 {
        0
    }

    async fn joined_since(&self, _: u32) {
        std::future::pending().await
    }
}

/// Holds the way to the district for ever.
pub async fn keep(identity: Identity, services: Services, traffic: Traffic, account: Arc<Account>) {
    let (of, by) = (services.clone(), Arc::clone(&account));
    let narrow = AtomicBool::new(false);
    hold(&Dialled { identity, services, traffic, account, narrow }, &of, &by).await;
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
    let mut refused = Backoff::new(RETRY.0, REFUSED);
    let mut unspoken = 0;
    let mut tunnel_until: Option<Instant> = None;
    let mut joinings = sessions.joinings();
    loop {
        while account.is_connected() {
            tokio::time::sleep(DIALLED_LOOK_EVERY).await;
        }
        let seen = sessions.joinings();
        if seen != joinings {
            joinings = seen;
            (unspoken, tunnel_until) = (0, None);
            backoff.reset();
            refused.reset();
        }
        let tunnel = tunnel_until.is_some_and(|until| Instant::now() < until);
        let way = if tunnel || unspoken >= UNSPOKEN_MAX { Way::Tunnel } else { Way::Direct };
        let begun = Instant::now();
        let confirmed = services.confirmed.seq();
        account.dialling();
        let ended = sessions.run(way).await;
        account.save();
        account.missed(match ended {
            Ended::Unreachable => Missed::Unreachable,
            Ended::Unspoken => Missed::Refused,
            Ended::Over => Missed::Unknown,
            Ended::HungUp => Missed::Saving,
            Ended::Wait(_, why) => why.into(),
        });
        match (ended, way) {
            (Ended::Over | Ended::HungUp | Ended::Wait(..), Way::Tunnel) => {
                unspoken = 0;
                tunnel_until.get_or_insert_with(|| Instant::now() + TUNNEL_FOR);
            }
            (Ended::Over | Ended::HungUp | Ended::Wait(..), Way::Direct) => unspoken = 0,
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
        let overspent = account.is_overspent();
        let pause = match ended {
            Ended::Unreachable if overspent => spread(OVERSPENT.0),
            Ended::Unspoken if overspent => spread(OVERSPENT.1),
            Ended::Unspoken => refused.wait(),
            Ended::Wait(pause, _) if overspent => pause.max(account.stays_away()),
            Ended::Wait(pause, _) => pause,
            Ended::HungUp => account.stays_away(),
            Ended::Over if overspent => account.stays_away(),
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
        if !matches!(ended, Ended::Unspoken | Ended::Unreachable) {
            refused.reset();
        }
        tracing::debug!(?ended, ?way, pause_ms = pause.as_millis(), "not connected");
        let paused = async {
            match ended {
                Ended::HungUp | Ended::Over => away(services, account, pause).await,
                _ => tokio::time::sleep(pause).await,
            }
        };
        tokio::select! {
            () = paused => {}
            () = sessions.joined_since(joinings) => {}
        }
    }
}

/// Between half and all of a pause, so that villages don't return together.
fn spread(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + f64::from(world::dice()) / 510.0)
}

/// Stays away for so long, or until something is to be told that the budget
/// covers.
async fn away(services: &Services, account: &Account, pause: Duration) {
    let until = Instant::now() + pause;
    let mut head = services.barn.watch();
    loop {
        let waits = head.borrow_and_update().position.seq > services.confirmed.seq();
        if waits && account.is_calling_in() && account.affords_contact() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep_until(until) => return,
            changed = head.changed(), if !waits => {
                if changed.is_err() {
                    return tokio::time::sleep_until(until).await;
                }
            }
            () = tokio::time::sleep(AFFORD_LOOK_EVERY), if waits => {}
        }
    }
}

/// The file that keeps what the link has cost and taught.
#[must_use]
pub fn account_file(data: &Path) -> std::path::PathBuf {
    crate::identity::folder(data).join("link.toml")
}
