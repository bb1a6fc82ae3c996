//! Notices of the district with real processes: who gets them, whatever
//! happens on the way, and what comes back.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::sync::Arc;
use std::time::Duration;

use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::informasi::Sasaran;
use lumbung_domain::region::roster;
use lumbung_hub::dataset::HubsOwn;
use lumbung_hub::dataset::notices::{NoticeVillage, Reach};
use lumbung_hub::notices::{Created, Draft, create, one, withdraw};
use lumbung_ledger::Source;
use lumbung_node::barn::{Change, Expected, Submission};
use lumbung_node::village::Village;
use lumbung_telemetry::clock;
use lumbung_tests::browser::{Browser, form};
use lumbung_tests::district::{District, HubProcess, NodeProcess, wait_until};
use lumbung_tests::sticks::{admit, export, fill, import, plain, said};

/// A village that was away is tried again every 30 s at most.
const WITHIN: Duration = Duration::from_secs(60);

fn draft(judul: &str) -> Draft {
    Draft {
        judul: judul.to_owned(),
        isi: "Sabtu pukul 08.00 di lapangan.\nBawa kantong sendiri.".to_owned(),
        kategori: None,
        terbit: None,
        berlaku_sampai: None,
    }
}

fn send(hub: &mut HubProcess, judul: &str, sasaran: Vec<Sasaran>) -> Created {
    let dataset: &dyn HubsOwn = hub.dataset().unwrap();
    create(dataset, draft(judul), sasaran, "penguji", clock::now_ms()).unwrap()
}

fn reach(hub: &mut HubProcess, number: i64) -> Reach {
    one(hub.dataset().unwrap(), number).unwrap().listed.reach
}

fn at(hub: &mut HubProcess, number: i64, node: &NodeProcess) -> NoticeVillage {
    let villages = one(hub.dataset().unwrap(), number).unwrap().villages;
    villages.into_iter().find(|it| it.village == node.village).unwrap()
}

/// Titles and states as the node's command lists them.
async fn listed(node: &NodeProcess) -> Vec<(String, String, bool)> {
    let done = node.run(&["notices", "list", "--semua", "--json"]).await.unwrap();
    assert!(done.status.success(), "{}", said(&done));
    let told: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let text = |it: &serde_json::Value| it.as_str().unwrap().to_owned();
    let one = |it: &serde_json::Value| {
        (text(&it["judul"]), text(&it["keadaan"]), it["dibaca"].as_bool().unwrap())
    };
    told.as_array().unwrap().iter().map(one).collect()
}

