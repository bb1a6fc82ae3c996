//! The hub and the district as a whole, as they are at the scrape.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use prometheus_client::registry::Registry;

use super::{MetricsState, counters, gauge, gauges, seconds};
use crate::dataset::{DatasetError, FindingCount, FindingKind, IncidentKind, Upkeep};
use crate::outlook::Outlook;
use crate::reason::{Reasons, Severity};
use crate::rhythm::Freshness;

pub(super) fn register(
    registry: &mut Registry,
    state: &MetricsState,
    outlook: &Outlook,
) -> Result<(), DatasetError> {
    gauges(
        registry,
        "lumbung_hub_build_info",
        "The hub's version",
        [(vec![("version", env!("CARGO_PKG_VERSION").to_owned())], 1.0)],
    );
    gauge(
        registry,
        "lumbung_hub_start_timestamp_seconds",
        "When the hub was started",
        seconds(outlook.hub.started_ms),
    );
    gauge(
        registry,
        "lumbung_backup_last_success_timestamp_seconds",
        "When a backup of the hub last succeeded, tried by reading it back; 0 = never",
        seconds(outlook.hub.backup_ms.unwrap_or(0)),
    );
    gauge(
        registry,
        "lumbung_hub_audit_head_seq",
        "Entries of the log of what operators did; it never gets shorter by itself",
        state.audit.audit_head()?.seq as f64,
    );
    let counts = outlook.counts();
    gauges(
        registry,
        "lumbung_hub_villages",
        "Villages of the district by freshness, each by its own rhythm",
        Freshness::ALL.map(|class| {
            (vec![("freshness", class.code().to_owned())], f64::from(counts.of(class)))
        }),
    );
    gauge(
        registry,
        "lumbung_hub_connected_nodes",
        "Villages whose line is open",
        outlook.in_touch() as f64,
    );
    let reasons = Reasons::of(outlook);
    gauges(
        registry,
        "lumbung_hub_needs",
        "What needs somebody, by severity",
        [Severity::Act, Severity::Advice].map(|severity| {
            let count = reasons.needs.iter().filter(|need| need.severity == severity).count();
            (vec![("severity", severity.code().to_owned())], count as f64)
        }),
    );
    gauge(
        registry,
        "lumbung_backup_restore_verified_timestamp_seconds",
        "When a backup of the hub was last restored beside it and found whole; 0 = never",
        // One that was not tried like that does not count as a backup.
        seconds(outlook.hub.backup_ms.unwrap_or(0)),
    );
    waiting(registry, outlook);
    contradictions(registry, state)?;
    incidents(registry, state)?;
    let (warnings, errors) = lumbung_telemetry::logged();
    counters(
        registry,
        "lumbung_hub_log_events",
        "Lines logged since the start, by level",
        [("warn", warnings), ("error", errors)]
            .map(|(level, count)| (vec![("level", level.to_owned())], count)),
    );
    gauge(
        registry,
        "lumbung_hub_apply_queue_batches",
        "Batches that wait for the writer",
        state.writer.waiting() as f64,
    );
    gauge(
        registry,
        "lumbung_hub_writer_up",
        "Whether the one writer of the dataset runs",
        f64::from(u8::from(!state.writer.has_ended())),
    );
    traffic(registry, outlook);
    storage(registry, state, outlook);
    gauge(
        registry,
        "lumbung_hub_letters_waiting",
        "Letters to people that are still to be delivered",
        state.dataset.letters_waiting()? as f64,
    );
    Ok(())
}

/// What waits for a person or a later version.
fn waiting(registry: &mut Registry, outlook: &Outlook) {
    let upkeep = || outlook.villages.iter().filter_map(|village| village.upkeep.as_ref());
    let sum = |of: fn(&Upkeep) -> u64| upkeep().map(of).sum::<u64>() as f64;
    let oldest = |of: fn(&Upkeep) -> i64| {
        seconds(upkeep().map(of).filter(|since_ms| *since_ms > 0).min().unwrap_or(0))
    };
    gauge(
        registry,
        "lumbung_hub_quarantined_entries",
        "Entries this hub could not take, kept whole",
        sum(|it| it.quarantined),
    );
    gauge(
        registry,
        "lumbung_hub_quarantine_oldest_timestamp_seconds",
        "Since when the oldest of them waits; 0 = none",
        oldest(|it| it.quarantine_since_ms),
    );
    gauge(
        registry,
        "lumbung_hub_finding_sides_open",
        "Open contradictions between villages, counted at each village that has a part",
        sum(|it| it.findings),
    );
    gauge(
        registry,
        "lumbung_hub_finding_oldest_timestamp_seconds",
        "Since when the oldest of them is open; 0 = none",
        oldest(|it| it.findings_since_ms),
    );
    gauge(
        registry,
        "lumbung_hub_troubled_villages",
        "Villages with a trouble",
        upkeep().filter(|it| !it.trouble.is_empty()).count() as f64,
    );
}

/// Contradictions between villages, counted once each.
fn contradictions(registry: &mut Registry, state: &MetricsState) -> Result<(), DatasetError> {
    let counts = state.dataset.count_findings(&state.dataset.whole())?;
    let series = |of: fn(FindingCount) -> u64| {
        FindingKind::ALL
            .map(|kind| (vec![("kind", kind.code().to_owned())], of(counts.of(Some(kind)))))
    };
    counters(
        registry,
        "lumbung_hub_findings_opened",
        "Contradictions between villages that were ever found, by kind",
        series(|count| count.all),
    );
    counters(
        registry,
        "lumbung_hub_findings_closed",
        "Of these, those that ended because the villages' records agree",
        series(|count| count.all - count.open),
    );
    Ok(())
}

/// What happened to villages, by code.
fn incidents(registry: &mut Registry, state: &MetricsState) -> Result<(), DatasetError> {
    let noted: HashMap<_, _> = state.dataset.count_incidents()?.into_iter().collect();
    counters(
        registry,
        "lumbung_hub_incidents",
        "Incidents of villages that were ever noted, by code",
        IncidentKind::all().map(|kind| {
            let count = noted.get(kind.code()).copied().unwrap_or_default();
            (vec![("code", kind.code().to_owned())], count)
        }),
    );
    Ok(())
}

fn traffic(registry: &mut Registry, outlook: &Outlook) {
    let live = || outlook.villages.iter().filter_map(|village| village.live.as_ref());
    counters(
        registry,
        "lumbung_hub_bytes",
        "Bytes over all connections with villages since the start, as the socket saw them",
        [
            ("received", live().map(|live| live.traffic.received()).sum()),
            ("sent", live().map(|live| live.traffic.sent()).sum()),
        ]
        .map(|(direction, bytes)| (vec![("direction", direction.to_owned())], bytes)),
    );
}

fn storage(registry: &mut Registry, state: &MetricsState, outlook: &Outlook) {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len()) as f64;
    let mut log = state.file.clone().into_os_string();
    log.push("-wal");
    let log = PathBuf::from(log);
    gauges(
        registry,
        "lumbung_hub_storage_bytes",
        "Size of the dataset's files",
        [("dataset", size(&state.file)), ("log", size(&log))]
            .map(|(kind, bytes)| (vec![("kind", kind.to_owned())], bytes)),
    );
    if let Some(disk) = outlook.hub.disk {
        let (free, total) = (disk.free_bytes as f64, disk.total_bytes as f64);
        let help = "Space on the disk of the hub's data";
        gauge(registry, "lumbung_hub_disk_free_bytes", help, free);
        gauge(registry, "lumbung_hub_disk_total_bytes", help, total);
    }
}
