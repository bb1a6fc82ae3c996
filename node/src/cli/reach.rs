//! Reaching the node: the running one, or the barn itself.

use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use lumbung_link::channel;
use lumbung_proto::v1::local_client::LocalClient;
use tokio::net::UnixListener;
use tonic::transport::Channel;

use crate::backup;
use crate::barn::{Barn, Hindrance, OpenBarnError, StoreError};
use crate::config::Config;
use crate::serving::{LOCAL_MESSAGE_BYTES_MAX, LocalService, serve_within};
use crate::village::Village;

/// Bytes buffered between a command and the barn it opened itself.
const PIPE_BYTES: usize = 256 * 1024;

/// The node's socket in its folder.
fn socket(dir: &Path) -> PathBuf {
    dir.join("node.sock")
}

/// Where the node's socket is when its folder takes none.
fn socket_in_memory(dir: &Path) -> io::Result<PathBuf> {
    Barn::beside_copy(dir, "sock")
}

/// Where commands reach the node that keeps `dir`, and they themselves.
pub(super) fn listen(dir: &Path) -> anyhow::Result<(PathBuf, UnixListener)> {
    let listened = match bind(socket(dir)) {
        Err(error) if StoreError::Io(error.kind().into()).hindrance().is_some() => {
            tracing::warn!(%error, "the folder takes no socket");
            socket_in_memory(dir).and_then(bind)
        }
        bound => {
            // Left by one that was killed while the disk took nothing.
            drop(socket_in_memory(dir).and_then(std::fs::remove_file));
            bound
        }
    };
    listened.context("Perintah di komputer ini tidak bisa dilayani")
}

fn bind(socket: PathBuf) -> io::Result<(PathBuf, UnixListener)> {
    // A socket left by a killed process; the barn's lock proves it is dead.
    if socket.exists() {
        std::fs::remove_file(&socket)?;
    }
    let listener = UnixListener::bind(&socket)?;
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))?;
    Ok((socket, listener))
}

/// A channel to the node that runs on `dir`; `None` when none does.
pub(super) async fn running(dir: &Path) -> Option<Channel> {
    if let Ok(channel) = channel::dial_unix(&socket(dir)).await {
        return Some(channel);
    }
    let socket = socket_in_memory(dir).ok()?;
    // Anybody may make a file there.
    let owner = |path: &Path| std::fs::symlink_metadata(path).map(|file| file.uid()).ok();
    if owner(&socket)? != owner(&dir.join("store"))? {
        return None;
    }
    channel::dial_unix(&socket).await.ok()
}

/// A client of the node that keeps `dir`: the running one, or one opened for
/// this command only.
pub(super) async fn node(dir: &Path) -> anyhow::Result<LocalClient<Channel>> {
    let config = Config::load(dir)?;
    let channel = match running(dir).await {
        Some(channel) => channel,
        None => within(dir, &config).await?,
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
        OpenBarnError::NoCopy(by) => {
            let (disk, see_to_it) = match by {
                Hindrance::Full => ("penuh", "Kosongkan ruang disk"),
                Hindrance::ReadOnly => {
                    ("hanya bisa dibaca", "Minta yang mengurus komputer ini memeriksa disknya")
                }
            };
            anyhow::anyhow!(
                "Disk komputer ini {disk}, dan memorinya tidak cukup untuk salinan yang bisa \
                 dibaca. Data desa ini aman dan tidak diubah. {see_to_it}, atau tutup program \
                 lain supaya ada memori, lalu ulangi."
            )
        }
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
