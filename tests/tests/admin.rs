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
use lumbung_tests::district::District;
use lumbung_tests::fictitious::dusun;
use serde_json::{Value, json};

async fn district() -> anyhow::Result<District> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 2)?;
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
    assert!(!recap.is_empty());
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

#[test]
fn completions_are_scripts_that_the_shell_reads() -> anyhow::Result<()> {
    let district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 0)?;
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
    let done = Command::new(env!("CARGO_BIN_EXE_lumbung-process"))
        .args(["hubctl", "--", "lumbung-hubctl"])
        .args(typed)
        .env("LUMBUNG_LENGKAPI", "bash")
        .env("_CLAP_COMPLETE_INDEX", typed.len().to_string())
        .env("_CLAP_IFS", "\n")
        .output()?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(String::from_utf8(done.stdout)?)
}
