//! `backup`, `restore` and `bundle`.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail, ensure};
use lumbung_domain::region::roster;
use lumbung_media::{Keys, MediaError, Passphrase};
use lumbung_proto::v1;
use lumbung_telemetry::clock;

use super::reach::{node, said};
use crate::backup::{self, BackupError, Signers, Vouched};
use crate::config::Config;

#[derive(clap::Args)]
pub(super) struct BackupArgs {
    /// Berkas atau folder tujuan (bawaan: folder cadangan di data desa).
    file: Option<PathBuf>,
    /// Bertanya sandi, supaya cadangan bisa dibuka tanpa kabupaten.
    #[arg(long)]
    sandi: bool,
    /// Membaca sandi dari berkas ini.
    #[arg(long, conflicts_with = "sandi")]
    sandi_berkas: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(super) struct RestoreArgs {
    /// Berkas cadangan.
    file: PathBuf,
    /// Membaca sandi dari berkas ini, tanpa bertanya.
    #[arg(long)]
    sandi_berkas: Option<PathBuf>,
    /// Menerima cadangan yang ditandatangani komputer lain, misalnya komputer
    /// lama desa ini.
    #[arg(long)]
    komputer_lain: bool,
}

#[derive(clap::Subcommand)]
pub(super) enum BundleCommand {
    /// Membaca jawaban kabupaten dari stik.
    Import {
        /// Berkas jawaban.
        file: PathBuf,
    },
    /// Menulis perubahan yang belum sampai di kabupaten ke stik.
    Export {
        /// Berkas atau folder tujuan (bawaan: folder sekarang).
        #[arg(long, default_value = ".")]
        out: PathBuf,
        /// Mulai dari catatan nomor ini.
        #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
        from: Option<u64>,
    },
}

fn absolute(path: &Path) -> anyhow::Result<String> {
    let path = std::path::absolute(path).context("Nama berkas itu tidak bisa dipakai")?;
    path.to_str().map(str::to_owned).context("Nama berkas itu tidak bisa dipakai")
}

pub(super) async fn backup(dir: &Path, args: &BackupArgs) -> anyhow::Result<ExitCode> {
    let passphrase = match (&args.sandi_berkas, args.sandi) {
        (Some(path), _) => Some(read_passphrase(path)?),
        (None, true) => Some(choose_passphrase()?),
        (None, false) => None,
    };
    let path = args.file.as_deref().map(absolute).transpose()?.unwrap_or_default();
    let passphrase = passphrase.map(|it| it.expose().to_owned()).unwrap_or_default();
    let request = v1::BackupRequest { path, passphrase };
    let reply = node(dir).await?.backup(request).await.map_err(said)?.into_inner();
    lumbung_telemetry::say!(
        "Cadangan terbukti bisa dipulihkan: {} catatan sampai nomor {}, {} KB.",
        reply.records,
        reply.seq,
        reply.bytes.div_ceil(1024)
    );
    lumbung_telemetry::say!("Berkasnya: {}", reply.path);
    Ok(ExitCode::SUCCESS)
}

pub(super) fn restore(dir: &Path, args: &RestoreArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(dir)?;
    let passphrase = match &args.sandi_berkas {
        Some(path) => read_passphrase(path)?,
        None => passphrase(&ask("Sandi cadangan: ")?)?,
    };
    let signers = match args.komputer_lain {
        true => Signers::AnyMachine,
        false => Signers::OwnMachine,
    };
    let keys = Keys::Passphrase(&passphrase);
    let restored =
        backup::restore(dir, config.desa, &args.file, keys, signers).map_err(restore_failed)?;
    let seq = restored.head.position.seq;
    lumbung_telemetry::say!(
        "Data desa dipulihkan dari cadangan {}: {} catatan sampai nomor {seq}, terbukti utuh.",
        clock::display(restored.time_ms),
        restored.head.records,
    );
    match restored.vouched {
        Vouched::OwnMachine => {}
        Vouched::OtherMachine | Vouched::Unknown => lumbung_telemetry::say!(
            "Cadangan ini ditandatangani komputer lain. Pastikan berkasnya memang dari desa ini."
        ),
        Vouched::Nobody => lumbung_telemetry::say!(
            "Perhatian: cadangan ini tidak bertanda tangan (ditulis versi lama), jadi asalnya \
             tidak bisa dibuktikan. Pastikan berkasnya memang dari desa ini."
        ),
    }
    match restored.witnessed {
        Some(witnessed) if witnessed > seq => lumbung_telemetry::say!(
            "Komputer ini pernah menyimpan sampai nomor {witnessed}. Yang sudah sampai di \
             kabupaten akan dikembalikan saat tersambung."
        ),
        Some(_) => {}
        None => lumbung_telemetry::say!(
            "Bila ada catatan yang lebih baru di kabupaten, catatan itu dikembalikan saat \
             tersambung."
        ),
    }
    lumbung_telemetry::say!(
        "Data yang lama disisihkan sampai kabupaten memastikan semuanya. Langkah berikut: \
         lumbung-node serve"
    );
    Ok(ExitCode::SUCCESS)
}

#[allow(clippy::needless_pass_by_value, reason = "takes what `map_err` gives")]
fn restore_failed(error: BackupError) -> anyhow::Error {
    let sentence = match &error {
        BackupError::Running => {
            "Node desa ini sedang berjalan. Hentikan dulu, lalu ulangi.".to_owned()
        }
        BackupError::OtherVillage(village) => {
            let name = roster().village(*village).map(|desa| desa.full_name()).unwrap_or_default();
            format!("Cadangan ini milik {name} ({village}), bukan desa ini.")
        }
        BackupError::Stranger => {
            "Cadangan ini ditandatangani komputer lain, bukan komputer ini, jadi mungkin dipalsukan. \
             Bila memang dari komputer lama desa ini, ulangi dengan --komputer-lain."
                .to_owned()
        }
        BackupError::Media(error) => unreadable(error).to_owned(),
        BackupError::Trial(_) | BackupError::Rebuild(_) | BackupError::Open(_) => {
            "Isi cadangan ini bertentangan dengan dirinya sendiri.".to_owned()
        }
        error => format!("Cadangan tidak bisa dipulihkan: {error}."),
    };
    anyhow::anyhow!("{sentence} Data desa yang sekarang tidak diubah.")
}

/// Why a medium is of no use.
fn unreadable(error: &MediaError) -> &'static str {
    match error {
        MediaError::OtherKind => "Berkas ini bukan cadangan Lumbung.",
        MediaError::NewerVersion => {
            "Berkas ini ditulis versi Lumbung yang lebih baru. Pasang versi terbaru."
        }
        MediaError::CutOff => {
            "Berkas ini terpotong: salinannya belum lengkap. Salin lagi dari asalnya."
        }
        MediaError::OtherKey => "Berkas ini dikunci untuk pihak lain.",
        MediaError::WrongPassphrase => "Sandi tidak cocok dengan cadangan ini.",
        MediaError::NoPassphrase => {
            "Cadangan ini hanya bisa dibuka kabupaten. Minta kabupaten menjalankan: lumbung-hub \
             backup unlock."
        }
        MediaError::Io(_) => "Berkas ini tidak bisa dibaca. Periksa stik atau disknya.",
        MediaError::Damaged(_)
        | MediaError::TooLarge
        | MediaError::Batch(_)
        | MediaError::Unsigned(_) => "Berkas ini rusak. Salin lagi dari asalnya.",
    }
}

