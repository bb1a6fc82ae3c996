//! What operators do, counted where it happens: who came in, what the admin
//! API was asked, what left as a file. Clones share the counters.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use tonic::Code;

use super::Labels;

/// How an attempt to come in ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// Let in.
    Entered,
    /// Name, password or code was wrong.
    Wrong,
    /// Too many failures before: not even tried.
    Waited,
    /// The hub could not look.
    Failed,
    /// A certificate that counts no longer, or of a closed account.
    Certificate,
}

impl Entrance {
    const ALL: [Self; 5] =
        [Self::Entered, Self::Wrong, Self::Waited, Self::Failed, Self::Certificate];

    const fn word(self) -> &'static str {
        match self {
            Self::Entered => "entered",
            Self::Wrong => "wrong",
            Self::Waited => "waited",
            Self::Failed => "failed",
            Self::Certificate => "certificate",
        }
    }
}

/// How long a call takes: 1 ms to 16 s.
#[derive(Clone, Copy, Debug, Default)]
struct CallSeconds;

impl MetricConstructor<Histogram> for CallSeconds {
    fn new_metric(&self) -> Histogram {
        Histogram::new(exponential_buckets(0.001, 4.0, 8))
    }
}

/// The counters.
#[derive(Clone, Debug)]
pub struct OperatorCounts {
    entrances: Family<Labels, Counter>,
    calls: Family<Labels, Counter>,
    call_seconds: Family<Labels, Histogram, CallSeconds>,
    exports: Family<Labels, Counter>,
    page_seconds: Family<Labels, Histogram, CallSeconds>,
}

impl Default for OperatorCounts {
    fn default() -> Self {
        let counts = Self {
            entrances: Family::default(),
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(CallSeconds),
            exports: Family::default(),
            page_seconds: Family::new_with_constructor(CallSeconds),
        };
        for entrance in Entrance::ALL {
            drop(counts.entrances.get_or_create(&result(entrance)));
        }
        for numbers in [false, true] {
            drop(counts.exports.get_or_create(&with_numbers(numbers)));
        }
        counts
    }
}

fn result(entrance: Entrance) -> Labels {
    vec![("result", entrance.word().to_owned())]
}

fn with_numbers(numbers: bool) -> Labels {
    vec![("numbers", if numbers { "full" } else { "none" }.to_owned())]
}

/// A code's name as the gRPC specification writes it.
pub(crate) const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

impl OperatorCounts {
    /// Somebody tried to come in.
    pub(crate) fn came(&self, entrance: Entrance) {
        self.entrances.get_or_create(&result(entrance)).inc();
    }

    /// The admin API was asked; streams count when they begin.
    pub(crate) fn called(&self, method: &'static str, code: Code, took: Duration) {
        let method = ("method", method.to_owned());
        let labels = vec![method.clone(), ("code", code_name(code).to_owned())];
        self.calls.get_or_create(&labels).inc();
        self.call_seconds.get_or_create(&vec![method]).observe(took.as_secs_f64());
    }

    /// Records are about to leave as a file.
    pub(crate) fn exported(&self, numbers: bool) {
        self.exports.get_or_create(&with_numbers(numbers)).inc();
    }

    /// A request to the console was answered. `route` is its template, never
    /// an address: that may hold a ticket or an id.
    pub(crate) fn page(&self, method: &'static str, route: &str, took: Duration) {
        let labels = vec![("method", method.to_owned()), ("route", route.to_owned())];
        self.page_seconds.get_or_create(&labels).observe(took.as_secs_f64());
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "lumbung_hub_sign_ins",
            "Attempts of operators to come in, by how they ended",
            self.entrances.clone(),
        );
        registry.register(
            "lumbung_hub_rpc_requests",
            "Calls of the admin API, by method and code; streams by how they began",
            self.calls.clone(),
        );
        registry.register(
            "lumbung_hub_rpc_duration_seconds",
            "How long calls of the admin API take; streams until they begin",
            self.call_seconds.clone(),
        );
        registry.register(
            "lumbung_hub_console_request_duration_seconds",
            "How long requests to the console take until the head of the answer is there, by route",
            self.page_seconds.clone(),
        );
        registry.register(
            "lumbung_hub_exports",
            "Files of records that operators asked for, by whether identity numbers are in them",
            self.exports.clone(),
        );
    }
}
