//! A new operator's first day, in a real browser on a phone and on a desk:
//! from an empty hub to the first screen, a contradiction that its villages
//! end, a printed sheet, a number revealed, an export, a notice with receipts,
//! and why a village is late.
#![allow(clippy::unwrap_used, reason = "a failing test may panic")]

mod everywhere;
mod paper;
mod walk;

use std::time::Duration;

use anyhow::Context;
use lumbung_domain::id::Kind;
use lumbung_domain::region::roster;
use lumbung_hub::dataset::{ContactNote, FindingKind};
use lumbung_proto::v1;
use lumbung_telemetry::clock;
use lumbung_tests::chromium;
use lumbung_tests::district::{District, NodeProcess};
use lumbung_tests::fictitious::{lone_row, nik, sheet};
use serde_json::{Value, json};

use crate::walk::Walk;

/// Three villages with residents; one person is claimed by the first two. The
/// hub was given a map of them.
async fn district() -> anyhow::Result<District> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 3)?;
    let map = district.folder().join("peta.geojson");
    std::fs::write(&map, squares(&district).to_string())?;
    district.hub.arguments = vec!["--map".to_owned(), map.display().to_string()];
    district.start().await?;
    // The first token tells the hub where villages find it.
    district.hub.token(district.nodes[2].village, district.hub.uplink, false)?;
    for (at, node) in district.nodes.iter().enumerate() {
        let mut csv = sheet(at, 12);
        if at == 1 {
            csv.push_str(&lone_row(at, &nik(0, 0, 0)));
        }
        import(&district, node, &csv).await?;
    }
    district.wait_proven(Duration::from_secs(30)).await?;
    Ok(district)
}

/// A map: a square for each village, side by side.
fn squares(district: &District) -> Value {
    let square = |(at, node): (u32, &NodeProcess)| {
        let (left, right) = (112.0 + f64::from(at) / 10.0, 112.1 + f64::from(at) / 10.0);
        let ring = [[left, -8.0], [right, -8.0], [right, -8.1], [left, -8.1], [left, -8.0]];
        json!({
            "type": "Feature",
            "properties": { "kode": node.village.to_string() },
            "geometry": { "type": "Polygon", "coordinates": [ring] },
        })
    };
    let features: Vec<_> = (0..).zip(&district.nodes).map(square).collect();
    json!({ "type": "FeatureCollection", "features": features })
}

async fn import(district: &District, node: &NodeProcess, csv: &str) -> anyhow::Result<()> {
    let file = district.folder().join("warga.csv");
    std::fs::write(&file, csv)?;
    let done = node.run(&["import", file.to_str().context("a path")?, "--json"]).await?;
    anyhow::ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

/// The code that the hub printed for its first operator.
fn printed_code(district: &District) -> anyhow::Result<String> {
    let said = district.hub.said();
    let code = said.split("dengan kode ").nth(1).context("no code was printed")?;
    Ok(code.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect())
}

/// The second village finds that the person is not its own, and lets go of
/// them; the number of the finding that this ends.
async fn the_second_village_gives_way(district: &mut District) -> anyhow::Result<i64> {
    let village = district.nodes[1].village;
    let hub = district.hub.dataset()?;
    let findings = hub.findings(&hub.whole(), true, 9)?;
    let twin = findings.iter().find(|it| it.kind == FindingKind::NikGanda).context("a finding")?;
    let claim = twin.claims.iter().find(|claim| claim.village == village).context("its claim")?;
    let change = v1::RecordChange {
        id: claim.id.as_bytes().to_vec().into(),
        kind: Kind::Warga.code().0.into(),
        delete: true,
        ..v1::RecordChange::default()
    };
    district.nodes[1].save(vec![change]).await?;
    Ok(twin.number)
}

/// The clerks of all villages read what the district wrote under this title.
async fn clerks_read(district: &District, title: &str) -> anyhow::Result<()> {
    for node in &district.nodes {
        let listed = node.run(&["notices", "list", "--json"]).await?;
        let listed: Value = serde_json::from_slice(&listed.stdout)?;
        let notices = listed.as_array().context("a list")?;
        let notice = notices.iter().find(|it| it["judul"] == title).context("the notice")?;
        let read = node.run(&["notices", "read", notice["id"].as_str().context("an id")?]).await?;
        anyhow::ensure!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    }
    Ok(())
}

/// The last village comes every twenty hours for some days, then no more; the
/// hub is awake all the time and goes on five days after that.
async fn the_last_village_falls_silent(district: &mut District) -> anyhow::Result<()> {
    const HOUR_MS: i64 = 60 * 60 * 1000;
    /// More often than what would be taken for a hub that was away.
    const AWAKE_EVERY_MS: i64 = 9 * 60 * 1000;
    let silent = district.nodes[2].village;
    district.nodes[2].kill()?;
    district.hub.stop().await?;
    let (now_ms, visits) = (clock::now_ms(), 6);
    let until_ms = now_ms + visits * 20 * HOUR_MS + 5 * 24 * HOUR_MS;
    let dataset = district.hub.dataset()?;
    for visit in 1..=visits {
        let at_ms = now_ms + visit * 20 * HOUR_MS;
        dataset.note_contacts(&[(silent, ContactNote { at_ms, ..ContactNote::default() })])?;
    }
    let mut at_ms = now_ms;
    while at_ms < until_ms {
        at_ms += AWAKE_EVERY_MS;
        anyhow::ensure!(dataset.hub_awake(at_ms)?.is_none(), "the hub was away");
    }
    district.hub.look_away();
    district.hub.set_clock_ahead((at_ms - clock::now_ms()) / 1000 + 60);
    district.hub.start().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_operator_finds_the_way() -> anyhow::Result<()> {
    let Some(program) = chromium::program() else { return Ok(()) };
    let mut district = district().await?;
    let code = printed_code(&district)?;
    let mut desk = Walk::new(&program, &district, "meja")?;
    desk.found(&code)?;
    let mut phone = Walk::new(&program, &district, "ponsel")?;
    for walk in [&mut desk, &mut phone] {
        walk.day()?;
        walk.english()?;
        let (title, address) = walk.inform()?;
        clerks_read(&district, &title).await?;
        walk.until(&address, "dibaca 3")?;
        walk.ask()?;
        walk.reveal()?;
        walk.print()?;
        walk.export()?;
    }
    let hub = district.hub.dataset()?;
    let open = hub.findings(&hub.whole(), true, 9)?;
    let finding = open.first().context("an open finding")?.number;
    Walk::new(&program, &district, "semua")?.all(&district, finding)?;

    let number = the_second_village_gives_way(&mut district).await?;
    for walk in [&mut desk, &mut phone] {
        walk.until(&format!("/temuan/{number}"), "Tertutup sendiri")?;
    }
    the_last_village_falls_silent(&mut district).await?;
    let lost = roster().village(district.nodes[2].village).context("in the roster")?;
    for walk in [&mut desk, &mut phone] {
        walk.why(lost.name)?;
    }
    district.stop().await
}
