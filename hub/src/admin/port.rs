//! The port for operators who are far away: mutual TLS, and the account that
//! the certificate names.
//!
//! The certificate proves a key and a name, no more: at each call the key is
//! looked up in the list of those that count, and the account as it is then.
//! So a revoked key and a blocked account count at once, on lines that are
//! open too.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use lumbung_identity::{Authority, OperatorPeer, operator, tls};
use lumbung_link::{limits, secure};
use lumbung_proto::v1::admin_server::AdminServer;
use lumbung_telemetry::clock;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;
use tonic::transport::server::Connected;

use super::AdminService;

/// Lines that may be open at the same time, handshakes among them.
const LINES_MAX: usize = 64;

/// Largest message of an operator, bytes: nobody here has much to say.
const ASKED_BYTES_MAX: usize = 64 * 1024;

/// Lines that wait for the server.
const LINES_QUEUED: usize = 8;

/// A pause after the system refused a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Life of the hub's certificate on a line: made anew for each.
const CERTIFICATE_LIFE: Duration = Duration::from_secs(45 * 24 * 60 * 60);

/// Who a line comes from.
#[derive(Clone, Debug)]
pub(super) struct Certified(pub(super) OperatorPeer);

/// A line of an operator.
struct Line {
    stream: TlsStream<TcpStream>,
    peer: OperatorPeer,
    /// Its place among those that may be open.
    _place: tokio::sync::OwnedSemaphorePermit,
}

impl Connected for Line {
    type ConnectInfo = Certified;

    fn connect_info(&self) -> Certified {
        Certified(self.peer.clone())
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The open port.
pub struct Port {
    listener: TcpListener,
    identity: PathBuf,
}

impl Port {
    /// Opens it; `identity` is the folder of the district's authority.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn open(listen: SocketAddr, identity: PathBuf) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(listen).await?, identity })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system can't tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves for ever.
    ///
    /// # Errors
    /// When the transport fails.
    pub async fn serve(self, admin: AdminService) -> Result<(), tonic::transport::Error> {
        let (lines, arriving) = mpsc::channel(LINES_QUEUED);
        let receiving = tokio::spawn(self.receive(lines));
        let served = Server::builder()
            .http2_keepalive_interval(Some(limits::KEEPALIVE_EVERY))
            .http2_keepalive_timeout(Some(limits::KEEPALIVE_TIMEOUT))
            .max_concurrent_streams(limits::STREAMS_MAX)
            .add_service(AdminServer::new(admin).max_decoding_message_size(ASKED_BYTES_MAX))
            .serve_with_incoming(ReceiverStream::new(arriving).map(Ok::<_, io::Error>))
            .await;
        receiving.abort();
        served
    }

    async fn receive(self, lines: mpsc::Sender<Line>) {
        let places = Arc::new(Semaphore::new(LINES_MAX));
        // Closed when the server is gone.
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "an operator's connection can't be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let (identity, lines) = (self.identity.clone(), lines.clone());
            tokio::spawn(async move {
                let shaken =
                    tokio::time::timeout(limits::HANDSHAKE_TIMEOUT, shake(stream, identity));
                match shaken.await {
                    Ok(Ok((stream, peer))) => {
                        drop(lines.send(Line { stream, peer, _place: place }).await);
                    }
                    Ok(Err(error)) => tracing::info!(%error, "an operator's line was refused"),
                    Err(_) => tracing::info!("an operator's line took too long"),
                }
            });
        }
    }
}

/// Shakes hands with the authority as it is now: a root that was just
/// replaced counts at once.
async fn shake(
    stream: TcpStream,
    identity: PathBuf,
) -> io::Result<(TlsStream<TcpStream>, OperatorPeer)> {
    secure::prepare(&stream)?;
    let config = tokio::task::spawn_blocking(move || {
        let now_ms = clock::now_ms();
        let authority = Authority::open(&identity, now_ms).map_err(io::Error::other)?;
        tls::operators(&authority, now_ms, CERTIFICATE_LIFE).map_err(io::Error::other)
    });
    let config = config.await.map_err(io::Error::other)??;
    let stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await?;
    let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let shown = shown.ok_or_else(|| io::Error::other("no certificate was shown"))?;
    let peer = operator(shown).map_err(io::Error::other)?;
    Ok((stream, peer))
}
