//! What the hub measures, for Prometheus: `/metrics` of the hub and the
//! district, `/metrics/villages` with some eighteen series a village.
//!
//! On a listener of its own that is to stay on this machine. Base units;
//! moments are timestamps, never ages; a series that is known has a value
//! from the start. Only what is really measured is told. Labels are codes of
//! villages and our own words; nothing about a person.

mod counts;
mod district;
mod operators;
mod villages;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::access::Gate;
use crate::access::audit::AuditLog;
use crate::dataset::{DatasetError, HubsOwn};
use crate::live::Live;
use crate::merge::WriterWatch;
use crate::outlook::Outlook;

pub use counts::{Counts, Cut, Received, SessionEnd};
pub(crate) use operators::code_name;
pub use operators::{Entrance, OperatorCounts};

/// What a scrape reads.
#[derive(Clone)]
pub struct MetricsState {
    /// The dataset.
    pub dataset: Arc<dyn HubsOwn>,
    /// The view of the moment.
    pub live: Arc<Live>,
    /// The writer, for its queue.
    pub writer: WriterWatch,
    /// The dataset's file.
    pub file: PathBuf,
    /// Where operators come in.
    pub gate: Gate,
    /// What operators did.
    pub audit: Arc<dyn AuditLog>,
}

impl MetricsState {
    /// The hub and the district, as text.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    pub fn hub(&self) -> Result<String, DatasetError> {
        let outlook = Outlook::now(&*self.dataset, &self.live)?;
        let mut registry = Registry::default();
        self.writer.counts().register(&mut registry);
        self.gate.counts().register(&mut registry);
        gauge(
            &mut registry,
            "lumbung_hub_operator_sessions",
            "Sessions of operators at the console that are not over",
            self.gate.sessions_open()? as f64,
        );
        district::register(&mut registry, self, &outlook)?;
        Ok(encoded(&registry))
    }

    /// Every registered village, as text.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    pub fn villages(&self) -> Result<String, DatasetError> {
        let outlook = Outlook::now(&*self.dataset, &self.live)?;
        let mut registry = Registry::default();
        villages::register(&mut registry, &outlook);
        Ok(encoded(&registry))
    }
}

fn encoded(registry: &Registry) -> String {
    let mut text = String::new();
    // Writing to a String can't fail.
    let _ = prometheus_text::encode(&mut text, registry);
    text
}

/// Whether metrics may be served there: this machine's own addresses only.
#[must_use]
pub const fn may_listen(address: &SocketAddr) -> bool {
    match address {
        SocketAddr::V4(address) => address.ip().is_loopback(),
        SocketAddr::V6(address) => address.ip().is_loopback(),
    }
}

/// The routes.
pub fn router(state: MetricsState) -> Router {
    Router::new()
        .route("/metrics", get(hub))
        .route("/metrics/villages", get(all_villages))
        .with_state(state)
}

async fn hub(State(state): State<MetricsState>) -> Response {
    scrape(move || state.hub()).await
}

async fn all_villages(State(state): State<MetricsState>) -> Response {
    scrape(move || state.villages()).await
}

async fn scrape(read: impl FnOnce() -> Result<String, DatasetError> + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(text)) => {
            ([(header::CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text).into_response()
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "metrics can't be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Labels of one series.
type Labels = Vec<(&'static str, String)>;

/// Adds a gauge with one series per item.
fn gauges(
    registry: &mut Registry,
    name: &str,
    help: &str,
    series: impl IntoIterator<Item = (Labels, f64)>,
) {
    let family = Family::<Labels, Gauge<f64, std::sync::atomic::AtomicU64>>::default();
    registry.register(name, help, family.clone());
    for (labels, value) in series {
        family.get_or_create(&labels).set(value);
    }
}

/// Adds a gauge without labels.
fn gauge(registry: &mut Registry, name: &str, help: &str, value: f64) {
    let gauge = Gauge::<f64, std::sync::atomic::AtomicU64>::default();
    gauge.set(value);
    registry.register(name, help, gauge);
}

/// Adds a counter with one series per item.
fn counters(
    registry: &mut Registry,
    name: &str,
    help: &str,
    series: impl IntoIterator<Item = (Labels, u64)>,
) {
    let family = Family::<Labels, Counter>::default();
    registry.register(name, help, family.clone());
    for (labels, value) in series {
        family.get_or_create(&labels).inc_by(value);
    }
}

/// Unix milliseconds as the seconds Prometheus counts in.
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}
