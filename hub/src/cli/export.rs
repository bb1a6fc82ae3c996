//! `export`.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context;
use lumbung_domain::id::Kind;
use lumbung_domain::region::{KecamatanCode, roster};
use lumbung_telemetry::clock;

use super::village;
use crate::dataset::{Dataset, Scope};
use crate::exports::{IdentityNumbers, RecordsExport};

/// Menulis catatan satu jenis ke berkas. NIK dan nomor KK tertutup kecuali
/// diminta dengan tujuannya.
#[derive(clap::Args)]
pub(super) struct ExportArgs {
    /// dusun, rw, rt, dasawisma, rumah-tangga, keluarga, warga, atau mutasi.
    #[arg(long, default_value = "warga")]
    kind: String,
    /// Hanya desa ini.
    #[arg(long, conflicts_with = "kecamatan")]
    pub(super) village: Option<String>,
    /// Hanya kecamatan ini, misalnya 35.05.01.
    #[arg(long)]
    kecamatan: Option<String>,
    /// Bentuk berkas.
    #[arg(long, value_enum, default_value_t = FileFormat::Csv)]
    format: FileFormat,
    /// Tulis NIK dan nomor KK lengkap.
    #[arg(long, requires = "purpose")]
    with_nik: bool,
    /// Untuk apa NIK dibutuhkan; tertulis di berkasnya.
    #[arg(long)]
    purpose: Option<String>,
    /// Berkas tujuan.
    pub(super) file: PathBuf,
}

impl ExportArgs {
    /// What leaves, for the audit log.
    pub(super) fn words(&self) -> String {
        match (self.with_nik, &self.purpose) {
            (true, Some(purpose)) => format!("{} dengan NIK: {purpose}", self.kind),
            _ => self.kind.clone(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum FileFormat {
    Csv,
    Xlsx,
}

pub(super) fn run(args: &ExportArgs, dataset: &dyn Dataset) -> anyhow::Result<()> {
    let kind = Kind::from_name(&args.kind)
        .with_context(|| format!("Jenis {} tidak dikenal. Tidak ada yang ditulis", args.kind))?;
    let purpose = args.purpose.as_deref().map_or("", str::trim);
    anyhow::ensure!(
        !args.with_nik || !purpose.is_empty(),
        "Tulis untuk apa NIK dibutuhkan dengan --purpose. Tidak ada yang ditulis."
    );
    let (numbers, remarks) = if args.with_nik {
        let now = clock::display(clock::now_ms());
        let remark = format!("Berisi NIK dan nomor KK lengkap. Tujuan: {purpose}. Dibuat {now}.");
        (IdentityNumbers::Revealed, vec![remark])
    } else {
        (IdentityNumbers::Masked, Vec::new())
    };
    let export = RecordsExport { kind, scope: scope(args)?, numbers, remarks };
    let file = std::fs::File::create(&args.file)
        .with_context(|| format!("Berkas {} tidak bisa ditulis", args.file.display()))?;
    let mut file = std::io::BufWriter::new(file);
    let rows = match args.format {
        FileFormat::Csv => export.csv(dataset, &mut file)?,
        FileFormat::Xlsx => export.xlsx(dataset, &mut file)?,
    };
    file.flush().with_context(|| format!("Berkas {} tidak bisa ditulis", args.file.display()))?;
    lumbung_telemetry::remark!("{rows} catatan tertulis di {}.", args.file.display());
    Ok(())
}

/// The villages asked for.
fn scope(args: &ExportArgs) -> anyhow::Result<Scope> {
    if let Some(code) = &args.village {
        return Ok(Scope::of_village(village(code)?.code));
    }
    let Some(code) = &args.kecamatan else { return Ok(Scope::whole()) };
    let kecamatan = KecamatanCode::parse(code)
        .filter(|code| roster().kecamatan_of(*code).is_some())
        .with_context(|| format!("Kecamatan {code} tidak dikenal. Tidak ada yang ditulis"))?;
    Ok(Scope::of_kecamatan([kecamatan]))
}
