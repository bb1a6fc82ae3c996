//! The hub's own backup: made while it works, tried, put back, and what came
//! after it comes again.
#![allow(clippy::unwrap_used, reason = "a test says where it failed")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use lumbung_demo::ports::free_address;
use lumbung_telemetry::clock;
use lumbung_tests::browser::Browser;
use lumbung_tests::district::{District, wait_until};
use lumbung_tests::fictitious::sheet;
use lumbung_tests::receivers;

const BINARY: &str = env!("CARGO_BIN_EXE_lumbung-process");

const WITHIN: Duration = Duration::from_secs(60);

fn said(done: &Output) -> String {
    let all = [&done.stdout[..], &done.stderr[..]].concat();
    String::from_utf8_lossy(&all).into_owned()
}

/// Runs a command of the hub on its file and passphrase.
fn on(district: &District, words: &[&str], file: &Path, passphrase: &Path) -> Output {
    let paths = [file.to_str().unwrap(), "--sandi-berkas", passphrase.to_str().unwrap()];
    district.hub.run(&[words, &paths].concat()).unwrap()
}

fn secret(district: &District, name: &str, words: &str) -> PathBuf {
    let path = district.folder().join(name);
    std::fs::write(&path, words).unwrap();
    path
}

/// What the first page says of the last backup.
async fn last_backup(who: &Browser) -> anyhow::Result<String> {
    let page = who.page("/").await?;
    let (_, rest) = page.split_once("Cadangan terakhir</dt>").context("a line of the hub's")?;
    let (cell, _) = rest.split_once("</dd>").context("its value")?;
    Ok(cell.trim().trim_start_matches("<dd>").to_owned())
}

async fn import(district: &District, at: usize, number: usize) -> anyhow::Result<()> {
    let file = district.folder().join(format!("warga-{at}-{number}.csv"));
    std::fs::write(&file, sheet(number, 4))?;
    let done = district.nodes[at].run(&["import", file.to_str().context("plain")?]).await?;
    ensure!(done.status.success(), "{}", said(&done));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_goes_back_and_everything_after_it_comes_again() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 2, None).await?;
    let metrics = free_address()?;
    district.hub.stop().await?;
    district.hub.arguments = vec!["--metrics".to_owned(), metrics.to_string()];
    district.start().await?;
    import(&district, 0, 1).await?;
    import(&district, 1, 2).await?;
    district.wait_proven(WITHIN).await?;
    let who = Browser::sign_in(&district.hub, "siti", &["--role", "kab.operator"]).await?;
    assert_eq!(last_backup(&who).await?, "belum pernah");

    let (file, right) =
        (district.folder().join("hub.lumbung"), secret(&district, "s1", "kerbau besar di sawah"));
    let made = on(&district, &["backup", "create"], &file, &right);
    assert!(made.status.success(), "{}", said(&made));
    assert!(said(&made).contains("2 desa") && said(&made).contains("kunci kabupaten"));
    assert_eq!(std::fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
    let again = on(&district, &["backup", "create"], &file, &right);
    assert!(!again.status.success() && said(&again).contains("tidak ditimpa"), "{}", said(&again));
    let open = district.hub.run(&["backup", "create", "lain"])?;
    assert!(said(&open).contains("--sandi-berkas atau"), "{}", said(&open));
    let shown = on(&district, &["backup", "show"], &file, &right);
    assert!(said(&shown).contains("Cadangan hub utuh"), "{}", said(&shown));
    wait_until(WITHIN, "the hub knows of its backup", async || {
        let (_, text) = receivers::get(metrics, "/metrics").await?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("lumbung_backup_last_success_timestamp_seconds "));
        Ok(line.context("measured")?.parse::<f64>()? > 0.0)
    })
    .await?;
    assert_ne!(last_backup(&who).await?, "belum pernah");

    import(&district, 0, 3).await?;
    district.nodes[1].save_dusun("SUMBER").await?;
    district.wait_proven(WITHIN).await?;
    let running = on(&district, &["restore"], &file, &right);
    assert!(said(&running).contains("Hentikan hub dulu"), "{}", said(&running));
    district.hub.stop().await?;
    district.hub.look_away();

    refused(&district, &file, &right)?;

    let restored = on(&district, &["restore"], &file, &right);
    assert!(restored.status.success(), "{}", said(&restored));
    let went_back = district.hub.village(district.nodes[0].village)?;
    assert!(went_back.position.context("a position")?.seq.0 < district.nodes[0].seq().await?);
    district.hub.look_away();
    let since_ms = clock::now_ms();
    district.hub.start().await?;
    district.wait_proven(WITHIN).await?;
    assert!(district.hub.village(district.nodes[0].village)?.last_proof_ms >= since_ms);
    // Whoever was signed in when the backup was made has to come again.
    assert_eq!(who.get("/").await?.status, 303);
    // What was there before is told of until somebody removes it.
    let aside = lumbung_hub::backup::set_aside(district.hub.dir());
    assert_eq!(aside.len(), 1, "{aside:?}");
    let listed = said(&district.hub.run(&["erasures", "--json"])?);
    assert!(listed.contains("sebelum-pulih-"), "{listed}");
    let who = Browser::sign_in(&district.hub, "wati", &["--role", "kab.operator"]).await?;
    let set_aside = async |shown: bool| {
        wait_until(WITHIN, "the first page tells of it", async || {
            Ok(who.page("/").await?.contains("sebelum-pulih-") == shown)
        })
        .await
    };
    set_aside(true).await?;
    std::fs::remove_dir_all(&aside[0])?;
    set_aside(false).await?;
    let audit = district.hub.run(&["operators", "list"])?;
    assert!(said(&audit).contains("siti"), "{}", said(&audit));
    import(&district, 1, 4).await?;
    district.wait_proven(WITHIN).await?;
    district.stop().await?;
    district.compare()?;
    Ok(())
}

