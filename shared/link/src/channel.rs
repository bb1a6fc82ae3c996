//! A gRPC channel over one connection.
//!
//! The channel never reconnects by itself: when its connection is gone every
//! call fails at once, and whoever owns the link decides what happens next.

use std::io;
use std::sync::Mutex;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use crate::limits;
use crate::meter::{Metered, Traffic};

/// Why a connection could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody answers at the address.
    #[error("no connection to {address}")]
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Somebody took the connection, and then said nothing in time.
    #[error("{address} did not answer in time")]
    TimedOut {
        /// Where.
        address: String,
    },
    /// The other end is not who it should be, or speaks no TLS.
    #[error("{address} is not the one it should be")]
    Untrusted {
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The socket is there, but it speaks no HTTP/2.
    #[error("the connection can't carry calls")]
    Protocol(#[from] tonic::transport::Error),
}

/// Dials `host:port` and makes a channel of the connection; its bytes are
/// counted into `traffic`.
///
/// # Errors
/// [`ConnectError`].
pub async fn dial(address: &str, traffic: Traffic) -> Result<Channel, ConnectError> {
    let dialled = tokio::time::timeout(limits::CONNECT_TIMEOUT, TcpStream::connect(address)).await;
    let stream = match dialled {
        Err(_) => return Err(ConnectError::TimedOut { address: address.to_owned() }),
        Ok(Err(source)) => {
            return Err(ConnectError::Unreachable { address: address.to_owned(), source });
        }
        Ok(Ok(stream)) => stream,
    };
    // A save must reach the hub now, not when the next packet fills up.
    if let Err(source) = stream.set_nodelay(true) {
        return Err(ConnectError::Unreachable { address: address.to_owned(), source });
    }
    over(Metered::new(stream, traffic)).await
}

/// Connects to a unix socket on this machine.
///
/// # Errors
/// [`ConnectError`].
pub async fn dial_unix(path: &std::path::Path) -> Result<Channel, ConnectError> {
    let stream = UnixStream::connect(path).await.map_err(|source| ConnectError::Unreachable {
        address: path.display().to_string(),
        source,
    })?;
    over(stream).await
}

/// Makes a channel of one open connection.
///
/// # Errors
/// [`ConnectError::Protocol`].
pub async fn over<S>(stream: S) -> Result<Channel, ConnectError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let endpoint = endpoint()
        .http2_keep_alive_interval(limits::KEEPALIVE_EVERY)
        .keep_alive_timeout(limits::KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true);
    once(stream, &endpoint).await
}

/// Makes a channel of one open connection whose other end gives signs of life
/// by itself: this end sends none.
///
/// # Errors
/// [`ConnectError::Protocol`].
pub async fn over_quietly<S>(stream: S) -> Result<Channel, ConnectError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    once(stream, &endpoint()).await
}

/// The same through a web server at `address`, which tells by the name that is
/// asked for what is to be passed on where.
///
/// # Errors
/// [`ConnectError::Protocol`].
pub async fn over_quietly_to<S>(stream: S, address: &str) -> Result<Channel, ConnectError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let endpoint = match format!("https://{address}").parse() {
        Ok(origin) => endpoint().origin(origin),
        // What can't be a name is none that a web server knows.
        Err(_) => endpoint(),
    };
    once(stream, &endpoint).await
}

fn endpoint() -> Endpoint {
    Endpoint::from_static("http://node.internal")
        .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
        .buffer_size(limits::CALLS_QUEUED)
}

async fn once<S>(stream: S, endpoint: &Endpoint) -> Result<Channel, ConnectError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let once = Mutex::new(Some(stream));
    let connector = service_fn(move |_| {
        let stream = once.lock().map(|mut once| once.take()).ok().flatten();
        std::future::ready(
            stream.map(TokioIo::new).ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected)),
        )
    });
    Ok(endpoint.connect_with_connector(connector).await?)
}
