//! What a village's first pull costs follows its line: fewest bytes on a slow
//! one, least work on a fast one. Time is simulated, so that a busy machine
//! changes nothing.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::civil::date;
use lumbung_demo::population;
use lumbung_domain::region::roster;
use lumbung_ledger::{LogId, Source};
use lumbung_node::barn::{Ground, MemoryStore};
use lumbung_node::village::{Village, Wish};
use lumbung_telemetry::clock::Clock;
use lumbung_tests::sim;
use lumbung_tests::sim::line::Weather;
use lumbung_tests::sim::pair::Pair;

const NOW_MS: i64 = 1_790_000_000_000;

/// Residents of the village: several whole batches.
const RESIDENTS: u32 = 2_000;

/// Records of one save.
const SAVED_AT_ONCE: usize = 500;

/// A packet of 1,400 bytes at 1 Mbit/s and at 100 Mbit/s.
const SLOW: Duration = Duration::from_micros(11_200);
const FAST: Duration = Duration::from_micros(112);

/// A made-up village whose log is the same each time.
async fn village() -> anyhow::Result<Village> {
    let code = roster().villages()[0].code;
    let ground = Ground { store: Arc::new(MemoryStore::default()), witness: None, salts: 1 };
    let clock = Clock::standing_at(NOW_MS);
    let village = Village::open_in_task(ground, Some(LogId([5; 16])), code, clock)?;
    let mut plans = population::plans(7, 1.0);
    let plan = plans.iter_mut().find(|plan| plan.code == code).context("the village's plan")?;
    plan.residents = RESIDENTS;
    let mut mint = || village.mint().next(NOW_MS);
    let records = population::village(plan, date(2026, 9, 1), &mut mint);
    for some in records.chunks(SAVED_AT_ONCE) {
        let wishes = some.iter().map(|(id, record)| Wish {
            id: Some(*id),
            kind: record.kind(),
            record: Some(record.clone()),
            seen: None,
        });
        village.save("kader", Source::TEMPLATE, wishes.collect()).await?;
    }
    Ok(village)
}

/// Bytes from a new village to a new hub over a line where a packet takes so
/// long, a record.
async fn first_pull(packet: Duration) -> anyhow::Result<f64> {
    let folder = sim::folder()?;
    let village = village().await?;
    let pair = Pair::new(roster().villages()[0].code, folder.path())?;
    let line = Weather { packet, ..Weather::default() };
    let following = pair.follow(&village, &[line]);
    let head = village.barn().head().position.seq;
    let settled = pair.settled(head).await?;
    assert_eq!((settled.trouble.as_str(), following.connections()), ("", 1));
    Ok(settled.traffic.received() as f64 / head.0 as f64)
}

#[test]
fn a_slow_line_carries_columns_and_a_fast_one_rows() {
    let _world = lumbung_link::world::simulate(1);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.unwrap();
    let [slow, fast] = [SLOW, FAST].map(|packet| runtime.block_on(first_pull(packet)).unwrap());
    println!("bytes a record: {slow:.1} over a slow line, {fast:.1} over a fast one");
    assert!(slow <= 36.0, "{slow} bytes a record over a slow line");
    assert!(fast >= 1.3 * slow, "{fast} bytes a record over a fast line: not rows");
}