/// What must not go in, with the present data left as it is.
fn refused(district: &District, file: &Path, right: &Path) -> anyhow::Result<()> {
    let dataset = district.hub.dir().join("hub.db");
    let before = std::fs::read(&dataset)?;
    let wrong = secret(district, "s2", "kambing kecil di ladang");
    let refused = on(district, &["restore"], file, &wrong);
    assert!(said(&refused).contains("bukan sandi"), "{}", said(&refused));
    let bytes = std::fs::read(file)?;
    let changed = district.folder().join("berubah.lumbung");
    let mut other = bytes.clone();
    let at = other.len() / 2;
    other[at] ^= 1;
    std::fs::write(&changed, other)?;
    let refused = on(district, &["restore"], &changed, right);
    assert!(said(&refused).contains("rusak"), "{}", said(&refused));
    std::fs::write(&changed, &bytes[..at])?;
    let refused = on(district, &["restore"], &changed, right);
    assert!(said(&refused).contains("terpotong"), "{}", said(&refused));
    assert_eq!(std::fs::read(&dataset)?, before, "nothing was changed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_machine_comes_back_with_its_keys() -> anyhow::Result<()> {
    let mut district = District::joined(BINARY, 1, None).await?;
    district.nodes[0].start().await?;
    district.nodes[0].save_dusun("KRAJAN").await?;
    district.wait_proven(WITHIN).await?;
    let (file, right) =
        (district.folder().join("hub.lumbung"), secret(&district, "s1", "kerbau besar di sawah"));
    let made = on(&district, &["backup", "create"], &file, &right);
    assert!(made.status.success(), "{}", said(&made));
    district.hub.kill()?;
    district.hub.look_away();
    std::fs::remove_dir_all(district.hub.dir())?;
    let restored = on(&district, &["restore"], &file, &right);
    assert!(said(&restored).contains("Kunci kabupaten diambil"), "{}", said(&restored));
    district.nodes[0].save_dusun("TAMBAK").await?;
    district.hub.start().await?;
    district.wait_proven(WITHIN).await?;
    district.stop().await?;
    district.compare()?;
    Ok(())
}
