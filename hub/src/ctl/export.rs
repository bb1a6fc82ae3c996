//! `export`: a file comes piece by piece and gets its name when it is whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use lumbung_proto::v1;
use lumbung_proto::v1::admin_client::AdminClient;
use lumbung_telemetry::clock;
use tonic::Streaming;
use tonic::transport::Channel;

use super::commands::ExportArgs;
use super::outcome::{Exit, Failure};

pub(super) async fn run(
    admin: &mut AdminClient<Channel>,
    args: ExportArgs,
) -> Result<Exit, Failure> {
    let workbook = is_workbook(&args.file)?;
    let today = clock::today();
    let keep_until = today.checked_add(jiff::Span::new().days(args.keep_days));
    let Ok(keep_until) = keep_until else {
        return Err(Failure::new(
            Exit::Usage,
            "Jumlah hari terlalu besar. Tidak ada yang ditulis.",
        ));
    };
    let wanted = v1::ExportRecordsRequest {
        kind: args.kind,
        village: args.village.unwrap_or_default(),
        kecamatan: args.kecamatan.unwrap_or_default(),
        workbook,
        with_numbers: args.with_nik,
        with_specific: args.with_specific,
        purpose: args.purpose,
        keep_until: keep_until.to_string(),
    };
    let pieces = admin.export_records(wanted).await?.into_inner();
    if let Some(records) = written(pieces, &args.file).await? {
        eprintln!("{records} catatan tertulis di {}.", args.file.display());
    }
    Ok(Exit::Done)
}

/// `recap --out`.
pub(super) async fn recap(
    admin: &mut AdminClient<Channel>,
    recap: v1::RecapAsked,
    file: &Path,
) -> Result<Exit, Failure> {
    let wanted = v1::ExportRecapRequest { recap: Some(recap), workbook: is_workbook(file)? };
    let pieces = admin.export_recap(wanted).await?.into_inner();
    if written(pieces, file).await?.is_some() {
        eprintln!("Tertulis di {}.", file.display());
    }
    Ok(Exit::Done)
}

/// Whether a file's name asks for a workbook; standard output gets CSV.
fn is_workbook(file: &Path) -> Result<bool, Failure> {
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("xlsx") => Ok(true),
        Some("csv") => Ok(false),
        _ if file == Path::new("-") => Ok(false),
        _ => {
            let words = "Nama berkas harus berakhir .csv atau .xlsx. Tidak ada yang ditulis.";
            Err(Failure::new(Exit::Usage, words))
        }
    }
}

/// Writes a file as it comes; how many records it holds, or nothing when it
/// went to standard output.
async fn written(
    mut pieces: Streaming<v1::ExportPiece>,
    file: &Path,
) -> Result<Option<u64>, Failure> {
    let to_stdout = file == Path::new("-");
    let mut records = 0;
    let mut target = if to_stdout { None } else { Some(Target::open(file)?) };
    while let Some(piece) = pieces.message().await? {
        match &mut target {
            Some(target) => target.file.write_all(&piece.content)?,
            None => io::stdout().write_all(&piece.content)?,
        }
        records = piece.records;
    }
    let Some(target) = target else { return Ok(None) };
    target.keep()?;
    Ok(Some(records))
}

/// A file on its way; one that is not kept goes.
struct Target {
    file: File,
    beside: PathBuf,
    path: PathBuf,
}

impl Target {
    /// Readable by its owner only: it holds data of persons.
    fn open(path: &Path) -> io::Result<Self> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}.baru", std::process::id()));
        let beside = PathBuf::from(beside);
        let file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        Ok(Self { file, beside, path: path.to_owned() })
    }

    fn keep(self) -> io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.beside, &self.path)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // Kept under its name already, or not wanted.
        drop(std::fs::remove_file(&self.beside));
    }
}
