//! Answering a district that dials this node, where it can be reached.
//!
//! Only a node that was told to listens. The hub opens the connection, and
//! from the first byte on all is as if this node had dialled: it is the one
//! that greets, trusts the district's hub alone, and shows its certificate
//! only after that. Whoever else connects is served nothing and learns
//! nothing, not even which village this is.
//!
//! Before it has joined there is nobody to recognise. Then a node serves
//! callers of its own machine, without TLS, and only at a loopback address.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use lumbung_identity::tls;
use lumbung_link::guarded::Guarded;
use lumbung_link::meter::{Metered, Traffic};
use lumbung_link::secure;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_stream::StreamExt as _;

use super::Account;
use super::session::{self, Services};
use crate::identity::Identity;
use crate::serving::serve_connections;

/// Strangers that may be connected at the same time.
const CALLERS_MAX: usize = 64;

/// A pause after the system refused a connection (no file handles, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What whoever dials is answered with.
#[derive(Clone)]
pub struct Answering {
    /// Who this node is, once it has joined.
    pub joined: watch::Receiver<Option<Identity>>,
    /// What the district is served.
    pub services: Services,
    /// Where its bytes are counted.
    pub traffic: Traffic,
    /// What they cost.
    pub account: Arc<Account>,
}

/// Answers whoever dials, for ever.
pub async fn answer(listener: TcpListener, answering: Answering) {
    let callers = Arc::new(Semaphore::new(CALLERS_MAX));
    let here = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
    let mut calls = JoinSet::new();
    loop {
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(&callers).acquire_owned().await else { return };
        let socket = match listener.accept().await {
            Ok((socket, _)) => socket,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        while calls.try_join_next().is_some() {}
        if secure::prepare(&socket).is_err() {
            continue;
        }
        let socket = Metered::new(socket, answering.traffic.clone());
        let identity = answering.joined.borrow().clone();
        match identity {
            Some(identity) => {
                calls.spawn(district(identity, socket, answering.clone(), permit));
            }
            None if here => {
                calls.spawn(plainly(socket, answering.clone(), permit));
            }
            None => tracing::debug!("somebody dials, and this node has not joined"),
        }
    }
}

/// Serves the district, if it is the district that dialled.
async fn district(
    identity: Identity,
    socket: Metered<TcpStream>,
    answering: Answering,
    permit: OwnedSemaphorePermit,
) {
    let joinings = identity.known_joinings();
    let config = match identity.client(tls::ALPN_UPLINK) {
        Ok(config) => config,
        Err(error) => return tracing::error!(%error, "the identity can't be used"),
    };
    let shaken = secure::shake(socket, "the caller", tls::hub_name(), config).await;
    drop(permit);
    let line = match shaken {
        Ok(line) => line,
        Err(error) => return tracing::debug!(%error, "a stranger dialled"),
    };
    let Answering { services, account, .. } = answering;
    let known = Some((&identity, joinings));
    session::over(line, None, &services, &account, known).await;
    account.save();
}

/// Serves a caller of this machine until it leaves, or this node joins.
async fn plainly(
    socket: Metered<TcpStream>,
    mut answering: Answering,
    _permit: OwnedSemaphorePermit,
) {
    let (stream, switch, gone) = Guarded::new(socket);
    // Only one connection ever comes; the stream must not end before it.
    let incoming = tokio_stream::once(Ok::<_, io::Error>(stream)).chain(tokio_stream::pending());
    let serving = serve_connections(answering.services.sync.clone(), incoming, gone.wait());
    tokio::select! {
        served = serving => {
            if let Err(error) = served {
                tracing::debug!(%error, "the connection failed");
            }
        }
        // A closed channel means that the node stops.
        _ = answering.joined.wait_for(Option::is_some) => {}
    }
    // The connection lives on in a task of its own until it is switched off.
    switch.off();
}
