//! A program that only logs makes no spans. In a process of its own: who
//! listens is a matter of the whole process.

use tracing::Level;

#[test]
fn logging_alone_makes_no_span() {
    lumbung_telemetry::start("trace");
    assert!(tracing::event_enabled!(Level::DEBUG), "lines are written");
    assert!(tracing::info_span!("any").is_disabled());
    assert!(
        tracing::error_span!(target: "lumbung::traces", "one that traces ask for").is_disabled()
    );
}
