//! The way to a hub: the socket in its folder, or its port for operators.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lumbung_identity::{OperatorFile, TrustedTime, tls};
use lumbung_link::channel::{self, ConnectError};
use lumbung_link::meter::Traffic;
use lumbung_link::secure;
use lumbung_proto::v1::admin_client::AdminClient;
use serde::Deserialize;
use tonic::transport::Channel;

use super::outcome::{Exit, Failure};

/// Name of the socket in a hub's folder.
const SOCKET: &str = "admin.sock";

/// Largest message, bytes: all villages in one list, a page, a file's piece.
const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Where a hub is.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Place {
    /// Its folder, its socket, or `https://host:port`.
    pub(super) hub: String,
    /// The operator's certificate, for the latter.
    #[serde(default)]
    pub(super) cert: Option<PathBuf>,
}

/// The contexts file: several hubs by name.
#[derive(Debug, Default, Deserialize)]
struct Contexts {
    #[serde(default)]
    contexts: BTreeMap<String, Place>,
}

fn contexts_file() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config"));
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).or_else(home);
    config.map(|config| config.join("lumbung/hubctl.toml"))
}

/// The hub with this name in the contexts file.
pub(super) fn context(name: &str) -> Result<Place, Failure> {
    let file = contexts_file()
        .ok_or_else(|| Failure::new(Exit::Usage, "Folder pengaturan tidak diketahui."))?;
    let text = std::fs::read_to_string(&file).map_err(|_| {
        let words = format!("Berkas konteks {} tidak bisa dibaca.", file.display());
        Failure::new(Exit::Usage, words)
    })?;
    let read: Contexts = toml::from_str(&text).map_err(|error| {
        Failure::new(Exit::Usage, format!("Berkas konteks {} salah: {error}", file.display()))
    })?;
    let known: Vec<_> = read.contexts.keys().cloned().collect();
    read.contexts.get(name).cloned().ok_or_else(|| {
        let words = format!("Konteks {name} tidak ada. Yang ada: {}.", known.join(", "));
        Failure::new(Exit::Usage, words)
    })
}

/// A client of the hub at a place.
pub(super) async fn admin(place: &Place) -> Result<AdminClient<Channel>, Failure> {
    let channel = match place.hub.strip_prefix("https://") {
        Some(address) => far(address.trim_end_matches('/'), place.cert.as_deref()).await?,
        None => local(Path::new(&place.hub)).await?,
    };
    Ok(AdminClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX))
}

/// Over mutual TLS: the hub is known by the district's roots, this end by the
/// operator's certificate.
async fn far(address: &str, cert: Option<&Path>) -> Result<Channel, Failure> {
    let usage = |words: String| Failure::new(Exit::Usage, words);
    let cert = cert.ok_or_else(|| {
        usage("Sebutkan berkas sertifikat operator dengan --cert untuk hub dari jauh.".into())
    })?;
    let file = OperatorFile::load(cert).map_err(|error| {
        usage(format!("Berkas sertifikat {} tidak bisa dipakai: {error}.", cert.display()))
    })?;
    let shown = tls::Shown { certificate: file.certificate.clone(), key: &file.key };
    let config = tls::node(&file.roots, TrustedTime::at(0), shown, tls::ALPN_H2);
    let config = config.map_err(|error| {
        usage(format!("Berkas sertifikat {} tidak bisa dipakai: {error}.", cert.display()))
    })?;
    let unreachable = |error: ConnectError| {
        let (exit, words) = match error {
            ConnectError::Untrusted { .. } => (
                Exit::NotAllowed,
                format!("{address} bukan hub kabupaten ini, atau sertifikat Anda tidak diterima."),
            ),
            _ => (Exit::Unreachable, format!("Hub tidak menjawab di {address}.")),
        };
        Failure::new(exit, words)
    };
    let line = secure::dial_tcp(address, Traffic::default()).await.map_err(unreachable)?;
    let line = secure::shake(line, address, tls::hub_name(), Arc::new(config)).await;
    channel::over(line.map_err(unreachable)?).await.map_err(unreachable)
}

async fn local(path: &Path) -> Result<Channel, Failure> {
    let socket = if path.is_dir() { path.join(SOCKET) } else { path.to_path_buf() };
    channel::dial_unix(&socket).await.map_err(|_| {
        let words = format!(
            "Hub tidak menjawab di {}. Jalankan hub, atau sebutkan foldernya dengan --hub.",
            socket.display()
        );
        Failure::new(Exit::Unreachable, words)
    })
}
