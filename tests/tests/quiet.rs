//! A village behind a router that forgets idle connections: for how long it
//! may be silent is learnt within a day, at the price of a few broken lines,
//! and the day's budget is kept whatever the router does.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::Arc;
use std::time::Duration;

use lumbung_demo::ports::free_address;
use lumbung_domain::id::Kind;
use lumbung_domain::record::{Dusun, Record};
use lumbung_domain::region::roster;
use lumbung_ledger::{LogId, Source};
use lumbung_link::quiet::{LONGEST, SHORTEST};
use lumbung_node::barn::{Ground, MemoryStore};
use lumbung_node::uplink::LinkState;
use lumbung_node::village::{Village, Wish};
use lumbung_telemetry::clock::Clock;
use lumbung_tests::district::{District, wait_until};
use lumbung_tests::fold;
use lumbung_tests::proxy::{Conditions, Proxy};
use lumbung_tests::sim;
use lumbung_tests::sim::quiet::{Behind, Crossed};
use tokio::time::Instant;

const BINARY: &str = env!("CARGO_BIN_EXE_lumbung-process");

const WITHIN: Duration = Duration::from_secs(60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What a visit may take beyond the budget: it is used up in the middle of
/// one.
const VISIT_BYTES: u64 = 1_000;

/// The longest time until a village that holds no line calls in.
const CALL_IN_EVERY: Duration = Duration::from_secs(6 * 60 * 60);

/// How long a broken line may go unnoticed, and until it stands again.
const LOST_FOR: Duration = Duration::from_secs(2 * 60);

/// What a village may spend on its link in a day.
const BUDGET_BYTES: u64 = 25_000;

#[derive(Debug)]
struct Day {
    learnt: LinkState,
    /// It holds no line.
    calls_in: bool,
    crossed: Crossed,
    arrived_in: Duration,
}

fn village() -> anyhow::Result<Village> {
    let code = roster().villages()[0].code;
    let ground = Ground { store: Arc::new(MemoryStore::default()), witness: None, salts: 1 };
    let clock = Clock::standing_at(1_790_000_000_000);
    Ok(Village::open_in_task(ground, Some(LogId([5; 16])), code, clock)?)
}

async fn save(village: &Village, name: &str) -> anyhow::Result<()> {
    let dusun = Dusun { nama: name.to_owned(), ..Dusun::default() };
    let wish = Wish { id: None, kind: Kind::Dusun, record: Some(Record::Dusun(dusun)), seen: None };
    Ok(village.save("kader", Source::MANUAL, vec![wish]).await.map(drop)?)
}

/// Lives a day behind a router, saves at its end, and waits until the hub has
/// that; what the link had taught and cost by then, and how long that took.
async fn day_behind(forgets: Duration, tunnelled: bool) -> anyhow::Result<Day> {
    let folder = sim::folder()?;
    let village = village()?;
    let code = village.code();
    save(&village, "PAGI").await?;
    let behind = Behind::start(&village, folder.path(), forgets, BUDGET_BYTES, tunnelled)?;
    // The last minute of the day, before the next one's budget.
    tokio::time::sleep(DAY - Duration::from_secs(60)).await;
    let (learnt, crossed) = (behind.account.state(), behind.crossed());
    let calls_in = behind.account.is_calling_in();
    save(&village, "MALAM").await?;
    let saved = Instant::now();
    let head = village.barn().head().position.seq.0;
    while behind.seen().is_none_or(|seen| seen.proven_seq < head) {
        anyhow::ensure!(saved.elapsed() < DAY, "{forgets:?}: never arrived: {:?}", behind.seen());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let arrived_in = saved.elapsed();
    fold::compare(&fold::fold_barn(village.barn())?, &*behind.dataset, code)?;
    Ok(Day { learnt, calls_in, crossed, arrived_in })
}

fn lived(forgets: Duration, tunnelled: bool) -> Day {
    let _world = lumbung_link::world::simulate(1);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let day = runtime.unwrap().block_on(day_behind(forgets, tunnelled));
    let day = day.unwrap_or_else(|error| panic!("{error:#}"));
    println!("{forgets:?}, tunnel {tunnelled}: {day:?}");
    day
}

/// What holds on any line.
fn keeps_its_promises(forgets: Duration, day: &Day) {
    let Day { learnt, calls_in, crossed, arrived_in } = day;
    let held = Duration::from_secs(learnt.quiet_held_seconds.into());
    assert!((SHORTEST..=LONGEST).contains(&held), "{forgets:?}: {held:?}");
    assert!(held < forgets, "{forgets:?}: {held:?}");
    let broke = Duration::from_secs(learnt.quiet_broke_seconds.into());
    assert!(broke.is_zero() || broke >= forgets.min(LONGEST), "{forgets:?}: {broke:?}");
    // By the node's own count and by everything that crossed the router.
    assert!(learnt.spent_today_bytes <= BUDGET_BYTES + VISIT_BYTES, "{forgets:?}: {learnt:?}");
    assert!(crossed.bytes <= BUDGET_BYTES + VISIT_BYTES, "{forgets:?}: {crossed:?}");
    let waits = if *calls_in { CALL_IN_EVERY } else { LOST_FOR };
    assert!(*arrived_in < waits, "{forgets:?}: {arrived_in:?}");
}

#[test]
fn a_village_keeps_its_budget_and_learns_how_long_its_router_remembers() {
    for minutes in [1.5, 3.0, 5.0, 10.0, 14.0, 60.0] {
        let forgets = Duration::from_secs_f64(minutes * 60.0);
        let day = lived(forgets, false);
        keeps_its_promises(forgets, &day);
        // A line whose signs cost more than the budget is not held.
        assert_eq!(day.calls_in, minutes < 10.0, "{minutes} min");
    }
}

#[test]
fn an_idle_tunnel_is_as_quiet_as_a_line_and_learns_the_same() {
    for minutes in [3.0, 60.0] {
        let forgets = Duration::from_secs_f64(minutes * 60.0);
        let day = lived(forgets, true);
        keeps_its_promises(forgets, &day);
        assert_eq!(day.calls_in, minutes < 10.0, "{minutes} min");
    }
    // Nothing broke it, and the whole silence is known.
    let day = lived(Duration::from_secs(60 * 60), true);
    assert_eq!(u64::from(day.learnt.quiet_held_seconds), LONGEST.as_secs());
    assert_eq!((day.crossed.connections, day.crossed.forgotten), (1, 0));
}

/// What one contact with nothing to tell costs in the simulated world.
fn simulated_contact() -> anyhow::Result<u64> {
    let _world = lumbung_link::world::simulate(1);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(async {
        let folder = sim::folder()?;
        let village = village()?;
        save(&village, "SATU").await?;
        let behind = Behind::start(&village, folder.path(), DAY, 0, false)?;
        tokio::time::sleep(Duration::from_secs(20)).await;
        Ok(behind.crossed().bytes)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulated_contact_costs_what_a_real_one_costs() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 0, None).await?;
    let proxy = Proxy::start(free_address()?, district.hub.uplink, Conditions::default()).await?;
    let code = roster().villages()[0].code;
    let mut node = district.node(BINARY, code)?;
    let token = district.hub.token(code, proxy.address, false)?;
    node.join(&token, proxy.address).await?;
    node.start().await?;
    node.save_dusun("SATU").await?;
    district.nodes.push(node);
    district.wait_proven(WITHIN).await?;
    let mut costs = Vec::new();
    // The first contact after joining also shows the audit log twice.
    for _ in 0..2 {
        district.nodes[0].stop().await?;
        let before = proxy.crossed();
        district.nodes[0].start().await?;
        let node = &district.nodes[0];
        wait_until(WITHIN, "the node has dialled", async || {
            Ok(node.status().await?["link"]["connected"] == true)
        })
        .await?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let after = proxy.crossed();
        assert_eq!(after.connections, before.connections + 1);
        costs.push((after.back_bytes - before.back_bytes, after.there_bytes - before.there_bytes));
    }
    let simulated = std::thread::spawn(simulated_contact).join().unwrap()?;
    println!("to the node and from it: {costs:?}; simulated: {simulated}");
    let real = costs[1].0 + costs[1].1;
    assert!(real * 9 / 10 <= simulated && simulated <= real * 12 / 10, "{real}, {simulated}");
    Ok(())
}
