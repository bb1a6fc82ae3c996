//! What a village's first pull costs: fewest bytes, unless most of a district
//! catches up at once and the line bears more; then least work. Time is
//! simulated, so that a busy machine changes nothing.

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

/// Turns to catch up that are left while the hub is in a hurry.
const TURNS_LEFT: usize = 2;

/// Bytes from a new village to a new hub over a line where a packet takes so
/// long, a record; in a hurry, other villages catch up all the while.
async fn first_pull(packet: Duration, hurry: bool) -> anyhow::Result<f64> {
    let folder = sim::folder()?;
    let village = village().await?;
    let pair = Pair::new(roster().villages()[0].code, folder.path())?;
    let turns = pair.turns();
    let others = if hurry { turns.available_permits() - TURNS_LEFT } else { 0 };
    let _others = turns.acquire_many(u32::try_from(others)?).await?;
    let line = Weather { packet, ..Weather::default() };
    let following = pair.follow(&village, &[line]);
    let head = village.barn().head().position.seq;
    let settled = pair.settled(head).await?;
    assert_eq!((settled.trouble.as_str(), following.connections()), ("", 1));
    Ok(settled.traffic.received() as f64 / head.0 as f64)
}

#[test]
fn columns_travel_unless_the_district_catches_up_over_fast_lines() {
    let _world = lumbung_link::world::simulate(1);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.unwrap();
    let [slow, fast, slow_in_a_hurry, fast_in_a_hurry] =
        [(SLOW, false), (FAST, false), (SLOW, true), (FAST, true)]
            .map(|(packet, hurry)| runtime.block_on(first_pull(packet, hurry)).unwrap());
    println!("bytes a record: {slow:.1} over a slow line, {fast:.1} over a fast one");
    println!("in a hurry: {slow_in_a_hurry:.1} and {fast_in_a_hurry:.1}");
    for columns in [slow, fast] {
        assert!(columns <= 36.0, "{columns} bytes a record");
    }
    // Its first batch, which tells that the line is slow, is of rows.
    assert!(slow_in_a_hurry <= 1.2 * slow, "{slow_in_a_hurry} bytes a record over a slow line");
    assert!(fast_in_a_hurry >= 1.3 * slow, "{fast_in_a_hurry} bytes a record: not rows");
}
