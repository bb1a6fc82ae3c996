//! TLS over a socket, its bytes counted below TLS.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::{TlsConnector, client};

use crate::channel::ConnectError;
use crate::limits;
use crate::meter::{Metered, Traffic};

/// A node's TLS connection over TCP.
pub type DialledTls = client::TlsStream<Metered<TcpStream>>;

/// Sets up a connection's socket: changes leave at once, and a connection
/// whose bytes nobody acknowledges ends.
///
/// # Errors
/// When the socket is gone already.
pub fn prepare(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let unacknowledged: Duration = limits::UNACKNOWLEDGED_MAX;
    SockRef::from(socket).set_tcp_user_timeout(Some(unacknowledged))
}

/// Dials `host:port` over TCP; its bytes are counted into `traffic`.
///
/// # Errors
/// [`ConnectError`].
pub async fn dial_tcp(address: &str, traffic: Traffic) -> Result<Metered<TcpStream>, ConnectError> {
    dialled(address, traffic, TcpStream::connect(address)).await
}

/// Like [`dial_tcp`], with small packets in both directions: for a path on
/// which large ones vanish and nobody says so.
///
/// # Errors
/// [`ConnectError`].
pub async fn dial_narrow(
    address: &str,
    traffic: Traffic,
) -> Result<Metered<TcpStream>, ConnectError> {
    dialled(address, traffic, connect_narrow(address)).await
}

async fn dialled(
    address: &str,
    traffic: Traffic,
    connecting: impl Future<Output = io::Result<TcpStream>>,
) -> Result<Metered<TcpStream>, ConnectError> {
    let unreachable = |source| ConnectError::Unreachable { address: address.to_owned(), source };
    let connected = tokio::time::timeout(limits::CONNECT_TIMEOUT, connecting).await;
    let silent = |_| io::Error::from(io::ErrorKind::TimedOut);
    let stream = connected.map_err(silent).and_then(|stream| stream).map_err(unreachable)?;
    prepare(&stream).map_err(unreachable)?;
    Ok(Metered::new(stream, traffic))
}

async fn connect_narrow(address: &str) -> io::Result<TcpStream> {
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for address in tokio::net::lookup_host(address).await? {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // The other end hears of it while the connection is made, and sends
        // no larger ones either.
        SockRef::from(&socket).set_tcp_mss(limits::NARROW_BYTES)?;
        match socket.connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Shakes hands over an open connection; `name` is who must answer.
///
/// # Errors
/// [`ConnectError::Untrusted`], [`ConnectError::TimedOut`].
pub async fn shake<S>(
    stream: S,
    address: &str,
    name: rustls::pki_types::ServerName<'static>,
    config: Arc<ClientConfig>,
) -> Result<client::TlsStream<S>, ConnectError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let shaking = TlsConnector::from(config).connect(name, stream);
    match tokio::time::timeout(limits::HANDSHAKE_TIMEOUT, shaking).await {
        Err(_) => Err(ConnectError::TimedOut { address: address.to_owned() }),
        Ok(shaken) => {
            shaken.map_err(|source| ConnectError::Untrusted { address: address.to_owned(), source })
        }
    }
}
