//! `export`.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context;
use jiff::civil::Date;
use lumbung_domain::id::Kind;
use lumbung_domain::region::{KecamatanCode, roster};
use lumbung_telemetry::clock;

use super::{Workplace, village};
use crate::desk::exporting::{ExportOrder, FileForm};
use crate::exports::Disclosure;
use crate::recap::RegionRef;

/// Menulis catatan satu jenis ke berkas, dengan keperluan dan batas waktunya.
/// NIK, nomor KK dan data spesifik tertutup kecuali diminta.
#[derive(clap::Args)]
pub(super) struct ExportArgs {
    /// dusun, rw, rt, dasawisma, rumah-tangga, keluarga, warga, atau mutasi.
    #[arg(long, default_value = "warga")]
    kind: String,
    /// Hanya desa ini.
    #[arg(long, conflicts_with = "kecamatan")]
    village: Option<String>,
    /// Hanya kecamatan ini, misalnya 35.05.01.
    #[arg(long)]
    kecamatan: Option<String>,
    /// Bentuk berkas.
    #[arg(long, value_enum, default_value_t = FileFormat::Csv)]
    format: FileFormat,
    /// Tulis NIK dan nomor KK lengkap.
    #[arg(long)]
    with_nik: bool,
    /// Tulis juga data spesifik: kesehatan, disabilitas, tanggal lahir anak, telepon, titik rumah.
    #[arg(long)]
    with_specific: bool,
    /// Untuk apa data ini dipakai; tertulis di berkasnya dan di buku catatan.
    #[arg(long)]
    purpose: String,
    /// Berkasnya dihapus paling lambat sekian hari lagi.
    #[arg(long, default_value_t = 30)]
    keep_days: u16,
    /// Berkas tujuan.
    pub(super) file: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum FileFormat {
    Csv,
    Xlsx,
}

pub(super) fn run(args: &ExportArgs, place: &Workplace<'_>) -> anyhow::Result<()> {
    let kind = Kind::from_name(&args.kind)
        .with_context(|| format!("Jenis {} tidak dikenal. Tidak ada yang ditulis", args.kind))?;
    let order = ExportOrder {
        kind,
        region: region(args)?,
        form: match args.format {
            FileFormat::Csv => FileForm::Csv,
            FileFormat::Xlsx => FileForm::Xlsx,
        },
        disclosed: Disclosure { numbers: args.with_nik, specific: args.with_specific },
        purpose: args.purpose.clone(),
        keep_until: kept_for(args.keep_days)?,
    };
    let (desk, who) = place.desk();
    let ready = desk.export_ready(&who, order)?;
    let file = std::fs::File::create(&args.file)
        .with_context(|| format!("Berkas {} tidak bisa ditulis", args.file.display()))?;
    let mut file = std::io::BufWriter::new(file);
    desk.note_export(&who, &ready)?;
    let rows = desk.write_export(&ready, &mut file)?;
    file.flush().with_context(|| format!("Berkas {} tidak bisa ditulis", args.file.display()))?;
    lumbung_telemetry::remark!("{rows} catatan tertulis di {}.", args.file.display());
    Ok(())
}

/// The day until which a file may be kept that is made today.
pub(super) fn kept_for(days: u16) -> anyhow::Result<Date> {
    let day = clock::today().checked_add(jiff::Span::new().days(i64::from(days)));
    day.context("Jumlah hari terlalu besar. Tidak ada yang ditulis")
}

/// The region asked for.
fn region(args: &ExportArgs) -> anyhow::Result<RegionRef> {
    if let Some(code) = &args.village {
        return Ok(RegionRef::Desa(village(code)?.code));
    }
    let Some(code) = &args.kecamatan else { return Ok(RegionRef::Kabupaten) };
    let kecamatan = KecamatanCode::parse(code)
        .filter(|code| roster().kecamatan_of(*code).is_some())
        .with_context(|| format!("Kecamatan {code} tidak dikenal. Tidak ada yang ditulis"))?;
    Ok(RegionRef::Kecamatan(kecamatan))
}
