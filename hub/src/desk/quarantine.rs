//! Entries that this hub could not take: look, try again.

use lumbung_domain::region::VillageCode;
use lumbung_telemetry::clock;

use super::{Desk, DeskError};
use crate::access::audit::Act;
use crate::access::{Operator, Right};
use crate::dataset::{Content, QuarantinedEntry};
use crate::merge::decode;

impl Desk {
    /// The quarantine, oldest first.
    ///
    /// # Errors
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn quarantine(
        &self,
        who: &Operator,
        village: Option<VillageCode>,
    ) -> Result<Vec<QuarantinedEntry>, DeskError> {
        Ok(self.dataset.quarantine(&Self::narrowed(who, village)?)?)
    }

    /// A page of it: what comes after number `after`.
    ///
    /// # Errors
    /// As [`Desk::quarantine`].
    pub fn quarantine_after(
        &self,
        who: &Operator,
        village: Option<VillageCode>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<QuarantinedEntry>, DeskError> {
        Ok(self.dataset.quarantine_after(&Self::narrowed(who, village)?, after, limit)?)
    }

    /// One entry of it.
    ///
    /// # Errors
    /// As [`Desk::quarantine`].
    pub fn quarantined(&self, who: &Operator, number: i64) -> Result<QuarantinedEntry, DeskError> {
        let scope = Self::narrowed(who, None)?;
        self.dataset.quarantined(&scope, number)?.ok_or(DeskError::NotThere)
    }

    /// Tries to take a quarantined entry once more; whether it worked. An
    /// entry that still can't be taken stays with its reason of now.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::Act`], [`DeskError::NotThere`],
    /// [`DeskError::Failed`].
    pub fn replay(&self, who: &Operator, number: i64) -> Result<bool, DeskError> {
        who.must(Right::Act)?;
        let entry = self.quarantined(who, number)?;
        self.note(who, Act::Quarantine, entry.village.to_string(), "coba lagi")?;
        // A newer entry of the record may have taken its place meanwhile.
        let change =
            self.dataset.quarantined_change(who.scope(), number)?.ok_or(DeskError::NotThere)?;
        let change = decode::again(change);
        let taken = !matches!(change.content, Content::Quarantined(_));
        self.dataset.release(number, &change, clock::now_ms())?;
        Ok(taken)
    }
}
