//! The public port: who knocks, and where they are led.
//!
//! Every connection speaks TLS. A node with a certificate of an allowed key
//! becomes an arrival, and from then on the hub calls it. Anybody else finds
//! ordinary gRPC: joining, restoring, and the tunnel, through which the same
//! handshake is done once more for networks that pass nothing else.

use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use lumbung_domain::region::VillageCode;
use lumbung_identity::{Authority, Lifetime, Peer, peer, tls};
use lumbung_link::channel::ConnectError;
use lumbung_link::line::Line;
use lumbung_link::meter::{Metered, Traffic};
use lumbung_link::{limits, secure};
use lumbung_telemetry::clock;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::arrivals::{Arrival, Arrivals, Outcome};
use super::ordinary::{Stay, Visitor};
use super::welcome::{self, Welcome};
use crate::access::audit::AuditLog;
use crate::dataset::HubsOwn;
use crate::live::Live;
use crate::puller::Shared;
use crate::registry::Registry;

/// Handshakes under way at the same time: enough to keep every core busy, few
/// enough that a district that returns at once waits in the kernel's queue
/// and not in memory.
const HANDSHAKES_MAX: usize = 64;

/// Connections being welcomed at the same time.
const WELCOMES_MAX: usize = 128;

/// Ordinary connections held at once of those whom nobody knows yet.
const STRANGERS_MAX: usize = 256;

/// Ordinary connections that wait for the server.
const VISITORS_QUEUED: usize = 64;

/// A pause after the system refused a connection (no file handles, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Sessions held at once unless told otherwise: ten districts' worth.
pub const SESSIONS_MAX: usize = 12_000;

/// What the door needs to know.
pub struct Door {
    authority: RwLock<Arc<Authority>>,
    tls: RwLock<Arc<ServerConfig>>,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) dataset: Arc<dyn HubsOwn>,
    pub(crate) audit: Arc<dyn AuditLog>,
    pub(crate) lifetime: Lifetime,
    pub(crate) sessions_max: usize,
    pub(crate) backup_recipient: String,
    arrivals: Arrivals,
    live: Arc<Live>,
    shared: Shared,
    handshakes: Arc<Semaphore>,
    welcomes: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    visitors: mpsc::Sender<Visitor>,
}

/// How a door is made.
pub struct DoorOptions {
    /// The district's authority.
    pub authority: Authority,
    /// Tokens and keys.
    pub registry: Arc<dyn Registry>,
    /// The log whose head villages witness.
    pub audit: Arc<dyn AuditLog>,
    /// How long certificates live.
    pub lifetime: Lifetime,
    /// Sessions held at once; more are asked to come back.
    pub sessions_max: usize,
    /// Where nodes encrypt backups and sticks to; empty = nowhere.
    pub backup_recipient: String,
}

impl Door {
    /// Makes a door that leads arrivals to the pullers of `shared`, and the
    /// queue of those who want ordinary gRPC.
    ///
    /// # Errors
    /// When the hub's certificate can't be made.
    pub fn new(
        options: DoorOptions,
        shared: &Shared,
        arrivals: Arrivals,
    ) -> Result<(Arc<Self>, mpsc::Receiver<Visitor>), tls::TlsError> {
        let DoorOptions { authority, registry, audit, lifetime, sessions_max, backup_recipient } =
            options;
        let tls = tls::hub(&authority, clock::now_ms(), lifetime.hub)?;
        let (visitors, queue) = mpsc::channel(VISITORS_QUEUED);
        let door = Self {
            authority: RwLock::new(Arc::new(authority)),
            tls: RwLock::new(Arc::new(tls)),
            registry,
            dataset: shared.dataset.clone(),
            audit,
            lifetime,
            sessions_max,
            backup_recipient,
            arrivals,
            live: Arc::clone(&shared.live),
            shared: shared.clone(),
            handshakes: Arc::new(Semaphore::new(HANDSHAKES_MAX)),
            welcomes: Arc::new(Semaphore::new(WELCOMES_MAX)),
            strangers: Arc::new(Semaphore::new(STRANGERS_MAX)),
            visitors,
        };
        Ok((Arc::new(door), queue))
    }

