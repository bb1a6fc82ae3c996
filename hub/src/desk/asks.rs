//! What an operator asks of a village: to be heard of now, to be proven now,
//! to spend no more than so much.

use lumbung_domain::region::VillageCode;
use lumbung_telemetry::clock;

use super::{Desk, DeskError};
use crate::access::audit::Act;
use crate::access::{Operator, Right};
use crate::live::Phase;

/// The most that a link may be allowed a day, kilobytes: 10 GB.
const BUDGET_KB_MAX: u64 = 10_000_000;

/// What becomes of a wish to hear of a village.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Its line is open: it is asked what it has.
    Asked,
    /// It is dialled at once.
    Dialled,
    /// Its node dials in, and is not here: it is heard of when it comes.
    WhenItComes,
}

impl Desk {
    /// Wishes to hear of a village now.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn sync_now(&self, who: &Operator, village: VillageCode) -> Result<Heard, DeskError> {
        let state = self.to_act_on(who, village)?;
        let phase = self.live.get(village).map(|live| live.phase);
        let in_touch = matches!(phase, Some(Phase::Live | Phase::CatchingUp));
        let heard = match () {
            () if in_touch => Heard::Asked,
            () if state.address.is_empty() => Heard::WhenItComes,
            () => Heard::Dialled,
        };
        self.note(who, Act::SyncAsked, village.to_string(), "sinkron")?;
        self.wishes.wish(village);
        Ok(heard)
    }

    /// Wishes that a village's rows are proven one by one now.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn prove_now(&self, who: &Operator, village: VillageCode) -> Result<(), DeskError> {
        self.to_act_on(who, village)?;
        self.note(who, Act::SyncAsked, village.to_string(), "pembuktian menyeluruh")?;
        Ok(self.dataset.ask_proof(village, clock::now_ms())?)
    }

    /// Sets what the village's link may cost a day, kilobytes; 0 = no bound.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn set_budget(
        &self,
        who: &Operator,
        village: VillageCode,
        kilobytes: u64,
    ) -> Result<(), DeskError> {
        self.to_act_on(who, village)?;
        if kilobytes > BUDGET_KB_MAX {
            return Err(DeskError::unfit(
                "Kuota paling banyak 10.000.000 kB sehari. Tidak ada yang diubah.",
                "A budget is 10,000,000 kB a day at most. Nothing has changed.",
            ));
        }
        self.note(who, Act::VillageNoted, village.to_string(), &format!("kuota {kilobytes} kB"))?;
        Ok(self.registry.set_budget(village, kilobytes * 1_000)?)
    }

    /// The village as stored, if the operator may act on it.
    pub(super) fn to_act_on(
        &self,
        who: &Operator,
        village: VillageCode,
    ) -> Result<crate::dataset::VillageState, DeskError> {
        Self::one(who, village)?;
        who.must(Right::Act)?;
        Ok(self.dataset.village(village)?)
    }
}
