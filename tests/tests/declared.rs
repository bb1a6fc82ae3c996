//! Totals that a village states itself, from the clerk's file to the district's
//! comparison with the records.
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::process::Output;
use std::time::Duration;

use anyhow::{Context, ensure};
use lumbung_telemetry::clock;
use lumbung_tests::district::{District, NodeProcess};
use lumbung_tests::fictitious::sheet;
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_lumbung-process");

/// Four residents each.
const FAMILIES: usize = 8;

fn said(done: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

async fn exits(node: &NodeProcess, args: &[&str], code: i32) -> anyhow::Result<String> {
    let done = node.run(args).await?;
    ensure!(done.status.code() == Some(code), "{args:?}: {}", said(&done));
    Ok(said(&done))
}

/// Rows of the district's comparison: region's name, total, stated, counted,
/// difference.
fn compared(district: &District, args: &[&str]) -> anyhow::Result<Vec<(String, String, [i64; 3])>> {
    let asked = [&["get", "quality", "--declared", "-o", "json"], args].concat();
    let done = district.hub.ctl(&asked)?;
    ensure!(done.status.success(), "{}", said(&done));
    let value: Value = serde_json::from_slice(&done.stdout)?;
    let rows = value["rows"].as_array().context("rows")?.iter().map(|row| {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let number = |key: &str| row[key].as_i64().unwrap_or(i64::MIN);
        (text("name"), text("total"), ["stated", "counted", "difference"].map(number))
    });
    Ok(rows.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn stated_totals_reach_the_district_and_are_held_against_the_records() -> anyhow::Result<()> {
    let mut district = District::new(BINARY, 1)?;
    district.start().await?;
    let (node, folder) = (&district.nodes[0], district.folder().to_path_buf());
    let path = |name: &str| folder.join(name).display().to_string();
    std::fs::write(path("warga.csv"), sheet(0, FAMILIES))?;
    exits(node, &["import", &path("warga.csv")], 0).await?;

    let today = clock::today();
    let declared = path("jumlah.csv");
    std::fs::write(
        &declared,
        format!(
            "tanggal;dusun;rw;rt;dasawisma;sumber;jiwa;laki_laki;perempuan;kk\n\
             {today};;;;;Monografi desa;40;20;20;9\n\
             {today};Krajan;1;1;;Ketua RT;16;;;4\n\
             {today};Krajan;1;9;;Ketua RT;16;;;4\n"
        ),
    )?;
    let words = exits(node, &["declare", "import", &declared, "--dry-run"], 3).await?;
    assert!(words.contains("tidak ada yang disimpan"), "{words}");
    let words = exits(node, &["declare", "import", &declared], 3).await?;
    assert!(words.contains("2 pernyataan baru, 0 berubah, 0 sama, 1 baris ditolak"), "{words}");
    assert!(words.contains("Baris 4: RT 9 tidak ada di desa ini"), "{words}");
    let words = exits(node, &["declare", "import", &declared], 3).await?;
    assert!(words.contains("0 pernyataan baru, 0 berubah, 2 sama"), "{words}");
    let day = today.to_string();
    exits(node, &["declare", "set", "--tanggal", &day, "kk=8"], 0).await?;
    exits(node, &["declare", "set", "--tanggal", &day, "keluarga=8"], 1).await?;
    exits(node, &["declare", "set", "--tanggal", "1-1-2100", "kk=8"], 1).await?;
    let listed: Value =
        serde_json::from_str(&exits(node, &["declare", "list", "--json"], 0).await?)?;
    let listed = listed.as_array().context("a list")?;
    assert_eq!(listed.len(), 2, "the same day stated anew replaces");
    let whole = listed.iter().find(|it| it["wilayah_id"].is_null()).context("the village's")?;
    assert_eq!((&whole["jumlah"]["kk"], &whole["jumlah"]["jiwa"]), (&8.into(), &40.into()));
    let words = exits(node, &["list", "pernyataan-jumlah"], 0).await?;
    assert!(words.contains("jumlah desa per") && words.contains("jumlah wilayah per"), "{words}");
    let id = whole["id"].as_str().context("an id")?;
    let words = exits(node, &["show", id], 0).await?;
    assert!(words.contains("Jumlah jiwa") && words.contains("Monografi desa"), "{words}");
    for made in ["dibuat ", " oleh operator-desa, diubah "] {
        assert!(words.contains(made), "{words}");
    }

    // One with a wrong day goes again.
    exits(node, &["declare", "set", "--tanggal", "1-1-2020", "jiwa=1"], 0).await?;
    let listed: Value =
        serde_json::from_str(&exits(node, &["declare", "list", "--json"], 0).await?)?;
    let wrong =
        listed.as_array().into_iter().flatten().find(|it| it["per_tanggal"] == "2020-01-01");
    let wrong = wrong.and_then(|it| it["id"].as_str()).context("it is listed")?.to_owned();
    exits(node, &["declare", "remove", &wrong], 0).await?;
    exits(node, &["declare", "remove", &wrong], 1).await?;

    district.wait_proven(Duration::from_secs(30)).await?;
    let village = district.nodes[0].village;
    let name = lumbung_domain::region::roster().village(village).unwrap().full_name();
    let of = |name: &str, total: &str, numbers| (name.to_owned(), total.to_owned(), numbers);
    let whole = [
        of(&name, "Jumlah jiwa", [40, 32, 8]),
        of(&name, "Laki-laki", [20, 16, 4]),
        of(&name, "Perempuan", [20, 16, 4]),
        of(&name, "Jumlah KK", [8, 8, 0]),
    ];
    assert_eq!(compared(&district, &[])?, whole);
    let own = compared(&district, &["--region", &village.to_string()])?;
    let name = "RT 001, RW 001, Dusun KRAJAN";
    let rt = [of(name, "Jumlah jiwa", [16, 16, 0]), of(name, "Jumlah KK", [4, 4, 0])];
    assert_eq!(own, [&whole[..], &rt].concat());
    district.stop().await?;
    district.compare()?;
    Ok(())
}
