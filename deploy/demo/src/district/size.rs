//! Which residents a folder holds: chosen at its first start, kept ever after.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

const FILE: &str = "demo.json";

/// Small enough to be in sync within a minute.
const SCALE: f64 = 0.03;

const SEED: u64 = 3505;

/// How many fictitious residents, and which.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Size {
    /// Share of the real number of residents.
    pub(super) scale: f64,
    /// Seed of their names and lives.
    pub(super) seed: u64,
}

impl Size {
    /// What a folder holds, or will hold from now on. What was asked for must
    /// not contradict that: villages that are filled are not filled again.
    ///
    /// # Errors
    /// When it does, when the scale is none, or when the file can't be used.
    pub(super) fn of(dir: &Path, scale: Option<f64>, seed: Option<u64>) -> anyhow::Result<Self> {
        let path = dir.join(FILE);
        let kept: Option<Self> = match fs::read(&path) {
            Ok(bytes) => Some(
                serde_json::from_slice(&bytes)
                    .with_context(|| format!("{} tidak terbaca", path.display()))?,
            ),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).context(format!("{} tidak terbaca", path.display())),
        };
        let before = kept.unwrap_or(Self { scale: SCALE, seed: SEED });
        let asked =
            Self { scale: scale.unwrap_or(before.scale), seed: seed.unwrap_or(before.seed) };
        anyhow::ensure!(
            asked.scale > 0.0 && asked.scale <= 1.0,
            "--scale harus di antara 0 dan 1. Tidak ada yang dibuat."
        );
        anyhow::ensure!(
            kept.is_none_or(|kept| kept == asked),
            "Folder {} sudah berisi warga rekaan dengan --scale {} --seed {}. Tidak ada yang \
             diubah: pakai angka itu, atau pilih --dir lain.",
            dir.display(),
            before.scale,
            before.seed
        );
        if kept.is_none() {
            let text = serde_json::to_string(&asked)?;
            fs::write(&path, text)
                .with_context(|| format!("{} tidak bisa ditulis", path.display()))?;
        }
        Ok(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_the_size_it_began_with() {
        let dir = tempfile::tempdir().unwrap();
        let of = |scale, seed| Size::of(dir.path(), scale, seed);
        assert!(of(Some(1.5), None).is_err());
        let first = of(Some(0.1), None).unwrap();
        assert_eq!(first, Size { scale: 0.1, seed: SEED });
        assert_eq!(of(None, None).unwrap(), first);
        assert_eq!(of(Some(0.1), Some(SEED)).unwrap(), first);
        let refused = of(Some(1.0), None).unwrap_err().to_string();
        assert!(refused.contains("--scale 0.1"), "{refused}");
        assert!(of(None, Some(7)).is_err());
        assert_eq!(of(None, None).unwrap(), first);
    }
}
