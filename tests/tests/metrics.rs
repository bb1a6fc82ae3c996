//! What a running hub measures: well-formed, real, and everything that alerts
//! and the dashboard ask for.

#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use lumbung_demo::ports::free_address;
use lumbung_tests::browser::Browser;
use lumbung_tests::district::{District, wait_until};
use lumbung_tests::fictitious::sheet;
use lumbung_tests::receivers::get;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

const WITHIN: Duration = Duration::from_secs(40);

/// Both pages of a hub with two connected villages that have records.
async fn scraped() -> anyhow::Result<[String; 2]> {
    let mut district = District::joined(env!("CARGO_BIN_EXE_lumbung-process"), 2, None).await?;
    district.hub.stop().await?;
    let address = free_address()?;
    district.hub.arguments = vec!["--metrics".to_owned(), address.to_string()];
    district.start().await?;
    for (at, node) in district.nodes.iter().enumerate() {
        let file = district.folder().join(format!("warga-{at}.csv"));
        std::fs::write(&file, sheet(at, 3))?;
        let done = node.run(&["import", file.to_str().context("a plain name")?]).await?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    district.wait_proven(WITHIN).await?;
    district.nodes[1].save_dusun("KRAJAN").await?;
    district.wait_proven(WITHIN).await?;
    // A power cut, as far as the node is concerned.
    district.nodes[0].kill()?;
    district.nodes[0].start().await?;
    district.wait_proven(WITHIN).await?;
    let browser = Browser::sign_in(&district.hub, "siti", &["--role", "kab.operator"]).await?;
    let village = district.nodes[0].village;
    browser.page(&format!("/desa/{village}")).await?;
    let told =
        format!("lumbung_village_unclean_stops_total{{village=\"{}\"}} 1", village.compact());
    wait_until(WITHIN, "the node has told of its stop, and both are there", async || {
        let hub = get(address, "/metrics").await?.1;
        let both = hub.lines().any(|line| line == "lumbung_hub_connected_nodes 2.0");
        Ok(both && get(address, "/metrics/villages").await?.1.contains(&told))
    })
    .await?;
    let mut pages = Vec::new();
    for path in ["/metrics", "/metrics/villages"] {
        let (status, text) = get(address, path).await?;
        ensure!(status == 200, "{path}: {status}");
        pages.push(text);
    }
    let (status, _) = get(district.hub.console, "/metrics").await?;
    assert_ne!(status, 200, "metrics are on their own listener only");
    district.stop().await?;
    pages.try_into().map_err(|_| anyhow::anyhow!("two pages"))
}

/// The samples of a page: series and value.
fn samples(page: &str) -> BTreeMap<&str, f64> {
    let lines = page.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            (series, value.parse().unwrap())
        })
        .collect()
}

fn name(series: &str) -> &str {
    series.split('{').next().unwrap_or(series)
}

/// Names of all samples of a page.
fn names(page: &str) -> BTreeSet<String> {
    samples(page).keys().map(|series| name(series).to_owned()).collect()
}

/// Our own reading of the text format and of Prometheus' naming rules.
fn lint(page: &str) {
    let mut kinds = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut described = BTreeSet::new();
    for line in page.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next()) {
            (Some("#"), Some("HELP")) => {
                let name = words.next().unwrap();
                assert!(
                    words.next().is_some_and(|help| help.len() > 10),
                    "{name} is not described"
                );
                assert!(described.insert(name.to_owned()), "{name} is described twice");
            }
            (Some("#"), Some("TYPE")) => {
                let name = words.next().unwrap();
                kinds.insert(name.to_owned(), words.next().unwrap().to_owned());
            }
            _ => {
                let (series, value) = line.rsplit_once(' ').unwrap();
                assert!(seen.insert(series.to_owned()), "{series} comes twice");
                let value: f64 = value.parse().unwrap();
                assert!(value.is_finite(), "{series} is {value}");
                check_name(name(series), &kinds, &described);
                if name(series).ends_with("_timestamp_seconds") {
                    assert!((0.0..1e11).contains(&value), "{series} is {value}");
                }
            }
        }
    }
    assert!(seen.len() > 10, "a page with nearly nothing on it");
}

