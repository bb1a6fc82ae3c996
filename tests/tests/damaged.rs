//! A village's store is damaged on disk: the node sets it aside, gets back
//! what the district holds, and nothing is destroyed, whenever the power
//! fails. A store that is only in use, or not there, is left alone.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use lumbung_domain::id::Kind;
use lumbung_hub::dataset::RecordFilter;
use lumbung_ledger::Epoch;
use lumbung_node::village::Village;
use lumbung_proto::v1;
use lumbung_tests::district::{District, NodeProcess, wait_until};
use lumbung_tests::fictitious::dusun;
use lumbung_tests::fold;
use lumbung_tests::sticks::{fill, plain, said};

const WITHIN: Duration = Duration::from_secs(60);

const BINARY: &str = env!("CARGO_BIN_EXE_lumbung-process");

/// What the damages write over a database.
const NOISE: &[u8; 16] = b"RUSAKRUSAKRUSAK!";

/// A damage, and what it is.
type Damage = (&'static str, fn(&Path));

const DAMAGES: [Damage; 3] = [
    ("overwritten", overwrite),
    ("cut off", cut_off),
    ("overwritten, without snapshot", overwrite_without_snapshot),
];

/// The first half of each file, so that no shorter village is left in it.
fn overwrite(store: &Path) {
    for file in ["db", "journal"] {
        let file = fs::File::options().write(true).open(store.join(file)).unwrap();
        let length = file.metadata().unwrap().len();
        for at in (0..length / 2).step_by(NOISE.len()) {
            file.write_all_at(NOISE, at).unwrap();
        }
    }
}

/// All but the beginning, as a disk that lost its blocks. A few bytes more
/// would leave a village without records, which is a lost tail; the journal
/// alone would bring back a young village.
fn cut_off(store: &Path) {
    for file in ["db", "journal"] {
        let file = fs::File::options().write(true).open(store.join(file)).unwrap();
        file.set_len(100).unwrap();
    }
}

/// sled finds nothing to begin from and cuts off what it can't read.
fn overwrite_without_snapshot(store: &Path) {
    overwrite(store);
    for item in fs::read_dir(store).unwrap() {
        let path = item.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("snap.") {
            fs::remove_file(path).unwrap();
        }
    }
}

/// One joined village of some families, running and proven.
async fn settled() -> anyhow::Result<District> {
    let mut district = District::joined(BINARY, 1, None).await?;
    fill(&district, 0, 60).await?;
    district.nodes[0].start().await?;
    district.wait_proven(WITHIN).await?;
    Ok(district)
}

/// Damaged stores that lie aside.
fn aside(dir: &Path) -> Vec<PathBuf> {
    let mut aside = lumbung_node::backup::damaged_stores(dir).unwrap();
    aside.sort();
    aside
}

/// Damages the store of a stopped node, and makes sure that it counts. Gives
/// the file as the damage left it.
async fn damage(node: &NodeProcess, damage: fn(&Path)) -> anyhow::Result<Vec<u8>> {
    damage(&node.dir().join("store"));
    let found = fs::read(node.dir().join("store/db"))?;
    let refused = node.run(&["status"]).await?;
    ensure!(!refused.status.success(), "the damage did not matter");
    let words = said(&refused);
    ensure!(words.contains("Berkas data desa ini rusak"), "{words}");
    ensure!(words.contains("lumbung-node serve"), "{words}");
    Ok(found)
}

/// Everything is proven equal, and no record counts for nothing.
async fn whole(district: &mut District) -> anyhow::Result<()> {
    follows(district).await?;
    district.wait_proven(WITHIN).await?;
    let village = district.nodes[0].village;
    let left = district.hub.dataset()?.leftovers(village)?;
    ensure!(left.is_empty(), "{left:?}");
    Ok(())
}

/// Waits until the hub stands in the log that the node has now.
async fn follows(district: &mut District) -> anyhow::Result<()> {
    let (node, hub) = (&district.nodes[0], &mut district.hub);
    let log = node.status().await?["log_id"].as_str().context("no log")?.to_owned();
    wait_until(WITHIN, "the hub follows the node's log", async || {
        let position = hub.village(node.village)?.position;
        Ok(position.is_some_and(|position| position.log_id.to_string() == log))
    })
    .await
}

fn incidents(district: &District) -> anyhow::Result<String> {
    Ok(said(&district.hub.run(&["incidents"])?))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_gives_way_to_what_the_district_holds() -> anyhow::Result<()> {
    let mut district = settled().await?;
    let mut as_found = Vec::new();
    for (number, (what, inflict)) in DAMAGES.into_iter().enumerate() {
        district.nodes[0].stop().await?;
        let (dir, village) = (district.nodes[0].dir().to_path_buf(), district.nodes[0].village);
        let before = fold::fold(&dir, village)?;
        as_found.push(damage(&district.nodes[0], inflict).await.context(what)?);

        district.nodes[0].start().await.context(what)?;
        whole(&mut district).await.context(what)?;
        let words = district.nodes[0].said();
        assert!(words.contains("kembali dan terbukti sama"), "{what}: {words}");
        assert!(!words.contains("belum sampai di kabupaten dan tidak kembali"), "{words}");
        assert_eq!(aside(&dir).len(), number + 1, "{what}");
        assert!(!dir.join("bangun-ulang").exists());
        let status = district.nodes[0].status().await?;
        assert!(status["remarks"].to_string().contains("store.rusak-"), "{status}");
        let told = incidents(&district)?;
        assert_eq!(told.matches("rusak dan disisihkan").count(), number + 1, "{told}");
        assert!(told.contains("Semua yang pernah disimpan di sana sudah ada di hub"), "{told}");

        // It goes on as before.
        district.nodes[0].save_dusun("SESUDAH RUSAK").await?;
        whole(&mut district).await?;
        district.nodes[0].stop().await?;
        let after = fold::fold(&dir, village)?;
        assert!(after.position.log_id != before.position.log_id, "no number is used twice");
        assert_eq!(after.records.len(), before.records.len() + 1);
        let kept = |id, record: &fold::Living| {
            after.records.get(id).is_some_and(|now| now.bytes == record.bytes)
        };
        assert!(before.records.iter().all(|(id, record)| kept(id, record)), "{what}");
        district.nodes[0].start().await?;
    }
    let places = aside(district.nodes[0].dir());
    for ((place, found), (what, _)) in places.iter().zip(as_found).zip(DAMAGES) {
        let kept = fs::read(place.join("aside.db"))?;
        // With a snapshot sled fills up a file that is too short, and then refuses.
        assert!(kept == found || what == "cut off", "{what}: this is not what was found");
    }
    district.stop().await?;
    district.compare()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_had_not_arrived_is_named_and_what_was_erased_stays_so() -> anyhow::Result<()> {
    let mut district = settled().await?;
    let node = &district.nodes[0];
    let change = v1::RecordChange {
        id: bytes::Bytes::new(),
        kind: u32::from(Kind::Dusun.code().0),
        delete: false,
        payload: dusun("DIHAPUS NANTI"),
    };
    let saved = node.save(vec![change]).await?;
    let id = lumbung_domain::id::RecordId::from_slice(&saved.ids[0]).context("no id")?;
    district.wait_proven(WITHIN).await?;
    district.hub.stop().await?;
    let node = &mut district.nodes[0];
    let args = ["erase", &id.to_string(), "--alasan", "permintaan-warga", "--ya"];
    let done = node.run(&args).await?;
    ensure!(done.status.success(), "{}", said(&done));
    node.save_dusun("TIDAK TERKIRIM").await?;
    let last = node.seq().await?;
    node.kill()?;
    damage(node, overwrite).await?;

    // Without the district there is nothing to come back from: the node asks
    // until there is, and stops when it is told to.
    for wait in [false, true] {
        node.spawn()?;
        wait_until(WITHIN, "the clerk reads what is missing", async || {
            Ok(node.said().contains("Kabupaten belum bisa dihubungi"))
        })
        .await?;
        assert!(aside(node.dir()).is_empty());
        if !wait {
            node.stop().await?;
        }
    }
    district.hub.start().await?;
    let node = &district.nodes[0];
    wait_until(WITHIN, "the node came back by itself", async || Ok(node.status().await.is_ok()))
        .await?;
    whole(&mut district).await?;
    let words = district.nodes[0].said();
    assert!(words.contains(&format!("sampai {last} belum sampai di kabupaten")), "{words}");
    let told = incidents(&district)?;
    assert!(told.contains(&format!("sampai {last} tidak pernah sampai di hub")), "{told}");
    district.stop().await?;
    let folded = district.compare()?;
    assert!(!folded[0].records.contains_key(&id), "what was erased came back");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_old_log_had_comes_back_too() -> anyhow::Result<()> {
    let mut district = settled().await?;
    let village = district.nodes[0].village;
    let records = district.hub.village(village)?.records;
    district.nodes[0].stop().await?;
    // Set up anew by hand: an empty log, and everything is left over.
    reinstall(&district.nodes[0]).await?;
    district.nodes[0].start().await?;
    follows(&mut district).await?;
    assert_eq!(district.hub.village(village)?.records, 0);

    district.nodes[0].stop().await?;
    damage(&district.nodes[0], cut_off).await?;
    district.nodes[0].start().await?;
    whole(&mut district).await?;
    assert_eq!(district.hub.village(village)?.records, records);
    district.stop().await?;
    district.compare()?;
    Ok(())
}

/// Begins the stopped node's log anew, in an empty store.
async fn reinstall(node: &NodeProcess) -> anyhow::Result<()> {
    fs::remove_dir_all(node.dir().join("store"))?;
    for file in ["witness", "node.toml"] {
        fs::remove_file(node.dir().join(file))?;
    }
    let begun = node.run(&["init", &node.village.compact()]).await?;
    ensure!(begun.status.success(), "{}", said(&begun));
    Ok(())
}

/// A village that was reinstalled and has the same people again, and how many
/// they are; nobody has decided about the old records.
async fn reinstalled_and_filled_again() -> anyhow::Result<(District, u64)> {
    let mut district = settled().await?;
    let residents = district.hub.village(district.nodes[0].village)?.warga;
    district.nodes[0].stop().await?;
    reinstall(&district.nodes[0]).await?;
    fill(&district, 0, 60).await?;
    district.nodes[0].start().await?;
    follows(&mut district).await?;
    district.wait_proven(WITHIN).await?;
    Ok((district, residents))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_new_log_has_under_other_ids_is_not_doubled() -> anyhow::Result<()> {
    let (mut district, residents) = reinstalled_and_filled_again().await?;
    let village = district.nodes[0].village;
    let old: u64 = district.hub.dataset()?.leftovers(village)?.values().sum();
    assert!(old >= residents && district.hub.village(village)?.warga == residents);

    district.nodes[0].stop().await?;
    damage(&district.nodes[0], cut_off).await?;
    district.nodes[0].start().await?;
    let words = district.nodes[0].said();
    assert!(words.contains("tidak dipasang karena NIK"), "{words}");
    follows(&mut district).await?;
    district.wait_proven(WITHIN).await?;
    assert_eq!(district.hub.village(village)?.warga, residents);
    let left = district.hub.dataset()?.leftovers(village)?;
    assert_eq!(left.get(&Kind::Warga.code()), Some(&residents), "they stay left over: {left:?}");
    district.stop().await?;
    let folded = fold::fold(district.nodes[0].dir(), village)?;
    assert_eq!(folded.fingerprint, district.hub.village(village)?.fingerprint);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_the_new_log_erased_does_not_come_back_from_the_old_one() -> anyhow::Result<()> {
    let (mut district, residents) = reinstalled_and_filled_again().await?;
    let village = district.nodes[0].village;

    // Erased under the id of the new log; the old one had the same person.
    let scope = district.hub.dataset()?.whole().village(village);
    let filter = RecordFilter { scope, kind: Some(Kind::Warga), after: None, limit: 1_000 };
    let rows = district.hub.dataset()?.records(&filter)?;
    let of_the_new_log = rows.iter().find(|row| row.epoch != Epoch(0));
    let id = of_the_new_log.context("nobody is counted")?.id.to_string();
    let erase = ["erase", &id, "--alasan", "permintaan-warga", "--ya"];
    let erased = district.nodes[0].run(&erase).await?;
    ensure!(erased.status.success(), "{}", said(&erased));
    district.wait_proven(WITHIN).await?;
    let left = district.hub.dataset()?.leftovers(village)?;
    assert_eq!(left.get(&Kind::Warga.code()), Some(&(residents - 1)), "{left:?}");

    district.nodes[0].stop().await?;
    damage(&district.nodes[0], cut_off).await?;
    district.nodes[0].start().await?;
    follows(&mut district).await?;
    district.wait_proven(WITHIN).await?;
    assert_eq!(district.hub.village(village)?.warga, residents - 1, "whoever was erased came back");
    district.stop().await?;
    let folded = fold::fold(district.nodes[0].dir(), village)?;
    assert_eq!(folded.fingerprint, district.hub.village(village)?.fingerprint);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_hub_lost_keeps_nobody_from_coming_back() -> anyhow::Result<()> {
    let mut district = settled().await?;
    let village = district.nodes[0].village;
    let records = district.hub.village(village)?.records;
    district.stop().await?;
    let conn = rusqlite::Connection::open(district.hub.dir().join("hub.db"))?;
    let one = "DELETE FROM warga WHERE id = (SELECT id FROM warga ORDER BY id LIMIT 1 OFFSET 7)";
    assert_eq!(conn.execute(one, [])?, 1);
    drop(conn);
    damage(&district.nodes[0], overwrite).await?;
    district.hub.start().await?;
    district.nodes[0].start().await?;
    let words = district.nodes[0].said();
    assert!(words.contains("Sebagian data yang disimpan kabupaten rusak"), "{words}");
    let told = incidents(&district)?;
    assert!(told.contains("sebagian baris di hub rusak atau hilang"), "{told}");
    whole(&mut district).await?;
    assert_eq!(district.hub.village(village)?.records, records - 1);
    district.stop().await?;
    district.compare()?;
    Ok(())
}

/// Waits until the district's word on a store lies beside it; the node calls
/// in anew for it.
async fn may_go(district: &mut District, store: &Path) -> anyhow::Result<()> {
    district.nodes[0].stop().await?;
    district.nodes[0].start().await?;
    let word = store.with_file_name(format!(
        "{}.boleh",
        store.file_name().context("a name")?.to_string_lossy()
    ));
    wait_until(WITHIN, "the village hears that it may go", async || Ok(word.exists())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_aside_may_go_once_nobody_can_miss_it() -> anyhow::Result<()> {
    let mut district = settled().await?;
    let dir = district.nodes[0].dir().to_path_buf();
    // Everything had arrived: once proven equal that is enough.
    district.nodes[0].stop().await?;
    damage(&district.nodes[0], cut_off).await?;
    district.nodes[0].start().await?;
    whole(&mut district).await?;
    let first = aside(&dir).pop().context("nothing lies aside")?;
    may_go(&mut district, &first).await?;
    let status = district.nodes[0].status().await?;
    assert!(status["remarks"].to_string().contains("boleh dihapus"), "{status}");

    // Something had not: somebody must say so.
    district.hub.stop().await?;
    let node = &mut district.nodes[0];
    node.save_dusun("TIDAK TERKIRIM").await?;
    node.kill()?;
    damage(node, overwrite).await?;
    district.hub.start().await?;
    district.nodes[0].start().await?;
    whole(&mut district).await?;
    let second = aside(&dir).pop().context("nothing lies aside")?;
    assert!(second != first);
    district.nodes[0].stop().await?;
    district.nodes[0].start().await?;
    district.nodes[0].save_dusun("SUDAH BERTEMU").await?;
    district.wait_proven(WITHIN).await?;
    assert!(!Path::new(&format!("{}.boleh", second.display())).exists());
    let code = district.nodes[0].village.compact();
    let shown = said(&district.hub.run(&["villages", "show", &code])?);
    assert!(shown.contains("villages release-aside"), "{shown}");
    let needs = said(&district.hub.ctl(&["get", "needs"])?);
    assert!(needs.contains("mungkin berisi catatan yang"), "{needs}");
    let done = district.hub.run(&["villages", "release-aside", &code])?;
    ensure!(done.status.success(), "{}", said(&done));
    may_go(&mut district, &second).await?;
    let needs = said(&district.hub.ctl(&["get", "needs"])?);
    assert!(!needs.contains("mungkin berisi catatan yang"), "{needs}");
    assert_eq!(aside(&dir).len(), 2, "never at once");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_backup_goes_before_the_district() -> anyhow::Result<()> {
    let mut district = settled().await?;
    district.hub.stop().await?;
    let node = &mut district.nodes[0];
    node.save_dusun("HANYA DI CADANGAN").await?;
    let made = node.run(&["backup"]).await?;
    ensure!(made.status.success(), "{}", said(&made));
    let backup = fs::read_dir(node.dir().join("cadangan"))?.next().context("no backup")??.path();
    let last = node.seq().await?;
    node.kill()?;
    damage(node, cut_off).await?;
    district.hub.start().await?;
    let node = &district.nodes[0];
    let refused = node.run(&["serve"]).await?;
    assert!(said(&refused).contains("lebih baru daripada"), "{}", said(&refused));
    assert!(aside(node.dir()).is_empty());

    let passphrase = district.folder().join("sandi.txt");
    fs::write(&passphrase, "padi di lumbung desa\n")?;
    let opened = district.folder().join("dibuka.lumbung");
    let (from, to, passphrase) = (plain(&backup)?, plain(&opened)?, plain(&passphrase)?);
    let done =
        district.hub.run(&["backup", "unlock", from, "--out", to, "--sandi-berkas", passphrase])?;
    ensure!(done.status.success(), "{}", said(&done));
    let done = node.run(&["restore", to, "--sandi-berkas", passphrase]).await?;
    ensure!(done.status.success(), "{}", said(&done));
    assert_eq!(aside(node.dir()).len(), 1, "a damaged store is no store to forget");
    district.nodes[0].start().await?;
    assert!(district.nodes[0].seq().await? >= last);
    whole(&mut district).await?;
    district.stop().await?;
    district.compare()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_in_use_or_away_is_left_alone() -> anyhow::Result<()> {
    let mut district = settled().await?;
    district.nodes[0].stop().await?;
    let (dir, code) = (district.nodes[0].dir().to_path_buf(), district.nodes[0].village);
    let mut opened = Village::open(&dir, code);
    wait_until(WITHIN, "the stopped node lets go of its store", async || {
        if opened.is_err() {
            opened = Village::open(&dir, code);
        }
        Ok(opened.is_ok())
    })
    .await?;
    for args in [&["serve"][..], &["recover"]] {
        let refused = district.nodes[0].run(args).await?;
        ensure!(!refused.status.success());
        assert!(said(&refused).contains("sedang dibuka program lain"), "{}", said(&refused));
    }
    opened?.close();
    assert!(aside(&dir).is_empty() && !dir.join("bangun-ulang").exists());
    // A disk that is not there.
    fs::rename(dir.join("store"), dir.join("elsewhere"))?;
    for args in [&["serve"][..], &["recover"]] {
        let refused = district.nodes[0].run(args).await?;
        ensure!(!refused.status.success());
        assert!(said(&refused).contains("tidak bisa dibuka"), "{}", said(&refused));
    }
    assert!(aside(&dir).is_empty() && !dir.join("store").exists());
    fs::rename(dir.join("elsewhere"), dir.join("store"))?;
    // And a sound one.
    let sound = district.nodes[0].run(&["recover"]).await?;
    assert!(said(&sound).contains("utuh. Tidak ada yang diubah"), "{}", said(&sound));
    district.nodes[0].start().await?;
    whole(&mut district).await?;
    assert!(aside(&dir).is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_it_is_set_aside_leaves_one_store_and_the_damaged_one() -> anyhow::Result<()> {
    let mut district = settled().await?;
    district.nodes[0].save_dusun("SEMUA ADA").await?;
    district.wait_proven(WITHIN).await?;
    district.nodes[0].stop().await?;
    let (dir, village) = (district.nodes[0].dir().to_path_buf(), district.nodes[0].village);
    let before = fold::fold(&dir, village)?;
    for round in 0_u64..8 {
        let aside_before = aside(&dir).len();
        damage(&district.nodes[0], DAMAGES[round as usize % 2].1).await?;
        let node = &mut district.nodes[0];
        node.spawn()?;
        tokio::time::sleep(Duration::from_millis(45 * round)).await;
        node.kill()?;
        if round == 7 {
            back_to_the_swap(&dir)?;
        }
        node.start().await.with_context(|| format!("round {round}"))?;
        whole(&mut district).await.with_context(|| format!("round {round}"))?;
        assert_eq!(aside(&dir).len(), aside_before + 1, "round {round}");
        district.nodes[0].stop().await?;
        let now = fold::fold(&dir, village)?;
        assert!(now.fingerprint == before.fingerprint, "round {round}");
        assert!(!dir.join("bangun-ulang").exists() && !dir.join("store.pulih").exists());
    }
    district.stop().await?;
    district.compare()?;
    Ok(())
}

/// Where a kill between the two renames leaves a folder, whatever the kill
/// before came to.
fn back_to_the_swap(dir: &Path) -> anyhow::Result<()> {
    let newest = aside(dir).pop().context("nothing lies aside")?;
    let name = newest.file_name().context("a name")?.to_string_lossy().into_owned();
    if dir.join("store.tukar").exists() || dir.join("bangun-ulang").exists() {
        return Ok(());
    }
    fs::rename(dir.join("store"), dir.join("store.pulih"))?;
    fs::write(dir.join("store.tukar"), name)?;
    Ok(())
}
