//! Sticks: what a village exports and the district imports, with real
//! processes, beside the network and instead of it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use lumbung_demo::ports::free_address;
use lumbung_identity::Key;
use lumbung_tests::district::{District, NodeProcess, wait_until};
use lumbung_tests::sticks::{admit, export, fill, import, plain, said, save};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const WITHIN: Duration = Duration::from_secs(60);

async fn district(villages: usize) -> District {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), villages).unwrap();
    admit(&mut district).await.unwrap();
    fs::create_dir(district.folder().join("stik")).unwrap();
    district
}

fn stick(district: &District) -> PathBuf {
    district.folder().join("stik")
}

fn names(round: usize, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("R{round} N{number}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_village_without_a_link_is_proven_equal_by_stick() {
    let mut district = district(2).await;
    let folder = stick(&district);
    fill(&district, 0, 60).await.unwrap();
    let first = export(&district.nodes[0], &folder, 0).await.unwrap();
    let done = import(&district.hub, std::slice::from_ref(&first)).unwrap();
    assert!(done.status.success(), "{}", said(&done));
    assert!(said(&done).contains("Terbukti sama"), "{}", said(&done));

    // Twice changes nothing.
    let before = district.hub.village(district.nodes[0].village).unwrap();
    let again = import(&district.hub, std::slice::from_ref(&first)).unwrap();
    assert!(again.status.success() && said(&again).contains("tidak ada yang ditambahkan"));
    let after = district.hub.village(district.nodes[0].village).unwrap();
    assert_eq!((before.position, before.fingerprint), (after.position, after.fingerprint));
    assert!(after.is_fresh_by_stick(after.last_stick_ms));
    assert!(after.answer_to.starts_with("age1"), "{}", after.answer_to);

    let status = district.hub.run(&["status", "--json"]).unwrap();
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!((&status["by_stick"], &status["fresh"]), (&1.into(), &1.into()), "{status}");
    assert_eq!((&status["unseen"], &status["late"]), (&1.into(), &0.into()), "{status}");

    // Three sticks, in any order; the middle one alone names the gap.
    district.nodes[0].start().await.unwrap();
    let mut parts = Vec::new();
    for round in 0..3 {
        let from = district.nodes[0].seq().await.unwrap() + 1;
        save(&district.nodes[0], &names(round, 5)).await.unwrap();
        parts.push(export(&district.nodes[0], &folder, from).await.unwrap());
    }
    let gap = import(&district.hub, &parts[1..2]).unwrap();
    let next = after.position.unwrap().seq.next();
    assert!(!gap.status.success());
    assert!(said(&gap).contains(&format!("--from {next}")), "{}", said(&gap));
    parts.rotate_left(1);
    let done = import(&district.hub, &parts).unwrap();
    assert!(done.status.success(), "{}", said(&done));
    let beyond = district.nodes[0].seq().await.unwrap() + 2;
    let nothing = export(&district.nodes[0], &folder, beyond).await;
    assert!(nothing.unwrap_err().to_string().contains("Pilih --from"));
    district.stop().await.unwrap();
    district.nodes.truncate(1);
    district.compare().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_foreign_and_forged_sticks_are_each_refused_in_words() {
    let district = district(2).await;
    let folder = stick(&district);
    for node in 0..2 {
        fill(&district, node, 3).await.unwrap();
    }
    let sound = export(&district.nodes[0], &folder, 0).await.unwrap();
    let bytes = fs::read(&sound).unwrap();
    let broken = district.folder().join("rusak.bundel");
    let refused = |bytes: &[u8], word: &str| {
        fs::write(&broken, bytes).unwrap();
        let done = import(&district.hub, std::slice::from_ref(&broken)).unwrap();
        assert!(!done.status.success(), "{}", said(&done));
        assert!(said(&done).contains(word), "{word}: {}", said(&done));
    };
    for part in 1..12 {
        refused(&bytes[..bytes.len() * part / 12], "terpotong");
    }
    refused(b"", "terpotong");
    refused(&bytes[..bytes.len() - 1], "terpotong");
    for place in [30, 200, bytes.len() / 2, bytes.len() - 20] {
        let mut changed = bytes.clone();
        changed[place] ^= 0x20;
        refused(&changed, "Tidak ada yang diubah");
    }
    refused(b"ini bukan bundel, hanya catatan", "bukan berkas bundel");

    // Another district: another key. One without the village: no list.
    let other = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 0).unwrap();
    let done = import(&other.hub, std::slice::from_ref(&sound)).unwrap();
    assert!(said(&done).contains("kabupaten lain"), "{}", said(&done));
    let key = |hub: &lumbung_tests::district::HubProcess| hub.dir().join("identity/backup.age");
    fs::copy(key(&district.hub), key(&other.hub)).unwrap();
    let done = import(&other.hub, std::slice::from_ref(&sound)).unwrap();
    assert!(said(&done).contains("belum ada di daftar"), "{}", said(&done));

    // A stick in one village's name from another one's machine.
    let keys: Vec<_> =
        district.nodes.iter().map(|node| node.dir().join("identity/key.pem")).collect();
    let own = fs::read(&keys[0]).unwrap();
    fs::copy(&keys[1], &keys[0]).unwrap();
    let forged = export(&district.nodes[0], &folder, 0).await.unwrap();
    let done = import(&district.hub, std::slice::from_ref(&forged)).unwrap();
    assert!(said(&done).contains("tidak ditandatangani"), "{}", said(&done));
    fs::remove_file(&keys[0]).unwrap();
    Key::load_or_create(&keys[0]).unwrap();
    let stranger = export(&district.nodes[0], &folder, 0).await.unwrap();
    let done = import(&district.hub, std::slice::from_ref(&stranger)).unwrap();
    assert!(said(&done).contains("tidak ditandatangani"), "{}", said(&done));
    fs::write(&keys[0], own).unwrap();

    // Nothing of all that was taken; both sound sticks are, side by side.
    let mut district = district;
    for node in 0..2 {
        assert_eq!(district.hub.village(district.nodes[node].village).unwrap().position, None);
    }
    let second = export(&district.nodes[1], &folder, 0).await.unwrap();
    let done = import(&district.hub, &[second, broken, sound]).unwrap();
    assert!(said(&done).contains("1 dari 3 berkas tidak digabung"), "{}", said(&done));
    district.compare().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn stick_and_network_in_any_order_end_proven_equal() {
    let mut dice = ChaCha8Rng::seed_from_u64(20_261_124);
    let mut district = district(1).await;
    let folder = stick(&district);
    district.start().await.unwrap();
    let village = district.nodes[0].village;
    let (here, nowhere) = (district.nodes[0].address, free_address().unwrap());
    let mut sticks: Vec<PathBuf> = Vec::new();
    for round in 0..14 {
        save(&district.nodes[0], &names(round, dice.random_range(1..30))).await.unwrap();
        match dice.random_range(0..4) {
            // The link is there for a while.
            0 => {
                district.hub.add(village, here).unwrap();
                district.wait_proven(WITHIN).await.unwrap();
                district.hub.add(village, nowhere).unwrap();
            }
            // A stick from anywhere in the log, or from what is confirmed.
            1 | 2 => {
                let last = district.nodes[0].seq().await.unwrap();
                let from = if dice.random() { 0 } else { dice.random_range(1..=last) };
                sticks.push(export(&district.nodes[0], &folder, from).await.unwrap());
            }
            _ => {}
        }
        if !sticks.is_empty() && dice.random() {
            let stick = sticks[dice.random_range(0..sticks.len())].clone();
            let done = import(&district.hub, &[stick]).unwrap();
            let text = said(&done);
            assert!(done.status.success() || text.contains("--from"), "{text}");
        }
    }
    // All sticks at once, and one that has everything.
    sticks.push(export(&district.nodes[0], &folder, 1).await.unwrap());
    let done = import(&district.hub, &sticks).unwrap();
    assert!(said(&done).contains("Terbukti sama"), "{}", said(&done));
    let seq = district.nodes[0].seq().await.unwrap();
    let state = district.hub.village(village).unwrap();
    assert_eq!((state.proven_seq.0, state.trouble.as_str()), (seq, ""));
    district.hub.add(village, here).unwrap();
    save(&district.nodes[0], &names(99, 3)).await.unwrap();
    district.wait_proven(WITHIN).await.unwrap();
    district.stop().await.unwrap();
    district.compare().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_beside_a_pull_of_the_same_village_takes_nothing_twice() {
    let mut district = district(1).await;
    let folder = stick(&district);
    fill(&district, 0, 700).await.unwrap();
    let all = export(&district.nodes[0], &folder, 1).await.unwrap();
    // The hub dials: the node knows no address.
    let (village, address) = (district.nodes[0].village, district.nodes[0].address);
    district.hub.add(village, address).unwrap();
    district.nodes[0].start().await.unwrap();
    district.hub.start().await.unwrap();
    // The hub is pulling the same entries at this moment.
    let done = import(&district.hub, &[all]).unwrap();
    assert!(done.status.success(), "{}", said(&done));
    district.wait_proven(WITHIN).await.unwrap();
    save(&district.nodes[0], &names(0, 5)).await.unwrap();
    district.wait_proven(WITHIN).await.unwrap();
    let village = district.nodes[0].village;
    let hub = &mut district.hub;
    wait_until(WITHIN, "no trouble is left", async || Ok(hub.village(village)?.trouble.is_empty()))
        .await
        .unwrap();
    let hub = district.hub.dataset().unwrap();
    assert!(hub.quarantine(&hub.whole()).unwrap().is_empty());
    district.stop().await.unwrap();
    district.compare().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_districts_answer_comes_back_by_stick() {
    let mut district = district(2).await;
    let folder = stick(&district);
    let village = district.nodes[0].village;
    for node in 0..2 {
        fill(&district, node, 10).await.unwrap();
    }
    let answer = |district: &District, code: &str, name: &str| {
        let file = district.folder().join(name);
        let done =
            district.hub.run(&["bundle", "export", code, "--out", plain(&file).unwrap()]).unwrap();
        (done, file)
    };
    let (early, _) = answer(&district, &village.compact(), "dini.jawaban");
    assert!(said(&early).contains("belum pernah mengirim bundel"), "{}", said(&early));

    let mut bundles = Vec::new();
    for node in &district.nodes {
        bundles.push(export(node, &folder, 0).await.unwrap());
    }
    assert!(import(&district.hub, &bundles).unwrap().status.success());
    let (done, file) = answer(&district, &village.compact(), "satu.jawaban");
    assert!(done.status.success(), "{}", said(&done));

    // The next bundle begins after what the answer confirms.
    let node = &district.nodes[0];
    let seq = district.hub.village(village).unwrap().position.unwrap().seq.0;
    let take = async |node: &NodeProcess, file: &std::path::Path| {
        node.run(&["bundle", "import", plain(file).unwrap()]).await.unwrap()
    };
    for _ in 0..2 {
        let taken = take(node, &file).await;
        assert!(taken.status.success(), "{}", said(&taken));
        assert!(said(&taken).contains(&format!("sampai nomor {seq};")), "{}", said(&taken));
    }
    let next = node.run(&["bundle", "export", "--out", plain(&folder).unwrap()]).await.unwrap();
    assert!(said(&next).contains("Tidak ada perubahan baru"), "{}", said(&next));

    // Another village's answer, a cut one, and one of another district.
    let other = take(&district.nodes[1], &file).await;
    assert!(said(&other).contains("desa lain"), "{}", said(&other));
    let bytes = fs::read(&file).unwrap();
    let cut = district.folder().join("potong.jawaban");
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let refused = take(node, &cut).await;
    assert!(said(&refused).contains("terpotong"), "{}", said(&refused));
    let hub_key = district.hub.dir().join("identity/hub.key");
    let old = fs::read(&hub_key).unwrap();
    fs::remove_file(&hub_key).unwrap();
    let (_, forged) = answer(&district, &village.compact(), "palsu.jawaban");
    let refused = take(node, &forged).await;
    assert!(said(&refused).contains("tidak ditandatangani kabupaten"), "{}", said(&refused));
    fs::write(&hub_key, old).unwrap();
}
