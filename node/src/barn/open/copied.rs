//! Opening on a disk that takes no writes: a copy in memory is read until it
//! does. Nothing may be served that the disk may not have.

use std::path::Path;
use std::sync::Arc;

use lumbung_telemetry::clock;

use super::{Footing, OpenBarnError, OpenOptions, Turn, beside, busy_or_failed};
use crate::barn::head::Head;
use crate::barn::reopening::Reopenable;
use crate::barn::room::Condition;
use crate::barn::store::{Hindrance, StoreError};
use crate::barn::witness::{Testimony, Witness};
use crate::barn::{Barn, rewrite};

impl OpenBarnError {
    /// What keeps the disk from taking writes, if that is why.
    pub(super) fn hindrance(&self) -> Option<Hindrance> {
        match self {
            Self::Store(error) => error.hindrance(),
            Self::Witness(error) | Self::Erasures(error) | Self::Losses(error) => {
                Hindrance::of(error)
            }
            _ => None,
        }
    }
}

impl Barn {
    /// Opens a copy of a barn whose disk takes no writes, to be read until it
    /// does.
    pub(super) fn open_copy(
        dir: &Path,
        by: Hindrance,
        options: OpenOptions,
    ) -> Result<Self, OpenBarnError> {
        let _opening = rewrite::lock(dir).map_err(StoreError::Io)?.ok_or(OpenBarnError::Busy)?;
        rewrite::finish(dir, &mut |_| Ok(())).map_err(busy_or_failed)?;
        let copy = Reopenable::hindered(&dir.join("store"), by).map_err(busy_or_failed)?;
        let (store, durable) = copy.ok_or(OpenBarnError::NoCopy(by))?;
        let witness = Witness::open(&dir.join("witness")).map_err(OpenBarnError::Witness)?;
        let (ledger, losses) = beside(dir)?;
        let (store, witness) = (Arc::new(store), Some(witness));
        let footing = Footing { store, witness, ledger, losses, turn: Turn::Copy { durable } };
        let (barn, writer, jobs) = Self::prepare_safely(footing, options, Vec::new())?;
        writer.condition.send_replace(Condition::during(by, clock::now_ms()));
        Self::serve(barn, writer, jobs)
    }
}

/// Whether all of a log was durable once.
pub(super) fn is_witnessed(witnessed: Option<Testimony>, head: &Head) -> bool {
    let position = head.position;
    witnessed.is_some_and(|last| {
        (last.log_id, last.epoch, last.seq) == (position.log_id, position.epoch, position.seq)
    })
}
