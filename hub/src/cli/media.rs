//! `bundle` and `backup`.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use lumbung_domain::region::{VillageCode, roster};
use lumbung_identity::Authority;
use lumbung_ledger::Seq;
use lumbung_media::{BackupReader, Keys, MediaError, Passphrase, Protection, SecretKey, reseal};
use lumbung_telemetry::clock;

use super::{hub_backup, village};
use crate::bundle::{self, AnswerError, Imported, Opened, OtherLog, Proof, Refused};
use crate::dataset::Dataset as _;
use crate::dataset::sqlite::SqliteDataset;
use crate::repair::ToldProof;
use crate::serve::identity_folder;

#[derive(clap::Subcommand)]
pub(super) enum BundleCommand {
    /// Menggabungkan bundel yang dibawa desa di stik USB.
    Import {
        /// Berkas-berkas bundel, dalam urutan apa pun.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Komputer desa memang dipasang ulang: mulai dari catatan barunya.
        #[arg(long)]
        log_baru: bool,
    },
    /// Menulis jawaban untuk satu desa ke stik: apa yang sudah aman di sini.
    Export {
        /// Kode desa.
        code: String,
        /// Berkas atau folder tujuan.
        #[arg(long, default_value = ".")]
        out: PathBuf,
    },
}

#[derive(clap::Subcommand)]
pub(super) enum BackupCommand {
    Create(hub_backup::CreateArgs),
    /// Membaca seluruh cadangan hub dan memberi tahu isinya.
    Show(hub_backup::OpenArgs),
    /// Kunci yang dipakai desa untuk mengunci cadangan dan bundelnya.
    Recipient,
    /// Membuka cadangan desa dan menguncinya dengan sandi untuk desa itu.
    Unlock {
        /// Berkas cadangan.
        file: PathBuf,
        /// Berkas tujuan.
        #[arg(long)]
        out: PathBuf,
        /// Berkas berisi sandi baru.
        #[arg(long)]
        sandi_berkas: PathBuf,
    },
}

/// The key that villages seal to, made when it is first asked for.
fn district_key(data: &Path) -> anyhow::Result<SecretKey> {
    SecretKey::load_or_create(&identity_folder(data).join("backup.age")).context(
        "Kunci kabupaten untuk cadangan dan bundel tidak bisa dibaca atau dibuat. Tidak ada yang \
         diubah",
    )
}

pub(super) fn backup(command: &BackupCommand, data: &Path, user: &str) -> anyhow::Result<()> {
    match command {
        BackupCommand::Create(args) => hub_backup::create(args, data, user),
        BackupCommand::Show(args) => hub_backup::show(args),
        BackupCommand::Recipient => {
            lumbung_telemetry::say!("{}", district_key(data)?.public());
            Ok(())
        }
        BackupCommand::Unlock { file, out, sandi_berkas } => unlock(data, file, out, sandi_berkas),
    }
}

fn unlock(data: &Path, file: &Path, out: &Path, passphrase: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(passphrase).context("Berkas sandi tidak bisa dibaca")?;
    let passphrase = Passphrase::new(text.lines().next().unwrap_or_default());
    let passphrase = passphrase.with_context(|| {
        format!("Sandi terlalu pendek. Pakai paling sedikit {} huruf", Passphrase::CHARS_MIN)
    })?;
    let open = || -> Result<_, MediaError> {
        let input = std::fs::File::open(file).map_err(MediaError::Io)?;
        let length = input.metadata().map_err(MediaError::Io)?.len();
        let key =
            district_key(data).map_err(|error| MediaError::Io(std::io::Error::other(error)))?;
        BackupReader::open(std::io::BufReader::new(input), length, Keys::Secret(&key))
    };
    let backup = open().map_err(|error| anyhow::anyhow!(unreadable(&error, "cadangan")))?;
    let village = named(backup.village());
    let target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(out);
    let target = target.with_context(|| {
        format!("Berkas {} tidak bisa dibuat. Berkas yang ada tidak ditimpa", out.display())
    })?;
    let protection = Protection { recipients: Vec::new(), passphrase: Some(passphrase) };
    let sealed = reseal(backup, target, &protection);
    let sealed = sealed.and_then(|file| file.sync_all().map_err(MediaError::Io));
    if let Err(error) = sealed {
        std::fs::remove_file(out)?;
        anyhow::bail!(unreadable(&error, "cadangan"));
    }
    lumbung_telemetry::say!(
        "Cadangan {village} utuh dan sekarang terkunci dengan sandi itu: {}. Sampaikan sandinya \
         lewat jalan lain. Di desa: lumbung-node restore.",
        out.display()
    );
    Ok(())
}

