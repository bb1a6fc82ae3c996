//! What the hub tells a collector of traces: a real hub, a real node, and
//! OTLP over a real socket. And: a collector that is not there changes
//! nothing.

#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use lumbung_demo::ports::free_address;
use lumbung_tests::browser::{Browser, form};
use lumbung_tests::collector::{Collector, Told};
use lumbung_tests::district::{District, wait_until};
use lumbung_tests::fictitious::{nik, sheet};
use lumbung_tests::scene::{copy, put_back};

const WITHIN: Duration = Duration::from_secs(40);

/// In every made-up name.
const NAME: &str = "CONTOH";

/// Who asks; must not be told either.
const OPERATOR: &str = "kepala";

/// A hub that sends its traces there, and one node with residents.
async fn district(arguments: &[&str]) -> anyhow::Result<District> {
    let mut district = District::joined(env!("CARGO_BIN_EXE_lumbung-process"), 1, None).await?;
    district.hub.stop().await?;
    district.hub.arguments = arguments.iter().map(|it| (*it).to_owned()).collect();
    district.start().await?;
    let file = district.folder().join("warga.csv");
    std::fs::write(&file, sheet(0, 6))?;
    let done = district.nodes[0].run(&["import", file.to_str().context("a plain name")?]).await?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    district.wait_proven(WITHIN).await?;
    Ok(district)
}

/// What an operator does all day, with names and numbers in it.
async fn a_day(district: &District) -> anyhow::Result<()> {
    let browser = Browser::sign_in(&district.hub, OPERATOR, &["--role", "kab.kepala"]).await?;
    let village = district.nodes[0].village.compact();
    browser.page("/").await?;
    browser.page(&format!("/desa/{village}")).await?;
    browser.page("/rekap").await?;
    let asked = browser.post("/cari", &form(&[("nama", NAME), ("apa", "warga")])).await?;
    let ticket = asked.header("location").context("no ticket")?.to_owned();
    let found = browser.page(&ticket).await?;
    ensure!(found.contains(NAME), "nobody is found: {found}");
    let person = browser.post("/cari/nik", &form(&[("nik", &nik(0, 0, 0))])).await?;
    browser.page(person.header("location").context("nobody has the number")?).await?;
    ensure!(browser.get(&format!("/{}", nik(0, 0, 1))).await?.status == 404, "no such page");
    let listed = district.hub.ctl(&["get", "villages"])?;
    ensure!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    Ok(())
}

fn named<'a>(told: &'a [Told], name: &str) -> anyhow::Result<&'a Told> {
    let mut names: Vec<_> = told.iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    told.iter().find(|span| span.name == name).with_context(|| format!("no {name} in {names:?}"))
}

/// The span of this name right below another.
fn below<'a>(told: &'a [Told], above: &Told, name: &str) -> anyhow::Result<&'a Told> {
    let below = told.iter().filter(|span| span.parent == above.id && span.trace == above.trace);
    let below: Vec<_> = below.collect();
    let found = below.iter().find(|span| span.name == name);
    found.copied().with_context(|| format!("no {name} below {}: {below:?}", above.name))
}

fn says(span: &Told, key: &str, value: &str) {
    assert_eq!(span.attributes.get(key).map(String::as_str), Some(value), "{key} of {span:?}");
}