fn check_name(name: &str, kinds: &BTreeMap<String, String>, described: &BTreeSet<String>) {
    let family = ["_bucket", "_sum", "_count"]
        .iter()
        .filter_map(|end| name.strip_suffix(end))
        .find(|family| kinds.get(*family).is_some_and(|kind| kind == "histogram"))
        .unwrap_or(name);
    let kind = kinds.get(family).unwrap_or_else(|| panic!("{family} has no type"));
    assert!(described.contains(family), "{family} is not described");
    assert!(family.starts_with("lumbung_"), "{family}");
    assert_eq!(kind == "counter", family.ends_with("_total"), "{family} is a {kind}");
    let wrong = ["_ms", "_milliseconds", "_minutes", "_hours", "_days", "_kb", "_percent", "_age"];
    assert!(!wrong.iter().any(|end| family.ends_with(end)), "{family} is not in base units");
}

fn monitoring() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/monitoring")
}

/// Tests of the rules; those of days look less often.
const RULE_TESTS: [&str; 2] = ["lumbung.rules.test.yml", "lumbung.rules.days.test.yml"];

/// promtool, where it is: by name, in `PATH`, or put there by the script.
/// Where `LUMBUNG_REQUIRE_TOOLS` is 1, a test that goes without it fails.
fn promtool() -> Option<PathBuf> {
    let found = found_promtool();
    if found.is_none() {
        let required = std::env::var("LUMBUNG_REQUIRE_TOOLS").is_ok_and(|it| it == "1");
        assert!(!required, "promtool is required: deploy/monitoring/install-promtool gets it");
        eprintln!("SKIPPED promtool: not found; deploy/monitoring/install-promtool puts it there");
    }
    found
}

fn found_promtool() -> Option<PathBuf> {
    let named = std::env::var_os("PROMTOOL").map(PathBuf::from);
    let found = [named, Some("promtool".into()), Some(monitoring().join(".bin/promtool"))];
    found.into_iter().flatten().find(|tool| {
        let mut command = Command::new(tool);
        let tried = command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        tried.status().is_ok_and(|status| status.success())
    })
}

fn checked_by(tool: &Path, args: &[&str], input: &str) -> anyhow::Result<()> {
    let mut child = Command::new(tool)
        .args(args)
        .current_dir(monitoring())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("a pipe")?.write_all(input.as_bytes())?;
    let done = child.wait_with_output()?;
    let said = [&done.stdout[..], &done.stderr[..]].concat();
    ensure!(done.status.success(), "promtool {args:?}: {}", String::from_utf8_lossy(&said));
    Ok(())
}

