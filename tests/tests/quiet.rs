//! A village behind a router that forgets idle connections: for how long it
//! may be silent is learnt within a day, at the price of a few broken lines,
//! and the day's budget is kept whatever the router does.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::Arc;
use std::time::Duration;

use lumbung_domain::id::Kind;
use lumbung_domain::record::{Dusun, Record};
use lumbung_domain::region::roster;
use lumbung_ledger::{LogId, Source};
use lumbung_link::quiet::{LONGEST, SHORTEST};
use lumbung_node::barn::{Ground, MemoryStore};
use lumbung_node::uplink::LinkState;
use lumbung_node::village::{Village, Wish};
use lumbung_telemetry::clock::Clock;
use lumbung_tests::fold;
use lumbung_tests::sim;
use lumbung_tests::sim::quiet::{Behind, Crossed};
use tokio::time::Instant;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What a visit may take beyond the budget: it is used up in the middle of
/// one, and a village goes on to call in four times a day.
const CALL_IN_BYTES: u64 = 6_000;

/// How often a node calls in over its budget.
const CALL_IN_EVERY: Duration = Duration::from_secs(6 * 60 * 60);

/// How long a broken line may go unnoticed, and until it stands again.
const LOST_FOR: Duration = Duration::from_secs(2 * 60);

/// What a village may spend on its link in a day.
const BUDGET_BYTES: u64 = 25_000;

/// Lives a day behind a router, saves at its end, and waits until the hub has
/// that; what the link had taught and cost by then, and how long that took.
async fn day_behind(forgets: Duration) -> anyhow::Result<(LinkState, Crossed, Duration)> {
    let folder = sim::folder()?;
    let code = roster().villages()[0].code;
    let ground = Ground { store: Arc::new(MemoryStore::default()), witness: None, salts: 1 };
    let clock = Clock::standing_at(1_790_000_000_000);
    let village = Village::open_in_task(ground, Some(LogId([5; 16])), code, clock)?;
    let save = async |name: &str| {
        let dusun = Dusun { nama: name.to_owned(), ..Dusun::default() };
        let wish = Wish { id: None, kind: Kind::Dusun, record: Some(Record::Dusun(dusun)) };
        village.save("kader", Source::MANUAL, vec![wish]).await.map(drop)
    };
    save("PAGI").await?;
    let behind = Behind::start(&village, folder.path(), forgets, BUDGET_BYTES)?;
    tokio::time::sleep(DAY).await;
    let now_ms = lumbung_telemetry::clock::now_ms();
    let (learnt, crossed) = (behind.account.state(now_ms), behind.crossed());
    save("MALAM").await?;
    let saved = Instant::now();
    let head = village.barn().head().position.seq.0;
    while behind.seen().is_none_or(|seen| seen.proven_seq < head) {
        anyhow::ensure!(saved.elapsed() < DAY, "{forgets:?}: never arrived: {:?}", behind.seen());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let arrived_in = saved.elapsed();
    fold::compare(&fold::fold_barn(village.barn())?, &*behind.dataset, code)?;
    Ok((learnt, crossed, arrived_in))
}

#[test]
fn a_village_learns_in_a_day_how_long_its_router_remembers() {
    for minutes in [1.5, 3.0, 5.0, 10.0, 14.0, 60.0] {
        let forgets = Duration::from_secs_f64(minutes * 60.0);
        let _world = lumbung_link::world::simulate(1);
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let day = runtime.unwrap().block_on(day_behind(forgets));
        let (learnt, crossed, arrived_in) = day.unwrap_or_else(|error| panic!("{error:#}"));
        let held = Duration::from_secs(learnt.quiet_held_seconds.into());
        let spent = learnt.spent_today_bytes;
        println!("{minutes} min: {held:?} held, {spent} spent, {crossed:?}, {arrived_in:?}");
        assert!((SHORTEST..=LONGEST).contains(&held), "{minutes} min: {held:?}");
        assert!(held < forgets, "{minutes} min: {held:?}");
        assert!(held + Duration::from_secs(60) >= forgets.min(LONGEST), "{minutes} min: {held:?}");
        assert!(spent <= BUDGET_BYTES + CALL_IN_BYTES, "{learnt:?}");
        // What was learnt is doubted now and then: one line an hour at most.
        assert!(crossed.forgotten <= 24, "{minutes} min: {crossed:?}");
        // With budget left the line stands, and a change is there at once;
        // otherwise it waits for the next visit.
        let waits = if spent < BUDGET_BYTES { LOST_FOR } else { CALL_IN_EVERY + LOST_FOR };
        assert!(arrived_in < waits, "{minutes} min: {arrived_in:?}");
        if minutes >= 10.0 {
            assert!(crossed.bytes <= BUDGET_BYTES, "{minutes} min: {crossed:?}");
        }
    }
}