async fn reached(district: &mut District, number: i64, expected: Reach) {
    let hub = &mut district.hub;
    let arrived = wait_until(WITHIN, "the notice comes as far as that", async || {
        Ok(reach(hub, number) == expected)
    });
    if let Err(error) = arrived.await {
        panic!("{error:#}: {:?}", reach(hub, number));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_reaches_its_kecamatan_is_read_and_withdrawn() {
    // The last village in the roster's first kecamatan, and the one after it.
    let villages = roster().villages();
    let first = villages[0].kecamatan;
    let inside = villages.iter().take_while(|desa| desa.kecamatan == first).count();
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 0).unwrap();
    let mut nodes = District::new(env!("CARGO_BIN_EXE_lumbung-process"), inside + 1).unwrap();
    for node in nodes.nodes.split_off(inside - 1) {
        district.hub.add(node.village, node.address).unwrap();
        district.nodes.push(node);
    }
    district.start().await.unwrap();
    district.wait_proven(WITHIN).await.unwrap();
    let created = send(&mut district.hub, "Operasi pasar", vec![Sasaran::Kecamatan(first)]);
    assert_eq!(created.villages, inside);
    let targeted = inside as u64;
    reached(&mut district, created.number, Reach { targeted, delivered: 1, read: 0 }).await;
    let here = ("Operasi pasar".to_owned(), "berlaku".to_owned(), false);
    assert_eq!(listed(&district.nodes[0]).await, [here]);
    assert_eq!(listed(&district.nodes[1]).await, []);

    // Its receipt is a record like any other.
    district.wait_proven(WITHIN).await.unwrap();
    let there = at(&mut district.hub, created.number, &district.nodes[0]);
    assert!(there.received_ms > 0 && there.read_ms.is_none(), "{there:?}");
    let id = created.id.to_string();
    let read = district.nodes[0].run(&["notices", "read", &id]).await.unwrap();
    assert!(read.status.success(), "{}", said(&read));
    let shown = district.nodes[0].run(&["notices", "show", &id]).await.unwrap();
    assert!(said(&shown).contains("Dibaca perangkat desa"), "{}", said(&shown));
    let unknown = district.nodes[1].run(&["notices", "read", &id]).await.unwrap();
    assert!(!unknown.status.success() && said(&unknown).contains("tidak ada di desa ini"));
    reached(&mut district, created.number, Reach { targeted, delivered: 1, read: 1 }).await;

    withdraw(district.hub.dataset().unwrap(), created.number, "penguji", clock::now_ms()).unwrap();
    let node = &district.nodes[0];
    wait_until(WITHIN, "the village knows that it is withdrawn", async || {
        Ok(listed(node).await[0].1 == "ditarik")
    })
    .await
    .unwrap();
    reached(&mut district, created.number, Reach { targeted, delivered: 1, read: 1 }).await;
    district.wait_proven(WITHIN).await.unwrap();
    district.stop().await.unwrap();
    // The other one has nothing at all.
    assert!(district.hub.village(district.nodes[1].village).unwrap().position.is_none());
    district.nodes.truncate(1);
    district.compare().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_absent_villages_get_every_notice_once() {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 2).unwrap();
    district.start().await.unwrap();
    district.wait_proven(WITHIN).await.unwrap();
    district.nodes[1].stop().await.unwrap();
    let target = || vec![Sasaran::Kabupaten];
    let mut numbers = Vec::new();
    for round in 0..6 {
        numbers.push(send(&mut district.hub, &format!("Nomor {round}"), target()).number);
        // Somewhere between the hub's wish and the node's answer.
        tokio::time::sleep(Duration::from_millis(300 * round)).await;
        district.nodes[0].kill().unwrap();
        district.nodes[0].start().await.unwrap();
    }
    district.nodes[1].start().await.unwrap();
    let hub = &mut district.hub;
    for node in &district.nodes {
        wait_until(WITHIN, "every notice has its receipt at the hub", async || {
            Ok(numbers.iter().all(|number| at(hub, *number, node).received_ms > 0))
        })
        .await
        .unwrap();
        let mut titles: Vec<_> = listed(node).await.into_iter().map(|it| it.0).collect();
        titles.sort_unstable();
        assert_eq!(titles, (0..6).map(|round| format!("Nomor {round}")).collect::<Vec<_>>());
        // One receipt each, however often it was handed over.
        assert_eq!(node.seq().await.unwrap(), 6);
    }
    district.wait_proven(WITHIN).await.unwrap();
    district.stop().await.unwrap();
    district.compare().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_village_of_sticks_gets_notices_and_answers_by_stick() {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1).unwrap();
    admit(&mut district).await.unwrap();
    let folder = district.folder().join("stik");
    std::fs::create_dir(&folder).unwrap();
    fill(&district, 0, 3).await.unwrap();
    let village = district.nodes[0].village;
    let created = send(&mut district.hub, "Bansos", vec![Sasaran::Desa(village)]);
    let bundle = export(&district.nodes[0], &folder, 0).await.unwrap();
    let done = import(&district.hub, &[bundle]).unwrap();
    assert!(done.status.success(), "{}", said(&done));

    let answer = district.folder().join("jawaban");
    let (path, code) = (plain(&answer).unwrap(), village.compact());
    let export_answer = ["bundle", "export", code.as_str(), "--out", path];
    let done = district.hub.run(&export_answer).unwrap();
    assert!(said(&done).contains("1 informasi untuk desa ini ikut dibawa"), "{}", said(&done));
    assert!(listed(&district.nodes[0]).await.is_empty());
    for _ in 0..2 {
        let done = district.nodes[0].run(&["bundle", "import", path]).await.unwrap();
        assert!(done.status.success(), "{}", said(&done));
    }
    assert_eq!(listed(&district.nodes[0]).await.len(), 1);
    let id = created.id.to_string();
    let read = district.nodes[0].run(&["notices", "read", &id]).await.unwrap();
    assert!(read.status.success(), "{}", said(&read));
    assert_eq!(reach(&mut district.hub, created.number).delivered, 0, "no stick has come back");

    let bundle = export(&district.nodes[0], &folder, 0).await.unwrap();
    let done = import(&district.hub, &[bundle]).unwrap();
    assert!(done.status.success(), "{}", said(&done));
    let expected = Reach { targeted: 1, delivered: 1, read: 1 };
    assert_eq!(reach(&mut district.hub, created.number), expected);
    // The next answer does not carry it again.
    std::fs::remove_file(&answer).unwrap();
    let done = district.hub.run(&export_answer).unwrap();
    assert!(done.status.success() && !said(&done).contains("informasi"), "{}", said(&done));
    district.compare().unwrap();
}

/// Of what a page says: the RT boxes' record ids and numbers.
fn rt_boxes(page: &str) -> Vec<String> {
    let boxes = page.split("name=\"rt\" value=\"").skip(1);
    boxes.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_writes_to_one_rt_and_corrects_it() {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 2).unwrap();
    district.start().await.unwrap();
    for at in 0..2 {
        fill(&district, at, 3).await.unwrap();
    }
    district.wait_proven(WITHIN).await.unwrap();
    let who = Browser::sign_in(&district.hub, "siti", &["--role", "kab.operator"]).await.unwrap();
    let desa = district.nodes[0].village.compact();
    let words = |judul| [("judul", judul), ("isi", "Kamis pagi"), ("kategori", "1")];
    let to = [&words("Kerja bakti")[..], &[("desa", desa.as_str())]].concat();
    let asked = form(&[&to[..], &[("kirim", "rt")]].concat());
    let rts = rt_boxes(&who.post("/informasi", &asked).await.unwrap().text());
    assert!(!rts.is_empty());
    let chosen = form(&[&to[..], &[("rt", rts[0].as_str()), ("kirim", "ya")]].concat());
    let sent = who.post("/informasi", &chosen).await.unwrap();
    assert_eq!(sent.status, 303, "{}", sent.text());
    let path = sent.header("location").unwrap().to_owned();
    let node = &district.nodes[0];
    let heard = async |judul: &str| {
        wait_until(WITHIN, "the village has it", async || {
            Ok(listed(node).await.iter().any(|it| it.0 == judul))
        })
        .await
        .unwrap();
    };
    heard("Kerja bakti").await;
    assert!(listed(&district.nodes[1]).await.is_empty());

    let corrected = form(&[&words("Ralat: kerja bakti")[..], &[("versi", "1")]].concat());
    let answer = who.post(&format!("{path}/perbaiki"), &corrected).await.unwrap();
    assert_eq!(answer.status, 303, "{}", answer.text());
    heard("Ralat: kerja bakti").await;
    assert_eq!(listed(node).await.len(), 1, "the next version takes the first one's place");
    let page = who.page(&path).await.unwrap();
    assert!(page.contains("1 RT di") && page.contains("versi 2"), "{page}");
    district.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_village_hears_which_record_it_has_to_correct() {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1).unwrap();
    let village = district.nodes[0].village;
    let change = Change {
        id: RecordId::from_parts(1_700_000_000_000, 1, 7),
        kind: Kind::Dusun.code(),
        schema: 1,
        content: Some(bytes::Bytes::from_static(b"\xff\xff no protobuf")),
        expected: Expected::Absent,
    };
    let submission = Submission {
        actor: Arc::from("rusak"),
        source: Source(9),
        time_ms: 1_700_000_000_000,
        changes: vec![change],
    };
    {
        let broken = Village::open(district.nodes[0].dir(), village).unwrap();
        broken.barn().submit(submission).await.unwrap();
    }
    // The barn closes once its writer has gone.
    let node = &mut district.nodes[0];
    wait_until(WITHIN, "the node starts", async || node.start().await.map(|()| true))
        .await
        .unwrap();
    district.hub.start().await.unwrap();
    district.wait_proven(WITHIN).await.unwrap();
    let who = Browser::sign_in(&district.hub, "siti", &["--role", "kab.operator"]).await.unwrap();
    let still = who.post("/karantina/1/ulang", "").await.unwrap();
    assert_eq!(still.header("location"), Some("/karantina?hasil=tetap"), "{}", still.text());
    let asked = who.post("/karantina/1/kembali", "").await.unwrap();
    assert_eq!(asked.header("location"), Some("/karantina?hasil=dikirim"), "{}", asked.text());
    let node = &district.nodes[0];
    wait_until(WITHIN, "the village is told", async || {
        Ok(listed(node).await.iter().any(|it| it.0 == "Catatan nomor urut 1 perlu diperbaiki"))
    })
    .await
    .unwrap();
    district.stop().await.unwrap();
}
