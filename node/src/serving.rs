//! The gRPC services of the node.
//!
//! `sync` answers the district's hub, `inbox` takes what it hands to the
//! village, `local` answers commands on the same
//! machine over a unix socket. Both only translate: rules live in `village`,
//! storage in `barn`.

mod allowance;
pub mod audit_witness;
pub mod confirmed;
mod content;
pub mod erasing;
mod fleet;
mod importing;
pub mod inbox;
pub mod local;
mod media;
mod notices;
mod refusal;
pub mod report;
mod sending;
mod stops;
mod sync;
mod upkeep;

use std::future::Future;
use std::io;

use futures_util::Stream;
use lumbung_link::awaited::Awaited;
use lumbung_link::limits;
use lumbung_proto::v1::fleet_server::FleetServer;
use lumbung_proto::v1::inbox_server::InboxServer;
use lumbung_proto::v1::local_server::LocalServer;
use lumbung_proto::v1::sync_server::SyncServer;
use lumbung_telemetry::calls;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::Server;
use tonic::transport::server::Connected;

pub use audit_witness::AuditWitness;
pub use confirmed::{Confirmed, Visits};
pub use fleet::FleetService;
pub use inbox::InboxService;
pub use local::LocalService;
pub use stops::Stops;
pub use sync::SyncService;
pub use upkeep::Upkeep;

/// Largest message between a command and the node on one machine, bytes: a
/// whole sheet of the largest allowed size.
pub const LOCAL_MESSAGE_BYTES_MAX: usize = crate::import::FILE_BYTES_MAX + 64 * 1024;

/// Serves the district on the connections of `incoming`, however they come
/// about, until `stop` completes.
///
/// # Errors
/// When the transport fails.
pub async fn serve_connections<S>(
    service: SyncService,
    incoming: impl Stream<Item = io::Result<S>>,
    stop: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error>
where
    S: AsyncRead + AsyncWrite + Connected + Send + Unpin + 'static,
{
    serve_district(service, None, incoming, stop).await
}

/// Serves the district on connections that are known to be its own, which
/// `fleet` needs.
///
/// # Errors
/// When the transport fails.
pub async fn serve_district<S>(
    service: SyncService,
    fleet: Option<FleetService>,
    incoming: impl Stream<Item = io::Result<S>>,
    stop: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error>
where
    S: AsyncRead + AsyncWrite + Connected + Send + Unpin + 'static,
{
    // Whoever calls gives a sign of life at least this often; on a line of our
    // own it does so when asked to, once a pull has begun.
    let within = service.awaits().clone();
    let incoming = futures_util::StreamExt::map(incoming, move |stream| {
        stream.map(|stream| Awaited::changeable(stream, within.clone()))
    });
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<SyncServer<SyncService>>().await;
    let inbox = InboxService::new(service.village().clone());
    Server::builder()
        .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(limits::STREAMS_MAX)
        // A hub that traces finds the lines of its calls in this log.
        .trace_fn(|call| {
            calls::span(call.headers().get(calls::HEADER).and_then(|text| text.to_str().ok()))
        })
        .add_service(health)
        .add_optional_service(fleet.map(FleetServer::new))
        .add_service(
            InboxServer::new(inbox)
                .max_decoding_message_size(limits::MESSAGE_BYTES_MAX)
                .max_encoding_message_size(limits::MESSAGE_BYTES_MAX),
        )
        .add_service(
            SyncServer::new(service)
                .max_decoding_message_size(limits::MESSAGE_BYTES_MAX)
                .max_encoding_message_size(limits::MESSAGE_BYTES_MAX),
        )
        .serve_with_incoming_shutdown(incoming, stop)
        .await
}

fn local_server(service: LocalService) -> LocalServer<LocalService> {
    LocalServer::new(service)
        .max_decoding_message_size(LOCAL_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(LOCAL_MESSAGE_BYTES_MAX)
}

/// Serves commands of this machine on a unix socket until `stop` completes.
///
/// # Errors
/// When the socket can't be made or the transport fails.
pub async fn serve_local(
    service: LocalService,
    callers: UnixListener,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    Server::builder()
        .add_service(local_server(service))
        .serve_with_incoming_shutdown(UnixListenerStream::new(callers), stop)
        .await
        .map_err(io::Error::other)
}

/// Serves one caller inside this process, until it goes away.
///
/// # Errors
/// When the transport fails.
pub async fn serve_within(service: LocalService, end: DuplexStream) -> io::Result<()> {
    let incoming = tokio_stream::once(Ok::<_, io::Error>(end));
    Server::builder()
        .add_service(local_server(service))
        .serve_with_incoming(incoming)
        .await
        .map_err(io::Error::other)
}
