//! Backups with real processes: made beside the work, proven, put back, and
//! the district hands back what came after.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use bytes::Bytes;
use lumbung_domain::id::Kind;
use lumbung_proto::v1;
use lumbung_tests::district::{District, NodeProcess};
use lumbung_tests::fictitious::{dusun, nik, sheet};
use lumbung_tests::fold;
use lumbung_tests::sticks::{admit, plain, said};

const WITHIN: Duration = Duration::from_secs(60);

const BINARY: &str = env!("CARGO_BIN_EXE_lumbung-process");

/// A district, and the file that holds the passphrase of its backups.
fn district(villages: usize) -> (District, PathBuf) {
    let district = District::new(BINARY, villages).unwrap();
    let passphrase = district.folder().join("sandi.txt");
    fs::write(&passphrase, "padi di lumbung desa\n").unwrap();
    (district, passphrase)
}

async fn save(node: &NodeProcess, name: &str) -> Bytes {
    let change = v1::RecordChange {
        id: Bytes::new(),
        kind: u32::from(Kind::Dusun.code().0),
        delete: false,
        payload: dusun(name),
    };
    let reply = node.save(vec![change]).await.unwrap();
    assert!(!reply.refused);
    reply.ids[0].clone()
}

async fn fill(district: &District, node: usize, families: usize) {
    let file = district.folder().join(format!("warga-{node}.csv"));
    fs::write(&file, sheet(node, families)).unwrap();
    let done = district.nodes[node].run(&["import", plain(&file).unwrap()]).await.unwrap();
    assert!(done.status.success(), "{}", said(&done));
}

async fn back_up(node: &NodeProcess, file: &Path, passphrase: &Path) {
    let (file, passphrase) = (plain(file).unwrap(), plain(passphrase).unwrap());
    let done = node.run(&["backup", file, "--sandi-berkas", passphrase]).await.unwrap();
    assert!(done.status.success(), "{}", said(&done));
    assert!(said(&done).contains("Cadangan terbukti bisa dipulihkan"), "{}", said(&done));
}

