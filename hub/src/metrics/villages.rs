//! Some eighteen series a village. What its node has never told is not told here.

use prometheus_client::registry::Registry;

use super::{Labels, counters, gauges, seconds};
use crate::dataset::Upkeep;
use crate::live::LiveVillage;
use crate::outlook::{Outlook, VillageOutlook};

pub(super) fn register(registry: &mut Registry, outlook: &Outlook) {
    let listed: Vec<(&VillageOutlook, &Upkeep)> = outlook
        .villages
        .iter()
        .filter_map(|village| village.upkeep.as_ref().map(|upkeep| (village, upkeep)))
        .collect();
    moments(registry, &listed);
    entries(registry, &listed);
    link(registry, &listed);
    machine(registry, &listed);
    let builds = listed.iter().filter(|(_, upkeep)| !upkeep.software.is_empty());
    gauges(
        registry,
        "lumbung_village_build_info",
        "The software its node named last, and its processor",
        builds.map(|(village, upkeep)| {
            let mut labels = of(village);
            labels.push(("version", upkeep.software.clone()));
            let arch = upkeep.machine.as_ref().map(|machine| machine.arch.clone());
            labels.push(("arch", arch.unwrap_or_default()));
            (labels, 1.0)
        }),
    );
}

fn of(village: &VillageOutlook) -> Labels {
    vec![("village", village.desa.code.compact())]
}

type Listed<'a> = [(&'a VillageOutlook, &'a Upkeep)];

fn moments(registry: &mut Registry, listed: &Listed<'_>) {
    let mut add = |name: &str, help: &str, value: fn(&VillageOutlook, &Upkeep) -> Option<i64>| {
        let series = listed.iter().filter_map(|(village, upkeep)| {
            value(village, upkeep).map(|ms| (of(village), seconds(ms)))
        });
        gauges(registry, name, help, series);
    };
    add(
        "lumbung_village_last_contact_timestamp_seconds",
        "Last sign of life, by line or by stick; 0 = never",
        |village, _| Some(village.last_ms()),
    );
    add(
        "lumbung_village_last_proof_timestamp_seconds",
        "When node and hub were last proven equal; 0 = never since the hub knows",
        |village, _| Some(village.live.as_ref().map_or(0, |live| live.last_proof_ms)),
    );
    add(
        "lumbung_village_expected_gap_seconds",
        "The silence that nineteen of twenty of its own stay below",
        |village, _| Some(village.rhythm.p95_ms),
    );
    add(
        "lumbung_village_cert_not_after_timestamp_seconds",
        "When the certificate of its node ends",
        |_, upkeep| upkeep.certified_until_ms,
    );
    add(
        "lumbung_village_clock_offset_seconds",
        "How far its clock was ahead of the hub's at the last contact",
        |_, upkeep| upkeep.link.map(|link| link.clock_ahead_ms),
    );
    add(
        "lumbung_village_outbox_oldest_timestamp_seconds",
        "Since when the hub knows of entries there that it has not; 0 = of none",
        |village, _| Some(village.live.as_ref().map_or(0, |live| live.behind_since_ms)),
    );
}

fn entries(registry: &mut Registry, listed: &Listed<'_>) {
    let mut add = |name: &str, help: &str, value: fn(&LiveVillage, &Upkeep) -> u64| {
        let series = listed.iter().filter_map(|(village, upkeep)| {
            let live = village.live.as_ref()?;
            Some((of(village), value(live, upkeep) as f64))
        });
        gauges(registry, name, help, series);
    };
    add(
        "lumbung_village_outbox_entries",
        "Entries its node is known to have and the hub has not",
        |live, _| live.lag(),
    );
    add(
        "lumbung_village_inbox_entries",
        "What waits at the hub for it: notices, and versions that may have to be handed back",
        |_, upkeep| upkeep.undelivered + upkeep.notices_waiting,
    );
    add("lumbung_village_records", "Its living records at the hub", |live, _| live.records);
    add(
        "lumbung_village_quarantined_entries",
        "Its entries this hub could not take",
        |_, upkeep| upkeep.quarantined,
    );
}

fn link(registry: &mut Registry, listed: &Listed<'_>) {
    gauges(
        registry,
        "lumbung_village_connected",
        "Whether its line is open",
        listed.iter().map(|(village, _)| (of(village), f64::from(u8::from(village.in_touch)))),
    );
    gauges(
        registry,
        "lumbung_village_trouble",
        "Whether something is wrong with it, and by its code what",
        listed.iter().map(|(village, upkeep)| {
            let mut labels = of(village);
            labels.push(("code", upkeep.trouble.clone()));
            (labels, f64::from(u8::from(!upkeep.trouble.is_empty())))
        }),
    );
    let measured = listed.iter().filter_map(|(village, upkeep)| {
        let link = upkeep.link.filter(|link| link.round_trip_us > 0)?;
        Some((of(village), f64::from(link.round_trip_us) / 1e6))
    });
    gauges(
        registry,
        "lumbung_village_rtt_seconds",
        "How long its node took to answer a small question, at the last contact",
        measured,
    );
    let bytes = listed.iter().filter_map(|(village, _)| {
        let live = village.live.as_ref()?;
        let bytes = live.traffic.received() + live.traffic.sent();
        Some((of(village), bytes))
    });
    counters(
        registry,
        "lumbung_village_link_bytes",
        "Bytes over its connections since the hub was started, both ways",
        bytes,
    );
}

/// What its node told of its computer last.
fn machine(registry: &mut Registry, listed: &Listed<'_>) {
    let told = || {
        let machine = |upkeep: &Upkeep| upkeep.machine.clone();
        listed.iter().filter_map(move |(village, upkeep)| Some((of(village), machine(upkeep)?)))
    };
    gauges(
        registry,
        "lumbung_village_disk_free_bytes",
        "Free on the disk of its node's store, to the next MiB",
        told().filter_map(|(labels, machine)| Some((labels, machine.disk_free_bytes? as f64))),
    );
    gauges(
        registry,
        "lumbung_village_store_bytes",
        "What its node's store takes, to the next MiB",
        told().map(|(labels, machine)| (labels, machine.store_bytes as f64)),
    );
    counters(
        registry,
        "lumbung_village_unclean_stops",
        "How often its node ended without being stopped, as by a power cut",
        told().map(|(labels, machine)| (labels, machine.unclean_stops.into())),
    );
}
