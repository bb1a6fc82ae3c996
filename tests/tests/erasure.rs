//! Content that leaves a village's log, thinned or erased, with real
//! processes: the chain still proves itself, the hub ends up equal, and after
//! an erasure no file of either side holds the content any more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use lumbung_domain::code_list::{Code, Peristiwa};
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::identity::Nik;
use lumbung_domain::record::{Mutasi, Record, Warga};
use lumbung_ledger::{Operation, Payload, Seq, Source};
use lumbung_node::village::Village;
use lumbung_proto::v1;
use lumbung_telemetry::clock;
use lumbung_tests::district::{District, NodeProcess, client, wait_until};
use lumbung_tests::fictitious::{dusun, nik};
use lumbung_wire::record::encode;

/// How long the hub may take to catch up and be proven.
const WITHIN: Duration = Duration::from_secs(30);

/// How long a hub may take to come back to a village whose disk went back in
/// time, and to be proven: it looks again every 30 seconds at most.
const RECOVERED_WITHIN: Duration = Duration::from_secs(60);

/// Records that are written again and again.
const RECORDS: usize = 20;

fn saved(id: Bytes, name: &str) -> v1::RecordChange {
    v1::RecordChange {
        id,
        kind: u32::from(Kind::Dusun.code().0),
        delete: false,
        payload: dusun(name),
    }
}

/// Looks at every entry there: those that wait for nobody are counted nowhere.
fn nothing_in_quarantine(district: &mut District) -> anyhow::Result<()> {
    let hub = district.hub.dataset()?;
    ensure!(hub.quarantine(&hub.whole())?.is_empty(), "there are entries in quarantine");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_below_the_thinned_range_catches_up_and_is_proven_equal() -> anyhow::Result<()> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1)?;
    district.start().await?;
    let node = &district.nodes[0];
    let named = |round: usize, at: usize| format!("DUSUN {round}-{at}");
    let first = (0..RECORDS).map(|at| saved(Bytes::new(), &named(0, at)));
    let ids = node.save(first.collect()).await?.ids;
    district.wait_proven(WITHIN).await?;
    district.hub.stop().await?;
    // The hub stands at 20 of 210, in the middle of what is thinned below.
    let node = &mut district.nodes[0];
    for round in 1..10 {
        let again = ids.iter().enumerate().map(|(at, id)| saved(id.clone(), &named(round, at)));
        node.save(again.collect()).await?;
    }
    let gone = ids.iter().take(10).map(|id| v1::RecordChange {
        delete: true,
        payload: Bytes::new(),
        ..saved(id.clone(), "")
    });
    node.save(gone.collect()).await?;
    node.stop().await?;
    let (dir, code) = (node.dir().to_path_buf(), node.village);
    let (thinned, withheld) = tokio::task::spawn_blocking(move || {
        let village = Village::open(&dir, code)?;
        let barn = village.barn().clone();
        let thinned = barn.thin(barn.head().position.seq)?;
        let mut withheld = 0;
        let mut seq = Seq::ZERO;
        while let Some(run) = barn.read_after(seq, 64 * 1024)? {
            let gone =
                |entry: &&lumbung_ledger::Entry| matches!(entry.payload, Payload::Withheld { .. });
            withheld += run.entries.iter().filter(gone).count();
            seq = run.entries.last().map_or(seq, |entry| entry.header.seq);
        }
        drop(barn);
        village.close();
        anyhow::Ok((thinned, withheld))
    })
    .await??;
    // Of ten writes of each of twenty records ten last words are left.
    assert_eq!((thinned.payloads, withheld), (190, 190));
    district.nodes[0].start().await?;
    let verified = district.nodes[0].run(&["verify", "--json"]).await?;
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    district.hub.start().await?;
    district.wait_proven(WITHIN).await?;
    nothing_in_quarantine(&mut district)?;
    // A hub that knows nothing goes the whole way through thinned entries.
    district.hub.stop().await?;
    district.hub.look_away();
    std::fs::remove_file(district.hub.dir().join("hub.db"))?;
    district.hub.add(code, district.nodes[0].address)?;
    district.hub.start().await?;
    district.wait_proven(WITHIN).await?;
    nothing_in_quarantine(&mut district)?;
    district.hub.stop().await?;
    district.nodes[0].stop().await?;
    let folded = district.compare()?;
    assert_eq!(folded[0].records.len(), 10);
    Ok(())
}

/// A name nobody has, so that every byte of it on a disk is of this test.
const MARKER: &str = "WARGA TANDA YANG TAK ADA DUANYA";

