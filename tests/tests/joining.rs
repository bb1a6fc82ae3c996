//! Joining the district: tokens, keys, certificates, and dead machines.
#![allow(clippy::unwrap_used, reason = "a test says where it failed")]

use std::time::Duration;

use anyhow::{Context, ensure};
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::registry::Registry as _;
use lumbung_identity::Authority;
use lumbung_telemetry::clock;
use lumbung_tests::district::{District, NodeProcess, wait_until};
use lumbung_tests::fictitious::sheet;
use lumbung_tests::fold;

const BINARY: &str = env!("CARGO_BIN_EXE_lumbung-process");

const WITHIN: Duration = Duration::from_secs(60);

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

async fn import(district: &District, node: &NodeProcess, families: usize) -> anyhow::Result<()> {
    let file = district.folder().join("warga.csv");
    std::fs::write(&file, sheet(0, families))?;
    let done = node.run(&["import", file.to_str().context("a plain name")?]).await?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

/// How many key files the hub's list allows, seen from outside.
fn registry(district: &District) -> anyhow::Result<SqliteDataset> {
    Ok(SqliteDataset::open(district.hub.dir().join("hub.db"))?)
}

#[tokio::test(flavor = "multi_thread")]
async fn villages_join_dial_and_are_proven() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 3, None).await?;
    for node in &mut district.nodes {
        node.start().await?;
        node.save_dusun("KRAJAN").await?;
    }
    district.wait_proven(WITHIN).await?;
    // The hub comes back: the nodes find it by themselves.
    district.hub.kill()?;
    for node in &district.nodes {
        node.save_dusun("SAMBONG").await?;
    }
    district.hub.start().await?;
    district.wait_proven(WITHIN).await?;
    district.stop().await?;
    district.compare()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_worth_one_machine_of_its_own_district() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 0, None).await?;
    let other = District::joined(BINARY, 0, None).await?;
    let mut first = district.node(BINARY, roster(0))?;
    let token = district.hub.token(first.village, district.hub.uplink, false)?;

    // Somebody else answers at the address: the secret stays here.
    let refused = first.join(&token, other.hub.uplink).await.unwrap_err().to_string();
    assert!(refused.contains("Rahasia token tidak dikirim"), "{refused}");
    // Mistyped.
    let typo = format!("{}0", &token[..token.len() - 1]);
    if typo != token {
        let refused = first.join(&typo, district.hub.uplink).await.unwrap_err().to_string();
        assert!(refused.contains("Tidak ada yang dikirim"), "{refused}");
    }
    first.join(&token, district.hub.uplink).await?;
    // Its answer may have been lost: the same machine may ask again.
    first.join(&token, district.hub.uplink).await?;
    let mut thief = district.node(BINARY, first.village)?;
    thief.move_to("pencuri");
    let refused = thief.join(&token, district.hub.uplink).await.unwrap_err().to_string();
    assert!(refused.contains("sudah dipakai"), "{refused}");
    // A second token while the first machine is allowed must say so.
    let done = district.hub.run(&["join-token", "create", &first.village.compact(), "--plain"])?;
    assert!(!done.status.success());
    assert!(String::from_utf8_lossy(&done.stderr).contains("--replace"));
    // A token in no log and in no file of the hub.
    first.start().await?;
    first.stop().await?;
    district.hub.stop().await?;
    let secret = token.replace('-', "");
    assert!(!district.hub.said().contains(&secret[40..60]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_ends_the_session_and_a_replacement_takes_the_place() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 1, None).await?;
    district.nodes[0].start().await?;
    import(&district, &district.nodes[0], 40).await?;
    district.wait_proven(WITHIN).await?;
    let village = district.nodes[0].village;
    let before = district.hub.village(village)?.position.context("merged")?;

    let done = district.hub.run(&["villages", "revoke", &village.compact()])?;
    assert!(done.status.success());
    let node = &district.nodes[0];
    wait_until(WITHIN, "the node notices that it is no longer let in", async || {
        Ok(node.status().await?["link"]["connected"] == false)
    })
    .await?;
    node.save_dusun("SESUDAH DICABUT").await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(district.hub.village(village)?.position, Some(before), "nothing more is taken");

    // The same folder may be let in again: what it saved meanwhile arrives.
    let token = district.hub.token(village, district.hub.uplink, true)?;
    district.nodes[0].join(&token, district.hub.uplink).await?;
    district.nodes[0].stop().await?;
    district.nodes[0].start().await?;
    district.wait_proven(WITHIN).await?;
    district.stop().await?;
    district.compare()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_machine_is_replaced_and_everything_sent_is_back() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 1, None).await?;
    district.nodes[0].start().await?;
    import(&district, &district.nodes[0], 120).await?;
    district.wait_proven(WITHIN).await?;
    let mut dead = district.nodes.remove(0);
    dead.kill()?;
    let old = fold::fold(dead.dir(), dead.village)?;

    let token = district.hub.token(dead.village, district.hub.uplink, true)?;
    let mut fresh = district.node(BINARY, dead.village)?;
    fresh.move_to("pengganti");
    // Somebody prepares the folder first, as for a new village.
    let prepared = fresh.run(&["init", &dead.village.compact()]).await?;
    ensure!(prepared.status.success(), "{}", String::from_utf8_lossy(&prepared.stderr));
    let said = fresh.join(&token, district.hub.uplink).await?;
    assert!(said.contains("terbukti sama"), "{said}");
    let new = fold::fold(fresh.dir(), fresh.village)?;
    assert_eq!(new.fingerprint, old.fingerprint);
    assert_eq!(new.records.len(), old.records.len());
    fresh.start().await?;
    fresh.save_dusun("DI MESIN BARU").await?;
    // The old one comes back from the shed: it is not let in any more.
    dead.start().await?;
    dead.save_dusun("DI MESIN LAMA").await?;
    district.nodes.push(fresh);
    district.wait_proven(WITHIN).await?;
    assert_eq!(dead.status().await?["link"]["connected"], false);
    dead.stop().await?;
    district.stop().await?;
    district.compare()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_ran_out_while_the_node_was_away_is_renewed() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 1, None).await?;
    let node = &mut district.nodes[0];
    // Away for a year and more: the certificate of then, as the hub knew it.
    let then_ms = clock::now_ms() - 400 * DAY_MS;
    let identity = lumbung_node::identity::Identity::load(node.dir())?.context("joined")?;
    let authority = Authority::open(&district.hub.dir().join("identity"), clock::now_ms())?;
    let life = Duration::from_secs(45 * 86_400);
    let expired = authority.issue_node(node.village, &identity.key().public(), then_ms, life)?;
    let hub_key = authority.hub_key().public().0;
    identity.renew(&expired, authority.anchors(), &hub_key)?;
    let dataset = registry(&district)?;
    let root = authority.root_hash();
    let key = identity.key().public();
    dataset.note_certified(district.nodes[0].village, &key, then_ms + 45 * DAY_MS, root)?;

    let node = &mut district.nodes[0];
    node.start().await?;
    node.save_dusun("LAMA TAK BERTEMU").await?;
    district.wait_proven(WITHIN).await?;
    let known = dataset.node_key(district.nodes[0].village, &key)?.context("its key")?;
    assert!(known.certified_until_ms > clock::now_ms() + 40 * DAY_MS);
    let kept = std::fs::read_to_string(district.nodes[0].dir().join("identity/district.toml"))?;
    assert!(!kept.contains(&lumbung_node::identity::hex(&expired)), "the new one is on disk");
    Ok(())
}

