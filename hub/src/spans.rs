//! Spans: what the hub's traces are made of, and all that they say.
//!
//! No other file makes a span (a test keeps it so), so whatever a collector
//! may learn stands here: our own words, counts, codes of villages. Never a
//! person's number or name, what somebody looked for, an address with values
//! in it, who asked. Names are those of OpenTelemetry's conventions where it
//! has any.
//!
//! While traces are off nobody listens to these callsites: each costs one
//! look at a flag, and nothing is counted or put into words for it. Work on
//! single records gets no span.

use std::collections::BTreeSet;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use lumbung_domain::id::Kind;
use lumbung_domain::region::VillageCode;
use lumbung_telemetry::traces::TARGET;
use tonic::{Code, Status};
use tracing::field::{Empty, display};
use tracing::{Instrument as _, Level, Span};

use crate::dataset::MergeBatch;
use crate::desk::search::What;
use crate::metrics::code_name;
use crate::recap::RegionRef;

/// A transaction is linked to this many of its batches at most.
const LINKS_MAX: usize = 32;

macro_rules! span {
    ($($said:tt)*) => { tracing::info_span!(target: TARGET, $($said)*) };
}

/// Whether anybody listens.
pub(crate) fn are_on() -> bool {
    tracing::span_enabled!(target: TARGET, Level::INFO)
}

/// What a call to a node made now says of its trace; nothing while nobody
/// listens.
pub(crate) fn traceparent() -> Option<String> {
    are_on().then(lumbung_telemetry::traces::traceparent).flatten()
}

/// The work as part of the span that this is called in, on whichever thread
/// it is done.
pub(crate) fn within<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let span = Span::current();
    move || span.in_scope(work)
}

/// Answers a request of a browser within a span, until its head is there.
pub(crate) async fn request(request: Request, next: Next) -> Response {
    let method = known(request.method());
    // The template, never the path: that may hold a ticket or an id.
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
    let span = span!(
        "request",
        otel.name = name,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    );
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    response
}

/// A method by its name; whatever a caller made up is `_OTHER`.
fn known(method: &Method) -> &'static str {
    let all = [
        Method::GET,
        Method::POST,
        Method::HEAD,
        Method::OPTIONS,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
    ];
    let names = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"];
    let at = all.iter().position(|known| known == method);
    at.map_or("_OTHER", |at| names[at])
}

/// Answers a call of the admin API within a span; a stream until it begins.
pub(crate) async fn admin_call<T>(
    method: &'static str,
    work: impl Future<Output = Result<T, Status>>,
) -> Result<T, Status> {
    let span = span!(
        "admin call",
        otel.name = %format_args!("lumbung.v1.Admin/{method}"),
        otel.kind = "server",
        otel.status_code = Empty,
        rpc.system.name = "grpc",
        rpc.method = %format_args!("lumbung.v1.Admin/{method}"),
        rpc.response.status_code = Empty,
    );
    let ours = |code| {
        matches!(
            code,
            Code::Unknown
                | Code::DeadlineExceeded
                | Code::Unimplemented
                | Code::Internal
                | Code::Unavailable
                | Code::DataLoss
        )
    };
    called(span, work, ours).await
}

/// Calls a node within a span, until it answers. `method` with its service,
/// as `lumbung.v1.Sync/Hello`.
pub(crate) async fn node_call<T>(
    village: VillageCode,
    method: &'static str,
    call: impl Future<Output = Result<T, Status>>,
) -> Result<T, Status> {
    let span = span!(
        "node call",
        otel.name = method,
        otel.kind = "client",
        otel.status_code = Empty,
        rpc.system.name = "grpc",
        rpc.method = method,
        rpc.response.status_code = Empty,
        lumbung.village = %village,
    );
    called(span, call, |code| code != Code::Ok).await
}

async fn called<T>(
    span: Span,
    call: impl Future<Output = Result<T, Status>>,
    is_error: impl Fn(Code) -> bool,
) -> Result<T, Status> {
    let answer = call.instrument(span.clone()).await;
    let code = answer.as_ref().map_or_else(Status::code, |_| Code::Ok);
    // The code alone: a status' words may be a node's.
    span.record("rpc.response.status_code", code_name(code));
    if is_error(code) {
        span.record("otel.status_code", "ERROR");
    }
    answer
}

/// A session with a node, until both agree where to begin.
pub(crate) fn opening(village: VillageCode) -> Span {
    span!("open session", lumbung.village = %village)
}

