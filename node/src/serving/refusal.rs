//! Why something was not saved or read, in the clerk's words: what happened,
//! whether the data is safe, what to do.

use tonic::Status;

use crate::barn::{Hindrance, StoreError, SubmitError};
use crate::village::index;

pub(super) fn store_failed(error: &StoreError) -> Status {
    tracing::error!(%error, "the barn failed");
    if matches!(error, StoreError::Damaged(_)) {
        return Status::data_loss(
            "Berkas data desa ini rusak di satu tempat. Tidak ada yang diubah. Hentikan node dan \
             jangan hapus foldernya. Jalankan lumbung-node recover: yang sudah terkirim diambil \
             kembali dari kabupaten.",
        );
    }
    match error.hindrance() {
        Some(Hindrance::Full) => disk_full(false),
        Some(Hindrance::ReadOnly) => disk_read_only(false),
        None => disk_failed(),
    }
}

fn disk_read_only(certain: bool) -> Status {
    Status::resource_exhausted(if certain {
        "Disk komputer ini hanya bisa dibaca. Tidak ada yang disimpan; yang sudah tersimpan aman. \
         Periksa disk, lalu simpan lagi. Node melanjutkan sendiri begitu disk bisa ditulisi."
    } else {
        "Disk komputer ini hanya bisa dibaca. Yang sudah tersimpan aman; yang barusan belum pasti. \
         Periksa disk, lalu lihat apakah yang barusan ada sebelum menyimpannya lagi. Node \
         melanjutkan sendiri begitu disk bisa ditulisi."
    })
}

fn disk_full(certain: bool) -> Status {
    Status::resource_exhausted(if certain {
        "Disk komputer ini penuh. Tidak ada yang disimpan; yang sudah tersimpan aman. Kosongkan \
         ruang disk, lalu simpan lagi. Node melanjutkan sendiri, tidak perlu dijalankan ulang."
    } else {
        "Disk komputer ini penuh. Yang sudah tersimpan aman; yang barusan belum pasti. Kosongkan \
         ruang disk, lalu lihat apakah yang barusan ada sebelum menyimpannya lagi. Node \
         melanjutkan sendiri, tidak perlu dijalankan ulang."
    })
}

fn disk_failed() -> Status {
    Status::data_loss(
        "Disk komputer ini bermasalah. Yang sudah tersimpan aman; yang barusan belum pasti. \
         Hentikan node, periksa disk, jalankan lagi, lalu lihat apakah yang barusan ada.",
    )
}

pub(super) fn submit_failed(error: &SubmitError) -> Status {
    match error {
        SubmitError::Taken { index: index::RT, .. } => Status::already_exists(
            "Nomor RT itu sudah dipakai RT lain di RW atau dusun yang sama. Tidak ada yang \
             disimpan. Cari RT yang lama, lalu perbaiki di sana.",
        ),
        SubmitError::Taken { index: index::DASAWISMA, .. } => Status::already_exists(
            "Nama dasawisma itu sudah dipakai di RT yang sama. Tidak ada yang disimpan. Cari \
             dasawisma yang lama, lalu perbaiki di sana.",
        ),
        SubmitError::Taken { .. } => Status::already_exists(
            "NIK atau nomor KK itu sudah dipakai catatan lain di desa ini. Tidak ada yang disimpan. \
             Cari catatan yang lama, lalu perbaiki di sana.",
        ),
        SubmitError::Stale { .. } => Status::aborted(
            "Catatan ini baru saja diubah orang lain. Perubahan Anda belum disimpan. Buka lagi \
             catatannya, lalu ulangi.",
        ),
        SubmitError::TooLarge { .. } => Status::invalid_argument(
            "Catatan ini terlalu besar. Tidak ada yang disimpan. Persingkat isinya.",
        ),
        SubmitError::Erased { .. } => Status::failed_precondition(
            "Catatan itu sudah dihapus permanen dan tidak bisa kembali. Tidak ada yang disimpan. \
             Bila orangnya memang harus didata lagi, buat catatan baru.",
        ),
        SubmitError::Store(error) => store_failed(error),
        SubmitError::Full { certain } => disk_full(*certain),
        SubmitError::ReadOnly { certain } => disk_read_only(*certain),
        SubmitError::Closed => disk_failed(),
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Status> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Status::internal("the node is stopping"))?
        .map_err(|error| store_failed(&error))
}