/// No text of a span holds a number or a name of anybody.
fn names_nobody(told: &[Told]) {
    for text in told.iter().flat_map(|span| &span.texts) {
        let longest = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
        assert!(longest < Some(16), "a number that may be somebody's: {text}");
        assert!(!text.contains(NAME), "a resident: {text}");
        assert!(!text.contains(OPERATOR), "an operator: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_merges_and_calls_are_told_and_nobody_is_named() -> anyhow::Result<()> {
    let collector = Collector::start().await?;
    let mut district = district(&["--otlp", &collector.url()]).await?;
    a_day(&district).await?;
    let village = district.nodes[0].village.to_string();
    // The last spans leave with the hub.
    district.stop().await?;
    let told = collector.told();

    for span in &told {
        let of = |key: &str| span.resource.get(key).map(String::as_str);
        assert_eq!(of("service.name"), Some("lumbung-hub"));
        assert_eq!(of("service.version"), Some(env!("CARGO_PKG_VERSION")));
        assert!(span.during_ns.0 <= span.during_ns.1, "{span:?}");
    }
    names_nobody(&told);

    let page = named(&told, "GET /desa/{code}")?;
    assert_eq!((page.kind, page.parent.len(), page.failed), ("server", 0, false));
    says(page, "http.route", "/desa/{code}");
    says(page, "http.request.method", "GET");
    says(page, "http.response.status_code", "200");
    let recap = named(&told, "GET /rekap")?;
    says(below(&told, recap, "recap")?, "lumbung.region.level", "kabupaten");
    let answer = named(&told, "GET /cari/{ticket}")?;
    says(below(&told, answer, "search")?, "lumbung.search.kind", "warga");
    let by_number = named(&told, "POST /cari/nik")?;
    says(below(&told, by_number, "search")?, "lumbung.search.kind", "nik");
    let nowhere = named(&told, "GET")?;
    says(nowhere, "http.response.status_code", "404");
    assert!(!nowhere.attributes.contains_key("http.route"), "{nowhere:?}");
    let listed = named(&told, "lumbung.v1.Admin/Get")?;
    assert_eq!((listed.kind, listed.parent.len()), ("server", 0));
    says(listed, "rpc.response.status_code", "OK");

    let session = named(&told, "open session")?;
    says(session, "lumbung.village", &village);
    for method in ["lumbung.v1.Sync/Hello", "lumbung.v1.Sync/Pull"] {
        let call = below(&told, session, method)?;
        assert_eq!((call.kind, call.failed), ("client", false));
        says(call, "lumbung.village", &village);
        says(call, "rpc.method", method);
        says(call, "rpc.system.name", "grpc");
        says(call, "rpc.response.status_code", "OK");
    }

    let batch = named(&told, "pulled batch")?;
    assert_eq!((batch.parent.len(), batch.failed), (0, false));
    says(batch, "lumbung.village", &village);
    says(batch, "lumbung.acked", "true");
    below(&told, batch, "verify")?;
    let merge = below(&told, batch, "merge")?;
    says(merge, "lumbung.villages", "1");
    says(merge, "lumbung.village", &village);
    says(merge, "db.system.name", "sqlite");
    assert!(batch.during_ns.0 <= merge.during_ns.0, "{batch:?} {merge:?}");
    assert!(merge.during_ns.1 <= batch.during_ns.1, "the ack comes last: {batch:?} {merge:?}");
    let rows = |name: &str| -> u64 {
        let spans = told.iter().filter(|span| span.name == name);
        spans.map(|span| span.attributes["lumbung.rows"].parse::<u64>().unwrap()).sum()
    };
    assert!(rows("merge") >= 24, "six families have 24 residents");
    assert_eq!(rows("merge"), rows("pulled batch"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ratio_of_nothing_sends_nothing() -> anyhow::Result<()> {
    let collector = Collector::start().await?;
    let mut district = district(&["--otlp", &collector.url(), "--otlp-ratio", "0"]).await?;
    a_day(&district).await?;
    district.stop().await?;
    assert!(collector.told().is_empty(), "{:?}", collector.told());
    Ok(())
}

/// The lines of the hub's log with this code.
fn lines(district: &District, code: &str) -> usize {
    district.hub.said().lines().filter(|line| line.contains(code)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_not_there_holds_up_nothing() -> anyhow::Result<()> {
    let address = free_address()?;
    let mut district = district(&["--otlp", &format!("http://{address}")]).await?;
    a_day(&district).await?;
    let told = async |code: &str| {
        wait_until(WITHIN, code, async || {
            // Something to tell.
            one_page(&district).await?;
            Ok(lines(&district, code) > 0)
        })
        .await
    };
    told("TRC-1301").await?;
    // Time for some more messages that are lost.
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(lines(&district, "TRC-1301"), 1, "told once, not for each message");
    assert_eq!(lines(&district, "TRC-1302"), 0);
    let collector = Collector::start_at(address).await?;
    told("TRC-1302").await?;
    assert!(!collector.told().is_empty());
    stops_soon(&mut district).await
}

/// A collector that takes the connection and never answers, as a machine
/// that hangs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_hangs_holds_up_nothing() -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let silent = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    let mut district = district(&["--otlp", &url]).await?;
    // More than waits in memory, while nothing is taken.
    let begun = Instant::now();
    for _ in 0..5_000 {
        one_page(&district).await?;
    }
    let took = begun.elapsed();
    assert!(took < WITHIN, "{took:?} for pages that are a file each");
    a_day(&district).await?;
    assert_eq!(lines(&district, "TRC-1301"), 1, "told once, not for each span");
    stops_soon(&mut district).await?;
    silent.abort();
    Ok(())
}

/// A page, which makes a span.
async fn one_page(district: &District) -> anyhow::Result<()> {
    let answer = Browser::stranger(district.hub.console).get("/icon.svg").await?;
    ensure!(answer.status == 200, "the console answers {}", answer.status);
    Ok(())
}

async fn stops_soon(district: &mut District) -> anyhow::Result<()> {
    let asked = Instant::now();
    district.hub.stop().await?;
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(6), "it took {took:?} to stop");
    district.stop().await
}

#[test]
fn an_address_that_is_none_is_refused_in_words() -> anyhow::Result<()> {
    let district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 0)?;
    for wrong in [
        &["serve", "--otlp", "127.0.0.1:4317"][..],
        &["serve", "--otlp", "https://jejak.example:4317"],
        &["serve", "--otlp", "http://127.0.0.1:4317", "--otlp-ratio", "1.5"],
    ] {
        let done = district.hub.run(wrong)?;
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && said.contains("Tidak ada yang dijalankan"), "{said}");
    }
    Ok(())
}

/// A node that went back to an older copy, so that it logs something in a
/// call of the hub: that its log forked.
async fn rewound(district: &mut District) -> anyhow::Result<serde_json::Value> {
    let node = &mut district.nodes[0];
    let (dir, old) = (node.dir().to_path_buf(), node.dir().with_extension("lama"));
    node.stop().await?;
    copy(&dir, &old)?;
    node.start().await?;
    node.save_dusun("SESUDAH SALINAN").await?;
    district.wait_proven(WITHIN).await?;
    let node = &mut district.nodes[0];
    node.stop().await?;
    put_back(&old, &dir)?;
    node.start().await?;
    wait_until(WITHIN, "the log forks", async || Ok(node.said().contains("the log forked")))
        .await?;
    let said = node.said();
    let line = said.lines().find(|line| line.contains("the log forked")).context("just seen")?;
    Ok(serde_json::from_str(line)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nodes_log_names_the_trace_of_the_hubs_call() -> anyhow::Result<()> {
    let collector = Collector::start().await?;
    let mut district = district(&["--otlp", &collector.url()]).await?;
    let line = rewound(&mut district).await?;
    let trace = line["trace"].as_str().with_context(|| format!("no trace in {line}"))?;
    district.stop().await?;
    let told = collector.told();
    let restarts: Vec<_> =
        told.iter().filter(|span| span.name == "lumbung.v1.Sync/Restart").collect();
    let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let ids: Vec<_> = restarts.iter().map(|span| hex(&span.trace)).collect();
    assert!(ids.iter().any(|id| id == trace), "{line}, but the hub's are {ids:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_traces_a_nodes_log_names_none() -> anyhow::Result<()> {
    let mut district = district(&[]).await?;
    let line = rewound(&mut district).await?;
    assert_eq!(line.get("trace"), None, "{line}");
    district.stop().await
}
