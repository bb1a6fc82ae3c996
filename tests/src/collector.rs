//! A collector of traces: takes OTLP over gRPC on a real socket, as Jaeger,
//! Tempo and the OpenTelemetry Collector do, and keeps all that it is told.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span, span::SpanKind, status};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// A span as a collector sees it.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its name.
    pub name: String,
    /// `server`, `client` or `internal`.
    pub kind: &'static str,
    /// Its trace.
    pub trace: Vec<u8>,
    /// Its own id.
    pub id: Vec<u8>,
    /// The span above it; empty = none.
    pub parent: Vec<u8>,
    /// When it began and ended, nanoseconds since 1970.
    pub during_ns: (u64, u64),
    /// Whether it failed.
    pub failed: bool,
    /// What is told of it.
    pub attributes: BTreeMap<String, String>,
    /// What is told of the program.
    pub resource: BTreeMap<String, String>,
    /// Everything that is text, wherever it stood.
    pub texts: Vec<String>,
}

/// The collector; it listens as long as the runtime lives.
#[derive(Clone, Debug)]
pub struct Collector {
    /// Where it listens.
    pub address: SocketAddr,
    told: Kept,
}

#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<Told>>>);

impl Collector {
    /// Listens from now on.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Listens there from now on.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn start_at(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let (address, told) = (listener.local_addr()?, Kept::default());
        let service = TraceServiceServer::new(told.clone());
        let serving = Server::builder()
            .add_service(service)
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(serving);
        Ok(Self { address, told })
    }

    /// Where spans are to be sent.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every span so far.
    #[must_use]
    pub fn told(&self) -> Vec<Told> {
        self.told.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[tonic::async_trait]
impl TraceService for Kept {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let told = request.into_inner().resource_spans.into_iter().flat_map(told_by);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(told);
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn told_by(program: ResourceSpans) -> Vec<Told> {
    let resource = program.resource.map(|resource| pairs(&resource.attributes)).unwrap_or_default();
    let mut told = Vec::new();
    for scoped in program.scope_spans {
        let scope = format!("{:?}", scoped.scope);
        told.extend(scoped.spans.into_iter().map(|span| told_of(span, &resource, &scope)));
    }
    told
}

fn told_of(span: Span, resource: &BTreeMap<String, String>, scope: &str) -> Told {
    let attributes = pairs(&span.attributes);
    let mut texts = vec![span.name.clone(), span.trace_state.clone(), scope.to_owned()];
    texts.extend(span.status.iter().map(|status| status.message.clone()));
    texts.extend(span.events.iter().map(|event| event.name.clone()));
    let aside = span.events.iter().flat_map(|event| pairs(&event.attributes));
    let aside = aside.chain(span.links.iter().flat_map(|link| pairs(&link.attributes)));
    let all = aside.chain(attributes.clone()).chain(resource.clone());
    texts.extend(all.map(|(key, value)| format!("{key}={value}")));
    Told {
        kind: match span.kind() {
            SpanKind::Server => "server",
            SpanKind::Client => "client",
            _ => "internal",
        },
        name: span.name,
        trace: span.trace_id,
        id: span.span_id,
        parent: span.parent_span_id,
        during_ns: (span.start_time_unix_nano, span.end_time_unix_nano),
        failed: span.status.is_some_and(|it| it.code == status::StatusCode::Error as i32),
        attributes,
        resource: resource.clone(),
        texts,
    }
}

fn pairs(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    attributes.iter().map(|pair| (pair.key.clone(), text(pair.value.as_ref()))).collect()
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(whether)) => whether.to_string(),
        other => format!("{other:?}"),
    }
}
