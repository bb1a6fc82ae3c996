//! `import` and `export`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use lumbung_proto::v1::{self, import_event::Event};

use super::reach::{node, said};
use crate::import::Report;

/// The name under which this command's changes are recorded.
const ACTOR: &str = "operator-desa";

#[derive(clap::Args)]
pub(super) struct ImportArgs {
    /// Berkas XLSX atau CSV.
    file: PathBuf,
    /// Hanya memeriksa; tidak ada yang disimpan.
    #[arg(long)]
    dry_run: bool,
    /// Laporan sebagai JSON.
    #[arg(long)]
    json: bool,
    /// Tempat menulis baris yang ditolak (bawaan: di samping berkas asal).
    #[arg(long)]
    rejected: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(super) struct ExportArgs {
    /// Berkas tujuan; "-" menulis ke layar.
    file: PathBuf,
    /// opensid-xlsx, opensid-csv, atau templat.
    #[arg(long, default_value = "opensid-xlsx")]
    format: String,
    /// Hanya judul kolom templat, tanpa data.
    #[arg(long)]
    template: bool,
}

pub(super) async fn import(dir: &Path, args: ImportArgs) -> anyhow::Result<ExitCode> {
    let content = std::fs::read(&args.file).with_context(|| {
        format!("Berkas {} tidak bisa dibaca. Tidak ada yang diubah", args.file.display())
    })?;
    let file_name = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let request = v1::ImportRequest {
        file_name,
        content: content.into(),
        actor: ACTOR.to_owned(),
        dry_run: args.dry_run,
    };
    let mut events = node(dir).await?.import(request).await.map_err(said)?.into_inner();
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} baris, sisa {eta}") {
        bar.set_style(style);
    }
    let mut done = None;
    while let Some(event) = events.message().await.map_err(said)? {
        match event.event {
            Some(Event::Progress(progress)) => {
                bar.set_length(progress.rows_total);
                bar.set_position(progress.rows_done);
            }
            Some(Event::Refused(sentence)) => {
                bar.finish_and_clear();
                anyhow::bail!(sentence);
            }
            Some(Event::Done(report)) => done = Some(report),
            None => {}
        }
    }
    bar.finish_and_clear();
    let done = done.context(
        "Node berhenti sebelum laporan selesai. Jalankan impor sekali lagi: \
        yang sudah tersimpan tidak akan berlipat",
    )?;
    let report: Report = serde_json::from_str(&done.report_json)?;
    if args.json {
        lumbung_telemetry::say!("{}", done.report_json);
    } else {
        lumbung_telemetry::say!("{}", report.to_string().trim_end());
        if args.dry_run {
            lumbung_telemetry::say!("Ini hanya pemeriksaan: tidak ada yang disimpan.");
        }
    }
    if done.rejected_csv.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let path = args.rejected.unwrap_or_else(|| rejected_path(&args.file));
    std::fs::write(&path, &done.rejected_csv)
        .with_context(|| format!("Baris yang ditolak tidak bisa ditulis ke {}", path.display()))?;
    eprintln!(
        "Baris yang ditolak ada di {}. Perbaiki di sana, lalu impor berkas itu.",
        path.display()
    );
    Ok(ExitCode::from(3))
}

fn rejected_path(file: &Path) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!("{stem}-ditolak.csv"))
}

pub(super) async fn export(dir: &Path, args: ExportArgs) -> anyhow::Result<ExitCode> {
    let format = if args.template { "templat-kosong".to_owned() } else { args.format };
    let request = v1::ExportRequest { format };
    let mut chunks = node(dir).await?.export(request).await.map_err(said)?.into_inner();
    let mut file = Vec::new();
    while let Some(chunk) = chunks.message().await.map_err(said)? {
        file.extend_from_slice(&chunk.content);
    }
    if args.file.as_os_str() == "-" {
        std::io::stdout().write_all(&file)?;
    } else {
        std::fs::write(&args.file, &file)
            .with_context(|| format!("Berkas {} tidak bisa ditulis", args.file.display()))?;
        eprintln!("Tertulis di {} ({} byte).", args.file.display(), file.len());
    }
    Ok(ExitCode::SUCCESS)
}
