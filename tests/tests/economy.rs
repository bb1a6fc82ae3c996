//! Small and cheap on the wire: what a lone change costs with TLS and all,
//! and what a link that breaks again and again makes a village send twice.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use lumbung_demo::ports::free_address;
use lumbung_domain::id::Kind;
use lumbung_domain::record::Record;
use lumbung_domain::region::roster;
use lumbung_proto::v1;
use lumbung_tests::district::{District, NodeProcess, wait_until};
use lumbung_tests::fictitious::{FAMILY_SIZE, sheet};
use lumbung_tests::fold::fold;
use lumbung_tests::proxy::{Conditions, Course, Proxy};
use lumbung_tests::receivers::measured;
use lumbung_tests::scene::copy;
use lumbung_wire::record;

/// Most bytes a changed resident may take, both ways, TLS included.
const LONE_CHANGE_BYTES_MAX: u64 = 250;

const EDITS: u64 = 20;

/// Who takes turns at them, under names as long as they may be.
const CLERKS: [&str; 2] = ["Rahayu Kusumaningtyas Wd", "Kasi Pemerintahan Sukoyo"];

/// A GPRS link.
const RATE_BITS: u64 = 64_000;
const ROUND_TRIP: Duration = Duration::from_millis(200);

/// Families of each village on it: some 60 KB.
const FAMILIES: usize = 900;

/// Families of a village whose link is good.
const FEW_FAMILIES: usize = 30;

/// Bytes from the node after which its connections break: less than a batch
/// of the first size takes, about as much, several batches.
const CUTS: [u64; 3] = [9_001, 14_444, 24_999];

/// What a session costs before its first batch, and the largest batch that
/// this link is asked for.
const GREETING_BYTES_MAX: u64 = 1_000;
const BATCH_BYTES_MAX: u64 = 12_000;

/// Bytes from the hub after which a line breaks that brings a village back: less
/// than its first page takes. And the most that a village takes on a good one.
const RETURN_CUT: u64 = 14_444;
const RETURN_BYTES_MAX: u64 = 200_000;

/// A link that carries 800 bytes a second.
const NARROW_BITS: u64 = 6_400;
const NARROW_WITHIN: Duration = Duration::from_secs(400);

const WITHIN: Duration = Duration::from_secs(120);

