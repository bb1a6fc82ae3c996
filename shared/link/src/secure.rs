//! TLS over a socket, its bytes counted below TLS.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
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
    let unreachable = |source| ConnectError::Unreachable { address: address.to_owned(), source };
    let dialled = tokio::time::timeout(limits::CONNECT_TIMEOUT, TcpStream::connect(address)).await;
    let Ok(stream) = dialled else {
        return Err(ConnectError::TimedOut { address: address.to_owned() });
    };
    let stream = stream.map_err(unreachable)?;
    prepare(&stream).map_err(unreachable)?;
    Ok(Metered::new(stream, traffic))
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
