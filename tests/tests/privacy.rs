//! Nobody is named where it is not their office: logs hold neither names nor
//! identity numbers, also when things go wrong; what the commands and the
//! console show masks the numbers, and names residents only when asked for
//! residents.

use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::identity::Nik;
use lumbung_domain::record::{JenisKelamin, Record, Warga};
use lumbung_ledger::Source;
use lumbung_node::barn::{Change, Expected, Submission};
use lumbung_node::village::Village;
use lumbung_proto::v1;
use lumbung_tests::browser::Browser;
use lumbung_tests::district::District;
use lumbung_tests::fictitious::{FAMILY_SIZE, lone_row, nik, sheet};
use lumbung_wire::record::encode;

const FAMILIES: usize = 8;

/// In every made-up name.
const NAME: &str = "CONTOH";

/// A record no version can read, by its id.
fn unreadable_id() -> RecordId {
    RecordId::from_parts(1_700_000_000_000, 1, 7)
}

/// What may not be shown: the numbers of every made-up resident and family.
fn numbers() -> Vec<String> {
    let mut numbers = Vec::new();
    for village in 0..2 {
        for family in 0..FAMILIES {
            numbers.extend((0..FAMILY_SIZE).map(|member| nik(village, family, member)));
            numbers.push(format!("3505{}010101{:04}", 90 + village, family + 1));
        }
    }
    numbers
}

/// No number of anybody, and nothing else that looks like one.
fn check_masked(what: &str, text: &str) {
    let shown = numbers().into_iter().find(|number| text.contains(number));
    assert!(shown.is_none(), "{what} shows a number");
    let looks = |part: &str| part.len() == 16 && part.bytes().all(|byte| byte.is_ascii_digit());
    let shown = text.split(|c: char| !c.is_ascii_alphanumeric()).find(|part| looks(part));
    assert!(shown.is_none(), "{what} shows 16 digits");
}

/// Not a digit of anybody's number: with birth date and sex beside it, the
/// region and the last digits would give the rest away.
fn check_closed(what: &str, text: &str) {
    check_masked(what, text);
    for number in numbers() {
        assert!(!text.contains(&number[..6]), "{what} shows the region of a number");
    }
    assert!(!text.contains("*******0"), "{what} shows the end of a number");
}

fn check_nameless(what: &str, text: &str) {
    check_masked(what, text);
    assert!(!text.contains(NAME), "{what} names somebody");
}

fn printed(done: &Output) -> String {
    let both = [&done.stdout[..], &done.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// Two villages with residents: some rows rejected, one resident in both,
/// refused saves, one record that nobody can read, and a power cut.
async fn eventful() -> anyhow::Result<District> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 2)?;
    write_unreadable(&district).await?;
    district.start().await?;
    for (at, node) in district.nodes.iter().enumerate() {
        let mut csv = sheet(at, FAMILIES);
        if at == 1 {
            csv.push_str(&lone_row(at, &nik(0, 0, 0)));
        }
        // One family's card number lacks a digit, one NIK has a letter.
        let (card, number) = (format!("3505{}0101010003", 90 + at), nik(at, 5, 3));
        csv = csv.replace(&card, &card[..15]).replace(&number, &number.replace("3505", "35O5"));
        let file = district.folder().join(format!("warga-{at}.csv"));
        std::fs::write(&file, csv)?;
        let path = file.to_str().context("a temporary folder with a plain name")?;
        let done = node.run(&["import", path]).await?;
        anyhow::ensure!(done.status.code() == Some(3), "nothing was rejected: {}", printed(&done));
        check_nameless("an import", &printed(&done));
    }
    refused_saves(&district).await?;
    district.wait_proven(Duration::from_secs(20)).await?;
    district.nodes[0].kill()?;
    district.hub.kill()?;
    district.nodes[0].start().await?;
    district.hub.start().await?;
    district.wait_proven(Duration::from_secs(40)).await?;
    Ok(district)
}

