//! One connection to the district, from the handshake to its end.

use std::io;
use std::time::Duration;

use lumbung_identity::tls;
use lumbung_link::guarded::Guarded;
use lumbung_link::limits;
use lumbung_link::meter::Traffic;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_stream::StreamExt as _;

use super::dial::{self, Dialled, NoLine, Way};
use super::{Account, Ended, Missed};
use crate::barn::Barn;
use crate::identity::Identity;
use crate::serving::{AuditWitness, Confirmed, FleetService, SyncService, serve_district};

/// What the hub said on this connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Word {
    /// Nothing yet.
    #[default]
    Silence,
    /// We may stay.
    Stay,
    /// We should come back after this.
    Wait(Duration, Why),
}

/// Why the district lets nobody stay now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It has no place.
    Full,
    /// People there hold this village.
    Held,
    /// Two machines answer as this village.
    Twin,
}

impl Why {
    /// What the district says; a reason that is not known is the harmless one.
    pub(crate) fn read(reason: &str) -> Self {
        match reason {
            "ditahan" => Self::Held,
            "kembar" => Self::Twin,
            _ => Self::Full,
        }
    }
}

impl From<Why> for Missed {
    fn from(why: Why) -> Self {
        match why {
            Why::Full => Self::Full,
            Why::Held => Self::Held,
            Why::Twin => Self::Twin,
        }
    }
}

/// Between looks at whether a visit over budget is done, and for how long
/// nothing must have happened then.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What is served to the district over whatever connection.
#[derive(Clone)]
pub struct Services {
    /// The change feed.
    pub sync: SyncService,
    /// The barn behind it.
    pub barn: Barn,
    /// What the district has confirmed.
    pub confirmed: std::sync::Arc<Confirmed>,
    /// What is witnessed of the district's audit log; `None` = nothing.
    pub witness: Option<std::sync::Arc<AuditWitness>>,
    /// How often the node ended without being stopped.
    pub unclean_stops: u32,
}

/// The hub's port takes connections and then says nothing: large packets may
/// vanish on the way.
#[derive(Debug)]
pub(super) struct Stalled;

/// Dials once, with small packets if `narrow`, and serves until the connection
/// is over.
///
/// # Errors
/// [`Stalled`].
pub(super) async fn run(
    identity: &Identity,
    services: &Services,
    traffic: &Traffic,
    account: &std::sync::Arc<Account>,
    way: Way,
    narrow: bool,
) -> Result<Ended, Stalled> {
    let joinings = identity.known_joinings();
    let config = match identity.client(tls::ALPN_UPLINK) {
        Ok(config) => config,
        Err(error) => {
            tracing::error!(%error, "the identity can't be used");
            return Ok(Ended::Unreachable);
        }
    };
    let address = identity.address();
    let dialled = match dial::line(&address, config, traffic.clone(), way, narrow).await {
        Ok(dialled) => dialled,
        Err(NoLine::Unreachable(error)) => {
            tracing::debug!(%error, "the hub is not reachable");
            return Ok(Ended::Unreachable);
        }
        Err(NoLine::Stalled(error)) => {
            tracing::warn!(%error, ?way, narrow, "the hub's port says nothing");
            return Err(Stalled);
        }
        Err(NoLine::Refused(error)) => {
            tracing::warn!(%error, ?way, "the hub does not answer as itself");
            return Ok(Ended::Unspoken);
        }
    };
    let Dialled { line, tunnel } = dialled;
    Ok(over(line, tunnel, services, account, Some((identity, joinings))).await)
}

/// Serves over a line until it is over; what comes out of a tunnel is counted
/// into `tunnel`. Without an `identity` the district
/// arranges nothing: it has spoken already. With one, it ends when the village
/// has joined more often than that.
pub(super) async fn over<S>(
    line: S,
    tunnel: Option<Traffic>,
    services: &Services,
    account: &std::sync::Arc<Account>,
    identity: Option<(&Identity, u32)>,
) -> Ended
where
    S: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
{
    account.begun(tunnel);
    let (stream, switch, gone) = Guarded::new(line);
    let (word, heard) = watch::channel(match identity {
        Some(_) => Word::Silence,
        None => Word::Stay,
    });
    let fleet = identity.map(|(identity, _)| {
        let account = std::sync::Arc::clone(account);
        FleetService::new(identity.clone(), account, word, services.clone())
    });
    let sync = services.sync.clone().quietly(std::sync::Arc::clone(account));
    // Only one connection ever comes; the stream must not end before it.
    let incoming = tokio_stream::once(Ok::<_, io::Error>(stream)).chain(tokio_stream::pending());
    let serving = serve_district(sync, fleet, incoming, gone.wait());
    let judged = judge(heard.clone(), services, account);
    let joined_anew = async {
        match identity {
            Some((identity, joinings)) => identity.joined_since(joinings).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(serving, judged);
    let ended = tokio::select! {
        served = &mut serving => {
            if let Err(error) = served {
                tracing::debug!(%error, "the connection failed");
            }
            match *heard.borrow() {
                Word::Silence => Ended::Unspoken,
                Word::Stay => Ended::Over,
                Word::Wait(pause, why) => Ended::Wait(pause, why),
            }
        }
        ended = &mut judged => {
            account.hangs_up();
            ended
        }
        // Over another line, to where it was told to go.
        () = joined_anew => {
            account.hangs_up();
            Ended::Over
        }
    };
    // The connection lives on in a task of its own until it is switched off.
    switch.off();
    account.ended();
    ended
}

/// Ends the connection from this side: the hub never speaks, asks to wait, or
/// everything is told and the budget pays for no open line.
async fn judge(mut heard: watch::Receiver<Word>, services: &Services, account: &Account) -> Ended {
    let spoken = heard.wait_for(|word| *word != Word::Silence);
    let word = match tokio::time::timeout(limits::ANSWER_TIMEOUT, spoken).await {
        Ok(Ok(word)) => *word,
        Ok(Err(_)) | Err(_) => return Ended::Unspoken,
    };
    if let Word::Wait(pause, why) = word {
        tracing::info!(seconds = pause.as_secs(), ?why, "the district asked to come back later");
        // Its own end comes first, so that the answer still arrives.
        tokio::time::sleep(Duration::from_secs(1)).await;
        return Ended::Wait(pause, why);
    }
    tracing::info!("connected to the district");
    let mut stays = false;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if services.confirmed.seq() < services.barn.head().position.seq {
            continue;
        }
        // Once the line is paid for it is kept as long as the day's budget.
        account.contacted();
        if account.is_overspent() || !stays && account.is_calling_in() {
            tracing::info!("the budget pays for no open line; calling in again later");
            return Ended::HungUp;
        }
        stays = true;
    }
}
