//! Who dials: the only module that knows.
//!
//! A session is one connection over which the hub calls the node's services,
//! however it came about ([`Open`]): the node dialled the hub's public port
//! ([`Door`]) and the roles were swapped ([`Arriving`]); the hub dialled a node
//! that it can reach and that has joined, after which all is the same
//! ([`keep_dialling`]); or the node has not joined and runs on this machine
//! ([`Dialled`]).

mod arrivals;
mod door;
pub mod ordinary;
mod reaching;
mod traced;
mod welcome;
mod witnessing;

use std::future::Future;

use lumbung_link::channel::{self, ConnectError};
use lumbung_link::limits;
use lumbung_link::meter::{Metered, Traffic};
use lumbung_proto::v1::inbox_client::InboxClient;
use lumbung_proto::v1::sync_client::SyncClient;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::transport::Channel;

pub use arrivals::{Arrival, Arrivals, Arriving, Outcome};
pub(crate) use door::is_allowed;
pub use door::{Door, DoorOptions, SESSIONS_MAX};
pub use ordinary::Caller;
pub use reaching::{Way, keep_dialling};
pub(crate) use traced::Line;
pub use welcome::keep_certified;

/// One connection to a village.
#[derive(Debug)]
pub struct Session {
    /// The node's `Sync` service.
    pub(crate) sync: SyncClient<Line>,
    /// Its `Inbox` service.
    pub(crate) inbox: InboxClient<Line>,
    /// Its hold on the village's place, if the node dialled.
    presence: Option<arrivals::Presence>,
}

impl Session {
    /// A session over an open connection whose other end serves a node's
    /// services; its bytes are counted into `traffic`.
    ///
    /// # Errors
    /// [`ConnectError::Protocol`].
    pub async fn over<S>(stream: S, traffic: Traffic) -> Result<Self, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Ok(Self::on(channel::over(Metered::new(stream, traffic)).await?))
    }

    fn on(channel: Channel) -> Self {
        let line = traced::line(channel);
        let sync = SyncClient::new(line.clone())
            .max_decoding_message_size(limits::MESSAGE_BYTES_MAX)
            .max_encoding_message_size(limits::MESSAGE_BYTES_MAX);
        let inbox = InboxClient::new(line)
            .max_decoding_message_size(limits::MESSAGE_BYTES_MAX)
            .max_encoding_message_size(limits::MESSAGE_BYTES_MAX);
        Self { sync, inbox, presence: None }
    }
}

impl Session {
    /// Whether the node gives signs of life by itself.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.presence.is_some()
    }
}

/// How a village's connections come about.
pub trait Open: Send + Sync {
    /// Opens the next one; its bytes are counted into `traffic`.
    ///
    /// # Errors
    /// [`ConnectError`].
    fn open(&self, traffic: Traffic) -> impl Future<Output = Result<Session, ConnectError>> + Send;
}

/// A village whose node is dialled, without TLS.
#[derive(Clone, Debug)]
pub struct Dialled {
    /// `host:port`.
    pub address: String,
}

impl Open for Dialled {
    async fn open(&self, traffic: Traffic) -> Result<Session, ConnectError> {
        Ok(Session::on(channel::dial(&self.address, traffic).await?))
    }
}
