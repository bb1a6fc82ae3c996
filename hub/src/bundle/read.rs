//! Reading bundles: opened, complete, and signed by the node that may speak
//! for its village.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use lumbung_media::{Bundle, MediaError, SecretKey};
use lumbung_telemetry::clock;

use super::Refused;
use crate::dataset::{Dataset, DatasetError};
use crate::puller::trouble::Trouble;
use crate::registry::Registry;

/// A bundle that may be merged.
pub struct Opened {
    /// The file.
    pub path: PathBuf,
    /// What it holds.
    pub bundle: Bundle,
}

/// Reads a bundle and checks who signed it.
///
/// # Errors
/// [`Refused`] says why it may not be merged.
pub fn read<D: Dataset + Registry>(
    path: &Path,
    key: &SecretKey,
    dataset: &D,
) -> Result<Opened, Refused> {
    let file = File::open(path).map_err(MediaError::Io)?;
    let length = file.metadata().map_err(MediaError::Io)?.len();
    let bundle = Bundle::read(BufReader::new(file), length, key)?;
    let village = bundle.village;
    match dataset.village(village) {
        // Nobody knows yet which machine speaks for it.
        Ok(state) if state.trouble == Trouble::Twin.code() => return Err(Refused::Held(village)),
        Ok(_) => {}
        Err(DatasetError::UnknownVillage(village)) => return Err(Refused::UnknownVillage(village)),
        Err(error) => return Err(error.into()),
    }
    // What is held over the line is held by stick, too: the data stays on it.
    if let Some(hold) = dataset.hold(village)?.filter(|hold| hold.is_on(clock::now_ms())) {
        return Err(Refused::OnHold { village, hold });
    }
    let stranger = Refused::Stranger(village);
    let signer = bundle.signer().filter(|signer| bundle.is_signed_by(signer)).ok_or(stranger)?;
    match dataset.node_key(village, &signer)? {
        None => Err(Refused::Stranger(village)),
        Some(known) if known.revoked_ms.is_some() => Err(Refused::Revoked(village)),
        Some(_) => Ok(Opened { path: path.to_path_buf(), bundle }),
    }
}

/// Puts bundles into the order in which they continue one another.
pub fn order(bundles: &mut [Opened]) {
    bundles.sort_by_key(|Opened { bundle, .. }| {
        let Bundle { village, from, to, .. } = bundle;
        (*village, to.epoch.0, from.seq, to.seq)
    });
}
