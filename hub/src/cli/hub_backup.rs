//! `backup create`, `backup show` and `restore`: the hub's own backups.

use std::path::{Path, PathBuf};

use anyhow::Context;
use lumbung_media::{Keys, MediaError, Passphrase, Protection, PublicKey, SecretKey};
use lumbung_proto::v1;
use lumbung_telemetry::clock;

use super::media::unreadable;
use crate::access::audit::{Act, AuditLog as _, AuditNote};
use crate::backup::{self, HubBackupError, Signers};
use crate::dataset::sqlite::SqliteDataset;
use crate::serve;

/// Membuat cadangan seluruh hub: data, buku penghapusan dan kunci kabupaten.
/// Boleh selagi hub berjalan.
#[derive(clap::Args)]
pub(super) struct CreateArgs {
    /// Berkas cadangan yang dibuat; yang sudah ada tidak ditimpa.
    file: PathBuf,
    /// Berkas berisi sandi yang membuka cadangan.
    #[arg(long)]
    sandi_berkas: Option<PathBuf>,
    /// Kunci umum age (age1...) yang membuka cadangan; boleh diulang.
    #[arg(long)]
    penerima: Vec<String>,
}

/// Dengan apa cadangan dibuka.
#[derive(clap::Args)]
pub(super) struct OpenArgs {
    /// Berkas cadangan.
    file: PathBuf,
    /// Berkas berisi sandinya.
    #[arg(long)]
    sandi_berkas: Option<PathBuf>,
    /// Berkas kunci rahasia age.
    #[arg(long, conflicts_with = "sandi_berkas")]
    kunci: Option<PathBuf>,
}

/// Memasang kembali cadangan hub. Hub harus berhenti; data yang sekarang
/// disisihkan, tidak dihapus.
#[derive(clap::Args)]
pub(super) struct RestoreArgs {
    #[command(flatten)]
    open: OpenArgs,
    /// Pasang juga bila hub lain yang menandatangani cadangan ini.
    #[arg(long)]
    hub_lain: bool,
}

fn passphrase(file: &Path) -> anyhow::Result<Passphrase> {
    let text = std::fs::read_to_string(file).context("Berkas sandi tidak bisa dibaca")?;
    Passphrase::new(text.lines().next().unwrap_or_default()).with_context(|| {
        format!("Sandi terlalu pendek. Pakai paling sedikit {} huruf", Passphrase::CHARS_MIN)
    })
}

/// What a backup is opened with.
enum Opener {
    Passphrase(Passphrase),
    Key(SecretKey),
}

impl Opener {
    fn of(args: &OpenArgs) -> anyhow::Result<Self> {
        match (&args.sandi_berkas, &args.kunci) {
            (Some(file), _) => Ok(Self::Passphrase(passphrase(file)?)),
            (None, Some(file)) => {
                let key = SecretKey::load(file).context("Berkas kunci tidak bisa dibaca")?;
                Ok(Self::Key(key))
            }
            (None, None) => anyhow::bail!(
                "Sebutkan --sandi-berkas atau --kunci yang membuka cadangan. Tidak ada yang diubah."
            ),
        }
    }

    const fn keys(&self) -> Keys<'_> {
        match self {
            Self::Passphrase(passphrase) => Keys::Passphrase(passphrase),
            Self::Key(key) => Keys::Secret(key),
        }
    }
}

/// What is in a backup, for people.
fn holds(header: &v1::HubBackupHeader) -> String {
    let bytes: u64 = header.files.iter().map(|file| file.bytes).sum();
    let keys = header.files.iter().filter(|file| file.name.starts_with("identity/")).count();
    let ledger = header.files.iter().any(|file| file.name == "erasures");
    format!(
        "Keadaan {}: {} desa, {} catatan, {} warga; {keys} berkas kunci kabupaten{}; {} MB sebelum \
         dikompres.",
        clock::display(header.time_ms),
        header.villages,
        header.records,
        header.warga,
        if ledger { ", buku penghapusan" } else { "" },
        bytes.div_ceil(1_000_000)
    )
}

pub(super) fn create(args: &CreateArgs, data: &Path, user: &str) -> anyhow::Result<()> {
    let mut protection = Protection::default();
    for text in &args.penerima {
        let key: PublicKey = text.parse().context("Kunci umum tidak terbaca; bentuknya age1...")?;
        protection.recipients.push(key);
    }
    if let Some(file) = &args.sandi_berkas {
        protection.passphrase = Some(passphrase(file)?);
    }
    let dataset = SqliteDataset::open(serve::dataset_file(data))
        .context("Data kabupaten tidak bisa dibuka. Tidak ada yang diubah")?;
    let note = AuditNote {
        operator: format!("lokal:{user}"),
        act: Act::BackedUp,
        subject: "hub".to_owned(),
        words: "dibuat".to_owned(),
    };
    dataset
        .note(&note, clock::now_ms())
        .context("Buku catatan tidak bisa ditulisi. Tidak ada yang dibuat")?;
    let made = backup::create(data, &dataset, &args.file, &protection)
        .map_err(|error| anyhow::anyhow!(words(&error, "Tidak ada cadangan yang dibuat.")))?;
    lumbung_telemetry::say!(
        "Cadangan hub selesai, sudah dibaca ulang, dibuka dan diperiksa: {} ({} MB). {} Simpan di \
         tempat lain, terpisah dari sandi atau kuncinya.",
        made.path.display(),
        made.bytes.div_ceil(1_000_000),
        holds(&made.header)
    );
    Ok(())
}

