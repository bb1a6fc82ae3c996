//! `import` and `export`.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use lumbung_proto::v1::import_event::{Event, Phase, Progress};
use lumbung_proto::v1::{self};

use super::reach::{node, said};
use crate::config::Config;
use crate::import::Report;

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
    /// opensid-xlsx, opensid-csv, siak-csv, atau templat. Bawaan: opensid-csv
    /// untuk berkas .csv dan layar, selain itu opensid-xlsx.
    #[arg(long)]
    format: Option<String>,
    /// Hanya judul kolom templat, tanpa data.
    #[arg(long)]
    template: bool,
}

pub(super) async fn import(dir: &Path, actor: &str, args: ImportArgs) -> anyhow::Result<ExitCode> {
    let content = std::fs::read(&args.file).with_context(|| {
        format!("Berkas {} tidak bisa dibaca. Tidak ada yang diubah", args.file.display())
    })?;
    let file_name = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let request = v1::ImportRequest {
        file_name,
        content: content.into(),
        actor: actor.to_owned(),
        dry_run: args.dry_run,
    };
    let mut events = node(dir).await?.import(request).await.map_err(said)?.into_inner();
    let bar = ProgressBar::new(0);
    let mut done = None;
    while let Some(event) = events.message().await.map_err(said)? {
        match event.event {
            Some(Event::Progress(progress)) => show(&bar, progress),
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
        let words = report.told(Config::load(dir)?.desa.kind()).to_string();
        lumbung_telemetry::say!("{}", words.trim_end());
        if args.dry_run {
            lumbung_telemetry::say!("Ini hanya pemeriksaan: tidak ada yang disimpan.");
        }
    }
    if done.rejected_csv.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    if args.dry_run {
        return Ok(ExitCode::from(3));
    }
    let path = match args.rejected {
        Some(path) => std::fs::write(&path, &done.rejected_csv).map(|()| path),
        None => write_rejected(&args.file, &done.rejected_csv),
    };
    let path = path.with_context(|| {
        format!("Baris yang ditolak dari {} tidak bisa ditulis", args.file.display())
    })?;
    eprintln!(
        "Baris yang ditolak ada di {}. Perbaiki di sana, lalu impor berkas itu.",
        path.display()
    );
    Ok(ExitCode::from(3))
}

/// How far an import is, in the bar's words.
fn show(bar: &ProgressBar, progress: Progress) {
    let words = match progress.phase() {
        Phase::Reading => "{spinner} Membaca berkas ... {elapsed}",
        Phase::Planning => "{spinner} Memeriksa {len} baris ... {elapsed}",
        Phase::Saving | Phase::Unspecified => "{bar:40} {pos}/{len} baris, sisa {eta}",
    };
    // Words that can't be read leave the bar as it was.
    if let Ok(style) = ProgressStyle::with_template(words) {
        bar.set_style(style);
    }
    bar.set_length(progress.rows_total);
    bar.set_position(progress.rows_done);
    bar.enable_steady_tick(TICK);
}

/// How often a bar moves while nothing is told.
const TICK: Duration = Duration::from_millis(120);

/// Writes the rejected rows beside the sheet, under the first name that is
/// free: the clerk may be mending the file of an earlier import.
fn write_rejected(sheet: &Path, rows: &[u8]) -> std::io::Result<PathBuf> {
    let stem = sheet.file_stem().unwrap_or_default().to_string_lossy();
    let mut number = 1_u32;
    loop {
        let name = match number {
            1 => format!("{stem}-ditolak.csv"),
            _ => format!("{stem}-ditolak-{number}.csv"),
        };
        let path = sheet.with_file_name(name);
        match File::create_new(&path) {
            Ok(mut file) => {
                file.write_all(rows)?;
                return Ok(path);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

pub(super) async fn export(dir: &Path, args: ExportArgs) -> anyhow::Result<ExitCode> {
    let format = match (args.template, args.format) {
        (true, _) => "templat-kosong".to_owned(),
        (false, Some(format)) => format,
        (false, None) => format_of(&args.file).to_owned(),
    };
    let request = v1::ExportRequest { format };
    let mut chunks = node(dir).await?.export(request).await.map_err(said)?.into_inner();
    let mut file = Vec::new();
    let mut without_kk = 0;
    while let Some(chunk) = chunks.message().await.map_err(said)? {
        file.extend_from_slice(&chunk.content);
        without_kk = chunk.without_kk;
    }
    if args.file.as_os_str() == "-" {
        std::io::stdout().write_all(&file)?;
    } else {
        std::fs::write(&args.file, &file)
            .with_context(|| format!("Berkas {} tidak bisa ditulis", args.file.display()))?;
        eprintln!("Tertulis di {} ({} byte).", args.file.display(), file.len());
    }
    if without_kk > 0 {
        eprintln!(
            "{without_kk} baris belum punya nomor KK. Desa yang masih kosong menolak baris itu bila \
             berkas ini diimpor di sana. Isi dahulu nomor KK-nya."
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// What a file of this name is expected to hold.
fn format_of(file: &Path) -> &'static str {
    let is_text = file.as_os_str() == "-"
        || file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    if is_text { "opensid-csv" } else { "opensid-xlsx" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_what_its_name_says() {
        for (file, format) in [
            ("warga.csv", "opensid-csv"),
            ("a.b/WARGA.CSV", "opensid-csv"),
            ("-", "opensid-csv"),
            ("warga.xlsx", "opensid-xlsx"),
            ("warga", "opensid-xlsx"),
        ] {
            assert_eq!(format_of(Path::new(file)), format, "{file}");
        }
    }

    #[test]
    fn a_file_of_rejected_rows_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let sheet = folder.path().join("warga.xlsx");
        for (name, rows) in [
            ("warga-ditolak.csv", &b"satu"[..]),
            ("warga-ditolak-2.csv", b"dua"),
            ("warga-ditolak-3.csv", b"tiga"),
        ] {
            let path = write_rejected(&sheet, rows).unwrap();
            assert_eq!(path, folder.path().join(name));
        }
        assert_eq!(std::fs::read(folder.path().join("warga-ditolak.csv")).unwrap(), b"satu");
    }
}