async fn restore(node: &NodeProcess, file: &Path, passphrase: &Path) -> Output {
    let (file, passphrase) = (plain(file).unwrap(), plain(passphrase).unwrap());
    node.run(&["restore", file, "--sandi-berkas", passphrase]).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_made_while_people_save_can_each_be_put_back() {
    let (mut district, passphrase) = district(1);
    district.nodes[0].start().await.unwrap();
    fill(&district, 0, 50).await;
    let folder = district.folder().to_path_buf();
    let file = |number: usize| folder.join(format!("cadangan-{number}.lumbung"));
    let node = &district.nodes[0];
    let backing_up = async {
        for number in 0..4 {
            back_up(node, &file(number), &passphrase).await;
        }
    };
    let saving = async {
        for number in 0.. {
            save(node, &format!("SAAT CADANGAN {number}")).await;
        }
    };
    tokio::select! {
        () = backing_up => {}
        () = saving => {}
    }
    // What a stranger finds in the file: nobody.
    let bytes = fs::read(file(3)).unwrap();
    for known in [nik(0, 1, 1).into_bytes(), b"CONTOH".to_vec(), b"SAAT CADANGAN".to_vec()] {
        assert!(!bytes.windows(known.len()).any(|window| window == known));
    }
    let refused = restore(node, &file(0), &passphrase).await;
    assert!(said(&refused).contains("sedang berjalan"), "{}", said(&refused));
    district.nodes[0].stop().await.unwrap();
    let mut before = 0;
    for number in 0..4 {
        let node = &district.nodes[0];
        let done = restore(node, &file(number), &passphrase).await;
        assert!(done.status.success(), "{}", said(&done));
        let folded = fold::fold(node.dir(), node.village).unwrap();
        assert!(folded.position.seq.0 > before, "the backups grew");
        before = folded.position.seq.0;
        let verified = node.run(&["verify"]).await.unwrap();
        assert!(verified.status.success(), "{}", said(&verified));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_backup_changes_nothing_and_says_why() {
    let (district, passphrase) = district(2);
    for node in 0..2 {
        fill(&district, node, 5).await;
    }
    let file = district.folder().join("satu.lumbung");
    let node = &district.nodes[0];
    back_up(node, &file, &passphrase).await;
    let before = fold::fold(node.dir(), node.village).unwrap();

    let unprotected = node.run(&["backup"]).await.unwrap();
    assert!(said(&unprotected).contains("--sandi"), "{}", said(&unprotected));
    assert!(!unprotected.status.success());
    let wrong = district.folder().join("sandi-lain.txt");
    fs::write(&wrong, "jagung di lumbung desa\n").unwrap();
    let bytes = fs::read(&file).unwrap();
    let (cut, changed, other) =
        ["potong", "ubah", "lain"].map(|name| district.folder().join(name)).into();
    fs::write(&cut, &bytes[..bytes.len() - 50]).unwrap();
    let mut different = bytes.clone();
    let middle = bytes.len() - 300;
    different[middle] ^= 1;
    fs::write(&changed, different).unwrap();
    back_up(&district.nodes[1], &other, &passphrase).await;
    for (file, passphrase, word) in [
        (&file, &wrong, "Sandi tidak cocok"),
        (&cut, &passphrase, "terpotong"),
        (&changed, &passphrase, "rusak"),
        (&other, &passphrase, "bukan desa ini"),
        (&wrong, &passphrase, "bukan cadangan"),
    ] {
        let refused = restore(node, file, passphrase).await;
        assert!(!refused.status.success());
        assert!(said(&refused).contains(word), "{word}: {}", said(&refused));
        assert!(said(&refused).contains("tidak diubah"), "{}", said(&refused));
        let now = fold::fold(node.dir(), node.village).unwrap();
        assert_eq!((now.position, now.records == before.records), (before.position, true));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_district_opens_a_backup_for_a_village_that_has_only_that() {
    let (mut district, passphrase) = district(1);
    admit(&mut district).await.unwrap();
    fill(&district, 0, 5).await;
    let node = &district.nodes[0];
    let before = fold::fold(node.dir(), node.village).unwrap();
    let made = node.run(&["backup"]).await.unwrap();
    assert!(made.status.success(), "{}", said(&made));
    let shelf = node.dir().join("cadangan");
    let file = fs::read_dir(shelf).unwrap().next().unwrap().unwrap().path();
    let refused = restore(node, &file, &passphrase).await;
    assert!(said(&refused).contains("hanya bisa dibuka kabupaten"), "{}", said(&refused));

    let opened = district.folder().join("dibuka.lumbung");
    let args = ["backup", "unlock", plain(&file).unwrap(), "--out", plain(&opened).unwrap()];
    let args = [&args[..], &["--sandi-berkas", plain(&passphrase).unwrap()]].concat();
    let done = district.hub.run(&args).unwrap();
    assert!(done.status.success(), "{}", said(&done));
    fs::remove_dir_all(node.dir().join("store")).unwrap();
    let done = restore(node, &opened, &passphrase).await;
    assert!(done.status.success(), "{}", said(&done));
    let now = fold::fold(node.dir(), node.village).unwrap();
    assert_eq!((now.position, now.fingerprint), (before.position, before.fingerprint));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_of_a_restore_leaves_the_old_or_the_new() {
    let (district, passphrase) = district(1);
    fill(&district, 0, 120).await;
    let node = &district.nodes[0];
    let file = district.folder().join("satu.lumbung");
    back_up(node, &file, &passphrase).await;
    fill(&district, 0, 125).await;
    let after = fold::fold(node.dir(), node.village).unwrap();
    let (mut old, mut new) = (0, 0);
    for round in 0_u64..12 {
        let mut restoring = Command::new(BINARY)
            .args(["node", "--data", plain(node.dir()).unwrap(), "restore", plain(&file).unwrap()])
            .args(["--sandi-berkas", plain(&passphrase).unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        tokio::time::sleep(Duration::from_millis(60 * round)).await;
        restoring.kill().unwrap();
        restoring.wait().unwrap();
        // The next command settles what was left.
        let verified = node.run(&["verify"]).await.unwrap();
        assert!(verified.status.success(), "round {round}: {}", said(&verified));
        let now = fold::fold(node.dir(), node.village).unwrap();
        match now.fingerprint == after.fingerprint {
            true => old += 1,
            false => new += 1,
        }
        assert!(!node.dir().join("store.pulih").exists());
    }
    assert_eq!(old + new, 12);
    assert!(old > 0, "the first ones were killed early");
    let done = restore(node, &file, &passphrase).await;
    assert!(done.status.success(), "{}", said(&done));
}
/// An older backup is put back, with the witness or without it; the district
/// has more and hands it back.
async fn older_backup(keep_witness: bool, write_past: bool) {
    let (mut district, passphrase) = district(1);
    district.start().await.unwrap();
    fill(&district, 0, 10).await;
    let file = district.folder().join("satu.lumbung");
    back_up(&district.nodes[0], &file, &passphrase).await;
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(save(&district.nodes[0], &format!("SESUDAH {number}")).await);
    }
    district.wait_proven(WITHIN).await.unwrap();
    district.hub.stop().await.unwrap();
    district.nodes[0].stop().await.unwrap();
    if !keep_witness {
        fs::remove_file(district.nodes[0].dir().join("witness")).unwrap();
    }
    let done = restore(&district.nodes[0], &file, &passphrase).await;
    assert!(done.status.success(), "{}", said(&done));
    district.nodes[0].start().await.unwrap();
    if write_past {
        for number in 0..9 {
            ids.push(save(&district.nodes[0], &format!("KEMUDIAN {number}")).await);
        }
    }
    district.hub.start().await.unwrap();
    district.wait_proven(WITHIN).await.unwrap();
    // Proven at what the village had then; what was handed back follows.
    let node = &district.nodes[0];
    lumbung_tests::district::wait_until(WITHIN, "the lost records are back", async || {
        let mut client = node.client().await?;
        for id in &ids {
            client.show(v1::ShowRequest { id: id.clone() }).await?;
        }
        Ok(true)
    })
    .await
    .unwrap();
    district.wait_proven(WITHIN).await.unwrap();
    let incidents = district.hub.run(&["incidents"]).unwrap();
    assert!(said(&incidents).lines().count() > 1, "{}", said(&incidents));
    district.stop().await.unwrap();
    let folded = district.compare().unwrap();
    assert!(folded[0].position.epoch.0 > 1, "numbers were not used twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_after_an_older_backup_comes_back_from_the_district() {
    older_backup(true, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn also_without_the_witness_and_with_new_work_done_meanwhile() {
    older_backup(false, true).await;
}
