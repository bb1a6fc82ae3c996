//! The public port and those who come without being held there: a machine whose
//! permission ends while it gets its data back, strangers who fill the port, and
//! strangers who say nothing.

#![allow(clippy::unwrap_used, reason = "a test says where it failed")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use lumbung_demo::population;
use lumbung_identity::{Authority, TrustedTime, tls};
use lumbung_ledger::Source;
use lumbung_link::meter::Traffic;
use lumbung_link::secure;
use lumbung_node::barn::{Expected, Submission};
use lumbung_node::village::{Village, change};
use lumbung_telemetry::clock;
use lumbung_tests::district::{District, NodeProcess, wait_until};
use lumbung_tests::proxy::{Conditions, Proxy};
use tokio::io::AsyncReadExt as _;

const BINARY: &str = env!("CARGO_BIN_EXE_lumbung-process");

const WITHIN: Duration = Duration::from_secs(180);

/// Far more than what may be under way at once.
const RESIDENTS: u32 = 14_000;

/// Strangers whom the port holds at once.
const STRANGERS: usize = 256;

/// How long one who says nothing is held, about.
const IDLE: Duration = Duration::from_secs(60);

fn fill(node: &NodeProcess) -> anyhow::Result<()> {
    let mut plans = population::plans(3505, 1.0);
    let plan = plans.iter_mut().find(|plan| plan.code == node.village).context("its plan")?;
    plan.residents = RESIDENTS;
    let village = Village::open(node.dir(), node.village)?;
    let now = clock::now_ms();
    let mut mint = || village.mint().next(now);
    let records = population::village(plan, clock::today(), &mut mint);
    for step in records.chunks(2_048) {
        let of = |(id, record): &(_, lumbung_domain::record::Record)| {
            change(*id, record.kind(), Some(record), Expected::Absent)
        };
        let changes = step.iter().map(of).collect();
        let (actor, source) = ("kader".into(), Source::TEMPLATE);
        let submission = Submission { actor, source, time_ms: now, changes };
        village.barn().submit_blocking(submission)?;
    }
    village.close();
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_is_revoked_between_two_pages_gets_no_more() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 1, None).await?;
    tokio::task::block_in_place(|| fill(&district.nodes[0]))?;
    district.nodes[0].start().await?;
    district.wait_proven(WITHIN).await?;
    let mut dead = district.nodes.remove(0);
    dead.kill()?;
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let slow = Conditions::slow(600_000, Duration::from_millis(40));
    let proxy = Proxy::start(any, district.hub.uplink, slow).await?;
    let token = district.hub.token(dead.village, district.hub.uplink, true)?;
    let mut fresh = district.node(BINARY, dead.village)?;
    fresh.move_to("pengganti");

    let begun = Instant::now();
    let joining = async { fresh.join(&token, proxy.address).await.unwrap_err().to_string() };
    let revoking = async {
        wait_until(WITHIN, "some pages are there", async || {
            Ok(proxy.crossed().back_bytes > 100_000)
        })
        .await?;
        let done = district.hub.run(&["villages", "revoke", &dead.village.compact()])?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Ok(proxy.crossed().back_bytes)
    };
    let (said, then) = tokio::join!(joining, revoking);
    let then = then?;
    assert!(said.contains("Izin komputer ini dicabut"), "{said}");
    // What was on its way arrives; of 1.3 MB most does not.
    let crossed = proxy.crossed().back_bytes;
    println!("{then} bytes before, {crossed} at the end, {:?}", begun.elapsed());
    assert!(crossed < then + 700_000, "{crossed} bytes, {then} of them before");
    // It did not come back for the rest.
    assert_eq!(proxy.crossed().connections, 2, "joining, and one line for the data");
    // Nothing of it is taken for the village's data.
    let shown = fresh.run(&["status"]).await?;
    assert!(!shown.status.success(), "{}", String::from_utf8_lossy(&shown.stdout));
    district.hub.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_fill_the_port_for_a_minute_at_most() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 1, None).await?;
    let authority = Authority::open(&district.hub.dir().join("identity"), clock::now_ms())?;
    let config = tls::joining(authority.root_hash(), TrustedTime::at(clock::now_ms()))?;
    let config = Arc::new(config);
    let address = district.hub.uplink.to_string();
    let visit = async || {
        let socket = secure::dial_tcp(&address, Traffic::default()).await?;
        secure::shake(socket, &address, tls::hub_name(), Arc::clone(&config)).await
    };
    let mut held = Vec::new();
    let begun = Instant::now();
    for _ in 0..STRANGERS {
        held.push(visit().await?);
    }
    // The server greets each that it holds; one too many is let go unheard.
    let mut bytes = [0; 1_024];
    let mut first = held.swap_remove(0);
    ensure!(first.read(&mut bytes).await? > 0, "the first is not served");
    let mut many = visit().await?;
    let read = tokio::time::timeout(Duration::from_secs(5), many.read(&mut bytes)).await?;
    assert!(read.is_err() || read.is_ok_and(|read| read == 0), "one too many is served");
    // Villages that are known don't stand in that queue.
    district.nodes[0].start().await?;
    district.nodes[0].save_dusun("DI ANTARA ORANG ASING").await?;
    district.wait_proven(WITHIN).await?;

    // Those who say nothing are let go, and whoever wants to join gets in.
    let ended = async {
        while first.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
        begun.elapsed()
    };
    let ended = tokio::time::timeout(IDLE * 2, ended).await?;
    assert!(ended > IDLE / 2, "they had no time to speak: {ended:?}");
    wait_until(WITHIN, "there is room for one who joins", async || {
        let mut node =
            district.node(BINARY, lumbung_domain::region::roster().villages()[1].code)?;
        node.move_to("baru");
        let token = district.hub.token(node.village, district.hub.uplink, true)?;
        Ok(node.join(&token, district.hub.uplink).await.is_ok())
    })
    .await?;
    drop(held);
    district.stop().await
}