pub(super) fn bundle(
    command: &BundleCommand,
    data: &Path,
    dataset: &SqliteDataset,
) -> anyhow::Result<()> {
    match command {
        BundleCommand::Import { files, log_baru } => {
            let other_log = if *log_baru { OtherLog::Begin } else { OtherLog::Refuse };
            import(files, other_log, data, dataset)
        }
        BundleCommand::Export { code, out } => export(code, out, data, dataset),
    }
}

fn export(code: &str, out: &Path, data: &Path, dataset: &SqliteDataset) -> anyhow::Result<()> {
    let desa = village(code)?;
    let state = dataset.village(desa.code)?;
    let authority = Authority::open(&identity_folder(data), clock::now_ms())
        .context("Kunci kabupaten tidak bisa dibuka. Tidak ada yang diubah")?;
    let waiting = bundle::waiting(desa.code, dataset)?;
    let path = bundle::answer(&state, &waiting, authority.hub_key(), out).map_err(|error| {
        anyhow::anyhow!(match error {
            AnswerError::NoKey => format!(
                "{} belum pernah mengirim bundel, jadi jawabannya tidak bisa dikunci untuk desa \
                 itu. Tidak ada yang dibuat. Minta desa mengekspor bundel dulu.",
                desa.full_name()
            ),
            AnswerError::Exists => format!(
                "Di {} sudah ada jawaban untuk keadaan ini; berkas itu tidak ditimpa.",
                out.display()
            ),
            AnswerError::Medium(error) => unreadable(&error, "jawaban"),
        })
    })?;
    let parcels = waiting.parcels.len() - waiting.notices;
    if parcels > 0 {
        lumbung_telemetry::say!("{parcels} catatan yang hilang di desa ikut dikembalikan.");
    }
    if waiting.notices > 0 {
        lumbung_telemetry::say!("{} informasi untuk desa ini ikut dibawa.", waiting.notices);
    }
    let proven = match state.proven_seq {
        Seq::ZERO => "belum terbukti sama".to_owned(),
        proven => format!("terbukti sama pada nomor {proven}"),
    };
    lumbung_telemetry::say!(
        "Jawaban untuk {}: tergabung sampai nomor {}, {proven}. Berkasnya: {}. Di desa: \
         lumbung-node bundle import.",
        desa.full_name(),
        state.position.map_or(0, |position| position.seq.0),
        path.display()
    );
    Ok(())
}

fn import(
    files: &[PathBuf],
    other_log: OtherLog,
    data: &Path,
    dataset: &SqliteDataset,
) -> anyhow::Result<()> {
    let key = district_key(data)?;
    let mut opened = Vec::new();
    let mut refused = 0;
    for file in files {
        match bundle::read(file, &key, dataset) {
            Ok(bundle) => opened.push(bundle),
            Err(why) => {
                refused += 1;
                lumbung_telemetry::say!("{}: {}", file.display(), refusal(&why));
            }
        }
    }
    bundle::order(&mut opened);
    for Opened { path, bundle } in &opened {
        let what = format!(
            "{}: bundel nomor {} dari {}",
            path.display(),
            bundle.header.number,
            named(bundle.village)
        );
        match bundle::import(bundle, dataset, other_log) {
            Ok(imported) => lumbung_telemetry::say!("{what}: {}", outcome(&imported)),
            Err(why) => {
                refused += 1;
                lumbung_telemetry::say!("{what}: {}", refusal(&why));
            }
        }
    }
    ensure!(
        refused == 0,
        "{refused} dari {} berkas tidak digabung; yang lain selesai.",
        files.len()
    );
    Ok(())
}