/// A resident's record that is no message, with a name and a number in it.
async fn write_unreadable(district: &District) -> anyhow::Result<()> {
    let node = &district.nodes[0];
    let text = format!("\u{fffd} {NAME} {}", nik(0, 0, 1));
    let change = Change {
        id: unreadable_id(),
        kind: Kind::Warga.code(),
        schema: 1,
        content: Some(Bytes::from(text)),
        expected: Expected::Absent,
    };
    let submission = Submission {
        actor: Arc::from("versi-rusak"),
        source: Source::MANUAL,
        time_ms: 1_700_000_000_000,
        changes: vec![change],
    };
    let village = Village::open(node.dir(), node.village)?;
    village.barn().submit(submission).await?;
    tokio::task::spawn_blocking(|| village.close()).await?;
    Ok(())
}

/// A man who is said to be pregnant, a number that is taken, bytes that are
/// no record: what the node says to each names nobody.
async fn refused_saves(district: &District) -> anyhow::Result<()> {
    let named = || Warga { nama: format!("{NAME} TERSESAT"), ..Warga::default() };
    let sex = Some(JenisKelamin::LakiLaki);
    let wrong = Warga { jenis_kelamin: sex, hamil: Some(true), ..named() };
    let taken = Warga { nik: Nik::from_u64(nik(0, 0, 0).parse()?), ..named() };
    let payloads = [
        (Kind::Warga, encode(&Record::Warga(Box::new(wrong)))),
        (Kind::Warga, encode(&Record::Warga(Box::new(taken)))),
        (Kind::Warga, Bytes::from(format!("{NAME} {}", nik(0, 0, 2)))),
    ];
    for (kind, payload) in payloads {
        let kind = u32::from(kind.code().0);
        let change = v1::RecordChange { id: Bytes::new(), kind, delete: false, payload };
        match district.nodes[0].save(vec![change]).await {
            Ok(reply) => {
                anyhow::ensure!(reply.refused, "the save was taken");
                for note in reply.notes {
                    check_nameless("a refusal", &note.message);
                }
            }
            Err(error) => check_nameless("a refusal", &format!("{error:#}")),
        }
    }
    Ok(())
}

fn logs_name_nobody(district: &District) {
    let mut logs = vec![("the hub's log".to_owned(), district.hub.said())];
    logs.extend(district.nodes.iter().map(|node| (format!("{}'s log", node.village), node.said())));
    for (what, log) in logs {
        assert!(log.contains("stopped"), "{what} is empty");
        check_nameless(&what, &log);
        // What the log's own mask had to hold back was handed to it.
        assert!(!log.contains("[angka]"), "{what} was given a number");
        for line in log.lines().filter(|line| line.starts_with('{')) {
            let line: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
            for field in ["ts", "level", "code", "msg"] {
                assert!(line[field].is_string(), "{what} has a line without {field}: {line}");
            }
        }
    }
}

