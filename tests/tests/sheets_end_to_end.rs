//! Sheets as a clerk uses them: the commands, their exit codes, their files.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::Context;
use lumbung_tests::district::District;
use lumbung_tests::fictitious::{FAMILY_SIZE, sheet};

/// Families of a running village's sheet; every second one is spoilt.
const FAMILIES: usize = 10;

struct Clerk {
    folder: tempfile::TempDir,
}

impl Clerk {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { folder: tempfile::tempdir()? })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, village: &str, args: &[&str]) -> anyhow::Result<Output> {
        Command::new(env!("CARGO_BIN_EXE_lumbung-process"))
            .args(["node", "--data"])
            .arg(self.path(village))
            .args(args)
            .output()
            .context("the command can't be started")
    }

    fn does(&self, village: &str, args: &[&str]) -> anyhow::Result<String> {
        let done = self.run(village, args)?;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let erred = String::from_utf8_lossy(&done.stderr).into_owned();
        anyhow::ensure!(done.status.success(), "{args:?}: {said}{erred}");
        Ok(said)
    }

    fn seq(&self, village: &str) -> anyhow::Result<u64> {
        let status: serde_json::Value =
            serde_json::from_str(&self.does(village, &["status", "--json"])?)?;
        status["seq"].as_u64().context("a number")
    }
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a temporary folder with a plain name")
}

#[test]
fn what_is_exported_imports_into_an_empty_village_as_the_same_file() -> anyhow::Result<()> {
    let clerk = Clerk::new()?;
    for village in ["satu", "dua"] {
        clerk.does(village, &["init", "35.05.01.2001"])?;
    }
    let first = clerk.path("warga.csv");
    std::fs::write(&first, sheet(0, 30))?;
    clerk.does("satu", &["import", text(&first)?])?;
    let before = clerk.seq("satu")?;
    clerk.does("satu", &["import", text(&first)?])?;
    assert_eq!(clerk.seq("satu")?, before, "the same sheet twice changes nothing");

    for (format, name) in [
        ("opensid-csv", "a.csv"),
        ("templat", "b.csv"),
        ("opensid-xlsx", "c.xlsx"),
        ("siak-csv", "d.csv"),
    ] {
        let village = format!("kosong-{format}");
        clerk.does(&village, &["init", "35.05.01.2001"])?;
        let (out, again) = (clerk.path(name), clerk.path(&format!("lagi-{name}")));
        clerk.does("satu", &["export", text(&out)?, "--format", format])?;
        clerk.does(&village, &["import", text(&out)?])?;
        clerk.does(&village, &["export", text(&again)?, "--format", format])?;
        assert!(std::fs::read(&out)? == std::fs::read(&again)?, "{format} differs");
        assert_eq!(clerk.does(&village, &["verify"])?.lines().count(), 1);
    }
    Ok(())
}

#[test]
fn a_half_bad_sheet_gives_its_good_rows_and_a_file_to_mend() -> anyhow::Result<()> {
    let clerk = Clerk::new()?;
    clerk.does("desa", &["init", "35.05.01.2001"])?;
    let good = sheet(0, 10);
    // The family card number of one row loses its last digit.
    let line = good.lines().nth(5).context("rows")?;
    let card = line
        .split([',', ';'])
        .find(|cell| cell.len() == 16 && cell.bytes().all(|b| b.is_ascii_digit()))
        .context("a row with a number")?;
    let bad = good.replacen(line, &line.replacen(card, &card[..15], 1), 1);
    let file = clerk.path("setengah.csv");
    std::fs::write(&file, bad)?;

    let dry = clerk.run("desa", &["import", text(&file)?, "--dry-run"])?;
    assert_eq!(dry.status.code(), Some(3));
    assert_eq!(clerk.seq("desa")?, 0, "a dry run writes nothing");
    let rejected = clerk.path("setengah-ditolak.csv");
    assert!(!rejected.exists(), "no file either");

    let done = clerk.run("desa", &["import", text(&file)?])?;
    assert_eq!(done.status.code(), Some(3));
    let saved = clerk.seq("desa")?;
    assert!(saved > 0);
    let mended = std::fs::read_to_string(&rejected)?.replacen(&card[..15], card, 1);
    std::fs::write(&rejected, &mended)?;
    // The bad sheet once more: the clerk's mending stays.
    assert_eq!(clerk.run("desa", &["import", text(&file)?])?.status.code(), Some(3));
    assert_eq!(std::fs::read_to_string(&rejected)?, mended);
    assert!(clerk.path("setengah-ditolak-2.csv").exists());
    clerk.does("desa", &["import", text(&rejected)?])?;
    assert!(clerk.seq("desa")? > saved, "the mended row is imported");
    Ok(())
}