/// A batch on its way: received, verified, merged, acknowledged.
pub(crate) fn batch(village: VillageCode, wire_bytes: usize) -> Span {
    span!(
        "pulled batch",
        otel.status_code = Empty,
        lumbung.village = %village,
        lumbung.wire.bytes = wire_bytes,
        lumbung.rows = Empty,
        lumbung.acked = Empty,
    )
}

/// The proof of a batch.
pub(crate) fn verifying() -> Span {
    span!("verify")
}

/// The batch whose span this is called in proved to be sound, or not.
pub(crate) fn verified(rows: Option<usize>) {
    let batch = Span::current();
    match rows {
        Some(rows) => batch.record("lumbung.rows", rows),
        None => batch.record("otel.status_code", "ERROR"),
    };
}

/// The node was told that a batch is durable.
pub(crate) fn acked(batch: &Span) {
    // A span ends where it is left for the last time.
    batch.in_scope(|| batch.record("lumbung.acked", true));
}

/// One transaction of the writer, below the first batch it takes and linked
/// to the others.
pub(crate) fn merging(asked: &[Span], batches: &[MergeBatch]) -> Span {
    let span = span!(
        parent: asked.first().and_then(Span::id),
        "merge",
        otel.status_code = Empty,
        db.system.name = "sqlite",
        lumbung.batches = batches.len(),
        lumbung.villages = Empty,
        lumbung.village = Empty,
        lumbung.rows = Empty,
    );
    if span.is_disabled() {
        return span;
    }
    let villages: BTreeSet<_> = batches.iter().map(|batch| batch.village.as_u64()).collect();
    span.record("lumbung.villages", villages.len());
    if let (1, Some(batch)) = (villages.len(), batches.first()) {
        span.record("lumbung.village", display(batch.village));
    }
    span.record("lumbung.rows", batches.iter().map(|batch| batch.changes.len()).sum::<usize>());
    for other in asked.iter().skip(1).take(LINKS_MAX) {
        span.follows_from(other);
    }
    span
}

/// A transaction of the writer was rolled back.
pub(crate) fn rolled_back(merge: &Span) {
    merge.record("otel.status_code", "ERROR");
}

/// A recap of a region.
pub(crate) fn recap(region: RegionRef) -> Span {
    let (level, village) = place(region);
    span!("recap", lumbung.region.level = level, lumbung.village = village.map(display))
}

/// A search among records; what for is nobody's business.
pub(crate) fn search(what: What, region: Option<RegionRef>) -> Span {
    let (level, village) = region.map(place).unzip();
    span!(
        "search",
        lumbung.search.kind = kind_of_search(what),
        lumbung.region.level = level,
        lumbung.village = village.flatten().map(display),
    )
}

/// A search by an identity number.
pub(crate) fn search_by_number() -> Span {
    span!("search", lumbung.search.kind = "nik")
}

/// A file of records.
pub(crate) fn export(kind: Kind, region: RegionRef, rows: u64) -> Span {
    let (level, village) = place(region);
    span!(
        "export",
        lumbung.export.kind = %kind,
        lumbung.region.level = level,
        lumbung.village = village.map(display),
        lumbung.rows = rows,
    )
}

const fn kind_of_search(what: What) -> &'static str {
    match what {
        What::Warga => "warga",
        What::Keluarga => "keluarga",
        What::RumahTangga => "rumah_tangga",
        What::Rt => "rt",
        What::Dasawisma => "dasawisma",
    }
}

/// A region without the id of what lies below the village, which may be one
/// household.
const fn place(region: RegionRef) -> (&'static str, Option<VillageCode>) {
    match region {
        RegionRef::Kabupaten => ("kabupaten", None),
        RegionRef::Kecamatan(_) => ("kecamatan", None),
        RegionRef::Desa(village) => ("desa", Some(village)),
        RegionRef::Below(village, _) => ("below", Some(village)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_somebody_made_up_is_not_repeated() {
        let made_up = Method::from_bytes(b"G3505900101900001").unwrap();
        assert_eq!(known(&made_up), "_OTHER");
        assert_eq!((known(&Method::GET), known(&Method::PATCH)), ("GET", "PATCH"));
    }

    #[test]
    fn nothing_listens_by_itself() {
        assert!(!are_on());
        let village = lumbung_domain::region::roster().villages()[0].code;
        assert!(batch(village, 1).is_disabled() && merging(&[], &[]).is_disabled());
    }
}
