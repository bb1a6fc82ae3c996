//! A dozen series a village. What its node has never told is not told here.

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
    let builds = listed.iter().filter(|(_, upkeep)| !upkeep.software.is_empty());
    gauges(
        registry,
        "lumbung_village_build_info",
        "The software its node named last",
        builds.map(|(village, upkeep)| {
            let mut labels = of(village);
            labels.push(("version", upkeep.software.clone()));
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
        "Versions at the hub that may have to be handed back to it",
        |_, upkeep| upkeep.undelivered,
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
        "Whether something is wrong with it",
        listed.iter().map(|(village, upkeep)| {
            (of(village), f64::from(u8::from(!upkeep.trouble.is_empty())))
        }),
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
