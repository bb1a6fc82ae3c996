//! Reaching the node: the running one, or the barn itself.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context as _;
use lumbung_link::channel;
use lumbung_proto::v1::local_client::LocalClient;
use tonic::transport::Channel;

use crate::backup;
use crate::barn::{OpenBarnError, StoreError};
use crate::config::Config;
use crate::serving::{LOCAL_MESSAGE_BYTES_MAX, LocalService, serve_within};
use crate::village::Village;

/// Bytes buffered between a command and the barn it opened itself.
const PIPE_BYTES: usize = 256 * 1024;

/// The node's socket in its folder.
pub(super) fn socket(dir: &Path) -> std::path::PathBuf {
    dir.join("node.sock")
}

/// A client of the node that keeps `dir`: the running one, or one opened for
/// this command only.
pub(super) async fn node(dir: &Path) -> anyhow::Result<LocalClient<Channel>> {
    let config = Config::load(dir)?;
    let channel = match channel::dial_unix(&socket(dir)).await {
        Ok(channel) => channel,
        Err(_) => within(dir, &config).await?,
    };
    Ok(LocalClient::new(channel)
        .max_decoding_message_size(LOCAL_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(LOCAL_MESSAGE_BYTES_MAX))
}

async fn within(dir: &Path, config: &Config) -> anyhow::Result<Channel> {
    settle(dir)?;
    let village = Village::open(dir, config.desa).map_err(open_failed)?;
    let service = LocalService::at_rest(village, dir.to_path_buf());
    let (here, there) = tokio::io::duplex(PIPE_BYTES);
    tokio::spawn(serve_within(service, there));
    Ok(channel::over(here).await?)
}

/// Finishes or abandons a restore that was interrupted, and says so.
pub(super) fn settle(dir: &Path) -> anyhow::Result<()> {
    let settled = backup::settle(dir).context(
        "Pemulihan dari cadangan yang terputus belum bisa diselesaikan. Data lama dan cadangan \
         tidak hilang. Periksa ruang kosong dan disk, lalu ulangi",
    )?;
    if let Some(settled) = settled {
        lumbung_telemetry::say!("{}", settled.sentence());
    }
    Ok(())
}

/// Why a barn can't be opened, in the clerk's words.
pub(super) fn open_failed(error: OpenBarnError) -> anyhow::Error {
    match error {
        OpenBarnError::Busy => anyhow::anyhow!(
            "Data desa ini sedang dibuka program lain. Data aman. Tunggu sebentar atau hentikan \
             program itu, lalu ulangi."
        ),
        OpenBarnError::NewerFormat { .. } => anyhow::anyhow!(
            "Data desa ini ditulis versi Lumbung yang lebih baru. Data aman dan tidak diubah. \
             Pasang versi terbaru."
        ),
        OpenBarnError::Store(StoreError::Io(error))
        | OpenBarnError::Witness(error)
        | OpenBarnError::Losses(error)
            if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::ReadOnlyFilesystem) =>
        {
            anyhow::anyhow!(
                "Disk penuh atau tidak bisa ditulisi. Data desa ini aman dan tidak diubah. \
                 Sediakan ruang disk atau periksa disknya, lalu ulangi."
            )
        }
        error @ (OpenBarnError::Store(StoreError::Damaged(_)) | OpenBarnError::Inconsistent(_)) => {
            anyhow::Error::new(error).context(
                "Berkas data desa ini rusak. Tidak ada yang diubah. Jangan hapus foldernya. \
                 Jalankan lumbung-node serve: yang sudah terkirim diambil kembali dari kabupaten. \
                 Tanpa kabupaten: pulihkan dari cadangan (lumbung-node restore BERKAS)",
            )
        }
        error => anyhow::Error::new(error).context(
            "Data desa ini tidak bisa dibuka. Tidak ada yang diubah. Jangan hapus foldernya; \
             hubungi kabupaten",
        ),
    }
}

/// A refusal or failure of the node: its sentence is already for people.
#[allow(clippy::needless_pass_by_value, reason = "takes what `map_err` gives")]
pub(super) fn said(status: tonic::Status) -> anyhow::Error {
    let message = status.message().to_owned();
    anyhow::Error::msg(message)
}
