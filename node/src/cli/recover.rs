//! Opening a village whose store may be damaged, and `recover`.
//!
//! `serve` brings back what the district holds by itself, because a village
//! has no technician, and tries again for as long as the district is away;
//! where that could cost something it says what to do.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use lumbung_link::backoff::Backoff;
use lumbung_telemetry::clock;

use super::reach;
use crate::barn::OpenBarnError;
use crate::config::Config;
use crate::recovery::{self, Consent, RecoverError, Recovered, ReturnError};
use crate::village::Village;

/// Waits between two attempts while the district is away.
const BETWEEN_ATTEMPTS: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(300));

/// A store that was closed here lets its lock go within this.
const LET_GO_WITHIN: Duration = Duration::from_secs(5);

/// Opens the village in `dir` for work; a damaged store first gives way to
/// what the district holds.
///
/// # Errors
/// In the clerk's words.
pub(super) async fn open(dir: &Path, config: &Config) -> anyhow::Result<Village> {
    reach::settle(dir)?;
    let damage = match Village::open(dir, config.desa) {
        Err(error) if error.is_damage() => error,
        Ok(village) => {
            if let Err(error) = recovery::forget_remains(dir) {
                tracing::warn!(%error, "what is left of a recovery can't be removed");
            }
            return Ok(village);
        }
        Err(error) => return Err(reach::open_failed(error)),
    };
    tracing::error!(error = %damage, "the store is damaged");
    // One look can be wrong, as when a cable is loose.
    match Village::open(dir, config.desa) {
        Err(error) if error.is_damage() => {}
        opened => return opened.map_err(reach::open_failed),
    }
    lumbung_telemetry::say!(
        "Berkas data desa ini rusak dan tidak bisa dibuka. Tidak ada yang dihapus. Data yang sudah \
         sampai di kabupaten sedang diambil kembali."
    );
    come_back(dir, config, Consent::None).await?;
    opened(dir, config)
}

/// `recover`: takes what the district holds when this village's log is
/// damaged, whatever lies in backups.
pub(super) async fn recover(dir: &Path) -> anyhow::Result<ExitCode> {
    let config = Config::load(dir)?;
    reach::settle(dir)?;
    match Village::open(dir, config.desa) {
        Ok(village) => {
            let soundness = village.barn().verify();
            village.close();
            let broken = match soundness {
                Ok(found) => found.faults.iter().any(|fault| fault.in_log(found.head).is_some()),
                Err(error) => match OpenBarnError::from(error) {
                    error if error.is_damage() => true,
                    error => return Err(reach::open_failed(error)),
                },
            };
            if !broken {
                lumbung_telemetry::say!("Data desa ini utuh. Tidak ada yang diubah.");
                return Ok(ExitCode::SUCCESS);
            }
        }
        Err(error) if error.is_damage() => {}
        Err(error) => return Err(reach::open_failed(error)),
    }
    come_back(dir, &config, Consent::Given).await?;
    lumbung_telemetry::say!("Langkah berikut: lumbung-node --data {} serve", dir.display());
    Ok(ExitCode::SUCCESS)
}

async fn come_back(dir: &Path, config: &Config, consent: Consent) -> anyhow::Result<()> {
    let recovered = keep_trying(dir, config, consent).await.map_err(not_recovered)?;
    let Recovered { held, left_out, doubtful, unsent, aside } = recovered;
    let records = held.records.saturating_sub(left_out);
    tracing::warn!(records, left_out, doubtful, "the village came back from the district's data");
    lumbung_telemetry::say!(
        "{records} catatan kembali dan terbukti sama dengan di kabupaten (kontak terakhir {}).",
        clock::display(held.last_contact_ms)
    );
    say_incomplete(left_out, doubtful);
    let reached = held.position.map_or(0, |position| position.seq.0);
    if let Some(unsent) = unsent {
        lumbung_telemetry::say!(
            "Perubahan nomor {} sampai {unsent} belum sampai di kabupaten dan tidak kembali. Catat \
             lagi yang Anda ingat; kabupaten sudah diberi tahu.",
            reached + 1
        );
    }
    lumbung_telemetry::say!(
        "Berkas yang rusak disisihkan di {}. Jangan hapus sebelum kabupaten mengatakan boleh.",
        aside.display()
    );
    Ok(())
}

/// One attempt, or, when nobody is there who could try again, as many as it
/// takes for the district to answer.
async fn keep_trying(
    dir: &Path,
    config: &Config,
    consent: Consent,
) -> Result<Recovered, RecoverError> {
    let mut backoff = Backoff::new(BETWEEN_ATTEMPTS.0, BETWEEN_ATTEMPTS.1);
    let mut said = false;
    loop {
        match recovery::recover(dir, config.desa, consent).await {
            Err(RecoverError::Returning(error))
                if consent == Consent::None
                    && (error.may_pass() || matches!(error, ReturnError::MovedOn)) =>
            {
                tracing::warn!(%error, "the data did not come back; once more");
                if !std::mem::replace(&mut said, true) {
                    lumbung_telemetry::say!(
                        "Kabupaten belum bisa dihubungi, jadi data belum bisa diambil kembali. \
                         Periksa internet; dicoba lagi terus sampai berhasil. Tanpa internet: \
                         hentikan node ini, lalu pulihkan dari cadangan (lumbung-node restore \
                         BERKAS)."
                    );
                }
                tokio::time::sleep(backoff.wait()).await;
            }
            ended => return ended,
        }
    }
}