/// Fills a village's folder; its node stands still.
async fn import(district: &District, node: &NodeProcess, families: usize) -> anyhow::Result<()> {
    let file = district.folder().join(format!("warga-{}.csv", node.village));
    std::fs::write(&file, sheet(0, families))?;
    let done = node.run(&["import", file.to_str().context("a plain name")?]).await?;
    anyhow::ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

async fn proxy(target: SocketAddr, conditions: Conditions) -> anyhow::Result<Proxy> {
    Proxy::start(SocketAddr::from(([127, 0, 0, 1], 0)), target, conditions).await
}

async fn confirmed(node: &NodeProcess) -> anyhow::Result<()> {
    wait_until(WITHIN, "the village knows that everything is safe", async || {
        let status = node.status().await?;
        Ok(status["confirmed_seq"] == status["seq"])
    })
    .await
}

/// Bytes that a changed resident takes, one after the other, by these clerks in
/// turn.
async fn lone_changes(node: &NodeProcess, proxy: &Proxy, clerks: [&str; 2]) -> anyhow::Result<u64> {
    let list = v1::ListRequest { kind: u32::from(Kind::Warga.code().0), limit: EDITS as u32 };
    let mut listed = node.client().await?.list(list).await?.into_inner();
    let (mut bytes, mut number) = (0, 0);
    while let Some(item) = listed.message().await? {
        let Record::Warga(mut warga) = record::decode(Kind::Warga, &item.payload)? else {
            anyhow::bail!("not a resident")
        };
        let clerk = clerks[number as usize % clerks.len()];
        warga.telepon = format!("0812{:04}{number:04}", clerk.len());
        let change = v1::RecordChange {
            id: item.id,
            kind: item.kind,
            delete: false,
            payload: record::encode(&Record::Warga(warga)),
        };
        let before = proxy.crossed();
        let (actor, changes) = (clerk.to_owned(), vec![change]);
        let request = v1::SaveRequest { actor, changes, ..v1::SaveRequest::default() };
        let saved = node.client().await?.save(request).await?.into_inner();
        anyhow::ensure!(!saved.refused, "a sound edit was refused");
        confirmed(node).await?;
        let now = proxy.crossed();
        number += 1;
        bytes += now.there_bytes + now.back_bytes - before.there_bytes - before.back_bytes;
    }
    assert_eq!(number, EDITS);
    Ok(bytes / number)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lone_change_costs_less_than_a_short_message() -> anyhow::Result<()> {
    let binary = env!("CARGO_BIN_EXE_lumbung-process");
    let mut district = District::new(binary, 0)?;
    district.hub.start().await?;
    let proxy = proxy(district.hub.uplink, Conditions::default()).await?;
    let mut node = district.node(binary, roster().villages()[0].code)?;
    let token = district.hub.token(node.village, district.hub.uplink, false)?;
    node.join(&token, proxy.address).await?;
    import(&district, &node, FEW_FAMILIES).await?;
    node.start().await?;
    district.nodes.push(node);
    district.wait_proven(WITHIN).await?;
    confirmed(&district.nodes[0]).await?;

    let short = lone_changes(&district.nodes[0], &proxy, ["uji", "adi"]).await?;
    let long = lone_changes(&district.nodes[0], &proxy, CLERKS).await?;
    println!("{short} bytes a change, {long} by clerks with long names");
    assert!(short.max(long) <= LONE_CHANGE_BYTES_MAX, "{short} or {long} bytes a change");
    // Each name once, and its length.
    let names = CLERKS.iter().map(|name| name.len() as u64 + 2).sum::<u64>();
    assert!(long <= short + names.div_ceil(EDITS) + 1, "{short} and {long} bytes a change");
    // Each change was proven equal, not only sent.
    district.wait_proven(WITHIN).await?;
    district.stop().await?;
    district.compare().map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_makes_a_village_send_one_batch_again_at_most() -> anyhow::Result<()> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), CUTS.len() + 1)?;
    let metrics = free_address()?;
    district.hub.arguments = vec!["--metrics".to_owned(), metrics.to_string()];
    let slow = Conditions::slow(RATE_BITS, ROUND_TRIP);
    let mut proxies = Vec::new();
    for (node, cut_after_bytes) in
        district.nodes.iter().zip([None].into_iter().chain(CUTS.map(Some)))
    {
        import(&district, node, FAMILIES).await?;
        let back = Course { cut_after_bytes, ..slow.back };
        let proxy = proxy(node.address, Conditions { back, ..slow }).await?;
        district.hub.add(node.village, proxy.address)?;
        proxies.push(proxy);
    }
    district.start().await?;
    district.wait_proven(WITHIN).await?;
    let crossed: Vec<_> = proxies.iter().map(Proxy::crossed).collect();
    let whole = crossed[0];
    assert_eq!(whole.cuts, 0);
    for (crossed, after) in crossed[1..].iter().zip(CUTS) {
        let again = crossed.back_bytes.saturating_sub(whole.back_bytes);
        println!(
            "cut after every {after} bytes: {} cuts, {} bytes sent, {} uncut",
            crossed.cuts, crossed.back_bytes, whole.back_bytes
        );
        assert!(crossed.cuts > 1, "the link held");
        let most = crossed.cuts * (GREETING_BYTES_MAX + BATCH_BYTES_MAX);
        assert!(again <= most, "{again} bytes sent again in {} cuts", crossed.cuts);
    }
    // The same where batches are: counted by the hub as they come.
    let again = |cut: &str| format!("lumbung_hub_batches_again_total{{cut=\"{cut}\"}}");
    let torn = measured(metrics, &again("torn")).await?;
    let twice = measured(metrics, &again("whole")).await?;
    let cuts: u64 = crossed.iter().map(|crossed| crossed.cuts).sum();
    println!("{torn} batches torn and {twice} whole ones sent again in {cuts} cuts");
    assert!(torn > 0, "no cut met a batch");
    assert!(torn + twice <= cuts, "{torn} + {twice} batches sent again in {cuts} cuts");
    for node in &district.nodes {
        let residents = district.hub.village(node.village)?.warga;
        assert_eq!(residents, (FAMILIES * FAMILY_SIZE) as u64);
    }
    district.stop().await?;
    district.compare().map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_village_comes_back_over_a_link_that_breaks_all_the_time() -> anyhow::Result<()> {
    let binary = env!("CARGO_BIN_EXE_lumbung-process");
    let mut district = District::joined(binary, 1, None).await?;
    import(&district, &district.nodes[0], FAMILIES).await?;
    district.nodes[0].start().await?;
    district.wait_proven(WITHIN).await?;
    let mut dead = district.nodes.remove(0);
    dead.kill()?;
    let mut whole = 0;
    for cut_after_bytes in [None, Some(RETURN_CUT)] {
        let back = Course { cut_after_bytes, ..Course::default() };
        let proxy =
            proxy(district.hub.uplink, Conditions { back, ..Conditions::default() }).await?;
        let token = district.hub.token(dead.village, district.hub.uplink, true)?;
        let mut fresh = district.node(binary, dead.village)?;
        fresh.move_to(&format!("pengganti-{}", cut_after_bytes.is_some()));
        let said = fresh.join(&token, proxy.address).await?;
        assert!(said.contains("terbukti sama"), "{said}");
        let crossed = proxy.crossed();
        println!("{} bytes back in {} cuts", crossed.back_bytes, crossed.cuts);
        match cut_after_bytes {
            None => whole = crossed.back_bytes,
            Some(_) => {
                assert!(crossed.cuts > 3, "the link held");
                assert!(crossed.back_bytes < 4 * whole, "{} bytes", crossed.back_bytes);
            }
        }
        assert!(whole < RETURN_BYTES_MAX, "{whole} bytes for a village");
        let folded = fold(fresh.dir(), fresh.village)?;
        assert_eq!(folded.fingerprint, fold(dead.dir(), dead.village)?.fingerprint);
    }
    Ok(())
}

/// Waits until the hub has everything of the one village and hands nothing
/// back any more.
async fn nothing_waits(district: &mut District) -> anyhow::Result<()> {
    let seq = district.nodes[0].seq().await?;
    let village = district.nodes[0].village;
    let hub = &mut district.hub;
    wait_until(NARROW_WITHIN, "everything came over the narrow link", async || {
        let state = hub.village(village)?;
        Ok(state.undelivered == 0 && state.trouble.is_empty() && state.proven_seq.0 >= seq)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_lost_and_what_is_repaired_comes_over_a_link_as_narrow_as_they_get()
-> anyhow::Result<()> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1)?;
    import(&district, &district.nodes[0], FEW_FAMILIES).await?;
    let proxy = proxy(district.nodes[0].address, Conditions::default()).await?;
    district.hub.add(district.nodes[0].village, proxy.address)?;
    district.start().await?;
    district.wait_proven(WITHIN).await?;
    district.nodes[0].stop().await?;
    let dir = district.nodes[0].dir().to_path_buf();
    let kept = district.folder().join("simpanan");
    copy(&dir, &kept)?;
    district.nodes[0].start().await?;
    let file = district.folder().join("warga-baru.csv");
    std::fs::write(&file, sheet(1, FEW_FAMILIES))?;
    let done = district.nodes[0].run(&["import", file.to_str().context("a plain name")?]).await?;
    anyhow::ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    district.wait_proven(WITHIN).await?;

    // Back to the old disk, behind a link on which one call's worth of lost
    // records takes longer than a short answer may.
    district.nodes[0].stop().await?;
    std::fs::remove_dir_all(&dir)?;
    copy(&kept, &dir)?;
    proxy.set(Conditions::slow(NARROW_BITS, ROUND_TRIP));
    district.nodes[0].start().await?;
    wait_until(NARROW_WITHIN, "the hub notices", async || {
        Ok(String::from_utf8_lossy(&district.hub.run(&["incidents"])?.stdout).contains("hilang"))
    })
    .await?;
    nothing_waits(&mut district).await?;

    // And rows that the hub has lost.
    district.hub.stop().await?;
    let conn = rusqlite::Connection::open(district.hub.dir().join("hub.db"))?;
    let lost = conn.execute("DELETE FROM warga", [])?;
    anyhow::ensure!(lost == 2 * FEW_FAMILIES * FAMILY_SIZE, "{lost} rows");
    drop(conn);
    district.hub.start().await?;
    let code = district.nodes[0].village.compact();
    district.hub.run(&["villages", "prove", &code])?;
    let hub = &district.hub;
    wait_until(NARROW_WITHIN, "the rows are repaired", async || {
        Ok(String::from_utf8_lossy(&hub.run(&["incidents"])?.stdout).contains("diperbaiki"))
    })
    .await?;
    nothing_waits(&mut district).await?;
    district.stop().await?;
    district.compare().map(drop)
}