fn named(village: VillageCode) -> String {
    roster().village(village).map_or_else(|| village.to_string(), |desa| desa.full_name())
}

fn outcome(imported: &Imported) -> String {
    let merged = match imported.merged {
        0 => "semua isinya sudah ada di sini, tidak ada yang ditambahkan".to_owned(),
        merged => format!("{merged} catatan digabung"),
    };
    let quarantine = match imported.quarantined {
        0 => String::new(),
        count => format!(" ({count} di karantina)"),
    };
    let proof = match imported.proof {
        Proof::Equal => "Terbukti sama dengan isi di desa.",
        Proof::Differs => {
            "Isi di sini BELUM sama dengan isi di desa; laporkan ke pengelola. Yang tergabung aman."
        }
        Proof::HubIsAhead => {
            "Hub sudah punya yang lebih baru dari bundel ini. Bila desa baru memulihkan cadangan, \
             bawa jawabannya ke desa (lumbung-hub bundle export)."
        }
        Proof::PendingReturn => {
            "Ada catatan yang hilang di desa dan belum dikembalikan. Bawa jawabannya ke desa \
             (lumbung-hub bundle export), atau sambungkan desa lewat jaringan."
        }
    };
    let restarted = match imported.restarted {
        None => String::new(),
        Some(seq) => format!(
            " Data desa pernah kembali ke keadaan lama; keduanya sama sampai nomor {seq}, dan yang \
             hanya ada di sini disimpan untuk dikembalikan."
        ),
    };
    let rows = match &imported.rows {
        None => String::new(),
        Some(ToldProof::Equal(words) | ToldProof::Differs(words)) => format!(" {words}"),
        Some(ToldProof::Contradicts(why)) => format!(" {why}"),
    };
    let broken = imported.broken_at.map_or_else(String::new, |seq| {
        format!(
            " Tetapi log di komputer desa rusak mulai nomor {seq}, jadi isinya tidak bisa dibuktikan \
             baris demi baris. Desa jangan menghapus apa pun; periksa disknya, lalu jalankan \
             lumbung-node recover di sana."
        )
    });
    format!("{merged}{quarantine}.{restarted} {proof}{rows}{broken}")
}

