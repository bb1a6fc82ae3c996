//! Backups and bundles for commands of this machine: the work goes to a
//! thread, and what can go wrong becomes a sentence.

use std::path::{Path, PathBuf};

use lumbung_ledger::{Position, Seq};
use lumbung_media::{MediaError, Passphrase};
use lumbung_proto::v1;
use tonic::Status;

use super::inbox;
use super::local::LocalService;
use super::refusal::store_failed;
use crate::backup::{self, BackupError, Shelf};
use crate::bundle::{self, BundleError, Standing, returned};

async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Status> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Status::internal("the node is stopping"))
}

fn absolute(path: &str) -> Result<PathBuf, Status> {
    let path = PathBuf::from(path);
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(Status::invalid_argument("not an absolute path"))
    }
}

pub(super) async fn back_up(
    service: &LocalService,
    request: v1::BackupRequest,
) -> Result<v1::BackupReply, Status> {
    let passphrase = match request.passphrase.as_str() {
        "" => None,
        text => Some(Passphrase::new(text).ok_or_else(|| {
            Status::invalid_argument(format!(
                "Sandi terlalu pendek. Tidak ada cadangan yang dibuat. Pakai paling sedikit {} \
                 huruf.",
                Passphrase::CHARS_MIN
            ))
        })?),
    };
    let out = match request.path.as_str() {
        "" => {
            let shelf = Shelf::of(&service.dir);
            std::fs::create_dir_all(shelf.folder())
                .map_err(|error| backup_failed(shelf.folder(), &error.into()))?;
            shelf.folder().to_path_buf()
        }
        path => absolute(path)?,
    };
    let (village, dir, to) = (service.village.clone(), service.dir.clone(), out.clone());
    let made = on_a_thread(move || backup::write(&village, &dir, &to, passphrase)).await?;
    let proven = made.map_err(|error| backup_failed(&out, &error))?;
    Ok(v1::BackupReply {
        path: proven.path.display().to_string(),
        seq: proven.head.position.seq.0,
        records: proven.head.records,
        bytes: proven.bytes,
    })
}

fn backup_failed(out: &Path, error: &BackupError) -> Status {
    let out = out.display();
    match error {
        BackupError::Unprotected => Status::failed_precondition(
            "Tidak ada cadangan yang dibuat: desa ini belum tergabung dengan kabupaten dan tidak \
             ada sandi, jadi siapa pun bisa membaca isinya. Ulangi dengan --sandi.",
        ),
        BackupError::Exists => Status::already_exists(format!(
            "Berkas {out} sudah ada dan tidak ditimpa. Tidak ada cadangan yang dibuat. Pilih nama \
             lain."
        )),
        BackupError::Barn(error) => store_failed(error),
        BackupError::Trial(_) | BackupError::Rebuild(_) | BackupError::Open(_) => {
            tracing::error!(%error, "a backup failed its trial");
            Status::data_loss(
                "Cadangan dicoba dipulihkan dan TIDAK cocok; berkasnya sudah dihapus. Data desa \
                 tidak berubah. Jalankan `lumbung-node verify`, lalu ulangi; bila tetap gagal, \
                 hubungi kabupaten.",
            )
        }
        error => {
            tracing::error!(%error, "no backup could be made");
            Status::internal(format!(
                "Cadangan tidak bisa ditulis atau dibaca kembali di {out}; tidak ada berkas yang \
                 ditinggalkan. Data desa tidak berubah. Periksa ruang kosong dan disk itu, lalu \
                 ulangi."
            ))
        }
    }
}

pub(super) async fn export_bundle(
    service: &LocalService,
    request: v1::ExportBundleRequest,
) -> Result<v1::ExportBundleReply, Status> {
    let out = absolute(&request.path)?;
    let after = match request.from {
        0 => service.confirmed.seq(),
        first => Seq(first - 1),
    };
    let (village, dir, to) = (service.village.clone(), service.dir.clone(), out.clone());
    let made = on_a_thread(move || bundle::export(&village, &dir, &to, after)).await?;
    let exported = made.map_err(|error| bundle_failed(&out, &error))?;
    Ok(v1::ExportBundleReply {
        path: exported.path.display().to_string(),
        first: exported.after.next().0,
        last: exported.to.0,
        number: exported.number,
        bytes: exported.bytes,
    })
}

