//! Somebody who comes back to a village that was set up anew, and whose family
//! was written down again meanwhile: both ends say which family it may be,
//! neither decides, and one row of a sheet puts it right.

#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

use anyhow::{Context as _, ensure};
use lumbung_telemetry::clock;
use lumbung_tests::district::wait_until;
use lumbung_tests::fictitious::sheet;
use lumbung_tests::scene::{Scene, WITHIN};

const BINARY: &str = env!("CARGO_BIN_EXE_lumbung-process");

/// What the operators' command prints, as JSON.
fn asked(scene: &Scene, args: &[&str]) -> anyhow::Result<serde_json::Value> {
    let done = scene.district.hub.ctl(&[args, &["-o", "json"]].concat())?;
    ensure!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(serde_json::from_slice(&done.stdout)?)
}

async fn import(scene: &Scene, csv: &str) -> anyhow::Result<()> {
    let file = scene.district.folder().join("warga.csv");
    std::fs::write(&file, csv)?;
    let done = scene.district.nodes[0]
        .run(&["import", file.to_str().context("a path")?, "--json"])
        .await?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

/// References of the residents in no known house.
fn unplaced(scene: &Scene) -> anyhow::Result<Vec<String>> {
    let listed = asked(scene, &["get", "warga", "--unplaced"])?;
    let rows = listed["rows"].as_array().context("rows")?;
    Ok(rows.iter().filter_map(|row| row["ref"].as_str().map(str::to_owned)).collect())
}

/// What the village's own list says.
async fn clerk_is_told(scene: &Scene) -> anyhow::Result<String> {
    let listed = scene.district.nodes[0].run(&["list", "warga", "--tanpa-keluarga"]).await?;
    ensure!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    Ok(String::from_utf8(listed.stdout)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_without_a_family_is_told_of_and_put_right_by_one_row() -> anyhow::Result<()>
{
    let mut scene = Scene::new(BINARY).await?;
    let whole = sheet(0, 2);
    import(&scene, &whole).await?;
    scene.wait_equal(0).await?;

    // A new machine; all rows but one are typed in again.
    let since = scene.reinstall().await?;
    let mut rows: Vec<&str> = whole.lines().collect();
    let missing = rows.remove(4);
    import(&scene, &(rows.join("\n") + "\n")).await?;
    scene.wait_equal(since).await?;
    assert!(unplaced(&scene)?.is_empty());

    // What is left over comes back: one person, whose family has another record.
    let since = clock::now_ms();
    let code = scene.district.nodes[0].village.to_string();
    let done = scene.district.hub.ctl(&["leftovers", "return", &code])?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    wait_until(WITHIN, "somebody is back", async || Ok(unplaced(&scene)?.len() == 1)).await?;
    scene.wait_equal(since).await?;
    let person = unplaced(&scene)?.remove(0);
    let shown = asked(&scene, &["describe", "warga", &person])?;
    let about = shown["rows"].as_array().context("rows")?;
    let now = about.iter().find(|row| row["what"] == "kartu keluarga itu sekarang");
    let head = now.and_then(|row| row["value"].as_str()).context("no family is named")?;
    assert!(whole.lines().nth(1).context("a row")?.contains(head), "{head}");
    assert_eq!(unplaced(&scene)?.len(), 1, "nobody was moved");
    let name = missing.split(';').nth(3).context("a name")?;
    let told = clerk_is_told(&scene).await?;
    assert!(told.contains(name) && told.contains("1 warga hidup tanpa keluarga"), "{told}");

    let header = whole.lines().next().context("a header")?;
    let since = clock::now_ms();
    import(&scene, &format!("{header}\n{missing}\n")).await?;
    scene.wait_equal(since).await?;
    assert!(unplaced(&scene)?.is_empty());
    let told = clerk_is_told(&scene).await?;
    assert!(told.contains("Semua warga hidup ada di keluarga"), "{told}");
    scene.finish().await?;
    let village = scene.district.nodes[0].village;
    assert_eq!(scene.district.hub.village(village)?.warga, 8, "nobody is there twice");
    Ok(())
}
