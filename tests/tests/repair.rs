//! Whatever is wrong at the hub or at the node, beside a sound log: it is
//! found, put right from the log, proven equal and told to the operator. A
//! broken log is told and nothing is made of it.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::time::Duration;

use anyhow::{Context, ensure};
use lumbung_domain::id::{Kind, RecordId};
use lumbung_hub::dataset::RecordFilter;
use lumbung_node::barn::{SledStore, Store, WriteBatch};
use lumbung_node::village::Village;
use lumbung_proto::v1;
use lumbung_tests::district::{District, NodeProcess, wait_until};
use lumbung_tests::fictitious::{dusun, sheet};
use rusqlite::Connection;

const WITHIN: Duration = Duration::from_secs(40);

/// One village with 12 families, proven equal; the hub is stopped.
async fn district() -> anyhow::Result<District> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1)?;
    district.start().await?;
    let file = district.folder().join("warga.csv");
    std::fs::write(&file, sheet(0, 12))?;
    let path = file.to_str().context("a plain path")?;
    ensure!(district.nodes[0].run(&["import", path]).await?.status.success());
    district.wait_proven(WITHIN).await?;
    district.hub.stop().await?;
    Ok(district)
}

/// What `lumbung-hub status --json` says of the village.
fn status(district: &District) -> anyhow::Result<serde_json::Value> {
    let said = district.hub.run(&["status", "--json"])?;
    let status: serde_json::Value = serde_json::from_slice(&said.stdout)?;
    Ok(status["by_village"][0].clone())
}

/// The sentences of all incidents of one kind, newest first.
fn incidents(district: &mut District, code: &str) -> anyhow::Result<Vec<String>> {
    let hub = district.hub.dataset()?;
    let all = hub.incidents(&hub.whole(), 100)?;
    Ok(all.into_iter().filter(|it| it.code == code).map(|it| it.sentence).collect())
}

/// Asks for a proof and waits until one has ended in equality since.
async fn prove(district: &mut District) -> anyhow::Result<()> {
    let before = status(district)?["deep_proof_ms"].as_i64().context("a time")?;
    let code = district.nodes[0].village.to_string();
    ensure!(district.hub.run(&["villages", "prove", &code])?.status.success());
    wait_until(WITHIN, "the village is proven row by row", async || {
        Ok(status(district)?["deep_proof_ms"].as_i64() > Some(before))
    })
    .await
}

async fn wait_trouble(district: &District, code: &str) -> anyhow::Result<()> {
    wait_until(WITHIN, "the trouble is told", async || Ok(status(district)?["trouble"] == code))
        .await
}

/// Changes the file of the stopped hub; gives how many rows that concerned.
fn falsify(district: &District, sql: &str) -> anyhow::Result<usize> {
    let conn = Connection::open(district.hub.dir().join("hub.db"))?;
    Ok(conn.execute(sql, [])?)
}

async fn save(node: &NodeProcess, name: &str) -> anyhow::Result<()> {
    let change = v1::RecordChange {
        id: bytes::Bytes::new(),
        kind: u32::from(Kind::Dusun.code().0),
        delete: false,
        payload: dusun(name),
    };
    ensure!(!node.save(vec![change]).await?.refused, "a dusun was refused");
    Ok(())
}

