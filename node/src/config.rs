//! The node's settings: `node.toml` in the village's folder.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use lumbung_domain::region::VillageCode;
use serde::{Deserialize, Serialize};

use crate::petugas::Petugas;

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Which village this node keeps.
    pub desa: VillageCode,
    /// Where the district's hub may dial it; `None` = nowhere: it dials.
    #[serde(default)]
    pub listen: Option<SocketAddr>,
    /// Who works at this computer; `None` = nobody has said.
    #[serde(default)]
    pub petugas: Option<Petugas>,
    /// Backups the node makes by itself.
    #[serde(default, rename = "cadangan")]
    pub backup: BackupSettings,
}

/// Backups the node makes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupSettings {
    /// How many are kept; 0 makes none.
    #[serde(rename = "simpan")]
    pub keep: u32,
}

impl Default for BackupSettings {
    /// A week of them.
    fn default() -> Self {
        Self { keep: 7 }
    }
}

/// Why the settings can't be used. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No settings file.
    #[error("Belum ada data desa di {0}. Jalankan dulu: lumbung-node init --data {0} KODE-DESA")]
    Missing(PathBuf),
    /// There is a village already.
    #[error("Di {0} sudah ada data desa. Tidak ada yang diubah.")]
    Exists(PathBuf),
    /// The file is wrong.
    #[error("Berkas pengaturan {path} salah: {why}. Perbaiki berkas itu, lalu jalankan lagi.")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Reading or writing failed.
    #[error("Berkas pengaturan di {path} tidak bisa dibaca atau ditulis: {source}")]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Config {
    /// Settings for a new village.
    #[must_use]
    pub const fn new(desa: VillageCode) -> Self {
        Self { desa, listen: None, petugas: None, backup: BackupSettings { keep: 7 } }
    }

    /// Reads the settings in `dir`.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load(dir: &Path) -> Result<Self, ConfigError> {
        let path = dir.join("node.toml");
        if !path.exists() {
            return Err(ConfigError::Missing(dir.to_path_buf()));
        }
        let text = fs::read_to_string(&path)
            .map_err(|source| ConfigError::Io { path: path.clone(), source })?;
        toml::from_str(&text)
            .map_err(|error| ConfigError::Wrong { path, why: error.message().to_owned() })
    }

    /// Writes the settings of a new village; durable when it returns.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn create(&self, dir: &Path) -> Result<(), ConfigError> {
        let path = dir.join("node.toml");
        let text = format!("# Pengaturan node Lumbung.\ndesa = \"{}\"\n", self.desa);
        let write = || {
            fs::create_dir_all(dir)?;
            let mut file = fs::File::create_new(&path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::File::open(dir)?.sync_all()
        };
        write().map_err(|source| match source.kind() {
            std::io::ErrorKind::AlreadyExists => ConfigError::Exists(dir.to_path_buf()),
            _ => ConfigError::Io { path: dir.to_path_buf(), source },
        })
    }
}
