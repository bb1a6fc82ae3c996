//! Villages witness the head of the district's audit log: a log that is
//! rewritten behind the hub's back, and a hub that comes back from an older
//! copy, are told apart by real nodes.
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use lumbung_hub::access::audit::AuditEntry;
use lumbung_tests::district::{District, wait_until};
use rusqlite::Connection;
use serde_json::Value;

/// Nodes dial a hub that came back within half a minute.
const TOLD_WITHIN: Duration = Duration::from_secs(60);

/// Two nodes that have joined and hold the log's head of now.
async fn district() -> anyhow::Result<District> {
    let mut district = District::joined(env!("CARGO_BIN_EXE_lumbung-process"), 2, None).await?;
    for node in &mut district.nodes {
        node.start().await?;
    }
    act_and_witness(&mut district).await?;
    Ok(district)
}

/// Has something noted, and waits until every node holds that.
async fn act_and_witness(district: &mut District) -> anyhow::Result<()> {
    let own = district.nodes[0].village.to_string();
    ensure!(district.hub.ctl(&["sync", "now", &own])?.status.success(), "sync");
    for node in &mut district.nodes {
        node.stop().await?;
        node.start().await?;
    }
    wait_until(TOLD_WITHIN, "every node holds the head", async || {
        let rows = verified(district)?.1;
        Ok(rows.len() == 3 && rows.iter().all(|row| row["seq"] == rows[0]["seq"]))
    })
    .await
}

/// What `audit verify` comes to: its exit code and its rows, the chain first.
fn verified(district: &District) -> anyhow::Result<(i32, Vec<Value>)> {
    let done = district.hub.ctl(&["audit", "verify", "-o", "json"])?;
    let value: Value = serde_json::from_slice(&done.stdout)
        .with_context(|| String::from_utf8_lossy(&done.stderr).into_owned())?;
    let rows = value["rows"].as_array().context("rows")?.clone();
    Ok((done.status.code().unwrap_or(-1), rows))
}

async fn remarks(district: &District, node: usize) -> anyhow::Result<String> {
    Ok(district.nodes[node].status().await?["remarks"].to_string())
}

fn incidents(district: &District) -> anyhow::Result<String> {
    let done = district.hub.run(&["incidents", "--json"])?;
    Ok(String::from_utf8(done.stdout)?)
}

/// Writes the whole log anew with other words in its first entry, so that it
/// follows from itself again.
fn rewrite(file: &Path) -> anyhow::Result<()> {
    let conn = Connection::open(file)?;
    // Whoever can write the file can take its guards away too.
    let guards = conn
        .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'")?
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    for guard in guards {
        conn.execute_batch(&format!("DROP TRIGGER {guard}"))?;
    }
    let mut entries = conn
        .prepare("SELECT seq, at_ms, operator, act, subject, words FROM audit ORDER BY seq")?
        .query_map([], |row| {
            Ok(AuditEntry {
                seq: row.get::<_, i64>(0)?.cast_unsigned(),
                at_ms: row.get(1)?,
                operator: row.get(2)?,
                act: row.get(3)?,
                subject: row.get(4)?,
                words: row.get(5)?,
                hash: [0; 32],
            })
        })?
        .collect::<Result<Vec<_>, _>>()?;
    "bukan saya".clone_into(&mut entries[0].operator);
    let mut previous = [0; 32];
    for entry in &mut entries {
        previous = entry.chained(&previous);
        conn.execute(
            "UPDATE audit SET operator = ?2, hash = ?3 WHERE seq = ?1",
            (entry.seq.cast_signed(), &entry.operator, previous),
        )?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewritten_log_is_told_by_every_node_and_stays_told() -> anyhow::Result<()> {
    let mut district = district().await?;
    let (exit, rows) = verified(&district)?;
    assert_eq!((exit, rows.len()), (0, 3), "{rows:?}");
    district.hub.stop().await?;
    rewrite(&district.hub.dir().join("hub.db"))?;
    district.hub.start().await?;
    for node in 0..2 {
        wait_until(TOLD_WITHIN, "the node complains", async || {
            Ok(remarks(&district, node)
                .await?
                .contains("Buku catatan kabupaten pernah ditulis ulang"))
        })
        .await?;
    }
    wait_until(TOLD_WITHIN, "the hub knows of both", async || {
        Ok(incidents(&district)?.matches("\"buku_ditulis_ulang\"").count() == 2)
    })
    .await?;
    // The chain follows from itself; only the villages know better.
    let (exit, rows) = verified(&district)?;
    assert_eq!((exit, &rows[0]["agrees"]), (9, &Value::Bool(true)), "{rows:?}");
    assert!(rows[1..].iter().all(|row| row["agrees"] == false), "{rows:?}");
    // Both sides start anew: what was seen is not forgotten, nor told twice.
    district.hub.stop().await?;
    district.hub.start().await?;
    for node in &mut district.nodes {
        node.stop().await?;
        node.start().await?;
    }
    assert!(remarks(&district, 0).await?.contains("pernah ditulis ulang"));
    let codes: Vec<_> = district.nodes.iter().map(|node| node.village.to_string()).collect();
    let waited = ["wait", &codes[0], &codes[1], "--for", "connected", "--timeout", "60"];
    ensure!(district.hub.ctl(&waited)?.status.success(), "the nodes come again");
    assert_eq!(incidents(&district)?.matches("\"buku_ditulis_ulang\"").count(), 2);
    district.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_from_an_older_copy_is_told_as_such() -> anyhow::Result<()> {
    let mut district = district().await?;
    district.hub.stop().await?;
    let file = district.hub.dir().join("hub.db");
    let copy = district.folder().join("kemarin.db");
    // The write-ahead log is part of the file until it is folded in.
    Connection::open(&file)?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    std::fs::copy(&file, &copy)?;
    district.hub.start().await?;
    act_and_witness(&mut district).await?;
    district.hub.stop().await?;
    for ending in ["hub.db-wal", "hub.db-shm"] {
        drop(std::fs::remove_file(district.hub.dir().join(ending)));
    }
    std::fs::copy(&copy, &file)?;
    district.hub.start().await?;
    for node in 0..2 {
        wait_until(TOLD_WITHIN, "the node complains", async || {
            Ok(remarks(&district, node).await?.contains("Buku catatan kabupaten mundur"))
        })
        .await?;
        assert!(!remarks(&district, node).await?.contains("ditulis ulang"));
    }
    wait_until(TOLD_WITHIN, "the hub knows of both", async || {
        Ok(incidents(&district)?.matches("\"buku_mundur\"").count() == 2)
    })
    .await?;
    assert!(!incidents(&district)?.contains("buku_ditulis_ulang"));
    district.stop().await
}