/// Every metric of ours that a file names.
fn asked_for(file: &str) -> anyhow::Result<BTreeSet<String>> {
    let text = std::fs::read_to_string(monitoring().join(file))?;
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c == '_'));
    let metrics = words.filter(|word| {
        ["lumbung_hub_", "lumbung_village_", "lumbung_backup_"]
            .iter()
            .any(|start| word.starts_with(start))
    });
    Ok(metrics.map(str::to_owned).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_hub_measures_what_alerts_and_dashboard_ask_for() -> anyhow::Result<()> {
    let [hub, villages] = scraped().await?;
    lint(&hub);
    lint(&villages);
    let values = samples(&hub);
    assert_eq!(values["lumbung_hub_connected_nodes"], 2.0);
    assert_eq!(values["lumbung_hub_villages{freshness=\"segar\"}"], 2.0);
    assert_eq!(values["lumbung_hub_villages{freshness=\"belum_terdaftar\"}"], 246.0);
    assert_eq!(values["lumbung_hub_writer_up"], 1.0);
    assert_eq!(values["lumbung_hub_sessions_total{result=\"trouble\"}"], 0.0);
    let merged = values["lumbung_hub_entries_merged_total{result=\"applied\"}"];
    let of_villages = samples(&villages);
    let all = |start: &str| -> f64 {
        of_villages.iter().filter(|(series, _)| name(series) == start).map(|(_, it)| *it).sum()
    };
    let records = all("lumbung_village_records");
    assert!(records > 0.0 && merged >= records, "{merged} entries, {records} records");
    assert_eq!(all("lumbung_village_connected"), 2.0);
    // Two nodes of this machine: their disk, their processor, their stops.
    assert!(
        all("lumbung_village_disk_free_bytes") > 1e6 && all("lumbung_village_store_bytes") > 1e6
    );
    assert_eq!(all("lumbung_village_unclean_stops_total"), 1.0);
    let rtt = all("lumbung_village_rtt_seconds");
    assert!(rtt > 0.0 && rtt < 30.0, "{rtt} s");
    let arch = format!("arch=\"{}\"", std::env::consts::ARCH);
    assert_eq!(villages.matches(&arch).count(), 2, "{villages}");
    assert_eq!(all("lumbung_village_trouble"), 0.0);
    // Every entry is of a kind, and every byte came for something.
    let hub_all = |start: &str| -> f64 {
        values.iter().filter(|(series, _)| name(series) == start).map(|(_, it)| *it).sum()
    };
    let merged_all = hub_all("lumbung_hub_entries_merged_total");
    assert_eq!(hub_all("lumbung_hub_entries_by_kind_total"), merged_all);
    assert!(values["lumbung_hub_entries_by_kind_total{kind=\"warga\"}"] > 0.0);
    for class in ["opening", "catch_up", "live"] {
        let series = format!("lumbung_hub_received_bytes_total{{class=\"{class}\"}}");
        assert!(values[series.as_str()] > 0.0, "{series}");
    }
    // By the route's template: no village stands in it.
    let route = "lumbung_hub_console_request_duration_seconds_count{method=\"GET\",\
                 route=\"/desa/{code}\"}";
    assert_eq!(values.get(route), Some(&1.0), "{:?}", names(&hub));
    assert!(!hub.contains("/desa/35"), "{hub}");
    let exported: BTreeSet<String> = names(&hub).union(&names(&villages)).cloned().collect();
    assert!(names(&villages).len() <= 18, "series a village: {:?}", names(&villages));
    let mut asked = BTreeSet::new();
    for file in ["lumbung.rules.yml", "lumbung.dashboard.json"].into_iter().chain(RULE_TESTS) {
        asked.extend(asked_for(file)?);
    }
    // Letters have series once a channel is set up; `telling` sees to those.
    let known: BTreeSet<_> = ["lumbung_hub_letters_total"].map(str::to_owned).into();
    let missing: Vec<_> =
        asked.iter().filter(|it| !exported.contains(*it) && !known.contains(*it)).collect();
    assert!(asked.len() > 20 && missing.is_empty(), "asked for, not measured: {missing:?}");

    let Some(tool) = promtool() else { return Ok(()) };
    checked_by(&tool, &["check", "metrics"], &hub)?;
    checked_by(&tool, &["check", "metrics"], &villages)
}

#[test]
fn every_alert_does_what_it_says() -> anyhow::Result<()> {
    let Some(tool) = promtool() else { return Ok(()) };
    checked_by(&tool, &["check", "rules", "lumbung.rules.yml"], "")?;
    for file in RULE_TESTS {
        checked_by(&tool, &["test", "rules", file], "")?;
    }
    Ok(())
}

#[test]
fn every_alert_is_tested_and_leads_to_what_to_do() -> anyhow::Result<()> {
    let rules = std::fs::read_to_string(monitoring().join("lumbung.rules.yml"))?;
    let mut tests = String::new();
    for file in RULE_TESTS {
        tests += &std::fs::read_to_string(monitoring().join(file))?;
    }
    let guide = std::fs::read_to_string(monitoring().join("../../docs/watching.md"))?;
    let mut alerts = 0;
    for rule in rules.split("- alert: ").skip(1) {
        let name = rule.lines().next().context("a name")?;
        let runbook = format!("runbook_url: docs/watching.md#{}", name.to_lowercase());
        ensure!(rule.contains(&runbook), "{name} leads nowhere");
        ensure!(guide.lines().any(|line| line == format!("### {name}")), "{name} is not explained");
        let (_, fires) = tests
            .split_once(&format!("alertname: {name}\n        exp_alerts:\n"))
            .with_context(|| format!("{name} is never seen to fire"))?;
        ensure!(fires.trim_start().starts_with("- exp_labels"), "{name}");
        let silent = format!("alertname: {name}, exp_alerts: [] }}");
        ensure!(name == "CloneSuspected" || tests.contains(&silent), "{name} is never silent");
        alerts += 1;
    }
    ensure!(alerts > 20, "{alerts} alerts");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_port_says_that_each_service_serves() -> anyhow::Result<()> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 0)?;
    district.hub.start().await?;
    let config = std::sync::Arc::new(lumbung_identity::tls::coat()?);
    let address = district.hub.uplink.to_string();
    let channel = lumbung_node::uplink::join_channel(&address, config).await?;
    let mut health = HealthClient::new(channel);
    for service in ["", "lumbung.v1.Enrolment", "lumbung.v1.Tunnel"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let status = health.check(request).await?.into_inner().status();
        assert_eq!(status, ServingStatus::Serving, "{service}");
    }
    let unknown = HealthCheckRequest { service: "lumbung.v1.Nothing".to_owned() };
    let refused = health.check(unknown).await.err().context("an unknown service serves")?;
    assert_eq!(refused.code(), tonic::Code::NotFound);
    district.hub.stop().await
}