    /// The authority in use.
    pub fn authority(&self) -> Arc<Authority> {
        Arc::clone(&self.authority.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where nodes arrive.
    pub(super) const fn arrivals(&self) -> &Arrivals {
        &self.arrivals
    }

    /// Shows a fresh certificate from now on, of `authority` if one is given.
    /// What is shown stays when no new one can be made.
    ///
    /// # Errors
    /// When no certificate can be made.
    pub fn renew(&self, authority: Option<Authority>) -> Result<(), tls::TlsError> {
        let authority = authority.map_or_else(|| self.authority(), Arc::new);
        let tls = tls::hub(&authority, clock::now_ms(), self.lifetime.hub)?;
        *self.tls.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tls);
        *self.authority.write().unwrap_or_else(PoisonError::into_inner) = authority;
        Ok(())
    }

    /// Receives connections for ever.
    pub async fn keep(self: Arc<Self>, listener: TcpListener) {
        loop {
            // The semaphore is never closed.
            let Ok(permit) = Arc::clone(&self.handshakes).acquire_owned().await else { return };
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let door = Arc::clone(&self);
            tokio::spawn(async move {
                if secure::prepare(&stream).is_err() {
                    return;
                }
                let shaken = door.shake(Metered::new(stream, Traffic::default())).await;
                drop(permit);
                if let Ok(stream) = shaken
                    && let Some(peer) = door.known(&stream).await
                {
                    Box::pin(door.lead(stream, peer)).await;
                }
            });
        }
    }

    /// Receives one connection that came through another, whose `stay` is
    /// longer if this one is known.
    pub(super) async fn receive<S>(self: Arc<Self>, stream: S, stay: Stay)
    where
        S: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
    {
        if let Ok(stream) = self.shake(Metered::new(stream, Traffic::default())).await
            && let Some(peer) = self.known(&stream).await
        {
            if peer.is_some() {
                stay.known();
            }
            self.lead(stream, peer).await;
        }
    }

    async fn shake<S>(&self, stream: Metered<S>) -> io::Result<TlsStream<Metered<S>>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = Arc::clone(&self.tls.read().unwrap_or_else(PoisonError::into_inner));
        let shaking = TlsAcceptor::from(config).accept(stream);
        match tokio::time::timeout(limits::HANDSHAKE_TIMEOUT, shaking).await {
            Ok(shaken) => shaken.inspect_err(|error| {
                // Scanners do this all day; a node of ours does it when its
                // authority is another one.
                tracing::debug!(%error, "no handshake");
            }),
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut)),
        }
    }

    /// Dials the node of a village that has joined, and waits until it has a
    /// place. What the connection must prove is the same whoever dialled.
    ///
    /// # Errors
    /// [`ConnectError`], also when the node of another village answers.
    pub(super) async fn dial(
        self: Arc<Self>,
        village: VillageCode,
        address: &str,
    ) -> Result<(), ConnectError> {
        let untrusted = |source| ConnectError::Untrusted { address: address.to_owned(), source };
        let socket = secure::dial_tcp(address, Traffic::default()).await?;
        let stream = self.shake(socket).await.map_err(untrusted)?;
        let refused = || untrusted(io::ErrorKind::PermissionDenied.into());
        let peer = self.known(&stream).await.ok_or_else(refused)?.ok_or_else(refused)?;
        if peer.village != village {
            tracing::warn!(%village, answers = %peer.village, "another village answers");
            crate::puller::other_village(village, &self.shared);
            return Err(refused());
        }
        self.arrive(peer, stream).await;
        Ok(())
    }

    /// Who is at the other end: nobody known, or a village by a key that is
    /// allowed. `None` = somebody who must not be there.
    async fn known<S>(&self, stream: &TlsStream<Metered<S>>) -> Option<Option<Peer>> {
        let connection = stream.get_ref().1;
        if !tls::is_ours(connection) {
            return Some(None);
        }
        let shown = connection.peer_certificates().and_then(|chain| chain.first());
        let peer = shown.map(peer).transpose();
        let peer = peer.inspect_err(|error| tracing::warn!(%error, "odd certificate")).ok()?;
        if let Some(peer) = peer
            && !self.is_allowed(peer).await
        {
            tracing::warn!(village = %peer.village, key = %peer.key, "key is not allowed");
            return None;
        }
        Some(peer)
    }

    async fn arrive<S>(self: Arc<Self>, peer: Peer, mut stream: TlsStream<Metered<S>>)
    where
        S: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
    {
        let traffic = self.live.get(peer.village).map(|live| live.traffic);
        stream.get_mut().0.redirect(traffic.unwrap_or_default());
        self.welcome(peer, stream).await;
    }

    /// Leads a connection to where its certificate and protocol belong.
    async fn lead<S>(self: Arc<Self>, stream: TlsStream<Metered<S>>, peer: Option<Peer>)
    where
        S: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
    {
        let uplink = stream.get_ref().1.alpn_protocol() == Some(tls::ALPN_UPLINK);
        match (uplink, peer) {
            (true, Some(peer)) => self.arrive(peer, stream).await,
            (true, None) => tracing::debug!("an uplink without a certificate"),
            (false, peer) => {
                let Ok(place) = Arc::clone(&self.strangers).try_acquire_owned() else {
                    return tracing::debug!("too many visitors");
                };
                let visitor = Visitor::new(Line::new(stream), peer, Some(place));
                // Nobody serves visitors any more: the hub is stopping.
                drop(self.visitors.send(visitor).await);
            }
        }
    }

    /// Whether a key is allowed now.
    pub(crate) async fn is_allowed(&self, peer: Peer) -> bool {
        let registry = Arc::clone(&self.registry);
        tokio::task::spawn_blocking(move || is_allowed(&*registry, peer)).await.unwrap_or(false)
    }

    async fn welcome<S>(self: Arc<Self>, peer: Peer, stream: TlsStream<Metered<S>>)
    where
        S: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
    {
        let Ok(_permit) = self.welcomes.acquire().await else { return };
        let Ok(arrival) = Arrival::over(peer, stream).await else { return };
        let full = self.arrivals.open() >= self.sessions_max;
        match welcome::welcome(&self, &arrival, full).await {
            Welcome::Stays => {}
            Welcome::Leaves => return arrival.end(),
        }
        if let Outcome::Twin { present, newcomer } = self.arrivals.take(arrival).await {
            welcome::twin(&self.shared, peer, present, newcomer).await;
        }
    }
}

/// Whether a key is allowed now, asked on a thread that may block.
pub(crate) fn is_allowed(registry: &dyn Registry, peer: Peer) -> bool {
    match registry.node_key(peer.village, &peer.key) {
        Ok(key) => key.is_some_and(|key| key.revoked_ms.is_none()),
        Err(error) => {
            tracing::error!(%error, "keys can't be read; nobody is let in");
            false
        }
    }
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("sessions_max", &self.sessions_max).finish_non_exhaustive()
    }
}