/// What did not come back as it was, for the clerk.
pub(super) fn say_incomplete(left_out: u64, doubtful: bool) {
    if left_out > 0 {
        lumbung_telemetry::say!(
            "{left_out} catatan lama tidak dipasang karena NIK atau nomor KK-nya dipakai catatan \
             lain. Kabupaten tetap menyimpannya dan memutuskan bersama Anda."
        );
    }
    if doubtful {
        lumbung_telemetry::say!(
            "Sebagian data yang disimpan kabupaten rusak: yang masih terbaca sudah kembali. \
             Kabupaten sudah diberi tahu. Periksa lagi data desa ini."
        );
    }
}

/// Opens what was just put in place.
fn opened(dir: &Path, config: &Config) -> anyhow::Result<Village> {
    let begun = Instant::now();
    loop {
        match Village::open(dir, config.desa) {
            // Opening itself waits a second for the lock.
            Err(OpenBarnError::Busy) if begun.elapsed() < LET_GO_WITHIN => {}
            opened => return opened.map_err(reach::open_failed),
        }
    }
}

/// Why the damaged store is still in place, in the clerk's words.
fn not_recovered(error: RecoverError) -> anyhow::Error {
    let kept = "Berkas data desa ini rusak. Tidak ada yang diubah. Jangan hapus foldernya.";
    match error {
        RecoverError::NotJoined => anyhow::anyhow!(
            "{kept} Desa ini belum bergabung dengan kabupaten. Pulihkan dari cadangan: lumbung-node \
             restore BERKAS."
        ),
        RecoverError::NothingHeld => anyhow::anyhow!(
            "{kept} Kabupaten belum menyimpan data desa ini. Pulihkan dari cadangan (lumbung-node \
             restore BERKAS). Bila tidak ada cadangan dan mau mulai dari kosong: lumbung-node \
             recover; berkas yang rusak tetap disimpan."
        ),
        RecoverError::BackupIsNewer(backup) => anyhow::anyhow!(
            "{kept} Cadangan di komputer ini ({}, dibuat {}) lebih baru daripada yang ada di \
             kabupaten. Kirim berkas itu ke kabupaten untuk dibuka (lumbung-hub backup unlock), lalu \
             jalankan lumbung-node restore BERKAS. Bila cadangan itu tidak bisa dipakai: \
             lumbung-node recover.",
            backup.path.display(),
            clock::display(backup.at_ms)
        ),
        RecoverError::Running => reach::open_failed(OpenBarnError::Busy),
        RecoverError::Returning(ReturnError::Unreachable(_)) => anyhow::anyhow!(
            "{kept} Kabupaten belum bisa dihubungi, jadi data belum bisa diambil kembali. Periksa \
             internet, lalu jalankan lagi. Tanpa internet: pulihkan dari cadangan (lumbung-node \
             restore BERKAS)."
        ),
        RecoverError::Returning(error) => not_returned(error).context(kept),
        error => anyhow::Error::new(error).context(kept),
    }
}

/// Why the village's data did not come back from the district.
pub(super) fn not_returned(error: ReturnError) -> anyhow::Error {
    match error {
        ReturnError::Identity(error) => error.into(),
        ReturnError::Refused(status) => reach::said(status),
        ReturnError::Cut(status) => reach::said(status).context(
            "Sambungan putus di tengah pemulihan. Belum ada data yang dipakai. Ulangi perintah \
             yang sama",
        ),
        ReturnError::MovedOn => {
            anyhow::anyhow!(
                "Data di kabupaten berubah selama dikirim. Belum ada yang dipakai. Ulangi."
            )
        }
        ReturnError::Malformed => anyhow::anyhow!("Kiriman kabupaten rusak. Ulangi."),
        ReturnError::Incomplete => {
            anyhow::anyhow!("Kiriman kabupaten tidak lengkap. Belum ada data yang dipakai. Ulangi.")
        }
        ReturnError::Differs => anyhow::anyhow!(
            "Data yang kembali tidak sama dengan data di kabupaten. Belum ada yang dipakai. Ulangi; \
             bila berulang, hubungi kabupaten."
        ),
        ReturnError::Open(error) => reach::open_failed(error),
        ReturnError::Unreachable(_) => anyhow::Error::new(error).context(
            "Kabupaten tidak bisa dihubungi. Tidak ada yang berubah. Periksa internet, lalu ulangi",
        ),
        ReturnError::Write(_) | ReturnError::Store(_) => {
            anyhow::Error::new(error).context("Data tidak bisa ditulis")
        }
    }
}