/// The certificate that the node shows.
fn certificate(node: &NodeProcess) -> anyhow::Result<String> {
    Ok(std::fs::read_to_string(node.dir().join("identity/district.toml"))?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_after_two_thirds_of_its_life_and_not_before() -> anyhow::Result<()>
{
    const DAY_SECONDS: i64 = 24 * 60 * 60;
    let mut district = District::joined(BINARY, 1, None).await?;
    let given = certificate(&district.nodes[0])?;
    // It lives 45 days.
    for (days, renewed) in [(29, false), (31, true)] {
        district.hub.stop().await?;
        district.hub.set_clock_ahead(days * DAY_SECONDS);
        district.hub.start().await?;
        district.nodes[0].set_clock_ahead(days * DAY_SECONDS);
        district.nodes[0].start().await?;
        district.nodes[0].save_dusun("TETAP TERHUBUNG").await?;
        // It is given before the first pull.
        district.wait_proven(WITHIN).await?;
        assert_eq!(certificate(&district.nodes[0])? != given, renewed, "after {days} days");
        district.nodes[0].stop().await?;
    }
    // The new one is good.
    district.nodes[0].start().await?;
    district.nodes[0].save_dusun("DENGAN YANG BARU").await?;
    district.wait_proven(WITHIN).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_root_reaches_nodes_over_open_sessions() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 2, None).await?;
    district.nodes[0].start().await?;
    district.wait_proven(WITHIN).await?;
    let identity = district.hub.dir().join("identity");
    let before = Authority::open(&identity, clock::now_ms())?.root_hash();
    let done = district.hub.run(&["authority", "replace"])?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let after = Authority::open(&identity, clock::now_ms())?.root_hash();
    assert_ne!(before, after);
    let dataset = registry(&district)?;
    let rooted = async |of: [u8; 16], village| -> anyhow::Result<bool> {
        let keys = dataset.allowed_keys()?;
        Ok(keys.iter().any(|key| key.village == village && key.root == Some(of)))
    };
    let connected = district.nodes[0].village;
    wait_until(WITHIN, "the connected node has the new root", async || {
        rooted(after, connected).await
    })
    .await?;
    // One that was away trusts the hub by the old root, and learns the new.
    district.nodes[1].start().await?;
    let away = district.nodes[1].village;
    wait_until(WITHIN, "the other one too", async || rooted(after, away).await).await?;
    district.hub.stop().await?;
    district.hub.start().await?;
    district.nodes[0].save_dusun("AKAR BARU").await?;
    district.nodes[1].save_dusun("AKAR BARU").await?;
    district.wait_proven(WITHIN).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_whose_clock_says_1970_or_ten_years_on_joins_and_syncs() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 0, None).await?;
    let since_1970 = clock::now_ms() / 1_000;
    for (nth, ahead) in [(0, -since_1970), (1, 10 * 365 * 86_400)] {
        let mut node = district.node(BINARY, roster(nth))?;
        node.set_clock_ahead(ahead);
        let token = district.hub.token(node.village, district.hub.uplink, false)?;
        node.join(&token, district.hub.uplink).await?;
        node.start().await?;
        node.save_dusun("JAM NGAWUR").await?;
        district.nodes.push(node);
    }
    district.wait_proven(WITHIN).await?;
    for node in &district.nodes {
        let shown = district.hub.run(&["villages", "show", &node.village.compact()])?;
        assert!(String::from_utf8_lossy(&shown.stdout).contains("Jam komputer desa"));
    }
    // A restart finds the district's word on the disk; a clock that jumps
    // back while away harms nothing either.
    district.nodes[1].stop().await?;
    district.nodes[1].set_clock_ahead(-5 * 365 * 86_400);
    district.nodes[1].start().await?;
    district.nodes[1].save_dusun("JAM MUNDUR").await?;
    district.wait_proven(WITHIN).await?;
    district.stop().await?;
    district.compare()?;
    Ok(())
}

fn roster(nth: usize) -> lumbung_domain::region::VillageCode {
    lumbung_domain::region::roster().villages()[nth].code
}
