//! `recap`.

use std::path::PathBuf;

use anyhow::Context;
use jiff::civil::Date;
use lumbung_domain::recap::Edisi;
use lumbung_telemetry::clock;

use super::Workplace;
use super::export::kept_for;
use crate::desk::recap::HousesOrder;
use crate::exports;
use crate::recap::{Audience, RegionRef};

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
    /// Berkas untuk umum, dari terbitan terakhir sampai tanggal itu.
    #[arg(long, requires = "out")]
    public: bool,
    /// Edisi lembar 4.16a dan 4.16b: dengan stiker P4K atau dengan 3 buta.
    #[arg(long, value_parser = ["p4k", "3buta"], default_value = "p4k")]
    edisi: String,
    /// Untuk keperluan apa; wajib bila lembar per rumah ditulis ke berkas.
    #[arg(long, requires = "out")]
    purpose: Option<String>,
    /// Lembar per rumah dihapus paling lambat sekian hari lagi.
    #[arg(long, default_value_t = 30)]
    keep_days: u16,
    /// Lembar per rumah dengan data spesifiknya.
    #[arg(long, requires = "purpose")]
    spesifik: bool,
}

pub(super) fn run(args: &RecapArgs, place: &Workplace<'_>) -> anyhow::Result<()> {
    let region = RegionRef::parse(&args.region)?;
    let date = args.date.unwrap_or_else(clock::today);
    let (desk, who) = place.desk();
    let audience = if args.public { Audience::Public } else { Audience::Office };
    let edisi = Edisi::from_name(&args.edisi).unwrap_or_default();
    let mut recap = desk.recap_for(&who, region, date, audience)?.in_edition(edisi);
    let Some(path) = &args.out else {
        lumbung_telemetry::say!("{}", exports::recap_table(&recap));
        return Ok(());
    };
    let ending = path.extension().and_then(|ending| ending.to_str());
    let mut remarks = Vec::new();
    if !recap.houses.is_empty() && audience == Audience::Office {
        anyhow::ensure!(
            ending == Some("xlsx"),
            "Lembar per rumah hanya ke berkas .xlsx, yang memuat keperluannya. Tidak ada yang \
             ditulis."
        );
        let order = HousesOrder {
            region,
            date,
            specific: args.spesifik,
            purpose: args.purpose.clone().unwrap_or_default(),
            keep_until: kept_for(args.keep_days)?,
        };
        (recap, remarks) = desk.export_houses(&who, &order)?;
        recap = recap.in_edition(edisi);
    }
    let mut printed = recap
        .printed(audience)
        .context("Lembar per rumah tidak untuk umum. Tidak ada yang ditulis")?;
    printed.footnotes.extend(remarks);
    let file = match ending {
        Some("csv") => exports::recap_csv(&recap, &printed),
        Some("xlsx") => exports::recap_xlsx(&recap, &printed)?,
        _ => anyhow::bail!("Nama berkas harus berakhir .csv atau .xlsx. Tidak ada yang ditulis."),
    };
    std::fs::write(path, file)
        .with_context(|| format!("Berkas {} tidak bisa ditulis", path.display()))?;
    lumbung_telemetry::remark!("Tertulis di {}.", path.display());
    Ok(())
}