pub(super) async fn bundle(dir: &Path, command: &BundleCommand) -> anyhow::Result<ExitCode> {
    match command {
        BundleCommand::Export { out, from } => export(dir, out, *from).await,
        BundleCommand::Import { file } => import(dir, file).await,
    }
}

async fn import(dir: &Path, file: &Path) -> anyhow::Result<ExitCode> {
    let request = v1::ImportAnswerRequest { path: absolute(file)? };
    let reply = node(dir).await?.import_answer(request).await.map_err(said)?.into_inner();
    if reply.restarted {
        lumbung_telemetry::say!(
            "Data desa ini pernah kembali ke keadaan lama: sampai nomor {} sama dengan kabupaten, \
             sesudahnya berbeda. Keduanya disimpan, tidak ada yang hilang. Langkah berikut: \
             lumbung-node bundle export, bawa ke kabupaten, lalu minta jawabannya lagi.",
            reply.merged_seq
        );
    } else if reply.on_this_log {
        let proven = match reply.proven_seq {
            0 => "isinya belum terbukti sama".to_owned(),
            proven => format!("terakhir terbukti sama pada nomor {proven}"),
        };
        lumbung_telemetry::say!(
            "Kabupaten sudah menyimpan catatan sampai nomor {}; {proven}.",
            reply.merged_seq
        );
    } else {
        lumbung_telemetry::say!(
            "Kabupaten belum menyimpan catatan dari data desa yang sekarang. Bawa bundel lagi, atau \
             sambungkan lewat jaringan."
        );
    }
    if reply.applied + reply.equal + reply.conflicts > 0 {
        lumbung_telemetry::say!(
            "Catatan yang dikembalikan kabupaten: {} dipasang, {} sudah ada, {} tetap memakai milik \
             desa.",
            reply.applied,
            reply.equal,
            reply.conflicts
        );
        lumbung_telemetry::say!(
            "Langkah berikut: lumbung-node bundle export, dan bawa stiknya ke kabupaten supaya \
             kabupaten tahu."
        );
    }
    if reply.wants_whole {
        lumbung_telemetry::say!(
            "Kabupaten meminta bundel lengkap untuk memperbaiki isinya. Jalankan: lumbung-node \
             bundle export --from 1."
        );
    }
    if reply.unknown > 0 {
        lumbung_telemetry::say!(
            "{} kiriman belum dikenal versi ini. Perbarui Lumbung, lalu impor berkas ini lagi.",
            reply.unknown
        );
        return Ok(ExitCode::from(3));
    }
    Ok(ExitCode::SUCCESS)
}

