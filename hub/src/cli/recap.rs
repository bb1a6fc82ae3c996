//! `recap`.

use std::path::PathBuf;

use anyhow::Context;
use jiff::civil::Date;
use lumbung_telemetry::clock;

use crate::dataset::Dataset;
use crate::exports;
use crate::recap::{Audience, Recap, RegionRef};

/// Rekapitulasi PKK suatu wilayah.
#[derive(clap::Args)]
pub(super) struct RecapArgs {
    /// 3505 (kabupaten), 35.05.01 (kecamatan), 35.05.01.2001 (desa), atau
    /// desa/ID untuk dusun, RW, RT, dan dasawisma.
    #[arg(default_value = "3505")]
    region: String,
    /// Tanggal acuan, misalnya 2026-12-31 (bawaan: hari ini).
    #[arg(long)]
    date: Option<Date>,
    /// Tulis ke berkas .csv atau .xlsx, bukan ke layar.
    #[arg(long)]
    pub(super) out: Option<PathBuf>,
    /// Berkas untuk umum: angka kecil dan yang membocorkannya tidak ditulis.
    #[arg(long, requires = "out")]
    public: bool,
}

pub(super) fn run(args: &RecapArgs, dataset: &dyn Dataset) -> anyhow::Result<()> {
    let region = RegionRef::parse(&args.region)?;
    let recap = Recap::of(dataset, region, args.date.unwrap_or_else(clock::today))?;
    let Some(path) = &args.out else {
        lumbung_telemetry::say!("{}", exports::recap_table(&recap));
        return Ok(());
    };
    let audience = if args.public { Audience::Public } else { Audience::Office };
    let printed = recap
        .printed(audience)
        .context("Lembar per rumah tidak untuk umum. Tidak ada yang ditulis")?;
    let file = match path.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => exports::recap_csv(&recap, &printed),
        Some("xlsx") => exports::recap_xlsx(&recap, &printed)?,
        _ => anyhow::bail!("Nama berkas harus berakhir .csv atau .xlsx. Tidak ada yang ditulis."),
    };
    std::fs::write(path, file)
        .with_context(|| format!("Berkas {} tidak bisa ditulis", path.display()))?;
    lumbung_telemetry::remark!("Tertulis di {}.", path.display());
    Ok(())
}
