//! Traces: spans of what a program does, sent by OTLP over gRPC to a
//! collector beside it (Jaeger, Tempo, the OpenTelemetry Collector).
//!
//! Nothing waits for the collector. Ended spans queue in memory, bounded;
//! what finds the queue full, and what the collector does not take in time,
//! is dropped. One line in the log says when that begins and one when spans
//! arrive again, however many are lost in between.
//!
//! Spans of ours alone are sent, those with the target [`TARGET`]: libraries
//! make spans too, and what is in those nobody here has looked at. Log lines
//! are not sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, Span, SpanData,
    SpanExporter, SpanProcessor,
};
use tokio::runtime::Handle;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, registry};

use crate::Format;

/// The target of spans that are sent.
pub const TARGET: &str = "lumbung::traces";

/// Ended spans that wait for the collector at most.
const QUEUE_MAX: usize = 4_096;

/// Spans in one message.
const MESSAGE_SPANS: usize = 512;

/// What waits is sent this often.
const SEND_EVERY: Duration = Duration::from_secs(2);

/// A message that was not taken within this is given up.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);

/// How long the end of a program may wait for the last spans to be taken.
const END_WITHIN: Duration = Duration::from_secs(2);

/// Where traces go, and of whom they are.
#[derive(Clone, Debug)]
pub struct Collector {
    /// `http://host:port` of its OTLP/gRPC port.
    pub endpoint: String,
    /// The part of all traces that is sent, 0 to 1.
    pub ratio: f64,
    /// `service.name`.
    pub service: &'static str,
    /// `service.version`.
    pub version: &'static str,
}

/// Why no traces can be sent. Nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// Plain HTTP only: the collector stands on this machine or in its
    /// network, and what it is sent names nobody.
    #[error("the collector's address must be http://host:port")]
    Address,
    /// Not between 0 and 1.
    #[error("the part of traces to send must be between 0 and 1")]
    Ratio,
    /// The address or the environment (`OTEL_…`) says what can't be done.
    #[error("no connection to the collector can be prepared")]
    Exporter(#[from] ExporterBuildError),
    /// Logging was started before.
    #[error("logging was started before traces")]
    Started,
}

/// Traces that are being sent; see [`Traces::end`].
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
}

/// Starts logging as [`crate::start_as`] does, and sends traces to a collector.
///
/// # Errors
/// [`TracesError`]. A collector that can't be reached is none.
///
/// # Panics
/// Outside a tokio runtime, which carries the connection.
pub fn start_as(
    default_filter: &str,
    format: Format,
    collector: &Collector,
) -> Result<Traces, TracesError> {
    let provider = provider(collector)?;
    let ours = |meta: &tracing::Metadata<'_>| meta.is_span() && meta.target() == TARGET;
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(collector.service))
        // Where in the code a span was made tells operators nothing.
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        // Parents are known from tracing alone.
        .with_context_activation(false)
        .with_filter(filter_fn(ours).with_max_level_hint(LevelFilter::INFO));
    let all = registry().with(crate::logs(default_filter, format)).with(spans);
    all.try_init().map_err(|_| TracesError::Started)?;
    Ok(Traces { provider })
}

fn provider(collector: &Collector) -> Result<SdkTracerProvider, TracesError> {
    let host = collector.endpoint.strip_prefix("http://").ok_or(TracesError::Address)?;
    if host.trim_matches('/').is_empty() {
        return Err(TracesError::Address);
    }
    if !(0.0..=1.0).contains(&collector.ratio) {
        return Err(TracesError::Ratio);
    }
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(&collector.endpoint)
        .with_timeout(TAKEN_WITHIN)
        .build()?;
    let resource = Resource::builder()
        .with_service_name(collector.service)
        .with_attribute(KeyValue::new("service.version", collector.version))
        .build();
    Ok(SdkTracerProvider::builder()
        .with_resource(resource)
        // A trace is sent whole or not at all.
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(collector.ratio))))
        .with_span_processor(Queue::before(exporter, Handle::current()))
        .build())
}

/// What a call made now says of its trace, as the header
/// [`crate::calls::HEADER`] has it: the id of the present span, if it is being
/// sent.
#[must_use]
pub fn traceparent() -> Option<String> {
    let context = tracing::Span::current().context();
    let span = context.span().span_context().clone();
    let flags = span.trace_flags();
    (span.is_valid() && span.is_sampled())
        .then(|| format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), flags.to_u8()))
}

impl Traces {
    /// Sends what waits and ends; gives up after two seconds. Blocks.
    pub fn end(self) {
        // Whether they arrived was told while sending.
        let _ = self.provider.shutdown_with_timeout(END_WITHIN);
    }
}

