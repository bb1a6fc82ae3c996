//! Ordinary gRPC on the public port: joining, restoring, the tunnel.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use lumbung_identity::Peer;
use lumbung_link::awaited::{Awaited, Within};
use lumbung_link::line::Line;
use lumbung_link::{limits, quiet};
use lumbung_proto::v1;
use lumbung_proto::v1::enrolment_server::EnrolmentServer;
use lumbung_proto::v1::tunnel_server::{self, TunnelServer};
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf,
};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
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

/// How long a visitor who says nothing is kept.
const VISITOR_IDLE: Duration = Duration::from_secs(60);

/// The same for one that is known, or in whose tunnel a village is: it gets
/// its data over a slow line, or gives signs of life as rarely as that.
const KNOWN_IDLE: Duration =
    Duration::from_secs(quiet::LONGEST.as_secs() + limits::SIGN_LATE_MAX.as_secs());

/// How long a visitor may stay. Clones speak of the same one.
#[derive(Clone, Debug)]
pub struct Stay {
    within: Within,
    /// Its place among those whom nobody knows.
    place: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
}

impl Stay {
    fn new(place: Option<OwnedSemaphorePermit>) -> Self {
        Self { within: Within::new(VISITOR_IDLE), place: Arc::new(Mutex::new(place)) }
    }

    /// It is known: it may be silent for longer, and takes no stranger's
    /// place.
    pub(crate) fn known(&self) {
        self.within.set(KNOWN_IDLE);
        self.place.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// A connection that wants ordinary gRPC, and who it is, if it has shown.
pub struct Visitor {
    stream: Awaited<Line>,
    peer: Option<Peer>,
    stay: Stay,
}

impl Visitor {
    /// Until it is known it holds `place`.
    pub(super) fn new(
        stream: Line,
        peer: Option<Peer>,
        place: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let stay = Stay::new(place);
        Self { stream: Awaited::changeable(stream, stay.within.clone()), peer, stay }
    }
}

impl std::fmt::Debug for Visitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visitor").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// Who a call comes from: the village of its certificate, whose key was allowed
/// when it connected, or nobody known.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who.
    pub peer: Option<Peer>,
    /// How long it may stay.
    pub stay: Stay,
}

impl Connected for Visitor {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        Caller { peer: self.peer, stay: self.stay.clone() }
    }
}

impl AsyncRead for Visitor {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Visitor {
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
    let out = move |stream, stay| drop(tokio::spawn(Arc::clone(&door).receive(stream, stay)));
    let tunnel = TunnelServer::new(TunnelService { out: Arc::new(out) })
        .max_decoding_message_size(VISITOR_BYTES_MAX);
    let (reporter, health) = tonic_health::server::health_reporter();
    tokio::spawn(keep_health(reporter, writer));
    Server::builder()
        .max_concurrent_streams(limits::STREAMS_MAX)
        .add_service(health)
        .add_service(enrolment)
        .add_service(tunnel)
        .serve_with_incoming(ReceiverStream::new(visitors).map(Ok::<_, io::Error>))
        .await
}

/// Serves tunnels alone, over connections that prove nothing; what comes out
/// of them goes to `out`: for simulation.
///
/// # Errors
/// When the transport fails.
pub async fn serve_tunnels<S>(
    connections: mpsc::Receiver<S>,
    out: impl Fn(DuplexStream) + Send + Sync + 'static,
) -> Result<(), tonic::transport::Error>
where
    S: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
{
    let out = move |stream, stay: Stay| {
        stay.known();
        out(stream);
    };
    let visitors = ReceiverStream::new(connections)
        .map(|stream| Ok::<_, io::Error>(Visitor::new(Line::new(stream), None, None)));
    Server::builder()
        .max_concurrent_streams(limits::STREAMS_MAX)
        .add_service(TunnelServer::new(TunnelService { out: Arc::new(out) }))
        .serve_with_incoming(visitors)
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
    /// Where they lead.
    out: Arc<dyn Fn(DuplexStream, Stay) + Send + Sync>,
}

#[tonic::async_trait]
impl tunnel_server::Tunnel for TunnelService {
    type CarryStream = Pin<Box<dyn Stream<Item = Result<v1::TunnelChunk, Status>> + Send>>;

    async fn carry(
        &self,
        request: Request<Streaming<v1::TunnelChunk>>,
    ) -> Result<Response<Self::CarryStream>, Status> {
        let caller = request.extensions().get::<Caller>();
        let stay = caller.map_or_else(|| Stay::new(None), |caller| caller.stay.clone());
        let (here, there) = tokio::io::duplex(TUNNEL_BYTES);
        let (reading, writing) = tokio::io::split(there);
        tokio::spawn(inward(request.into_inner(), writing));
        let (chunks, stream) = mpsc::channel(1);
        tokio::spawn(outward(reading, chunks));
        (self.out)(here, stay);
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
