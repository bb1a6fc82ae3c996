//! Ordinary gRPC on the public port: joining, restoring, the tunnel.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use lumbung_identity::Peer;
use lumbung_link::limits;
use lumbung_proto::v1;
use lumbung_proto::v1::enrolment_server::EnrolmentServer;
use lumbung_proto::v1::tunnel_server::{self, TunnelServer};
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::transport::Server;
use tonic::transport::server::Connected;

use tonic::{Request, Response, Status, Streaming};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use super::door::Door;
use crate::enrolment::EnrolmentService;
use crate::merge::WriterWatch;

/// Bytes buffered in each direction of a tunnel.
const TUNNEL_BYTES: usize = 64 * 1024;

/// Largest piece of a tunnel in one message, bytes.
const CHUNK_BYTES: usize = 16 * 1024;

/// Largest message of a visitor, bytes: nobody here has much to say.
const VISITOR_BYTES_MAX: usize = 64 * 1024;

/// How often it is looked at whether the hub can still merge.
const HEALTH_EVERY: Duration = Duration::from_secs(2);

/// How long a visitor who says nothing is kept: half an hour covers a
/// restore over a slow link, whose stream keeps it alive anyhow.
const VISITOR_IDLE: Duration = Duration::from_secs(60);

trait Io: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Io for S {}

/// A connection of whatever kind below.
pub struct Ordinary(Box<dyn Io>);

impl Ordinary {
    pub(super) fn new(stream: impl AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static) -> Self {
        Self(Box::new(stream))
    }
}

/// A connection that wants ordinary gRPC, and who it is, if it has shown.
pub struct Visitor {
    stream: Ordinary,
    peer: Option<Peer>,
}

impl Visitor {
    pub(super) const fn new(stream: Ordinary, peer: Option<Peer>) -> Self {
        Self { stream, peer }
    }
}

impl std::fmt::Debug for Visitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visitor").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// Who a call comes from: the village of its certificate, which an allowed
/// key holds, or nobody known.
#[derive(Clone, Copy, Debug)]
pub struct Caller(pub Option<Peer>);

impl Connected for Visitor {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        Caller(self.peer)
    }
}

impl AsyncRead for Visitor {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Visitor {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream.0).poll_shutdown(cx)
    }
}

/// Serves visitors until the door is gone.
///
/// # Errors
/// When the transport fails.
pub async fn serve(
    door: Arc<Door>,
    visitors: mpsc::Receiver<Visitor>,
    writer: WriterWatch,
) -> Result<(), tonic::transport::Error> {
    let enrolment = EnrolmentServer::new(EnrolmentService::new(Arc::clone(&door)))
        .max_decoding_message_size(VISITOR_BYTES_MAX);
    let tunnel =
        TunnelServer::new(TunnelService { door }).max_decoding_message_size(VISITOR_BYTES_MAX);
    let (reporter, health) = tonic_health::server::health_reporter();
    tokio::spawn(keep_health(reporter, writer));
    Server::builder()
        .max_concurrent_streams(limits::STREAMS_MAX)
        .http2_keepalive_interval(Some(VISITOR_IDLE))
        .http2_keepalive_timeout(Some(limits::KEEPALIVE_TIMEOUT))
        .add_service(health)
        .add_service(enrolment)
        .add_service(tunnel)
        .serve_with_incoming(ReceiverStream::new(visitors).map(Ok::<_, io::Error>))
        .await
}

/// Says through `grpc.health.v1` that each service serves, as long as the one
/// writer of the dataset lives: a hub that can't merge is of no use to a node.
async fn keep_health(reporter: HealthReporter, writer: WriterWatch) {
    while !writer.has_ended() {
        reporter.set_serving::<EnrolmentServer<EnrolmentService>>().await;
        reporter.set_serving::<TunnelServer<TunnelService>>().await;
        tokio::time::sleep(HEALTH_EVERY).await;
    }
    reporter.set_not_serving::<EnrolmentServer<EnrolmentService>>().await;
    reporter.set_not_serving::<TunnelServer<TunnelService>>().await;
    reporter.set_service_status("", ServingStatus::NotServing).await;
}

/// Byte streams inside calls.
struct TunnelService {
    door: Arc<Door>,
}

#[tonic::async_trait]
impl tunnel_server::Tunnel for TunnelService {
    type CarryStream = Pin<Box<dyn Stream<Item = Result<v1::TunnelChunk, Status>> + Send>>;

    async fn carry(
        &self,
        request: Request<Streaming<v1::TunnelChunk>>,
    ) -> Result<Response<Self::CarryStream>, Status> {
        let (here, there) = tokio::io::duplex(TUNNEL_BYTES);
        let (reading, writing) = tokio::io::split(there);
        tokio::spawn(inward(request.into_inner(), writing));
        let (chunks, stream) = mpsc::channel(1);
        tokio::spawn(outward(reading, chunks));
        tokio::spawn(Arc::clone(&self.door).receive(here));
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }
}

async fn inward(
    mut chunks: Streaming<v1::TunnelChunk>,
    mut writing: tokio::io::WriteHalf<DuplexStream>,
) {
    while let Ok(Some(chunk)) = chunks.message().await {
        if writing.write_all(&chunk.bytes).await.is_err() {
            return;
        }
    }
    // The other half ends with this one.
    drop(writing.shutdown().await);
}

async fn outward(
    mut reading: tokio::io::ReadHalf<DuplexStream>,
    chunks: mpsc::Sender<Result<v1::TunnelChunk, Status>>,
) {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        match reading.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => {
                let chunk = v1::TunnelChunk { bytes: Bytes::copy_from_slice(&buffer[..read]) };
                if chunks.send(Ok(chunk)).await.is_err() {
                    return;
                }
            }
        }
    }
}