/// Whether any file below `dir` holds the marker. Looks at raw bytes: both
/// stores keep payloads uncompressed (sled's and the blocks' compression are
/// off, SQLite has none), which every test proves by finding it first.
fn on_disk(dir: &Path) -> anyhow::Result<bool> {
    for item in std::fs::read_dir(dir)? {
        let path = item?.path();
        let found = if path.is_dir() {
            on_disk(&path)?
        } else if path.is_file() {
            let bytes = std::fs::read(&path)?;
            bytes.windows(MARKER.len()).any(|window| window == MARKER.as_bytes())
        } else {
            false
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The same for the hub's folder. Nobody in this process may have its file
/// open: closing any handle of a file drops all of a process's locks on it.
fn at_hub(district: &mut District) -> anyhow::Result<bool> {
    district.hub.look_away();
    on_disk(district.hub.dir())
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for item in std::fs::read_dir(from)? {
        let path = item?.path();
        let target = to.join(path.file_name().context("a name")?);
        if path.is_dir() {
            copy_folder(&path, &target)?;
        } else if path.is_file() {
            std::fs::copy(&path, &target)?;
        }
    }
    Ok(())
}

fn warga(nama: &str) -> Record {
    let nik = nik(0, 0, 0).parse().ok().and_then(Nik::from_u64);
    Record::Warga(Box::new(Warga { nik, nama: nama.to_owned(), ..Warga::default() }))
}

fn mutasi(warga_id: RecordId, keterangan: &str) -> Record {
    Record::Mutasi(Box::new(Mutasi {
        warga_id,
        peristiwa: Some(Code::<Peristiwa>::PINDAH_KELUAR),
        tgl_peristiwa: Some(clock::today()),
        keterangan: keterangan.to_owned(),
        ..Mutasi::default()
    }))
}

async fn save(
    node: &NodeProcess,
    id: Option<RecordId>,
    record: &Record,
) -> anyhow::Result<RecordId> {
    let change = v1::RecordChange {
        id: id.map_or_else(Bytes::new, |id| Bytes::copy_from_slice(id.as_bytes())),
        kind: u32::from(record.kind().code().0),
        delete: false,
        payload: encode(record),
    };
    let reply = node.save(vec![change]).await?;
    anyhow::ensure!(!reply.refused, "refused: {:?}", reply.notes);
    RecordId::from_slice(&reply.ids[0]).context("an id")
}

/// The node's or the hub's erasure ledger.
fn ledger(output: &Output) -> anyhow::Result<serde_json::Value> {
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A district whose first village has one marked resident with a mutasi, in
/// several versions, among many others; the hub has it all.
async fn with_a_resident() -> anyhow::Result<(District, RecordId)> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1)?;
    district.start().await?;
    let node = &district.nodes[0];
    for round in 0..3 {
        let others = (0..200).map(|at| saved(Bytes::new(), &format!("DUSUN {round}-{at}")));
        node.save(others.collect()).await?;
    }
    let id = save(node, None, &warga(MARKER)).await?;
    let event = save(node, None, &mutasi(id, &format!("{MARKER} pindah"))).await?;
    save(node, Some(id), &warga(&format!("{MARKER} DAN LAGI"))).await?;
    save(node, Some(event), &mutasi(id, &format!("{MARKER} jadi pindah"))).await?;
    district.wait_proven(WITHIN).await?;
    Ok((district, id))
}

/// Erases through the running node and waits until the district has it.
async fn erase(district: &mut District, id: RecordId) -> anyhow::Result<()> {
    let node = &district.nodes[0];
    let args = ["erase", &id.to_string(), "--alasan", "permintaan-warga", "--ya"];
    let done = node.run(&args).await?;
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    district.wait_proven(WITHIN).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_resident_is_gone_from_every_file_of_both_sides() -> anyhow::Result<()> {
    let (mut district, id) = with_a_resident().await?;
    let (code, dir) = (district.nodes[0].village, district.nodes[0].dir().to_path_buf());
    assert!(on_disk(&dir)? && at_hub(&mut district)?, "the search finds what is there");

    // Without --ya nothing happens.
    let asked = ["erase", &id.to_string(), "--alasan", "permintaan-warga"];
    assert_eq!(district.nodes[0].run(&asked).await?.status.code(), Some(3));
    let before = district.nodes[0].seq().await?;
    erase(&mut district, id).await?;
    assert!(!at_hub(&mut district)?, "the hub overwrites at once");
    let node = &district.nodes[0];
    assert_eq!(node.seq().await?, before + 2, "the resident and their mutasi");
    let status = node.status().await?;
    assert_eq!(status["scrub_pending"], true);

    wait_until(WITHIN, "the ledger knows that the district knows", async || {
        let ledger = ledger(&node.run(&["erasures", "--json"]).await?)?;
        let all = ledger["erasures"].as_array().context("a list")?;
        Ok(all.len() == 2 && all.iter().all(|it| it["confirmed_ms"].is_i64()))
    })
    .await?;
    let at_hub = ledger(&district.hub.run(&["erasures", "--json"])?)?;
    assert_eq!(at_hub["erasures"].as_array().map(Vec::len), Some(2));
    assert_eq!(at_hub["erasures"][0]["village"], code.as_u64());
    let back = save(node, Some(id), &warga(MARKER)).await;
    assert!(back.is_err_and(|error| error.to_string().contains("dihapus permanen")));

    // The next opening rewrites the store, the hub's next start its file.
    district.nodes[0].stop().await?;
    district.nodes[0].start().await?;
    assert_eq!(district.nodes[0].status().await?["scrub_pending"], false);
    assert!(!on_disk(&dir)?);
    let verified = district.nodes[0].run(&["verify"]).await?;
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    district.hub.stop().await?;
    district.hub.start().await?;
    let at_hub = ledger(&district.hub.run(&["erasures", "--json"])?)?;
    assert_eq!(at_hub["scrub_pending"], false);
    district.wait_proven(WITHIN).await?;
    district.stop().await?;
    // Logs lie beside the folders.
    district.hub.look_away();
    assert!(!on_disk(district.folder())?);
    let folded = district.compare()?;
    assert_eq!(folded[0].records.len(), 600);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_file_from_before_the_erasure_is_told_again() -> anyhow::Result<()> {
    let (mut district, id) = with_a_resident().await?;
    let hub_dir = district.hub.dir().to_path_buf();
    district.hub.stop().await?;
    district.hub.look_away();
    let kept = tempfile::tempdir()?;
    std::fs::copy(hub_dir.join("hub.db"), kept.path().join("hub.db"))?;
    district.hub.start().await?;
    erase(&mut district, id).await?;
    district.hub.stop().await?;
    district.hub.look_away();
    std::fs::copy(kept.path().join("hub.db"), hub_dir.join("hub.db"))?;
    assert!(at_hub(&mut district)?);
    district.hub.start().await?;
    assert!(!at_hub(&mut district)?, "before the village has said anything");
    district.wait_proven(WITHIN).await?;
    assert!(!at_hub(&mut district)?);
    district.stop().await?;
    district.compare()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_from_before_the_erasure_is_told_again() -> anyhow::Result<()> {
    let (mut district, id) = with_a_resident().await?;
    let dir = district.nodes[0].dir().to_path_buf();
    district.nodes[0].stop().await?;
    let kept = tempfile::tempdir()?;
    copy_folder(&dir.join("store"), kept.path())?;
    district.nodes[0].start().await?;
    erase(&mut district, id).await?;
    district.nodes[0].stop().await?;
    std::fs::remove_dir_all(dir.join("store"))?;
    copy_folder(kept.path(), &dir.join("store"))?;
    assert!(on_disk(&dir)?);
    district.nodes[0].start().await?;
    assert!(!on_disk(&dir)?);
    let verified = district.nodes[0].run(&["verify"]).await?;
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    let ledger = ledger(&district.nodes[0].run(&["erasures", "--json"]).await?)?;
    assert_eq!(ledger["erasures"].as_array().map(Vec::len), Some(2));
    assert_eq!(ledger["scrub_pending"], false);
    // The hub knows another end of the log than the store that came back.
    let village = district.nodes[0].village;
    let District { nodes, hub, .. } = &mut district;
    wait_until(RECOVERED_WITHIN, "the hub follows into the new epoch", async || {
        let (status, state) = (nodes[0].status().await?, hub.village(village)?);
        let stands = state.position.map(|position| u64::from(position.epoch.0));
        Ok(stands == status["epoch"].as_u64()
            && Some(state.proven_seq.0) == status["seq"].as_u64()
            && state.undelivered == 0
            && state.trouble.is_empty())
    })
    .await?;
    assert!(!at_hub(&mut district)?);
    district.stop().await?;
    district.compare()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_machine_learns_of_its_erasures_from_the_hub() -> anyhow::Result<()> {
    let (mut district, id) = with_a_resident().await?;
    let dir = district.nodes[0].dir().to_path_buf();
    district.nodes[0].stop().await?;
    let kept = tempfile::tempdir()?;
    copy_folder(&dir, kept.path())?;
    district.nodes[0].start().await?;
    erase(&mut district, id).await?;
    district.nodes[0].stop().await?;
    // The folder as it was, without the ledger of erasures made since.
    std::fs::remove_dir_all(&dir)?;
    copy_folder(kept.path(), &dir)?;
    assert!(on_disk(&dir)?);
    district.nodes[0].start().await?;
    let node = &district.nodes[0];
    wait_until(RECOVERED_WITHIN, "the hub handed the erasures back", async || {
        let ledger = ledger(&node.run(&["erasures", "--json"]).await?)?;
        let reasons = ledger["erasures"].as_array().context("a list")?;
        Ok(reasons.len() == 2 && reasons.iter().all(|it| it["reason"] == "kabupaten"))
    })
    .await?;
    let back = save(node, Some(id), &warga(MARKER)).await;
    assert!(back.is_err(), "what was erased can't come back");
    district.wait_proven(RECOVERED_WITHIN).await?;
    assert!(!at_hub(&mut district)?);
    district.nodes[0].stop().await?;
    district.nodes[0].start().await?;
    assert!(!on_disk(&dir)?);
    district.stop().await?;
    let folded = district.compare()?;
    assert_eq!(folded[0].records.len(), 600);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_at_rest_erases_and_scrubs_at_once() -> anyhow::Result<()> {
    let (mut district, id) = with_a_resident().await?;
    let dir = district.nodes[0].dir().to_path_buf();
    let args = ["erase", &id.to_string(), "--alasan", "putusan", "--ya", "--now"];
    let refused = district.nodes[0].run(&args).await?;
    assert_eq!(refused.status.code(), Some(1), "the node runs");
    district.nodes[0].stop().await?;
    assert!(on_disk(&dir)?);
    let done = district.nodes[0].run(&args).await?;
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(!on_disk(&dir)?);
    let ledger = ledger(&district.nodes[0].run(&["erasures", "--json"]).await?)?;
    assert_eq!(ledger["erasures"][0]["reason"], "putusan");
    district.nodes[0].start().await?;
    district.wait_proven(WITHIN).await?;
    assert!(!at_hub(&mut district)?);
    district.stop().await?;
    district.compare()?;
    Ok(())
}

/// What the log holds of each record: versions with content, and how it ends.
type Versions = BTreeMap<RecordId, (usize, Operation, Source)>;

fn versions(village: &Village) -> anyhow::Result<Versions> {
    let mut found = Versions::new();
    let mut seq = Seq::ZERO;
    while let Some(run) = village.barn().read_after(seq, 256 * 1024)? {
        for entry in &run.entries {
            let header = &entry.header;
            seq = header.seq;
            let known = found.entry(header.id).or_insert((0, header.operation, header.source));
            *known = (known.0, header.operation, header.source);
            known.0 += usize::from(entry.content_hash().is_some());
        }
    }
    Ok(found)
}

/// Saves each record in three versions and erases every other one, until the
/// node goes; gives the ids whose erasure was acknowledged.
async fn save_and_erase(dir: &Path) -> Vec<RecordId> {
    let mut erased = Vec::new();
    let Ok(mut client) = client(dir).await else { return erased };
    for number in 0.. {
        let mut id = Bytes::new();
        for version in 0..3 {
            let change = saved(id.clone(), &format!("DUSUN {number}-{version}"));
            let request = v1::SaveRequest {
                actor: "uji".to_owned(),
                changes: vec![change],
                ..Default::default()
            };
            let Ok(reply) = client.save(request).await else { return erased };
            id = reply.into_inner().ids[0].clone();
        }
        if number % 2 == 0 {
            let request = v1::EraseRequest {
                id: id.clone(),
                reason: "salah-input".to_owned(),
                ..v1::EraseRequest::default()
            };
            if client.erase(request).await.is_err() {
                return erased;
            }
            erased.extend(RecordId::from_slice(&id));
        }
    }
    erased
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_that_goes_while_erasing_leaves_records_erased_or_whole() -> anyhow::Result<()> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1)?;
    let node = &mut district.nodes[0];
    let dir = node.dir().to_path_buf();
    let mut acknowledged = Vec::new();
    for round in 0..8_u64 {
        node.start().await?;
        let folder = dir.clone();
        let working = tokio::spawn(async move { save_and_erase(&folder).await });
        tokio::time::sleep(Duration::from_millis(40 + 37 * round)).await;
        node.kill()?;
        acknowledged.extend(working.await?);
    }
    assert!(!acknowledged.is_empty(), "nothing was erased");
    let village = Village::open(&dir, node.village)?;
    assert_eq!(village.barn().verify()?.faults, []);
    let found = versions(&village)?;
    let noted: BTreeSet<_> = village.barn().erased().iter().map(|it| it.id).collect();
    for id in &acknowledged {
        assert!(noted.contains(id), "{id} was erased and is not in the ledger");
    }
    for (id, (contents, operation, source)) in found {
        let erased = operation == Operation::Delete && source == Source::ERASURE;
        assert_eq!(erased, noted.contains(&id), "ledger and log differ about {id}");
        // The power may have gone after one or two of the three versions.
        assert!(if erased { contents == 0 } else { (1..=3).contains(&contents) }, "{id}");
    }
    village.close();
    Ok(())
}