pub(super) async fn import_answer(
    service: &LocalService,
    request: v1::ImportAnswerRequest,
) -> Result<v1::ImportAnswerReply, Status> {
    let path = absolute(&request.path)?;
    let (village, dir) = (service.village.clone(), service.dir.clone());
    let read = on_a_thread(move || bundle::read_answer(&village, &dir, &path)).await?;
    let answered = read.map_err(|error| answer_failed(&error))?;
    let mut reply = v1::ImportAnswerReply {
        proven_seq: answered.proven.0,
        wants_whole: answered.wants_whole,
        ..v1::ImportAnswerReply::default()
    };
    let (dir, now_ms) = (service.dir.clone(), service.village.clock().now_ms());
    let stores = answered.damaged_may_go_ms;
    if let Err(error) = on_a_thread(move || backup::may_go(&dir, &stores, now_ms)).await? {
        tracing::warn!(%error, "what may be removed can't be noted");
    }
    let hands_back = matches!(answered.standing, Standing::On(_));
    let restarted = stand(service, answered.standing).await.map_err(|e| answer_failed(&e))?;
    if let Some((merged, restarted)) = restarted {
        service.confirmed.write();
        (reply.merged_seq, reply.on_this_log, reply.restarted) = (merged.seq.0, true, restarted);
    }
    // Together: what is found of one tells something about those after it.
    let receipt = inbox::take(&service.village, answered.parcels.clone()).await?;
    for outcome in &receipt.outcomes {
        *match outcome.verdict() {
            v1::Verdict::Applied => &mut reply.applied,
            v1::Verdict::Equal => &mut reply.equal,
            v1::Verdict::Conflict => &mut reply.conflicts,
            v1::Verdict::UnknownParcel | v1::Verdict::Unspecified => &mut reply.unknown,
        } += 1;
    }
    // An answer of another history leaves what was kept of the last one.
    if hands_back {
        let head = service.village.barn().head().position;
        let kept = returned::receipt(head, &answered.parcels, &receipt);
        let dir = service.dir.clone();
        if let Err(error) = on_a_thread(move || returned::keep(&dir, &kept)).await? {
            // The district hands it back once more.
            tracing::warn!(%error, "what became of an answer can't be kept");
        }
    }
    Ok(reply)
}

/// Takes over where the district stands; what both have, and whether the log
/// was restarted for it.
async fn stand(
    service: &LocalService,
    standing: Standing,
) -> Result<Option<(Position, bool)>, BundleError> {
    match standing {
        Standing::Elsewhere => Ok(None),
        Standing::On(merged) => {
            service.confirmed.note(merged, service.village.clock().now_ms());
            Ok(Some((merged, false)))
        }
        Standing::Parted { position, marks } => {
            let restarted = service.village.barn().restart(position, marks).await?;
            tracing::warn!(fork = %restarted.fork, head = %restarted.head, "the log forked");
            service.confirmed.restarted(restarted.fork);
            Ok(Some((restarted.fork, true)))
        }
    }
}

fn answer_failed(error: &BundleError) -> Status {
    match error {
        BundleError::NotJoined => Status::failed_precondition(
            "Desa ini belum bergabung dengan kabupaten. Tidak ada yang diubah.",
        ),
        BundleError::Stranger => Status::permission_denied(
            "Berkas ini tidak ditandatangani kabupaten tempat desa ini bergabung. Tidak ada yang \
             diubah. Minta kabupaten membuatnya lagi.",
        ),
        BundleError::OtherVillage(other) => Status::permission_denied(format!(
            "Berkas ini untuk desa lain ({other}). Tidak ada yang diubah. Pastikan stiknya tidak \
             tertukar."
        )),
        BundleError::Media(MediaError::OtherKey) => Status::permission_denied(
            "Berkas ini dikunci untuk desa lain, atau untuk komputer lama desa ini. Tidak ada yang \
             diubah. Bawa bundel baru ke kabupaten, lalu minta jawabannya.",
        ),
        BundleError::Media(MediaError::OtherKind) => Status::invalid_argument(
            "Ini bukan berkas jawaban dari kabupaten. Tidak ada yang diubah.",
        ),
        BundleError::Media(MediaError::CutOff) => Status::invalid_argument(
            "Salinan berkas ini terpotong. Tidak ada yang diubah. Salin lagi dari asalnya.",
        ),
        BundleError::Media(MediaError::NewerVersion) => Status::invalid_argument(
            "Berkas ini ditulis versi Lumbung yang lebih baru. Tidak ada yang diubah. Pasang versi \
             terbaru.",
        ),
        BundleError::Barn(error) => store_failed(error),
        error => {
            tracing::warn!(%error, "an answer was not taken");
            Status::invalid_argument(
                "Berkas ini rusak atau tidak bisa dibaca. Yang sudah diterima tetap aman; sisanya \
                 tidak diubah. Salin lagi dari asalnya, lalu ulangi.",
            )
        }
    }
}

fn bundle_failed(out: &Path, error: &BundleError) -> Status {
    let out = out.display();
    match error {
        BundleError::NotJoined => Status::failed_precondition(
            "Desa ini belum tergabung dengan kabupaten, jadi bundel tidak bisa dikunci untuk \
             kabupaten. Tidak ada yang dibuat. Gabungkan desa dulu.",
        ),
        BundleError::Exists => Status::already_exists(format!(
            "Berkas {out} sudah ada dan tidak ditimpa. Tidak ada bundel yang dibuat. Pilih nama \
             lain."
        )),
        BundleError::Beyond { last } => Status::out_of_range(format!(
            "Catatan terakhir desa ini nomor {last}. Tidak ada bundel yang dibuat. Pilih --from \
             yang tidak lebih dari {}.",
            last.next()
        )),
        BundleError::Barn(error) => store_failed(error),
        error => {
            tracing::error!(%error, "no bundle could be made");
            Status::internal(format!(
                "Bundel tidak bisa ditulis di {out}; tidak ada berkas yang ditinggalkan. Data desa \
                 tidak berubah. Periksa ruang kosong dan stik itu, lalu ulangi."
            ))
        }
    }
}