async fn export(dir: &Path, out: &Path, from: Option<u64>) -> anyhow::Result<ExitCode> {
    let request = v1::ExportBundleRequest { path: absolute(out)?, from: from.unwrap_or(0) };
    let reply = node(dir).await?.export_bundle(request).await.map_err(said)?.into_inner();
    if reply.first > reply.last {
        lumbung_telemetry::say!(
            "Bundel nomor {} ditulis. Tidak ada perubahan baru; bundel ini membuktikan kepada \
             kabupaten bahwa datanya lengkap.",
            reply.number
        );
    } else {
        lumbung_telemetry::say!(
            "Bundel nomor {} ditulis: catatan nomor {} sampai {}, {} KB.",
            reply.number,
            reply.first,
            reply.last,
            reply.bytes.div_ceil(1024)
        );
    }
    lumbung_telemetry::say!(
        "Berkasnya: {}. Lepas stik dengan aman, bawa ke kabupaten, lalu di sana jalankan: \
         lumbung-hub bundle import.",
        reply.path
    );
    Ok(ExitCode::SUCCESS)
}

fn passphrase(text: &str) -> anyhow::Result<Passphrase> {
    Passphrase::new(text).with_context(|| {
        format!(
            "Sandi terlalu pendek. Tidak ada yang diubah. Pakai paling sedikit {} huruf",
            Passphrase::CHARS_MIN
        )
    })
}

fn read_passphrase(path: &Path) -> anyhow::Result<Passphrase> {
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("Berkas sandi {} tidak bisa dibaca. Tidak ada yang diubah", path.display())
    })?;
    passphrase(text.lines().next().unwrap_or_default())
}

fn choose_passphrase() -> anyhow::Result<Passphrase> {
    let first = passphrase(&ask("Sandi untuk cadangan ini: ")?)?;
    let again = ask("Sekali lagi: ")?;
    ensure!(
        passphrase(&again)?.expose() == first.expose(),
        "Kedua sandi tidak sama. Tidak ada yang dibuat. Ulangi."
    );
    Ok(first)
}

/// Asks on the terminal without showing what is typed.
fn ask(question: &str) -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        bail!("Sandi tidak bisa ditanyakan di sini. Pakai --sandi-berkas. Tidak ada yang diubah.");
    }
    eprint!("{question}");
    std::io::stderr().flush()?;
    let echo = |state| Command::new("stty").arg(state).status();
    // Without stty the answer shows; better than no backup.
    let hidden = echo("-echo").is_ok_and(|status| status.success());
    let mut text = String::new();
    let read = std::io::stdin().read_line(&mut text);
    if hidden {
        echo("echo")?;
        eprintln!();
    }
    read?;
    Ok(text)
}
