//! The `lumbung-node` command: parse, reach the node, print.
//!
//! A command talks to the running node over its socket; when none runs it
//! opens the barn itself and talks to that in the same way.

mod data;
mod declare;
mod erasing;
mod join;
mod media;
mod notices;
mod reach;
mod recover;
mod serve;
mod sheets;
mod state;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lumbung_domain::region::{VillageCode, roster};
use lumbung_telemetry::table::with_header as table;

use crate::barn::Barn;
use crate::config::Config;
use crate::petugas::Petugas;
use crate::village::Village;
pub use serve::{ServeOptions, serve};

/// Lumbung desa: menyimpan data warga desa dan mengirimkannya ke kabupaten.
#[derive(Parser)]
#[command(name = "lumbung-node", version, disable_help_subcommand = true)]
struct Cli {
    /// Folder data desa ini.
    #[arg(long, global = true, env = "LUMBUNG_DATA", default_value = "lumbung-desa")]
    data: PathBuf,
    /// Nama pendek petugas yang bekerja (paling panjang 24 huruf, tanpa NIK); tercatat di setiap
    /// perubahan. Bawaan: petugas di node.toml, atau operator-desa.
    #[arg(long, global = true, env = "LUMBUNG_PETUGAS")]
    petugas: Option<Petugas>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Menyiapkan folder data untuk satu desa atau kelurahan.
    Init {
        /// Kode Kemendagri, misalnya 35.05.01.2001.
        desa: String,
    },
    /// Bergabung dengan kabupaten memakai token; data yang sudah ada di sana
    /// kembali dengan sendirinya.
    Join(join::JoinArgs),
    /// Menjalankan node: kabupaten bisa mengambil perubahan.
    Serve {
        /// Alamat tempat kabupaten boleh menghubungi node ini; tanpa ini node
        /// sendiri yang menghubungi kabupaten.
        #[arg(long)]
        listen: Option<std::net::SocketAddr>,
    },
    /// Membaca lembar data warga (OpenSID, SIAK, atau templat Lumbung).
    Import(sheets::ImportArgs),
    /// Menulis lembar data warga.
    Export(sheets::ExportArgs),
    /// Keadaan node: jumlah catatan, apa yang sudah aman di kabupaten.
    Status(state::StatusArgs),
    /// Daftar catatan.
    List(data::ListArgs),
    /// Satu catatan lengkap.
    Show(data::ShowArgs),
    /// Menghapus satu catatan untuk selamanya, misalnya atas permintaan
    /// orangnya (UU 27/2022 pasal 8).
    Erase(erasing::EraseArgs),
    /// Buku penghapusan: apa yang dihapus, dan apakah kabupaten sudah tahu.
    Erasures(erasing::ErasuresArgs),
    /// Menulis cadangan seluruh data desa, lalu membuktikannya.
    Backup(media::BackupArgs),
    /// Memulihkan data desa dari cadangan; node harus berhenti.
    Restore(media::RestoreArgs),
    /// Mengambil kembali data dari kabupaten bila berkas data rusak; berkas
    /// yang rusak disisihkan, tidak dihapus. Node harus berhenti.
    Recover,
    /// Mengirim perubahan lewat stik USB.
    #[command(subcommand)]
    Bundle(media::BundleCommand),
    /// Informasi dari kabupaten: membaca, dan mencatat bahwa sudah dibaca.
    #[command(subcommand)]
    Notices(notices::NoticesCommand),
    /// Jumlah yang dinyatakan desa sendiri (monografi, buku B.3, ketua RT);
    /// kabupaten membandingkannya dengan hitungan dari catatan.
    #[command(subcommand)]
    Declare(declare::DeclareCommand),
    /// Memeriksa seluruh lumbung: rantai, keadaan, indeks, sidik isi.
    Verify(state::VerifyArgs),
}

/// Runs the command line and gives its exit code: 0 done, 1 failed, 2 used
/// wrongly, 3 done with something that needs attention.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    let serving = matches!(cli.command, Command::Serve { .. });
    lumbung_telemetry::start(if serving { "info" } else { "warn" });
    // A node mostly waits: one worker keeps 248 of them on a demo machine,
    // and one on a village's PC, small.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let done = runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(run(cli)));
    // What a disk that takes no writes was read from; nobody reads any more.
    Barn::leave();
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let data = &cli.data;
    // Who works on an unsound folder is told by the command itself.
    let named = || Config::load(data).ok().and_then(|config| config.petugas);
    let petugas = cli.petugas.or_else(named).unwrap_or_default();
    let actor = petugas.as_str();
    match cli.command {
        Command::Init { desa } => init(data, &desa),
        Command::Join(args) => join::join(data, &args).await,
        Command::Serve { listen } => {
            serve(ServeOptions { data: data.clone(), listen }, lumbung_telemetry::stop::asked())
                .await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Import(args) => sheets::import(data, actor, args).await,
        Command::Export(args) => sheets::export(data, args).await,
        Command::Status(args) => state::status(data, &args).await,
        Command::List(args) => data::list(data, &args).await,
        Command::Show(args) => data::show(data, &args).await,
        Command::Erase(args) => erasing::erase(data, actor, &args).await,
        Command::Erasures(args) => erasing::erasures(data, &args).await,
        Command::Backup(args) => media::backup(data, &args).await,
        Command::Restore(args) => media::restore(data, &args),
        Command::Recover => recover::recover(data).await,
        Command::Bundle(command) => media::bundle(data, &command).await,
        Command::Notices(command) => notices::notices(data, actor, &command).await,
        Command::Declare(command) => declare::declare(data, actor, &command).await,
        Command::Verify(args) => state::verify(data, &args).await,
    }
}

fn init(dir: &std::path::Path, desa: &str) -> anyhow::Result<ExitCode> {
    let known = VillageCode::parse(desa).ok().and_then(|code| roster().village(code));
    let Some(desa) = known else {
        anyhow::bail!(
            "Kode {desa} bukan desa atau kelurahan di Kabupaten Blitar. Tidak ada yang dibuat. \
             Periksa kodenya (sepuluh angka, misalnya 35.05.01.2001)."
        );
    };
    create(dir, desa.code)?;
    lumbung_telemetry::say!("{} siap di {}.", desa.full_name(), dir.display());
    lumbung_telemetry::say!("Langkah berikut: lumbung-node --data {} serve", dir.display());
    Ok(ExitCode::SUCCESS)
}

/// Makes the folder of a new village: barn first, settings last, so that a
/// power cut in between leaves a folder that `init` can finish.
///
/// # Errors
/// When there is a village already, or the disk fails.
pub fn create(dir: &std::path::Path, desa: VillageCode) -> anyhow::Result<Village> {
    if let Ok(found) = Config::load(dir) {
        anyhow::bail!(
            "Di {} sudah ada data desa {}. Tidak ada yang diubah.",
            dir.display(),
            found.desa
        );
    }
    let village =
        if Barn::exists(dir) { Village::open(dir, desa) } else { Village::create(dir, desa) };
    let village = village.map_err(reach::open_failed)?;
    Config::new(desa).create(dir)?;
    Ok(village)
}
