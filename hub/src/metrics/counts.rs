//! What is counted where it happens. Clones share the counters.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use lumbung_domain::id::Kind;
use lumbung_telemetry::clock;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::Labels;

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// The link was lost, after the node had answered.
    Lost,
    /// Something contradicts or fails.
    Trouble,
    /// The node was not reached.
    Unreached,
}

impl SessionEnd {
    const ALL: [Self; 3] = [Self::Lost, Self::Trouble, Self::Unreached];

    const fn word(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Trouble => "trouble",
            Self::Unreached => "unreached",
        }
    }
}

/// How much of a batch had come before a broken link makes it come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// A part of it.
    Torn,
    /// All of it, but it was not durable yet.
    Whole,
}

impl Cut {
    const ALL: [Self; 2] = [Self::Torn, Self::Whole];

    const fn word(self) -> &'static str {
        match self {
            Self::Torn => "torn",
            Self::Whole => "whole",
        }
    }
}

/// What bytes of a village came for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Agreeing where to begin, handing over what waits.
    Opening,
    /// What it had saved while it was away; a first pull too.
    CatchUp,
    /// Changes as they are saved, and signs of life.
    Live,
    /// Proving rows one by one, and fetching what differs.
    Proof,
}

impl Received {
    const ALL: [Self; 4] = [Self::Opening, Self::CatchUp, Self::Live, Self::Proof];

    const fn word(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::CatchUp => "catch_up",
            Self::Live => "live",
            Self::Proof => "proof",
        }
    }
}

/// Entries of a kind that this version doesn't know.
const OTHER_KIND: &str = "other";

/// What has happened since the hub was started.
#[derive(Clone, Debug)]
pub struct Counts {
    sessions: Family<Labels, Counter>,
    entries: Family<Labels, Counter>,
    kinds: Family<Labels, Counter>,
    received: Family<Labels, Counter>,
    refused: Counter,
    again: Family<Labels, Counter>,
    rolled_back: Counter,
    transaction_seconds: Histogram,
    last_applied: Gauge<f64, AtomicU64>,
    letters: Family<Labels, Counter>,
}

impl Default for Counts {
    fn default() -> Self {
        let counts = Self {
            sessions: Family::default(),
            entries: Family::default(),
            kinds: Family::default(),
            received: Family::default(),
            refused: Counter::default(),
            again: Family::default(),
            rolled_back: Counter::default(),
            transaction_seconds: Histogram::new(exponential_buckets(0.001, 4.0, 8)),
            last_applied: Gauge::default(),
            letters: Family::default(),
        };
        for end in SessionEnd::ALL {
            drop(counts.sessions.get_or_create(&vec![("result", end.word().to_owned())]));
        }
        for cut in Cut::ALL {
            drop(counts.again.get_or_create(&vec![("cut", cut.word().to_owned())]));
        }
        for result in ["applied", "quarantined"] {
            drop(counts.entries.get_or_create(&vec![("result", result.to_owned())]));
        }
        for name in Kind::ALL.map(Kind::name).into_iter().chain([OTHER_KIND]) {
            drop(counts.kinds.get_or_create(&vec![("kind", name.to_owned())]));
        }
        for class in Received::ALL {
            drop(counts.received.get_or_create(&vec![("class", class.word().to_owned())]));
        }
        counts
    }
}

impl Counts {
    /// A session with a village ended.
    pub fn session_ended(&self, end: SessionEnd) {
        self.sessions.get_or_create(&vec![("result", end.word().to_owned())]).inc();
    }

    /// A batch became durable.
    pub(crate) fn applied(&self, entries: u64, quarantined: u64) {
        let of = |result: &str| vec![("result", result.to_owned())];
        let applied = entries.saturating_sub(quarantined);
        self.entries.get_or_create(&of("applied")).inc_by(applied);
        self.entries.get_or_create(&of("quarantined")).inc_by(quarantined);
        self.last_applied.set(super::seconds(clock::now_ms()));
    }

    /// A batch of so many entries of each of these kinds became durable.
    pub(crate) fn kinds(&self, kinds: &[(Option<Kind>, u64)]) {
        for (kind, count) in kinds {
            let name = kind.map_or(OTHER_KIND, Kind::name);
            self.kinds.get_or_create(&vec![("kind", name.to_owned())]).inc_by(*count);
        }
    }

    /// So many bytes came from a village, and what for.
    pub(crate) fn received(&self, class: Received, bytes: u64) {
        self.received.get_or_create(&vec![("class", class.word().to_owned())]).inc_by(bytes);
    }

    /// A batch was refused.
    pub(crate) fn refused(&self) {
        self.refused.inc();
    }

    /// A link broke, or had broken, at a batch that is to be sent again.
    pub(crate) fn sent_again(&self, cut: Cut) {
        self.again.get_or_create(&vec![("cut", cut.word().to_owned())]).inc();
    }

    /// A transaction took this long; `durable`: it was not rolled back.
    pub(crate) fn transaction(&self, took: Duration, durable: bool) {
        self.transaction_seconds.observe(took.as_secs_f64());
        if !durable {
            self.rolled_back.inc();
        }
    }

    /// A letter to people went out, or did not.
    pub(crate) fn letter(&self, channel: &str, result: &str) {
        let labels = vec![("channel", channel.to_owned()), ("result", result.to_owned())];
        self.letters.get_or_create(&labels).inc();
    }

    /// Makes the series of a channel known before its first letter.
    pub(crate) fn know_channel(&self, channel: &str) {
        for result in ["delivered", "failed", "given_up"] {
            let labels = vec![("channel", channel.to_owned()), ("result", result.to_owned())];
            drop(self.letters.get_or_create(&labels));
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "lumbung_hub_sessions",
            "Sessions with villages that have ended, by how",
            self.sessions.clone(),
        );
        registry.register(
            "lumbung_hub_entries_merged",
            "Entries of villages that became durable, by whether they could be taken",
            self.entries.clone(),
        );
        registry.register(
            "lumbung_hub_entries_by_kind",
            "Entries of villages that became durable, by kind of record",
            self.kinds.clone(),
        );
        registry.register(
            "lumbung_hub_received_bytes",
            "Bytes that sessions with villages received, by what for",
            self.received.clone(),
        );
        registry.register(
            "lumbung_hub_batches_refused",
            "Batches that did not continue from where the hub stands",
            self.refused.clone(),
        );
        registry.register(
            "lumbung_hub_batches_again",
            "Batches that broken links made villages send again, by how much of them had come",
            self.again.clone(),
        );
        registry.register(
            "lumbung_hub_transactions_rolled_back",
            "Transactions of the dataset that failed as a whole",
            self.rolled_back.clone(),
        );
        registry.register(
            "lumbung_hub_transaction_duration_seconds",
            "How long a merging transaction takes until it is durable",
            self.transaction_seconds.clone(),
        );
        registry.register(
            "lumbung_hub_last_entry_applied_timestamp_seconds",
            "When an entry last became durable since the start; 0 = not yet",
            self.last_applied.clone(),
        );
        registry.register(
            "lumbung_hub_letters",
            "Letters to people, by channel and result",
            self.letters.clone(),
        );
    }
}