/// Every command of the hub that prints; residents are named only where
/// residents are listed.
fn hub_commands(district: &District, resident: RecordId) -> anyhow::Result<()> {
    let village = district.nodes[0].village.to_string();
    let id = resident.to_string();
    let nameless: [&[&str]; 13] = [
        &["status"],
        &["status", "--json"],
        &["needs"],
        &["needs", "--json"],
        &["villages", "list"],
        &["villages", "show", &village],
        &["findings"],
        &["findings", "--all"],
        &["quarantine", "list"],
        &["quarantine", "show", "1"],
        &["quarantine", "replay"],
        &["recap"],
        &["query", "keluarga"],
    ];
    for args in nameless {
        check_nameless(&args.join(" "), &printed(&district.hub.run(args)?));
    }
    let findings = printed(&district.hub.run(&["findings"])?);
    assert!(findings.contains("NIK yang sama"), "there is a finding to mask: {findings}");
    let quarantine = printed(&district.hub.run(&["quarantine", "list"])?);
    assert!(quarantine.contains(&unreadable_id().to_string()), "{quarantine}");
    for args in [&["query", "warga"][..], &["show", &village, &id]] {
        let shown = printed(&district.hub.run(args)?);
        assert!(shown.contains(NAME), "{args:?} shows nobody: {shown}");
        assert!(shown.contains("ada NIK") || shown.contains("NIK "), "{args:?}: {shown}");
        check_closed(&args.join(" "), &shown);
    }
    // What is closed opens with a reason, and nothing leaves without a purpose.
    let file = district.folder().join("warga.csv").display().to_string();
    let (reason, purpose) = ("surat permohonan 7", "uji daftar warga");
    for (args, extra) in [
        (&["show", &village, &id, "--spesifik"][..], ["--reason", reason]),
        (&["show", &village, &id, "--raw"], ["--reason", reason]),
        (&["export", "--kind", "warga", &file], ["--purpose", purpose]),
    ] {
        assert!(!district.hub.run(args)?.status.success(), "{args:?}");
        let done = district.hub.run(&[args, &extra[..1], &["x"]].concat())?;
        assert!(!done.status.success(), "{args:?} for nothing: {}", printed(&done));
        let done = district.hub.run(&[args, &extra[..]].concat())?;
        assert!(done.status.success(), "{args:?}: {}", printed(&done));
        let log = printed(&district.hub.ctl(&["get", "audit"])?);
        assert!(log.contains(extra[1]), "{args:?} is not noted: {log}");
    }
    let written = std::fs::read_to_string(&file)?;
    assert!(written.contains(purpose) && written.contains("Hapus paling lambat"), "{written}");
    check_closed("an export", &written);
    for args in [&["query", "warga"][..], &["get", "findings"]] {
        let shown = printed(&district.hub.ctl(args)?);
        assert!(shown.contains("ada NIK") || shown.contains("NIK yang sama"), "{args:?}: {shown}");
        check_closed(&args.join(" "), &shown);
    }
    Ok(())
}

async fn node_commands(district: &District, resident: RecordId) -> anyhow::Result<()> {
    let node = &district.nodes[0];
    let nameless: [&[&str]; 5] = [
        &["status"],
        &["status", "--json"],
        &["verify"],
        &["verify", "--json"],
        &["list", "keluarga"],
    ];
    for args in nameless {
        check_nameless(&args.join(" "), &printed(&node.run(args).await?));
    }
    let id = resident.to_string();
    for args in [&["list", "warga"][..], &["show", &id]] {
        let shown = printed(&node.run(args).await?);
        assert!(shown.contains(NAME), "{args:?} shows nobody: {shown}");
        assert!(shown.contains("*******"), "{args:?} masks nothing: {shown}");
        check_masked(&args.join(" "), &shown);
    }
    Ok(())
}

async fn console(district: &District) -> anyhow::Result<()> {
    let village = format!("/desa/{}", district.nodes[0].village.compact());
    let browser = Browser::sign_in(&district.hub, "kepala", &["--role", "kab.kepala"]).await?;
    for path in ["/", "/temuan", "/rekap", &village] {
        check_nameless(path, &browser.page(path).await?);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_stay_masked_and_logs_name_nobody() -> anyhow::Result<()> {
    let mut district = eventful().await?;
    let node = &district.nodes[0];
    let request = v1::ListRequest { kind: u32::from(Kind::Warga.code().0), limit: 2 };
    let mut list = node.client().await?.list(request).await?.into_inner();
    let mut resident = None;
    while let Some(record) = list.message().await? {
        let id = RecordId::from_slice(&record.id).context("an id")?;
        resident = Some(id).filter(|id| *id != unreadable_id()).or(resident);
    }
    let resident = resident.context("the import made residents")?;

    hub_commands(&district, resident)?;
    node_commands(&district, resident).await?;
    console(&district).await?;
    district.stop().await?;
    logs_name_nobody(&district);
    Ok(())
}
