//! Dialling the hub's public port: straight, or through the tunnel.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use lumbung_identity::tls;
use lumbung_link::channel::{self, ConnectError};
use lumbung_link::line::Line;
use lumbung_link::meter::{Metered, Traffic};
use lumbung_link::secure;
use lumbung_proto::v1;
use lumbung_proto::v1::tunnel_client::TunnelClient;
use rustls::ClientConfig;
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, WriteHalf,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

/// How the hub is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// TLS over TCP.
    Direct,
    /// TLS inside a call, for networks that pass ordinary gRPC only.
    Tunnel,
}

/// Bytes buffered in each direction of a tunnel.
const TUNNEL_BYTES: usize = 64 * 1024;

/// Largest piece of a tunnel in one message, bytes.
const CHUNK_BYTES: usize = 16 * 1024;

/// Why there is no line.
#[derive(Debug)]
pub(crate) enum NoLine {
    /// Nobody answers at all.
    Unreachable(ConnectError),
    /// Somebody takes the connection and then says nothing.
    Stalled(ConnectError),
    /// Somebody answers, but not as the hub.
    Refused(ConnectError),
}

impl From<ConnectError> for NoLine {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Unreachable { .. } => Self::Unreachable(error),
            ConnectError::TimedOut { .. } => Self::Stalled(error),
            error => Self::Refused(error),
        }
    }
}

/// A line to the hub.
pub(crate) struct Dialled {
    pub(crate) line: Line,
    /// What comes out of the tunnel, if it is one.
    pub(crate) tunnel: Option<Traffic>,
}

/// Makes a line to the hub at `address`, of small packets if it is `narrow`;
/// its bytes are counted into `traffic`.
pub(crate) async fn line(
    address: &str,
    config: Arc<ClientConfig>,
    traffic: Traffic,
    way: Way,
    narrow: bool,
) -> Result<Dialled, NoLine> {
    let socket = match narrow {
        true => secure::dial_narrow(address, traffic).await?,
        false => secure::dial_tcp(address, traffic).await?,
    };
    match way {
        Way::Direct => {
            let stream = secure::shake(socket, address, tls::hub_name(), config).await?;
            Ok(Dialled { line: Line::new(stream), tunnel: None })
        }
        Way::Tunnel => {
            let inside = Traffic::default();
            let stream = Metered::new(tunnel(socket, address).await?, inside.clone());
            let stream = secure::shake(stream, address, tls::hub_name(), config).await?;
            Ok(Dialled { line: Line::new(stream), tunnel: Some(inside) })
        }
    }
}

/// A byte stream inside a call. Whoever ends the outer TLS in between sees
/// only TLS inside: who is who is settled there.
async fn tunnel(
    socket: Metered<tokio::net::TcpStream>,
    address: &str,
) -> Result<DuplexStream, ConnectError> {
    let untrusted =
        |source: io::Error| ConnectError::Untrusted { address: address.to_owned(), source };
    let coat = tls::coat().map_err(|error| untrusted(io::Error::other(error)))?;
    let name = address.rsplit_once(':').map_or(address, |(host, _)| host).to_owned();
    let name = rustls::pki_types::ServerName::try_from(name).unwrap_or_else(|_| tls::hub_name());
    let outer = secure::shake(socket, address, name, Arc::new(coat)).await?;
    carried(outer, address).await
}

/// A byte stream inside a call over `outer`, dialled at `address`, which gives no signs of life of
/// its own: what is inside does.
///
/// # Errors
/// [`ConnectError`].
pub async fn carried<S>(outer: S, address: &str) -> Result<DuplexStream, ConnectError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let channel = channel::over_quietly_to(outer, address).await?;
    let (here, there) = tokio::io::duplex(TUNNEL_BYTES);
    let (mut reading, writing) = tokio::io::split(there);
    let (chunks, outgoing) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut buffer = vec![0; CHUNK_BYTES];
        while let Ok(read @ 1..) = reading.read(&mut buffer).await {
            let bytes = Bytes::copy_from_slice(&buffer[..read]);
            if chunks.send(v1::TunnelChunk { bytes }).await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(inward(TunnelClient::new(channel), outgoing, writing));
    Ok(here)
}

/// Calls the hub with what is `outgoing` and writes what comes back. Nobody
/// waits for the head of the answer: nginx keeps it until there are bytes
/// behind it, and the hub has none before the handshake inside has begun.
async fn inward(
    mut client: TunnelClient<Channel>,
    outgoing: mpsc::Receiver<v1::TunnelChunk>,
    mut writing: WriteHalf<DuplexStream>,
) {
    match client.carry(ReceiverStream::new(outgoing)).await {
        Err(status) => tracing::debug!(code = ?status.code(), "no tunnel"),
        Ok(incoming) => {
            let mut incoming = incoming.into_inner();
            while let Ok(Some(chunk)) = incoming.message().await {
                if writing.write_all(&chunk.bytes).await.is_err() {
                    return;
                }
            }
        }
    }
    drop(writing.shutdown().await);
}

/// Ordinary gRPC to the hub's public port: straight, with small packets, or
/// through the tunnel.
///
/// # Errors
/// [`ConnectError`] of the straight way, when none works.
pub async fn join_channel(
    address: &str,
    config: Arc<ClientConfig>,
) -> Result<Channel, ConnectError> {
    let dial = |way, narrow| line(address, Arc::clone(&config), Traffic::default(), way, narrow);
    let (error, otherwise) = match dial(Way::Direct, false).await {
        Ok(Dialled { line, .. }) => return channel::over(line).await,
        Err(NoLine::Unreachable(error)) => return Err(error),
        Err(NoLine::Stalled(error)) => (error, dial(Way::Direct, true).await),
        Err(NoLine::Refused(error)) => (error, dial(Way::Tunnel, false).await),
    };
    match otherwise {
        Ok(Dialled { line, .. }) => channel::over(line).await,
        Err(_) => Err(error),
    }
}