/// Stops everything and compares the hub with the fold of the log.
async fn is_whole(mut district: District) -> anyhow::Result<()> {
    district.wait_proven(WITHIN).await?;
    assert_eq!(status(&district)?["trouble"], "");
    district.stop().await?;
    let node = &district.nodes[0];
    let village = Village::open(node.dir(), node.village)?;
    assert_eq!(village.barn().verify()?.faults, []);
    village.close();
    district.compare()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_differ_are_found_and_fetched_again() -> anyhow::Result<()> {
    let mut district = district().await?;
    let one = "id = (SELECT id FROM warga ORDER BY id LIMIT 1 OFFSET";
    for sql in [
        format!("UPDATE warga SET bytes = CAST(bytes || x'1801' AS BLOB) WHERE {one} 3)"),
        format!("UPDATE warga SET status_dasar = 2 WHERE {one} 9)"),
        format!("DELETE FROM warga WHERE {one} 20)"),
        "UPDATE rt SET nomor = '077' WHERE id = (SELECT id FROM rt ORDER BY id LIMIT 1)".into(),
        "DELETE FROM keluarga WHERE id = (SELECT id FROM keluarga ORDER BY id LIMIT 1)".into(),
        "INSERT INTO warga SELECT village, x'00112233445566778899aabbccddeeff', epoch, seq, schema,
         time_ms, actor, source, nik, nama, keluarga_id, jenis_kelamin, tanggal_lahir, shdk,
         status_kawin, status_dasar, pendidikan_kk, pekerjaan, agama, tanda, bytes
         FROM warga LIMIT 1"
            .into(),
    ] {
        assert_eq!(falsify(&district, &sql)?, 1, "{sql}");
    }
    district.hub.start().await?;
    prove(&mut district).await?;
    let said = incidents(&mut district, "diperbaiki")?;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("Di hub 2 catatan hilang, 3 berubah, 1 berlebih"), "{said:?}");
    assert!(said[0].contains("RT 001 / RW 001: "), "the RT as the village names it: {said:?}");
    let shown = district.hub.run(&["villages", "show", &district.nodes[0].village.to_string()])?;
    let shown = String::from_utf8(shown.stdout)?;
    assert!(shown.contains("Pembuktian menyeluruh terakhir: "), "{shown}");
    assert!(shown.contains("rumah tangga berbeda"), "{shown}");
    is_whole(district).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_lost_everything_but_its_position_gets_it_back() -> anyhow::Result<()> {
    let mut district = district().await?;
    for kind in Kind::ALL {
        falsify(&district, &format!("DELETE FROM {}", kind.name()))?;
    }
    falsify(&district, "UPDATE village SET records = 0, warga = 9, fingerprint = zeroblob(32)")?;
    district.hub.start().await?;
    // The sums differ at once: nobody has to ask.
    wait_until(WITHIN, "the rows are back", async || {
        Ok(!incidents(&mut district, "diperbaiki")?.is_empty())
    })
    .await?;
    is_whole(district).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_falsified_sum_is_counted_again_and_the_trouble_clears() -> anyhow::Result<()> {
    let mut district = district().await?;
    let sum = "UPDATE village SET fingerprint = randomblob(32), records = records + 5, warga = 0";
    assert_eq!(falsify(&district, sum)?, 1);
    district.hub.start().await?;
    wait_until(WITHIN, "the sums are counted again", async || {
        let said = incidents(&mut district, "diperbaiki")?;
        Ok(said.iter().any(|said| said.contains("dihitung ulang")))
    })
    .await?;
    save(&district.nodes[0], "SUMBER").await?;
    is_whole(district).await
}

/// Changes the store of the stopped node through the barn's own key layout.
fn damage(
    node: &NodeProcess,
    change: impl FnOnce(&SledStore, &mut WriteBatch) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (store, _) = SledStore::open(&node.dir().join("store"))?;
    let mut batch = WriteBatch::default();
    change(&store, &mut batch)?;
    store.apply(batch)?;
    store.sync()?;
    Ok(())
}

/// The n-th key that begins with a letter.
fn nth(store: &SledStore, letter: u8, n: usize) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let pair = store.scan(&[letter], &[letter + 1]).nth(n).context("so many keys")??;
    Ok((pair.0.to_vec(), pair.1.to_vec()))
}

const HEAD: &[u8] = b"Mhead";

/// Makes the sum and the count in the head others.
fn damage_sum(store: &SledStore, batch: &mut WriteBatch) -> anyhow::Result<()> {
    let mut head = store.get(HEAD)?.context("a head")?.to_vec();
    // log id, epoch, seq, chain; then 32 bytes of sum and 8 of count.
    head[44] ^= 0xff;
    head[76] ^= 0x0f;
    batch.put(HEAD.to_vec(), head);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_contradicts_its_own_log_puts_itself_right() -> anyhow::Result<()> {
    let mut district = district().await?;
    district.nodes[0].stop().await?;
    damage(&district.nodes[0], |store, batch| {
        damage_sum(store, batch)?;
        let (pointer, mut value) = nth(store, b'S', 5)?;
        value[3] ^= 1;
        batch.put(pointer, value);
        batch.remove(nth(store, b'S', 7)?.0);
        batch.remove(nth(store, b'X', 4)?.0);
        let (mut stray, _) = nth(store, b'X', 9)?;
        *stray.last_mut().context("an id")? ^= 1;
        batch.put(stray, Vec::new());
        Ok(())
    })?;
    district.nodes[0].start().await?;
    district.hub.start().await?;
    // Its sum contradicts its log: nobody has to ask.
    wait_until(WITHIN, "the node mends itself", async || {
        let remarks = district.nodes[0].status().await?["remarks"].to_string();
        Ok(remarks.contains("menyusun ulang 5 hal"))
    })
    .await?;
    prove(&mut district).await?;
    let said = incidents(&mut district, "disusun_ulang")?;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("2 penunjuk catatan, 2 isian indeks, dan jumlah isinya"), "{said:?}");
    assert_eq!(incidents(&mut district, "diperbaiki")?, [""; 0], "the hub was right all along");
    save(&district.nodes[0], "SUMBER").await?;
    is_whole(district).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_verifies_and_repairs_a_node_at_rest() -> anyhow::Result<()> {
    let mut district = district().await?;
    let node = &mut district.nodes[0];
    node.stop().await?;
    damage(node, damage_sum)?;
    let verified = node.run(&["verify"]).await?;
    assert_eq!(verified.status.code(), Some(3));
    assert!(String::from_utf8(verified.stdout)?.contains("verify --repair"));
    let repaired = node.run(&["verify", "--repair"]).await?;
    assert_eq!(repaired.status.code(), Some(0));
    assert!(String::from_utf8(repaired.stdout)?.contains("1 hal disusun ulang"));
    assert_eq!(node.run(&["verify"]).await?.status.code(), Some(0));
    node.start().await?;
    district.hub.start().await?;
    prove(&mut district).await?;
    assert_eq!(incidents(&mut district, "disusun_ulang")?.len(), 1);
    is_whole(district).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_made_of_a_broken_log() -> anyhow::Result<()> {
    let mut district = district().await?;
    let village = district.nodes[0].village;
    let scope = district.hub.dataset()?.whole().village(village);
    let filter = RecordFilter { scope, kind: None, after: None, limit: 1000 };
    let rows = |district: &mut District| -> anyhow::Result<Vec<String>> {
        let records = district.hub.dataset()?.records(&filter)?;
        Ok(records.iter().map(|record| format!("{record:?}")).collect())
    };
    let merged = rows(&mut district)?;
    district.nodes[0].stop().await?;
    let mut block = Vec::new();
    damage(&district.nodes[0], |store, batch| {
        let (key, mut value) = nth(store, b'L', 0)?;
        block.clone_from(&value);
        *value.last_mut().context("a block")? ^= 1;
        batch.put(key, value);
        Ok(())
    })?;
    district.nodes[0].start().await?;
    district.hub.start().await?;
    let code = village.to_string();
    assert!(district.hub.run(&["villages", "prove", &code])?.status.success());
    wait_trouble(&district, "log_rusak").await?;
    let said = incidents(&mut district, "log_rusak")?;
    assert!(said.len() == 1 && said[0].contains("nomor 1."), "{said:?}");
    assert_eq!(rows(&mut district)?, merged, "the hub's rows are not touched");
    wait_until(WITHIN, "the node tells its clerk", async || {
        Ok(district.nodes[0].status().await?["remarks"]
            .to_string()
            .contains("lumbung-node recover"))
    })
    .await?;
    let repair = district.nodes[0].run(&["verify", "--repair"]).await?;
    assert_eq!(repair.status.code(), Some(3));
    assert!(String::from_utf8(repair.stdout)?.contains("log rusak"));
    // New records still come through, and the trouble stays.
    save(&district.nodes[0], "SUMBER").await?;
    let seq = district.nodes[0].seq().await?;
    wait_until(WITHIN, "the hub follows on", async || {
        Ok(district.hub.village(village)?.position.map(|it| it.seq.0) == Some(seq))
    })
    .await?;
    assert_eq!(status(&district)?["trouble"], "log_rusak");
    assert_eq!(status(&district)?["proven"], false);

    // The disk is put back in order: the trouble clears by itself.
    district.hub.stop().await?;
    district.nodes[0].stop().await?;
    damage(&district.nodes[0], |store, batch| {
        batch.put(nth(store, b'L', 0)?.0, block.clone());
        Ok(())
    })?;
    district.nodes[0].start().await?;
    district.hub.start().await?;
    wait_trouble(&district, "").await?;
    is_whole(district).await
}

/// How a block of the log is damaged.
type Harm = (&'static str, fn(&mut Vec<u8>));

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_sent_up_to_where_it_is_broken() -> anyhow::Result<()> {
    let harms: [Harm; 2] = [
        ("it can't be read", |block| block.truncate(block.len() / 2)),
        // The node reads it and would send it; the hub refuses that.
        ("it reads, and is not what it was", |block| *block.last_mut().unwrap() ^= 1),
    ];
    let mut district = district().await?;
    for (number, (what, harm)) in harms.into_iter().enumerate() {
        for save_number in 0..12 {
            save(&district.nodes[0], &format!("DUSUN {number} {save_number}")).await?;
        }
        let head = district.nodes[0].seq().await?;
        district.nodes[0].stop().await?;
        let mut block = (Vec::new(), Vec::new());
        damage(&district.nodes[0], |store, batch| {
            let blocks = store.scan(b"L", b"M").count();
            block = nth(store, b'L', blocks - 6)?;
            let (key, mut value) = block.clone();
            harm(&mut value);
            batch.put(key, value);
            Ok(())
        })?;
        district.nodes[0].start().await?;
        district.hub.start().await?;
        wait_trouble(&district, "log_rusak").await.context(what)?;
        let village = district.nodes[0].village;
        let position = district.hub.village(village)?.position.context("a position")?;
        assert_eq!(position.seq.0, head - 6, "{what}: what comes before is in safety");
        let said = incidents(&mut district, "log_rusak")?;
        assert_eq!(said.len(), number + 1, "{what}: once, however often it is met");
        assert!(said[0].contains(&format!("nomor {}.", head - 5)), "{what}: {said:?}");
        // The line stays, so that the district can still ask.
        let said = district.hub.ctl(&["get", "sessions", "-o", "csv"])?;
        assert_eq!(String::from_utf8(said.stdout)?.lines().count(), 2, "{what}");

        district.hub.stop().await?;
        district.nodes[0].stop().await?;
        damage(&district.nodes[0], |_, batch| {
            batch.put(block.0.clone(), block.1.clone());
            Ok(())
        })?;
        district.nodes[0].start().await?;
        district.hub.start().await?;
        wait_trouble(&district, "").await.context(what)?;
        district.wait_proven(WITHIN).await?;
        district.hub.stop().await?;
    }
    district.hub.start().await?;
    is_whole(district).await
}

/// Bytes that crossed the node's link to the district, both ways.
async fn crossed(node: &NodeProcess) -> anyhow::Result<u64> {
    let status = node.status().await?;
    let bytes = |name: &str| status[name].as_u64().context("a byte count");
    Ok(bytes("sent_bytes")? + bytes("received_bytes")?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_costs_little_and_a_repair_only_what_differs() -> anyhow::Result<()> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1)?;
    district.start().await?;
    let file = district.folder().join("warga.csv");
    std::fs::write(&file, sheet(0, 1_000))?;
    let path = file.to_str().context("a plain path")?;
    ensure!(district.nodes[0].run(&["import", path]).await?.status.success());
    district.wait_proven(WITHIN).await?;
    let before = crossed(&district.nodes[0]).await?;
    prove(&mut district).await?;
    let equal = crossed(&district.nodes[0]).await? - before;
    // Two RT and the rest, each a hash and an id, and the frames around them.
    assert!(equal < 600, "{equal} bytes");

    district.hub.stop().await?;
    let one = "id = (SELECT id FROM warga ORDER BY id LIMIT 1 OFFSET 777)";
    falsify(&district, &format!("DELETE FROM warga WHERE {one}"))?;
    district.hub.start().await?;
    district.wait_proven(WITHIN).await?;
    let before = crossed(&district.nodes[0]).await?;
    prove(&mut district).await?;
    let repaired = crossed(&district.nodes[0]).await? - before;
    // The 500 houses of its RT at 60 bytes each, the records of one house, and
    // one record.
    assert!(repaired < 40_000, "{repaired} bytes");
    is_whole(district).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_village_at_work_is_proven_and_repaired() -> anyhow::Result<()> {
    let mut district = district().await?;
    let one = "id = (SELECT id FROM warga ORDER BY id LIMIT 1 OFFSET 5)";
    falsify(&district, &format!("UPDATE warga SET nama = 'X' WHERE {one}"))?;
    district.hub.start().await?;
    let mut client = district.nodes[0].client().await?;
    let saving = tokio::spawn(async move {
        for number in 0..400 {
            let change = v1::RecordChange {
                kind: u32::from(Kind::Dusun.code().0),
                payload: dusun(&format!("DUSUN {number}")),
                ..v1::RecordChange::default()
            };
            let request = v1::SaveRequest {
                actor: "uji".to_owned(),
                changes: vec![change],
                ..Default::default()
            };
            client.save(request).await?;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        anyhow::Ok(())
    });
    prove(&mut district).await?;
    let said = incidents(&mut district, "diperbaiki")?;
    assert!(said.len() == 1 && said[0].contains("0 catatan hilang, 1 berubah"), "{said:?}");
    saving.await??;
    is_whole(district).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_hub_repairs_after_its_start() -> anyhow::Result<()> {
    let mut district = district().await?;
    falsify(&district, "DELETE FROM warga")?;
    falsify(&district, "UPDATE village SET fingerprint = randomblob(32)")?;
    // Killed ever later in the middle of it.
    for pause in [20, 60, 120, 200] {
        district.hub.start().await?;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        district.hub.kill()?;
    }
    district.hub.start().await?;
    wait_until(WITHIN, "the rows are back", async || {
        Ok(incidents(&mut district, "diperbaiki")?.len() == 1)
    })
    .await?;
    let lost = RecordId::default();
    let (hub, village) = (district.hub.dataset()?, district.nodes[0].village);
    assert!(hub.record(&hub.whole(), village, lost)?.is_none());
    is_whole(district).await
}
