//! The operators' command line against a running hub, over its socket, and
//! the hub's own commands while it runs and while it does not.
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use lumbung_domain::id::Kind;
use lumbung_domain::region::roster;
use lumbung_proto::v1;
use lumbung_tests::district::{District, HubProcess, wait_until};
use lumbung_tests::fictitious::{FAMILY_SIZE, dusun, lone_row, nik, sheet};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_lumbung-process");

async fn district() -> anyhow::Result<District> {
    let mut district = District::new(BINARY, 2)?;
    district.start().await?;
    for node in &district.nodes {
        let change = v1::RecordChange {
            id: bytes::Bytes::new(),
            kind: u32::from(Kind::Dusun.code().0),
            delete: false,
            payload: dusun("KRAJAN"),
        };
        ensure!(!node.save(vec![change]).await?.refused, "a dusun was refused");
    }
    district.wait_proven(Duration::from_secs(20)).await?;
    Ok(district)
}

fn code(done: &Output) -> i32 {
    done.status.code().unwrap_or(-1)
}

fn rows(done: &Output) -> anyhow::Result<Vec<Value>> {
    let words = String::from_utf8_lossy(&done.stderr);
    ensure!(code(done) == 0, "{words}");
    let value: Value = serde_json::from_slice(&done.stdout)?;
    Ok(value["rows"].as_array().context("rows")?.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_typed_and_ends_have_their_codes() -> anyhow::Result<()> {
    let mut district = district().await?;
    let hub = &district.hub;
    let own = district.nodes[0].village.to_string();
    let waited = hub.ctl(&["wait", &own, "--timeout", "20"])?;
    assert_eq!(code(&waited), 0, "{}", String::from_utf8_lossy(&waited.stderr));

    let villages = rows(&hub.ctl(&["get", "villages", "-o", "json"])?)?;
    assert_eq!(villages.len(), roster().villages().len());
    let found = villages.iter().find(|row| row["code"] == own.as_str()).context("listed")?;
    for (key, golden) in [
        ("state", json!("segar")),
        ("proven", json!(true)),
        ("lag", json!(0)),
        ("records", json!(1)),
        ("merged_seq", json!(1)),
        ("trouble", json!("")),
        ("last_stick_ms", Value::Null),
    ] {
        assert_eq!(found[key], golden, "{key}");
    }
    assert_eq!(rows(&hub.ctl(&["get", "sessions", "-o", "json"])?)?.len(), 2);
    let records = rows(&hub.ctl(&["query", "dusun", "--village", &own, "-o", "json"])?)?;
    assert_eq!((records.len(), &records[0]["title"]), (1, &json!("KRAJAN")));
    let me = rows(&hub.ctl(&["whoami", "-o", "json"])?)?;
    assert_eq!(me[0]["role"], "kab.kepala");
    let csv = hub.ctl(&["get", "villages", "--village", &own, "-o", "csv"])?;
    assert_eq!(String::from_utf8(csv.stdout)?.lines().count(), 2);
    let recap = rows(&hub.ctl(&["recap", &own, "-o", "json"])?)?;
    let total = recap.last().context("a total")?;
    assert!(total["jml_kk"].is_u64() && text(total, "region").contains('.'), "{total}");
    let file = district.folder().join("dusun.csv");
    let file = file.display().to_string();
    assert_eq!(code(&hub.ctl(&["export", "--kind", "dusun", &file])?), 2, "what for?");
    let export =
        |purpose: &str| hub.ctl(&["export", "--kind", "dusun", "--purpose", purpose, &file]);
    assert_eq!(code(&export("uji")?), 4, "that says nothing");
    assert_eq!(code(&export("laporan bulanan dinas")?), 0);
    assert!(std::fs::read_to_string(&file)?.contains("KRAJAN"));
    let audit = rows(&hub.ctl(&["get", "audit", "-o", "json"])?)?;
    let audit = audit.iter().map(Value::to_string);
    let noted: Vec<_> = audit.filter(|row| row.contains("data.ekspor")).collect();
    let until = lumbung_telemetry::clock::today().checked_add(jiff::Span::new().days(30))?;
    assert_eq!(noted.len(), 1, "{noted:?}");
    let words = format!("dusun, 2 catatan, tanpa NIK, sampai {until}: laporan bulanan dinas");
    assert!(noted[0].contains(&words), "{}", noted[0]);

    for (args, exit) in [
        (&["get", "villages", "--village", "9999999999"][..], 3),
        (&["describe", "village", "9999999999"], 3),
        (&["query", "rumah"], 2),
        (&["get", "nothing"], 2),
        (&["recap", "xyz"], 2),
        (&["revoke", &own], 2),
        (&["revoke", &own, "--yes"], 4),
        (&["token", "cancel", "7"], 3),
        (&["quarantine", "replay", "7"], 3),
        (&["sync", "now", &own, "9999999999"], 6),
        (&["sync", "now", &own], 0),
        (&["prove", &own], 0),
        (&["describe", "village", &own], 0),
        (
            &[
                "wait",
                "--for",
                "connected",
                "--timeout",
                "0",
                &roster().villages()[9].code.to_string(),
            ],
            7,
        ),
        (&["audit", "verify"], 0),
    ] {
        let done = hub.ctl(args)?;
        assert_eq!(code(&done), exit, "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
    // What was done is in the log; what was refused for lack of a subject not.
    let audit = rows(&hub.ctl(&["get", "audit", "-o", "json"])?)?;
    let acts: Vec<_> = audit.iter().filter_map(|row| row["act"].as_str()).collect();
    let done = ["desa.sinkron", "desa.sinkron", "desa.sinkron", "data.ekspor"];
    assert_eq!(acts[..4], done);
    // Before the hub ran, its own commands registered the villages.
    assert_eq!(acts[4..], ["desa.catatan", "desa.catatan"]);
    assert!(audit.iter().all(|row| row["operator"].as_str().unwrap().starts_with("lokal:")));

    district.hub.stop().await?;
    assert_eq!(code(&district.hub.ctl(&["get", "villages"])?), 8);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hubs_own_commands_say_the_same_through_the_hub_and_on_the_file() -> anyhow::Result<()>
{
    let mut district = district().await?;
    let own = district.nodes[0].village.to_string();
    let asked: &[&[&str]] = &[
        &["incidents", "--json"],
        &["findings"],
        &["quarantine", "list"],
        &["query", "dusun"],
        &["recap", &own],
        &["operators", "list"],
        &["villages", "show", "9999999999"],
        &["villages", "budget", &own, "25"],
        &["join-token", "cancel", "7"],
    ];
    let all = |district: &District| -> anyhow::Result<Vec<_>> {
        let said = |args: &&[&str]| {
            let done = district.hub.run(args)?;
            Ok((code(&done), done.stdout, done.stderr))
        };
        asked.iter().map(said).collect()
    };
    let running = all(&district)?;
    let page = district.folder().join("halaman.html");
    let page = page.display().to_string();
    let made = ["join-token", "create", &own, "--address", "10.0.0.1:1", "--page", &page];
    let made = district.hub.run(&made)?;
    assert_eq!(code(&made), 0, "{}", String::from_utf8_lossy(&made.stderr));
    assert!(std::fs::read_to_string(&page)?.contains("Sekali pakai"));
    // One process alone has the folder: a second hub does not start.
    let second = district.hub.run(&["serve", "--console", "127.0.0.1:0"]);
    assert_ne!(code(&second?), 0);
    district.stop().await?;
    assert_eq!(running, all(&district)?);
    let audit = district.hub.run(&["status"])?;
    assert_eq!(code(&audit), 0);
    Ok(())
}

/// Two villages with residents; both claim one person.
async fn inhabited() -> anyhow::Result<District> {
    let mut district = District::new(BINARY, 2)?;
    district.start().await?;
    for (at, node) in district.nodes.iter().enumerate() {
        let mut csv = sheet(at, FAMILIES);
        if at == 1 {
            csv.push_str(&lone_row(at, &nik(0, 0, 0)));
        }
        let file = district.folder().join("warga.csv");
        std::fs::write(&file, csv)?;
        let done = node.run(&["import", file.to_str().context("a path")?, "--json"]).await?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    district.wait_proven(Duration::from_secs(60)).await?;
    Ok(district)
}

/// Families of a village of the scene.
const FAMILIES: usize = 8;

fn said(done: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

/// Runs a command that ends well; what it said.
fn well(hub: &HubProcess, args: &[&str]) -> anyhow::Result<String> {
    let done = hub.ctl(args)?;
    ensure!(code(&done) == 0, "{args:?}: {}", said(&done));
    Ok(said(&done))
}

/// The rows of a list.
fn list(hub: &HubProcess, args: &[&str]) -> anyhow::Result<Vec<Value>> {
    rows(&hub.ctl(&[args, &["-o", "json"]].concat())?).with_context(|| format!("{args:?}"))
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn residents_are_found_and_opened_one_at_a_time_with_a_reason() -> anyhow::Result<()> {
    let district = inhabited().await?;
    let hub = &district.hub;
    let (own, number) = (district.nodes[0].village.to_string(), nik(0, 0, 0));
    let people = list(hub, &["get", "warga", "--village", &own, "--limit", "1000"])?;
    assert_eq!(people.len(), FAMILIES * FAMILY_SIZE);
    let found =
        list(hub, &["get", "warga", "--name", "contoh a", "--sex", "L", "--agama", "islam"])?;
    let person = found.iter().find(|row| row["name"] == "CONTOH A").context("found by name")?;
    let reference = text(person, "ref");
    let old = list(hub, &["get", "warga", "--village", &own, "--age-from", "45"])?;
    assert_eq!(old.len(), people.len() / 2, "those born in 1970");
    let heads = list(hub, &["get", "warga", "--village", &own, "--heads"])?;
    assert_eq!(heads.len(), FAMILIES);
    assert_eq!(list(hub, &["get", "keluarga", "--village", &own])?.len(), FAMILIES);
    assert_eq!(list(hub, &["get", "rt", "--village", &own])?.len(), 2);
    assert_eq!(list(hub, &["get", "dasawisma"])?.len(), 0);
    let houses = list(hub, &["get", "rumah-tangga", "--village", &own])?;
    let house = houses.first().context("a house")?;
    let unsettled = list(hub, &["get", "rumah-tangga", "--village", &own, "--gap", "dasawisma"])?;
    assert_eq!(unsettled.len(), houses.len(), "nobody is in a dasawisma");
    assert_eq!(list(hub, &["get", "warga", "--gap", "tanggal_lahir"])?.len(), 0);
    let lives = well(hub, &["describe", "rumah-tangga", text(house, "ref")])?;
    assert!(lives.contains("CONTOH"), "{lives}");

    // Not a digit of a number shows before it is opened.
    let closed = well(hub, &["describe", "warga", reference, "-o", "wide"])?;
    assert!(closed.contains("CONTOH A") && closed.contains("****"), "{closed}");
    assert!(!closed.contains(&number[..6]), "{closed}");
    assert_eq!(code(&hub.ctl(&["reveal", reference, "--reason", "uji"])?), 4, "that says nothing");
    let reason = "permohonan tertulis nomor 470/7";
    let opened = well(hub, &["reveal", reference, "--reason", reason])?;
    assert!(opened.contains(&number), "{opened}");
    let log = list(hub, &["get", "audit", "--act", "data.buka"])?;
    assert_eq!(log.len(), 1, "{log:?}");
    assert_eq!(reference, text(&log[0], "subject"), "{log:?}");
    assert!(text(&log[0], "words").contains(reason), "{log:?}");

    // A number is typed where nobody else sees it.
    let mut asked = Command::new(BINARY)
        .args(["hubctl", "--hub"])
        .arg(hub.dir())
        .args(["find-nik", "-o", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    asked.stdin.take().context("piped")?.write_all(format!("{number}\n").as_bytes())?;
    let carriers = rows(&asked.wait_with_output()?)?;
    assert_eq!(carriers.len(), 2, "two villages claim the person");
    assert!(carriers.iter().any(|row| text(row, "ref") == reference));
    assert_eq!(code(&hub.ctl(&["find-nik", &number])?), 2, "never an argument");
    let refused = hub.ctl(&["describe", "warga", &number])?;
    assert_eq!(code(&refused), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_has_two_sides_and_both_are_asked() -> anyhow::Result<()> {
    let district = inhabited().await?;
    let hub = &district.hub;
    let findings = list(hub, &["get", "findings"])?;
    let twin = findings.iter().find(|row| text(row, "finding").contains("NIK"));
    let number = twin.context("a person in two villages")?["number"].to_string();
    let sides = list(hub, &["describe", "finding", &number])?;
    let line = |what: &str| sides.iter().find(|row| row["what"] == what).context("a line");
    let codes = line("kode desa")?;
    let mut codes = [text(codes, "side_1"), text(codes, "side_2")];
    codes.sort_unstable();
    assert_eq!(codes, [0, 1].map(|at| district.nodes[at].village.to_string()));
    let names = line("Nama")?;
    let mut names = [text(names, "side_1"), text(names, "side_2")];
    names.sort_unstable();
    assert_eq!(names, ["CONTOH A", "CONTOH KEMBAR"]);
    let all = well(hub, &["get", "findings", "-o", "csv"])?;
    assert!(!all.contains(&nik(0, 0, 0)[..6]), "{all}");

    let question = "Mohon diperiksa kartunya.";
    well(hub, &["ask", "finding", &number, "--message", question])?;
    assert!(well(hub, &["describe", "finding", &number])?.contains(question));
    let notices = list(hub, &["get", "notices"])?;
    let letter = notices.first().context("the question")?["number"].to_string();
    assert_eq!(list(hub, &["describe", "notice", &letter])?.len(), 2, "to both villages");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_villages_and_recaps_are_kept_from_the_command_line() -> anyhow::Result<()> {
    let district = inhabited().await?;
    let hub = &district.hub;
    let own = district.nodes[0].village.to_string();
    let write = ["notice", "write", "--title", "Posyandu", "--text", "Jadwal baru.", "--to", &own];
    assert!(well(hub, &[&write[..], &["--dry-run"]].concat())?.contains("1 desa"));
    assert_eq!(list(hub, &["get", "notices"])?.len(), 0, "nothing was kept");
    well(hub, &[&write[..], &["--category", "administrasi"]].concat())?;
    well(hub, &["notice", "correct", "1", "--text", "Jadwal lain."])?;
    let shown = well(hub, &["describe", "notice", "1"])?;
    assert!(shown.contains("Posyandu") && shown.contains("Jadwal lain."), "{shown}");
    wait_until(Duration::from_secs(30), "the notice arrives", async || {
        let receipts = list(hub, &["describe", "notice", "1"])?;
        Ok(receipts.len() == 1 && receipts[0]["state"] == "sampai")
    })
    .await?;
    assert_eq!(code(&hub.ctl(&["notice", "withdraw", "1"])?), 2, "without a word");
    well(hub, &["notice", "withdraw", "1", "--yes"])?;
    assert_eq!(list(hub, &["get", "notices"])?[0]["state"], "ditarik");
    assert_eq!(code(&hub.ctl(&["notice", "correct", "1", "--title", "Lagi"])?), 4);

    well(hub, &["contact", "set", &own, "--name", "Bu Uji", "--telephone", "0812-000"])?;
    well(hub, &["remark", "set", &own, "kantor pindah"])?;
    well(hub, &["budget", &own, "250"])?;
    let village = well(hub, &["describe", "village", &own])?;
    for words in ["Bu Uji, 0812-000", "kantor pindah", "250 kB"] {
        assert!(village.contains(words), "{words}: {village}");
    }
    well(hub, &["contact", "clear", &own])?;
    assert!(!well(hub, &["describe", "village", &own])?.contains("Bu Uji"));
    assert!(well(hub, &["describe", "village", &own, "--lang", "en"])?.contains("proven equal"));

    let quality = list(hub, &["get", "quality", "--village", &own])?;
    assert_eq!((quality.len(), &quality[0]["residents"]), (1, &json!(FAMILIES * FAMILY_SIZE)));
    let now = list(hub, &["get", "freshness"])?.pop().context("now")?;
    assert_eq!(now["segar"], 2, "{now}");
    let versions = list(hub, &["get", "versions"])?;
    assert_eq!(versions[0]["villages"], 2, "{versions:?}");
    well(hub, &["maintenance", "start", &own, "--hours", "2", "--reason", "listrik padam"])?;
    let windows = list(hub, &["get", "maintenance"])?;
    assert_eq!((windows.len(), text(&windows[0], "region")), (1, own.as_str()));
    well(hub, &["maintenance", "end", &windows[0]["number"].to_string()])?;
    assert_eq!(list(hub, &["get", "maintenance"])?.len(), 0);
    assert_eq!(code(&hub.ctl(&["alert", "test"])?), 4, "nobody is named");

    let book = district.folder().join("rekap.xlsx").display().to_string();
    well(hub, &["recap", &own, "--out", &book])?;
    assert!(std::fs::read(&book)?.starts_with(b"PK"));
    let office = well(hub, &["recap", &own, "-o", "csv"])?;
    let public = ["recap", &own, "--public", "-o", "csv"];
    assert_eq!(code(&hub.ctl(&public)?), 4, "nothing was published");
    let day = lumbung_hub::recap::closed_period(lumbung_telemetry::clock::today()).to_string();
    assert_eq!(code(&hub.ctl(&["publish", &day])?), 2, "it asks first");
    assert_eq!(code(&hub.ctl(&["publish", "2026-02-03", "--yes"])?), 4, "no end of a quarter");
    well(hub, &["publish", &day, "--yes"])?;
    assert_eq!(code(&hub.ctl(&["publish", &day, "--yes"])?), 4, "once");
    let made = list(hub, &["get", "publications"])?;
    assert_eq!((made.len(), text(&made[0], "date")), (1, day.as_str()));
    let public = well(hub, &public)?;
    assert!(public.contains('*') && !office.contains('*'), "{public}");

    let today = lumbung_telemetry::clock::today();
    let (from, until) = (today.to_string(), today.yesterday()?.to_string());
    let narrowed = |more: &[&str]| list(hub, &[&["get", "audit"], more].concat());
    assert_eq!(narrowed(&["--act", "pemeliharaan", "--since", &from])?.len(), 2);
    assert_eq!(narrowed(&["--until", &until])?.len(), 0);
    assert_eq!(narrowed(&["--operator", "tidak.ada"])?.len(), 0);
    Ok(())
}

#[test]
fn completions_are_scripts_that_the_shell_reads() -> anyhow::Result<()> {
    let district = District::new(BINARY, 0)?;
    let script = district.hub.operators(&["completion", "bash"])?;
    assert_eq!(code(&script), 0);
    let mut shell = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn()?;
    shell.stdin.take().context("piped")?.write_all(&script.stdout)?;
    assert!(shell.wait()?.success());
    let script = String::from_utf8(script.stdout)?;
    assert!(script.contains("lumbung-hubctl"), "{script}");
    assert_eq!(code(&district.hub.operators(&["completion", "zsh"])?), 0);
    let own = roster().villages()[0].code.to_string();
    let kecamatan = roster().kecamatan()[0].name;
    for (typed, offered) in [
        (&["get", "quar"][..], "quarantine"),
        (&["notice", "wri"], "write"),
        (&["get", "audit", "--act", "data.b"], "data.buka"),
        (&["get", "warga", "--agama", "isl"], "1"),
        (&["hold", &own[..own.len() - 1]], own.as_str()),
        (&["describe", "village", kecamatan], own.as_str()),
    ] {
        let found = completed(typed)?;
        assert!(found.lines().any(|line| line == offered), "{typed:?}: {found}");
    }
    Ok(())
}

/// What the shell is offered behind these words.
fn completed(typed: &[&str]) -> anyhow::Result<String> {
    let done = Command::new(BINARY)
        .args(["hubctl", "--", "lumbung-hubctl"])
        .args(typed)
        .env("LUMBUNG_LENGKAPI", "bash")
        .env("_CLAP_COMPLETE_INDEX", typed.len().to_string())
        .env("_CLAP_IFS", "\n")
        .output()?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(String::from_utf8(done.stdout)?)
}
