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

    /// Tries to take a quarantined entry once more; whether it worked. An
    /// entry that still can't be taken stays with its reason of now.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::Act`], [`DeskError::NotThere`],
    /// [`DeskError::Failed`].
    pub fn replay(&self, who: &Operator, number: i64) -> Result<bool, DeskError> {
        who.must(Right::Act)?;
        let own = self.quarantine(who, None)?;
        let entry = own.iter().find(|entry| entry.number == number).ok_or(DeskError::NotThere)?;
        self.note(who, Act::Quarantine, entry.village.to_string(), "coba lagi")?;
        // A newer entry of the record may have taken its place meanwhile.
        let change = self.dataset.quarantined_change(number)?.ok_or(DeskError::NotThere)?;
        let change = decode::again(change);
        let taken = !matches!(change.content, Content::Quarantined(_));
        self.dataset.release(number, &change, clock::now_ms())?;
        Ok(taken)
    }
}
