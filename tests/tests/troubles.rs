//! When hub and village contradict each other: each case is caused with real
//! processes and real disks, told by its code, and merges nothing.

use std::time::Duration;

use anyhow::Context;
use lumbung_domain::id::Kind;
use lumbung_ledger::{Fingerprint, Position};
use lumbung_proto::v1;
use lumbung_tests::district::{District, wait_until};
use lumbung_tests::fictitious::dusun;

/// A trouble is looked at again every 30 s at most.
const CLEARED_WITHIN: Duration = Duration::from_secs(60);

async fn district() -> anyhow::Result<District> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 2)?;
    district.start().await?;
    for node in 0..2 {
        save(&district, node, "KRAJAN").await?;
    }
    district.wait_proven(Duration::from_secs(20)).await?;
    Ok(district)
}

async fn save(district: &District, node: usize, name: &str) -> anyhow::Result<()> {
    let change = v1::RecordChange {
        id: bytes::Bytes::new(),
        kind: u32::from(Kind::Dusun.code().0),
        delete: false,
        payload: dusun(name),
    };
    let reply = district.nodes[node].save(vec![change]).await?;
    anyhow::ensure!(!reply.refused, "a dusun was refused");
    Ok(())
}

/// What `lumbung-hub status --json` says of one village.
fn status(district: &District, node: usize) -> anyhow::Result<serde_json::Value> {
    let said = district.hub.run(&["status", "--json"])?;
    let status: serde_json::Value = serde_json::from_slice(&said.stdout)?;
    let code = district.nodes[node].village.to_string();
    let villages = status["by_village"].as_array().context("a list of villages")?;
    let found = villages.iter().find(|village| village["code"] == code.as_str());
    found.cloned().context("the village is listed")
}

async fn wait_trouble(district: &District, node: usize, code: &str) -> anyhow::Result<()> {
    wait_until(CLEARED_WITHIN, "the trouble is told", async || {
        Ok(status(district, node)?["trouble"] == code)
    })
    .await
}

/// What the hub has of a village: position, records, sum.
type Had = (Option<Position>, u64, Fingerprint);

fn had(district: &mut District) -> anyhow::Result<Had> {
    let state = district.hub.village(district.nodes[0].village)?;
    Ok((state.position, state.records, state.fingerprint))
}

/// Nothing of the troubled village moved, it does not count as equal, and the
/// other one goes on.
async fn only_the_other_goes_on(district: &mut District, merged: Had) -> anyhow::Result<()> {
    save(district, 1, "SUMBER").await?;
    let honest = district.nodes[1].seq().await?;
    wait_until(Duration::from_secs(20), "the other village goes on", async || {
        let other = status(district, 1)?;
        Ok(other["proven_seq"] == honest && other["proven"] == true && other["trouble"] == "")
    })
    .await?;
    assert_eq!(had(district)?, merged);
    let troubled = status(district, 0)?;
    assert_eq!(troubled["proven"], false, "{troubled}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_villages_node_is_told_and_the_true_one_clears_it() -> anyhow::Result<()> {
    let mut district = district().await?;
    let merged = had(&mut district)?;
    let dir = district.nodes[0].dir().to_path_buf();
    let true_one = dir.with_extension("true");
    district.nodes[0].stop().await?;
    std::fs::rename(&dir, &true_one)?;
    let other = "35.05.22.2001";
    let made = district.nodes[0].run(&["init", other]).await?;
    assert!(made.status.success());
    district.nodes[0].start().await?;
    wait_trouble(&district, 0, "desa_lain").await?;
    only_the_other_goes_on(&mut district, merged).await?;

    district.nodes[0].stop().await?;
    std::fs::remove_dir_all(&dir)?;
    std::fs::rename(&true_one, &dir)?;
    district.nodes[0].start().await?;
    wait_trouble(&district, 0, "").await?;
    district.wait_proven(CLEARED_WITHIN).await?;
    district.stop().await?;
    district.compare()?;
    Ok(())
}