#[test]
fn a_file_that_is_no_sheet_is_refused_whole_with_a_sentence() -> anyhow::Result<()> {
    let clerk = Clerk::new()?;
    clerk.does("desa", &["init", "35.05.01.2001"])?;
    for (name, content) in [
        ("surat.csv", &b"halo;dunia\n1;2\n"[..]),
        ("foto.xlsx", &[0xff; 2_000]),
        ("kosong.csv", b""),
    ] {
        let file = clerk.path(name);
        std::fs::write(&file, content)?;
        let done = clerk.run("desa", &["import", text(&file)?])?;
        assert_eq!(done.status.code(), Some(1), "{name}");
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(said.contains("Tidak ada data yang berubah"), "{name}: {said}");
    }
    assert_eq!(clerk.seq("desa")?, 0);
    let again = clerk.run("desa", &["init", "35.05.01.2002"])?;
    assert_eq!(again.status.code(), Some(1), "a village is not made over another");
    Ok(())
}

/// Rows of the village that the hub has.
async fn residents(district: &mut District) -> anyhow::Result<u64> {
    district.wait_proven(Duration::from_secs(20)).await?;
    Ok(district.hub.village(district.nodes[0].village)?.warga)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_imported_beside_a_running_node_reaches_the_hub() -> anyhow::Result<()> {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1)?;
    district.start().await?;
    let file = district.folder().join("warga.csv");
    let import = async |district: &District, file: &Path, more: &[&str]| {
        let args = [&["import", text(file)?], more].concat();
        anyhow::Ok(district.nodes[0].run(&args).await?.status.code())
    };
    // The card numbers of every second family are typed with a letter O.
    let good = sheet(0, FAMILIES);
    let bad = good.lines().enumerate().map(|(at, line)| {
        let family = at.saturating_sub(1) / FAMILY_SIZE;
        let spoilt = at > 0 && family % 2 == 1;
        if spoilt { line.replacen(";3505", ";35O5", 1) } else { line.to_owned() }
    });
    std::fs::write(&file, bad.collect::<Vec<_>>().join("\n"))?;

    assert_eq!(import(&district, &file, &["--dry-run"]).await?, Some(3));
    assert_eq!(district.nodes[0].seq().await?, 0, "a dry run writes nothing");

    let all = (FAMILIES * FAMILY_SIZE) as u64;
    assert_eq!(import(&district, &file, &[]).await?, Some(3));
    assert_eq!(residents(&mut district).await?, all / 2, "the good half, and only that");

    let rejected = district.folder().join("warga-ditolak.csv");
    let mended = std::fs::read_to_string(&rejected)?.replace(";35O5", ";3505");
    std::fs::write(&rejected, mended)?;
    assert_eq!(import(&district, &rejected, &[]).await?, Some(0));
    assert_eq!(residents(&mut district).await?, all, "the mended half came too");

    // The whole sheet once more brings nothing new, here or there.
    let before = district.nodes[0].seq().await?;
    std::fs::write(&file, good)?;
    assert_eq!(import(&district, &file, &[]).await?, Some(0));
    assert_eq!(district.nodes[0].seq().await?, before);
    district.stop().await?;
    district.compare()?;
    Ok(())
}