/// What is known of the way to the collector.
#[derive(Debug, Default)]
struct Way {
    /// Spans that ended and were not sent yet.
    waiting: AtomicUsize,
    /// Spans are being lost, which was told.
    losing: AtomicBool,
}

impl Way {
    /// A place for one more span; none when all are taken.
    fn place(&self) -> bool {
        let more = |waiting: usize| (waiting < QUEUE_MAX).then_some(waiting + 1);
        self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn lost(&self, why: &str) {
        if !self.losing.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                code = "TRC-1301",
                why,
                "traces are lost: the collector does not take them; all else goes on"
            );
        }
    }

    fn taken(&self) {
        if self.losing.swap(false, Ordering::Relaxed) {
            tracing::info!(code = "TRC-1302", "the collector takes traces again");
        }
    }
}

/// The queue, which knows when it is full: the one below drops without a
/// word.
#[derive(Debug)]
struct Queue {
    way: Arc<Way>,
    sender: BatchSpanProcessor,
}

impl Queue {
    fn before<E: SpanExporter + 'static>(exporter: E, runtime: Handle) -> Self {
        let way = Arc::new(Way::default());
        let bounds = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE_MAX)
            .with_max_export_batch_size(MESSAGE_SPANS)
            .with_scheduled_delay(SEND_EVERY)
            .build();
        let sending = Sending { way: Arc::clone(&way), exporter, runtime };
        let sender = BatchSpanProcessor::builder(sending).with_batch_config(bounds).build();
        Self { way, sender }
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.sender.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        if self.way.place() {
            self.sender.on_end(span);
        } else {
            self.way.lost("too many wait");
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.sender.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.sender.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.sender.set_resource(resource);
    }
}

/// The way out of the queue, on a thread of its own.
#[derive(Debug)]
struct Sending<E> {
    way: Arc<Way>,
    exporter: E,
    /// Whose clock bounds the sending: that thread has none.
    runtime: Handle,
}

impl<E: SpanExporter> SpanExporter for Sending<E> {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        self.way.waiting.fetch_sub(spans.len(), Ordering::Relaxed);
        // The exporter's own bound does not hold while it connects.
        let sent = {
            let _within = self.runtime.enter();
            tokio::time::timeout(TAKEN_WITHIN, self.exporter.export(spans))
        };
        let sent = sent.await.unwrap_or(Err(OTelSdkError::Timeout(TAKEN_WITHIN)));
        match &sent {
            Ok(()) => self.way.taken(),
            // The words are the collector's or the system's; none are ours.
            Err(error) => self.way.lost(&crate::masked(&error.to_string())),
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_spans_wait_as_there_are_places() {
        let way = Way::default();
        assert_eq!((0..QUEUE_MAX * 2).filter(|_| way.place()).count(), QUEUE_MAX);
        way.waiting.fetch_sub(MESSAGE_SPANS, Ordering::Relaxed);
        assert_eq!((0..QUEUE_MAX).filter(|_| way.place()).count(), MESSAGE_SPANS);
    }

    /// Counts lines; the log itself would write the same one once a minute.
    #[derive(Clone, Default)]
    struct Lines(Arc<AtomicUsize>);

    impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Lines {
        fn on_event(&self, _: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_loss_is_told_once_and_its_end_once() {
        let (way, lines) = (Way::default(), Lines::default());
        tracing::subscriber::with_default(registry().with(lines.clone()), || {
            let told = || lines.0.load(Ordering::Relaxed);
            way.taken();
            assert_eq!(told(), 0, "nothing was lost");
            (0..1_000).for_each(|_| way.lost("nobody is there"));
            assert_eq!(told(), 1);
            (0..1_000).for_each(|_| way.taken());
            assert_eq!(told(), 2);
            way.lost("again");
            assert_eq!(told(), 3);
        });
    }

    #[tokio::test]
    async fn an_address_or_a_part_that_is_none_is_refused() {
        let to = |endpoint: &str, ratio| {
            provider(&Collector {
                endpoint: endpoint.to_owned(),
                ratio,
                service: "uji",
                version: "1",
            })
        };
        for wrong in ["", "127.0.0.1:4317", "https://127.0.0.1:4317", "http://", "http:///"] {
            assert!(matches!(to(wrong, 1.0), Err(TracesError::Address)), "{wrong}");
        }
        assert!(matches!(to("http://a b", 1.0), Err(TracesError::Exporter(_))));
        for wrong in [-0.1, 1.1, f64::NAN] {
            assert!(
                matches!(to("http://127.0.0.1:4317", wrong), Err(TracesError::Ratio)),
                "{wrong}"
            );
        }
        assert!(to("http://127.0.0.1:4317", 0.5).is_ok());
    }
}