pub(super) fn show(args: &OpenArgs) -> anyhow::Result<()> {
    let opener = Opener::of(args)?;
    let shown = backup::show(&args.file, opener.keys())
        .map_err(|error| anyhow::anyhow!(words(&error, "Tidak ada yang diubah.")))?;
    lumbung_telemetry::say!("Cadangan hub utuh. {}", holds(&shown.header));
    Ok(())
}

pub(super) fn restore(args: &RestoreArgs, data: &Path, user: &str) -> anyhow::Result<()> {
    let opener = Opener::of(&args.open)?;
    let signers = if args.hub_lain { Signers::AnyHub } else { Signers::OwnHub };
    let safe = if backup::unfinished(data) {
        "Data lama disisihkan, tidak dihapus. Beri perintah yang sama lagi."
    } else {
        "Data yang sekarang tidak berubah."
    };
    let restored = backup::restore(data, &args.open.file, opener.keys(), signers)
        .map_err(|error| anyhow::anyhow!(words(&error, safe)))?;
    let note = AuditNote {
        operator: format!("lokal:{user}"),
        act: Act::BackedUp,
        subject: "hub".to_owned(),
        words: format!(
            "dipasang kembali, keadaan {}{}",
            clock::display(restored.header.time_ms),
            if restored.before.is_some() {
                "; data sebelumnya disisihkan, tidak dihapus"
            } else {
                ""
            }
        ),
    };
    SqliteDataset::open(serve::dataset_file(data))?.note(&note, clock::now_ms())?;
    lumbung_telemetry::say!("Cadangan hub terpasang. {}", holds(&restored.header));
    if let Some(before) = &restored.before {
        lumbung_telemetry::say!(
            "Data sebelumnya ada di {}, juga catatan yang dihapus sesudahnya; hapus bila semua desa \
             sudah terbukti sama lagi. Sampai itu konsol dan lumbung-hub erasures mengingatkan.",
            before.display()
        );
    }
    if restored.keys_too {
        lumbung_telemetry::say!("Kunci kabupaten diambil dari cadangan.");
    }
    lumbung_telemetry::say!(
        "Jalankan hub: desa mengirim lagi yang datang sesudah cadangan itu. Semua operator harus \
         masuk lagi, token yang belum dipakai tidak berlaku. Periksa: kunci desa atau operator \
         yang dicabut sesudah cadangan itu harus dicabut lagi, dan desa yang bergabung sesudahnya \
         perlu token baru."
    );
    Ok(())
}

/// Why it did not work, and what is with the data.
fn words(error: &HubBackupError, safe: &str) -> String {
    let why = match error {
        HubBackupError::Unprotected => {
            "Cadangan berisi data semua warga dan kunci kabupaten: sebutkan --sandi-berkas atau \
             --penerima yang melindunginya."
        }
        HubBackupError::Exists => "Berkas dengan nama ini sudah ada dan tidak ditimpa.",
        HubBackupError::Media(MediaError::WrongPassphrase) => "Sandinya bukan sandi cadangan ini.",
        HubBackupError::Media(MediaError::NoPassphrase) => {
            "Cadangan ini tidak dikunci dengan sandi; pakai --kunci."
        }
        HubBackupError::Media(error) => return unreadable(error, "cadangan hub"),
        HubBackupError::Running => "Hub sedang berjalan. Hentikan hub dulu.",
        HubBackupError::Stranger => {
            "Cadangan ini ditandatangani hub lain. Pakai --hub-lain bila Anda tahu asalnya."
        }
        HubBackupError::StrangeFile => "Cadangan ini berisi berkas yang bukan milik hub.",
        HubBackupError::Trial(_) => {
            "Percobaan membuka cadangan tidak memberi isi yang sama; mungkin disk rusak."
        }
        HubBackupError::Dataset(error) => {
            tracing::error!(%error, "the dataset can't be copied or checked");
            "Data kabupaten tidak bisa disalin atau diperiksa. Periksa ruang kosong dan disk."
        }
        HubBackupError::Authority(_) | HubBackupError::Key(_) => {
            "Kunci kabupaten tidak bisa dibaca."
        }
        HubBackupError::Io(error) => {
            tracing::error!(%error, "a backup's file can't be written or read");
            "Berkas tidak bisa ditulis atau dibaca. Periksa ruang kosong dan disk."
        }
    };
    format!("{why} {safe}")
}
