//! Every row of the positions table with real processes and real disks: a
//! node or a hub goes back in time, is reinstalled, or is doubled. Each ends
//! with the hub proven equal to the fold of the village's log, nothing that
//! was acknowledged lost, and an incident that says so.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_hub::dataset::{Outcome, RecordFilter};
use lumbung_ledger::Source;
use lumbung_node::barn::{Change, Expected, Submission};
use lumbung_node::village::Village;
use lumbung_proto::v1;
use lumbung_telemetry::clock;
use lumbung_tests::district::wait_until;
use lumbung_tests::fictitious::dusun;
use lumbung_tests::scene::{Scene, WITHIN, copy, names, put_back};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const BINARY: &str = env!("CARGO_BIN_EXE_lumbung-process");

/// Files beside the database that tell how far this very disk has come.
const OUTSIDE: [&str; 3] = ["witness", "acked", "visits"];

/// Lets a village lose its tail of five changes: the folder of before comes
/// back, with or without the files outside the database.
async fn lose_a_tail(with_outside: bool) -> anyhow::Result<()> {
    let mut scene = Scene::new(BINARY).await?;
    let krajan = scene.create("KRAJAN").await?;
    let sumber = scene.create("SUMBER").await?;
    scene.wait_equal(0).await?;
    scene.district.nodes[0].stop().await?;
    let (old, newer) = (scene.other_dir("old"), scene.other_dir("newer"));
    copy(&scene.dir, &old)?;
    scene.district.nodes[0].start().await?;
    scene.rename(krajan, "KRAJAN LOR").await?;
    let tambak = scene.create("TAMBAK").await?;
    scene.delete(sumber).await?;
    let gone = scene.create("SEMENTARA").await?;
    scene.delete(gone).await?;
    scene.wait_equal(0).await?;
    scene.district.nodes[0].stop().await?;
    copy(&scene.dir, &newer)?;
    put_back(&old, &scene.dir)?;
    if with_outside {
        for file in OUTSIDE {
            std::fs::copy(newer.join(file), scene.dir.join(file))?;
        }
    }
    let since = clock::now_ms();
    scene.district.nodes[0].start().await?;
    scene.wait_equal(since).await?;
    // And life goes on.
    let ngadi = scene.create("NGADI").await?;
    scene.wait_equal(since).await?;
    let folded = scene.finish().await?;
    let expected = [(krajan, "KRAJAN LOR"), (tambak, "TAMBAK"), (ngadi, "NGADI")];
    let expected = expected.map(|(id, name)| (id, name.to_owned()));
    assert_eq!(names(&folded), BTreeMap::from(expected));
    assert_eq!(folded.position.epoch.0, 2);

    let lost = scene.incident("ekor_hilang")?;
    assert!(lost.contains("sama sampai nomor 2."), "{lost}");
    assert!(lost.contains("Hub di 1.7@") && lost.contains("node di 2.2@"), "{lost}");
    assert!(lost.contains("4 versi catatan"), "{lost}");
    let returned = scene.incident("dikembalikan")?;
    assert!(returned.contains("3 ditulis lagi, 1 sudah sama, 0 memakai isi desa"), "{returned}");
    let rewound = scene.incidents()?.iter().any(|(code, _)| code == "disk_mundur");
    assert_eq!(rewound, !with_outside, "only an old visits file tells of an old disk");
    let outcomes: Vec<_> = scene.branch()?.iter().map(|version| version.outcome).collect();
    assert_eq!(outcomes.iter().filter(|it| **it == Outcome::Applied).count(), 3);

    // Who wrote it and when is as it was.
    let village = Village::open(&scene.dir, scene.district.nodes[0].village)?;
    let back = village.barn().get(tambak)?.context("it came back")?.entry.header;
    assert_eq!((back.source, &*back.actor), (Source::RETURNED, "uji"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_tail_is_handed_back() -> anyhow::Result<()> {
    lose_a_tail(false).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_tail_that_the_witness_knows_of_is_handed_back() -> anyhow::Result<()> {
    lose_a_tail(true).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_village_that_wrote_on_keeps_both_branches() -> anyhow::Result<()> {
    let mut scene = Scene::new(BINARY).await?;
    let krajan = scene.create("KRAJAN").await?;
    let sumber = scene.create("SUMBER").await?;
    let ngadi = scene.create("NGADI").await?;
    scene.wait_equal(0).await?;
    scene.district.nodes[0].stop().await?;
    let old = scene.other_dir("old");
    copy(&scene.dir, &old)?;
    scene.district.nodes[0].start().await?;
    scene.rename(krajan, "KRAJAN LOR").await?;
    scene.delete(sumber).await?;
    scene.rename(ngadi, "NGADI REJO").await?;
    let tambak = scene.create("TAMBAK").await?;
    scene.wait_equal(0).await?;
    scene.district.hub.stop().await?;
    scene.district.nodes[0].stop().await?;
    put_back(&old, &scene.dir)?;

    // Out of sight of the hub the old state is written on, past the number
    // that the hub has.
    scene.district.nodes[0].start().await?;
    scene.rename(krajan, "KRAJAN KIDUL").await?;
    let mut written = Vec::new();
    for number in 0..6 {
        written.push(scene.create(&format!("BARU {number}")).await?);
    }
    scene.delete(ngadi).await?;
    let since = clock::now_ms();
    scene.district.hub.start().await?;
    scene.wait_equal(since).await?;
    let folded = scene.finish().await?;
    let mut expected =
        BTreeMap::from([(krajan, "KRAJAN KIDUL".to_owned()), (tambak, "TAMBAK".to_owned())]);
    expected.extend(written.into_iter().zip((0..6).map(|number| format!("BARU {number}"))));
    assert_eq!(names(&folded), expected);

    let forked = scene.incident("bercabang")?;
    assert!(forked.contains("sama sampai nomor 3."), "{forked}");
    let returned = scene.incident("dikembalikan")?;
    assert!(returned.contains("2 ditulis lagi, 0 sudah sama, 2 memakai isi desa"), "{returned}");
    // What lost is kept, with its content.
    let kept = scene.branch()?;
    for (id, name, outcome) in [
        (krajan, Some("KRAJAN LOR"), Outcome::Conflict),
        (ngadi, Some("NGADI REJO"), Outcome::Conflict),
        (tambak, Some("TAMBAK"), Outcome::Applied),
        (sumber, None, Outcome::Applied),
    ] {
        let version = kept.iter().find(|version| version.id == id).context("it is kept")?;
        assert_eq!(version.outcome, outcome, "{name:?}");
        assert_eq!(version.bytes, name.map_or_else(Bytes::new, dusun));
    }
    let code = scene.district.nodes[0].village.to_string();
    let listed = scene.hub_says(&["villages", "branch", &code])?;
    assert_eq!(listed.matches("isi desa yang dipakai").count(), 2, "{listed}");
    let shown = scene.hub_says(&["villages", "show", &code])?;
    assert!(shown.contains("sama sampai nomor 3."), "{shown}");
    Ok(())
}

/// A machine that was set up anew under the same code, with one record.
async fn reinstalled() -> anyhow::Result<(Scene, Vec<RecordId>)> {
    let mut scene = Scene::new(BINARY).await?;
    let mut old = Vec::new();
    for name in ["KRAJAN", "SUMBER", "TAMBAK"] {
        old.push(scene.create(name).await?);
    }
    scene.wait_equal(0).await?;
    let since = scene.reinstall().await?;
    scene.create("BARU").await?;
    scene.wait_equal(since).await?;
    let state = scene.district.hub.village(scene.district.nodes[0].village)?;
    assert_eq!((state.records, state.leftovers), (1, 3));
    let told = scene.incident("dipasang_ulang")?;
    assert!(told.contains("3 catatan lama tetap terbaca"), "{told}");
    let code = scene.district.nodes[0].village.to_string();
    let shown = scene.hub_says(&["villages", "show", &code])?;
    assert!(shown.contains("Dipasang ulang, 3 catatan lama menunggu keputusan."), "{shown}");
    let listed = scene.hub_says(&["villages", "leftovers", &code])?;
    assert!(listed.contains("dusun") && listed.contains("3 catatan"), "{listed}");
    // Nothing happens by itself, and the old records can still be read.
    for id in &old {
        let village = scene.district.nodes[0].village;
        let hub = scene.district.hub.dataset()?;
        ensure!(hub.record(&hub.whole(), village, *id)?.is_some(), "{id} is gone");
    }
    Ok((scene, old))
}

/// What an operator decides with the operators' command.
fn decided(scene: &Scene, args: &[&str]) -> anyhow::Result<()> {
    let done = scene.district.hub.ctl(args)?;
    ensure!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_reinstalled_village_had_is_returned_when_an_operator_says_so() -> anyhow::Result<()>
{
    let (mut scene, old) = reinstalled().await?;
    let code = scene.district.nodes[0].village.to_string();
    decided(&scene, &["leftovers", "return", &code])?;
    let since = clock::now_ms();
    wait_until(WITHIN, "the old records are back", async || {
        Ok(scene.district.nodes[0].status().await?["records"] == 4)
    })
    .await?;
    scene.wait_equal(since).await?;
    let folded = scene.finish().await?;
    assert_eq!(folded.records.len(), 4);
    assert!(old.iter().all(|id| folded.records.contains_key(id)));
    let state = scene.district.hub.village(scene.district.nodes[0].village)?;
    assert_eq!(state.leftovers, 0);
    assert!(scene.incident("sisa_dikembalikan")?.contains("3 catatan dari log lama"));
    assert!(scene.incident("dikembalikan")?.contains("3 ditulis lagi"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_reinstalled_village_had_is_ended_when_an_operator_says_so() -> anyhow::Result<()> {
    let (mut scene, old) = reinstalled().await?;
    let code = scene.district.nodes[0].village.to_string();
    scene.hub_says(&["villages", "leftovers", &code, "--forget"])?;
    let state = scene.district.hub.village(scene.district.nodes[0].village)?;
    assert_eq!((state.records, state.leftovers), (1, 0));
    let since = clock::now_ms();
    scene.create("SESUDAHNYA").await?;
    scene.wait_equal(since).await?;
    assert_eq!(scene.finish().await?.records.len(), 2);
    assert!(scene.incident("sisa_diakhiri")?.contains("3 catatan dari log lama"));
    let kept = scene.branch()?;
    assert!(old.iter().all(|id| kept.iter().any(|version| version.id == *id)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_village_rebuilt_from_the_districts_data_leaves_nothing_over() -> anyhow::Result<()> {
    let mut scene = Scene::new(BINARY).await?;
    for name in ["KRAJAN", "SUMBER", "TAMBAK"] {
        scene.create(name).await?;
    }
    scene.wait_equal(0).await?;
    let code = scene.district.nodes[0].village;
    let position = scene.district.hub.village(code)?.position.context("it was merged")?;
    let hub = scene.district.hub.dataset()?;
    let scope = hub.whole().village(code);
    let had = hub.records(&RecordFilter { scope, kind: None, after: None, limit: 99 })?;
    scene.district.nodes[0].stop().await?;
    std::fs::rename(scene.dir.join("store"), scene.other_dir("store"))?;
    for file in OUTSIDE {
        std::fs::remove_file(scene.dir.join(file))?;
    }
    let village = Village::create(&scene.dir, code)?;
    for record in had {
        let change = Change {
            id: record.id,
            kind: record.kind,
            schema: record.schema,
            content: Some(record.bytes),
            expected: Expected::Absent,
        };
        let (actor, time_ms) = (record.actor.as_str().into(), record.time_ms);
        let changes = vec![change];
        let submission = Submission { actor, source: record.source, time_ms, changes };
        village.barn().submit(submission).await?;
    }
    village.set_predecessor(position)?;
    tokio::task::spawn_blocking(|| village.close()).await?;
    let since = clock::now_ms();
    scene.district.nodes[0].start().await?;
    scene.wait_equal(since).await?;
    scene.finish().await?;
    let state = scene.district.hub.village(code)?;
    assert_eq!((state.records, state.leftovers), (3, 0));
    assert!(scene.incident("dibangun_ulang")?.contains("3 catatan sedang dicocokkan"));
    let codes: Vec<_> = scene.incidents()?.into_iter().map(|it| it.0).collect();
    assert_eq!(codes, ["dibangun_ulang"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_was_restored_catches_up_and_says_so() -> anyhow::Result<()> {
    let mut scene = Scene::new(BINARY).await?;
    scene.create("KRAJAN").await?;
    scene.wait_equal(0).await?;
    scene.district.hub.stop().await?;
    scene.district.hub.look_away();
    let hub = scene.district.hub.dir().to_path_buf();
    let old = hub.with_extension("old");
    copy(&hub, &old)?;
    let since = clock::now_ms();
    scene.district.hub.start().await?;
    for name in ["SUMBER", "TAMBAK"] {
        scene.create(name).await?;
    }
    scene.wait_equal(since).await?;
    // Once the node has heard the last confirmation, it outlives the node.
    wait_until(WITHIN, "the node knows it is confirmed", async || {
        Ok(scene.district.nodes[0].status().await?["confirmed_seq"] == 3)
    })
    .await?;
    scene.district.hub.stop().await?;
    scene.district.hub.look_away();
    put_back(&old, &hub)?;
    scene.district.nodes[0].stop().await?;
    scene.district.nodes[0].start().await?;
    let since = clock::now_ms();
    scene.district.hub.start().await?;
    scene.wait_equal(since).await?;
    // The same again, seen once: the next contact has nothing to say.
    scene.district.hub.stop().await?;
    scene.district.hub.start().await?;
    scene.create("NGADI").await?;
    let since = clock::now_ms();
    scene.wait_equal(since.saturating_sub(1_000)).await?;
    scene.finish().await?;
    let behind = scene.incident("hub_mundur")?;
    assert!(behind.contains("memastikan sampai 1.3@"), "{behind}");
    assert!(behind.contains("hub sekarang di 1.1@"), "{behind}");
    let codes: Vec<_> = scene.incidents()?.into_iter().map(|it| it.0).collect();
    assert_eq!(codes, ["hub_mundur"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_lost_everything_gets_it_again() -> anyhow::Result<()> {
    let mut scene = Scene::new(BINARY).await?;
    for name in ["KRAJAN", "SUMBER"] {
        scene.create(name).await?;
    }
    scene.wait_equal(0).await?;
    wait_until(WITHIN, "the node knows it is confirmed", async || {
        Ok(scene.district.nodes[0].status().await?["confirmed_seq"] == 2)
    })
    .await?;
    scene.district.hub.stop().await?;
    scene.district.hub.look_away();
    for file in ["hub.db", "hub.db-wal", "hub.db-shm"] {
        let file = scene.district.hub.dir().join(file);
        if file.exists() {
            std::fs::remove_file(file)?;
        }
    }
    let node = &scene.district.nodes[0];
    scene.district.hub.add(node.village, node.address)?;
    scene.district.hub.start().await?;
    scene.wait_equal(0).await?;
    assert_eq!(scene.finish().await?.records.len(), 2);
    let behind = scene.incident("hub_mundur")?;
    assert!(behind.contains("hub sekarang tidak punya apa-apa"), "{behind}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_copies_that_take_turns_are_stopped_until_one_is_left() -> anyhow::Result<()> {
    let mut scene = Scene::new(BINARY).await?;
    let mut written = vec![scene.create("KRAJAN").await?];
    scene.wait_equal(0).await?;
    scene.district.nodes[0].stop().await?;
    copy(&scene.dir, &scene.other_dir("twin"))?;

    // Each writes while it is online; the hub brings both together.
    for turn in 0..3 {
        let since = clock::now_ms();
        scene.district.nodes[0].start().await?;
        written.push(scene.create(&format!("GILIRAN {turn}")).await?);
        scene.wait_equal(since).await?;
        scene.district.nodes[0].stop().await?;
        scene.swap("twin")?;
    }
    let rewound = scene.incidents()?.into_iter().filter(|it| it.0 == "disk_mundur").count();
    assert_eq!(rewound, 2, "the copy, and the true one again: {:?}", scene.incidents()?);
    let village = scene.district.nodes[0].village;
    let merged = scene.district.hub.village(village)?;
    assert_eq!((merged.twin_ms, merged.trouble.as_str()), (0, ""));

    // The one that returns now shows that both go on.
    scene.district.nodes[0].start().await?;
    written.push(scene.create("SETELAH ITU").await?);
    wait_until(WITHIN, "the village is stopped", async || {
        Ok(scene.district.hub.village(village)?.trouble == "kembar")
    })
    .await?;
    let stopped = scene.district.hub.village(village)?;
    assert_eq!((stopped.position, stopped.records), (merged.position, merged.records));
    assert!(stopped.twin_ms > 0);
    let told = scene.incident("kembar")?;
    assert!(told.contains("Dua komputer bergantian menjawab"), "{told}");
    // Also after the hub was started anew.
    scene.district.hub.stop().await?;
    scene.district.hub.start().await?;
    written.push(scene.create("LAGI").await?);
    wait_until(WITHIN, "it stays stopped", async || {
        let status = scene.hub_says(&["status", "--json"])?;
        Ok(status.contains("\"trouble\":\"kembar\""))
    })
    .await?;
    assert_eq!(scene.district.hub.village(village)?.position, merged.position);

    let since = clock::now_ms();
    decided(&scene, &["machine", "one-left", &village.to_string(), "--yes"])?;
    scene.wait_equal(since).await?;
    let folded = scene.finish().await?;
    assert_eq!(folded.records.len(), written.len());
    assert!(written.iter().all(|id| folded.records.contains_key(id)), "something is missing");
    assert!(scene.incident("kembar_selesai")?.contains("tinggal satu komputer"));
    Ok(())
}

/// Records that are lost together.
const MANY: usize = 1_500;

/// How often something is cut off.
const CUTS: u32 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_cuts_on_both_sides_do_not_stop_a_recovery() -> anyhow::Result<()> {
    let mut scene = Scene::new(BINARY).await?;
    let krajan = scene.create("KRAJAN").await?;
    scene.wait_equal(0).await?;
    scene.district.nodes[0].stop().await?;
    let old = scene.other_dir("old");
    copy(&scene.dir, &old)?;
    scene.district.nodes[0].start().await?;
    let mut expected = BTreeMap::new();
    let changes = (0..MANY).map(|number| v1::RecordChange {
        id: Bytes::new(),
        kind: u32::from(Kind::Dusun.code().0),
        delete: false,
        payload: dusun(&format!("HILANG {number}")),
    });
    let reply = scene.district.nodes[0].save(changes.collect()).await?;
    for (number, id) in reply.ids.iter().enumerate() {
        let id = RecordId::from_slice(id).context("an id")?;
        expected.insert(id, format!("HILANG {number}"));
    }
    scene.wait_equal(0).await?;
    scene.district.hub.stop().await?;
    scene.district.nodes[0].stop().await?;
    put_back(&old, &scene.dir)?;
    scene.district.nodes[0].start().await?;
    scene.rename(krajan, "KRAJAN BARU").await?;
    expected.insert(krajan, "KRAJAN BARU".to_owned());
    scene.district.nodes[0].kill()?;

    // Both run until one of them, now this one, now the other, is cut off.
    let mut dice = ChaCha8Rng::seed_from_u64(11);
    for round in 0..CUTS {
        if !scene.district.nodes[0].is_running() {
            scene.district.nodes[0].start().await?;
        }
        if !scene.district.hub.is_alive()? {
            scene.district.hub.spawn()?;
        }
        tokio::time::sleep(Duration::from_millis(dice.random_range(20..600))).await;
        if round % 2 == 0 {
            scene.district.hub.kill()?;
        } else {
            scene.district.nodes[0].kill()?;
        }
    }
    scene.district.hub.kill()?;
    let since = clock::now_ms();
    scene.district.nodes[0].start().await?;
    scene.district.hub.start().await?;
    scene.wait_equal(since).await?;
    let folded = scene.finish().await?;
    assert_eq!(names(&folded), expected);
    assert!(scene.incident("ekor_hilang")?.contains("1500 versi catatan"));
    assert!(scene.incident("dikembalikan")?.contains("0 memakai isi desa"));
    Ok(())
}