/// Why a bundle was not taken, whether the data is safe, what to do.
fn refusal(why: &Refused) -> String {
    const SAFE: &str = "Tidak ada yang digabung.";
    const AGREE: &str = "Bawa jawabannya ke desa (lumbung-hub bundle export), lalu bawa bundel desa \
                         yang baru ke sini; atau sambungkan desa ini lewat jaringan sekali.";
    match why {
        Refused::Medium(error) => unreadable(error, "bundel"),
        Refused::UnknownVillage(village) => format!(
            "bundel ini dari {}, yang belum ada di daftar hub. {SAFE} Daftarkan desa itu dulu.",
            named(*village)
        ),
        Refused::Stranger(village) => format!(
            "bundel ini mengaku dari {}, tetapi tidak ditandatangani komputer desa itu. {SAFE} \
             Pastikan stiknya tidak tertukar dan desa itu sudah bergabung.",
            named(*village)
        ),
        Refused::Revoked(village) => format!(
            "bundel ini dari komputer {} yang sudah tidak diizinkan lagi. {SAFE} Minta desa \
             mengekspor dari komputernya yang sekarang.",
            named(*village)
        ),
        Refused::TakingTurns(village) => format!(
            "dua komputer bergantian mengirim stik untuk {}. {SAFE} Desa ini ditahan sampai jelas \
             komputer mana yang dipakai: matikan salah satu, jalankan lumbung-hub villages resolve \
             {village}, lalu minta stik baru dari komputer yang tinggal.",
            named(*village)
        ),
        Refused::Held(village) => format!(
            "{} sedang ditahan sampai masalahnya diselesaikan. {SAFE} Lihat: lumbung-hub villages \
             show {village}.",
            named(*village)
        ),
        Refused::OnHold { village, hold } => format!(
            "{} ditahan oleh {} sampai {}: {}. {SAFE} Datanya tetap utuh di stik: simpan stiknya, \
             lalu impor lagi sesudah itu atau sesudah penahanan dilepas (konsol, halaman desa).",
            named(*village),
            hold.by,
            clock::display(hold.until_ms),
            hold.reason.trim_end_matches('.')
        ),
        Refused::Gap { next } => format!(
            "bundel sebelumnya (mulai nomor {next}) belum ada. {SAFE} Impor itu dulu, atau minta \
             desa mengekspor dengan --from {next}."
        ),
        Refused::OtherLog => format!(
            "bundel ini dari catatan lain daripada yang sudah tergabung: node desa ini dipasang \
             ulang, atau stiknya dari komputer lama. {SAFE} Tanyakan desa. Bila memang dipasang \
             ulang: ulangi dengan --log-baru; catatan lama tetap terbaca dan menunggu keputusan \
             (lumbung-hub villages leftovers). Atau sambungkan desa ini lewat jaringan sekali."
        ),
        Refused::Outdated => format!(
            "bundel ini dibuat sebelum data desa dipulihkan, atau disk desa kembali ke keadaan yang \
             lebih lama lagi. {SAFE} Simpan stiknya. {AGREE}"
        ),
        Refused::Restarted { at } => format!(
            "data desa dipulihkan sampai nomor {at}, sedangkan hub sudah punya lebih banyak. {SAFE} \
             {AGREE}"
        ),
        Refused::Forked { at } => format!(
            "riwayat di bundel ini berbeda dengan yang sudah tergabung (nomor {at}): cadangan \
             dipulihkan lalu ditulisi, atau disk digandakan. {SAFE} Pastikan hanya satu komputer \
             yang dipakai. {AGREE}"
        ),
        Refused::Unproven { after } => format!(
            "isi bundel bertentangan dengan dirinya sendiri setelah nomor {}. Yang belum terbukti \
             tidak digabung. Minta desa mengekspor lagi.",
            after.seq
        ),
        Refused::Dataset(error) => {
            tracing::error!(%error, "a bundle can't be merged");
            "hub tidak bisa menyimpan. Yang sudah tergabung aman. Periksa ruang kosong dan disk, \
             lalu ulangi."
                .to_owned()
        }
        Refused::Busy => {
            "hub sedang menggabungkan desa ini lewat jaringan. Yang sudah tergabung aman. Ulangi \
             nanti."
                .to_owned()
        }
    }
}

/// Why a medium can't be read.
pub(super) fn unreadable(error: &MediaError, what: &str) -> String {
    const SAFE: &str = "Tidak ada yang diubah.";
    match error {
        MediaError::OtherKind => format!("ini bukan berkas {what} Lumbung. {SAFE}"),
        MediaError::NewerVersion => format!(
            "berkas ini ditulis versi Lumbung yang lebih baru. {SAFE} Pasang versi terbaru."
        ),
        MediaError::CutOff => format!(
            "salinannya terpotong, belum lengkap. {SAFE} Salin lagi dari asalnya; lepas stik \
             dengan aman."
        ),
        MediaError::OtherKey => format!(
            "berkas ini dikunci untuk kabupaten lain, atau kunci kabupaten ini sudah diganti. \
             {SAFE}"
        ),
        MediaError::Io(_) => {
            format!("berkas tidak bisa dibaca atau ditulis. {SAFE} Periksa stik dan disk.")
        }
        MediaError::Damaged(_)
        | MediaError::TooLarge
        | MediaError::Batch(_)
        | MediaError::Unsigned(_)
        | MediaError::WrongPassphrase
        | MediaError::NoPassphrase => {
            format!("isinya berubah di jalan (rusak). {SAFE} Salin lagi dari asalnya.")
        }
    }
}
