//! Who may speak for a village: its key, its tokens, and the decisions that
//! only people make after a machine was reinstalled, restored or doubled.

use std::collections::BTreeMap;

use lumbung_domain::id::KindCode;
use lumbung_domain::region::{Desa, VillageCode, roster};
use lumbung_telemetry::clock;

use super::{Desk, DeskError};
use crate::access::audit::Act;
use crate::access::{Operator, Right};
use crate::dataset::{IncidentKind, NewIncident, SetAside};
use crate::invitation::{DAYS, Invitation, InvitationError, keep_address, kept_address};
use crate::registry::{NodeKey, TokenState};
use crate::words::Words;

/// What to do with the records of a closed log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftovers {
    /// Hand them back; the village keeps its own where it has any.
    Return,
    /// End them; their versions are kept.
    Forget,
}

impl From<InvitationError> for DeskError {
    fn from(error: InvitationError) -> Self {
        match error {
            InvitationError::Store(error) => error.into(),
            InvitationError::NoAddress
            | InvitationError::BadAddress
            | InvitationError::Occupied(_) => Self::Unfit(error.words()),
            InvitationError::Authority(_)
            | InvitationError::Address(_)
            | InvitationError::Random(_) => {
                tracing::error!(%error, "no token can be made");
                Self::Unfit(error.words())
            }
        }
    }
}

impl Desk {
    /// The key that speaks for a village; `None` = no machine has joined.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn key(&self, who: &Operator, village: VillageCode) -> Result<Option<NodeKey>, DeskError> {
        Self::one(who, village)?;
        Ok(self.registry.allowed_keys()?.into_iter().find(|key| key.village == village))
    }

    /// Every key that is allowed, one a village.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn keys(&self, who: &Operator) -> Result<Vec<NodeKey>, DeskError> {
        who.must(Right::ManageKeys)?;
        let mut keys = self.registry.allowed_keys()?;
        keys.retain(|key| who.scope().holds(key.village));
        Ok(keys)
    }

    /// Tokens that were handed out, newest first.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn tokens(&self, who: &Operator) -> Result<Vec<TokenState>, DeskError> {
        who.must(Right::ManageKeys)?;
        let mut tokens = self.registry.tokens()?;
        tokens.retain(|token| who.scope().holds(token.village));
        Ok(tokens)
    }

    /// Makes a token worthless that nobody has used yet.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn cancel_token(&self, who: &Operator, number: i64) -> Result<(), DeskError> {
        let open = self.tokens(who)?.into_iter().find(|it| it.number == number);
        let open = open.filter(|it| it.used_ms.is_none()).ok_or(DeskError::NotThere)?;
        let words = format!("token nomor {number} dibatalkan");
        self.note(who, Act::Token, open.village.to_string(), &words)?;
        if self.registry.cancel_token(number)? { Ok(()) } else { Err(DeskError::NotThere) }
    }

    /// Makes a token with which a machine joins for the village: its first, or
    /// with `replaces` one in place of that which is allowed now. It is told
    /// here and never again.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn invite(
        &self,
        who: &Operator,
        village: VillageCode,
        replaces: bool,
    ) -> Result<Invitation, DeskError> {
        self.invite_for(who, village, replaces, DAYS, None)
    }

    /// The same for so many days, and with another address by which villages
    /// reach the hub, if one is given; it is kept.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn invite_for(
        &self,
        who: &Operator,
        village: VillageCode,
        replaces: bool,
        days: u32,
        address: Option<&str>,
    ) -> Result<Invitation, DeskError> {
        let desa = Self::to_keep(who, village)?;
        if days == 0 {
            return Err(DeskError::unfit(
                "Token harus berlaku paling sedikit satu hari. Tidak ada yang dibuat.",
                "A token is valid for a day at least. Nothing was made.",
            ));
        }
        let known = kept_address(&self.identity);
        let address = match address {
            Some(address) => address.to_owned(),
            None => known.as_ref().map_err(|_| InvitationError::NoAddress)?.clone(),
        };
        let words = if replaces { "token pengganti dibuat" } else { "token dibuat" };
        self.note(who, Act::Token, village.to_string(), words)?;
        if known.ok().as_ref() != Some(&address) {
            keep_address(&self.identity, &address)?;
        }
        let terms = (address, replaces, days);
        Ok(Invitation::make(&*self.registry, &self.identity, desa, terms, clock::now_ms())?)
    }

    /// Takes the right to speak for the village from its machine. `typed` must
    /// be the village's name.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn revoke(
        &self,
        who: &Operator,
        village: VillageCode,
        typed: &str,
        words: &str,
    ) -> Result<(), DeskError> {
        let desa = Self::to_keep(who, village)?;
        if !same_name(typed, desa.name) {
            let name = desa.name;
            return Err(DeskError::unfit(
                format!(
                    "Nama yang diketik bukan \"{name}\". Kunci tidak dicabut; tidak ada yang diubah."
                ),
                format!(
                    "The name that was typed is not \"{name}\". No key was revoked; nothing has \
                     changed."
                ),
            ));
        }
        if self.key(who, village)?.is_none() {
            let name = desa.full_name();
            return Err(DeskError::unfit(
                format!("{name} tidak punya komputer yang terdaftar. Tidak ada yang diubah."),
                format!("{name} has no machine that has joined. Nothing has changed."),
            ));
        }
        self.note(who, Act::Revoked, village.to_string(), words)?;
        self.registry.revoke(village, clock::now_ms())?;
        Ok(())
    }

    /// Lets a village go on that was stopped because two machines answered
    /// for it.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn resolve_twin(&self, who: &Operator, village: VillageCode) -> Result<(), DeskError> {
        Self::to_keep(who, village)?;
        if self.dataset.village(village)?.twin_ms == 0 {
            return Err(DeskError::unfit(
                "Desa ini tidak sedang dihentikan. Tidak ada yang diubah.",
                "This village is not stopped. Nothing has changed.",
            ));
        }
        self.note(who, Act::Decided, village.to_string(), "tinggal satu komputer")?;
        self.dataset.resolve_twin(village, &one_machine_left(), clock::now_ms())?;
        self.wishes.wish(village);
        Ok(())
    }

    /// Records left over from a closed log, by kind.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn leftovers(
        &self,
        who: &Operator,
        village: VillageCode,
    ) -> Result<BTreeMap<KindCode, u64>, DeskError> {
        Self::one(who, village)?;
        Ok(self.dataset.leftovers(village)?)
    }

    /// Decides about what is left over from a closed log. Gives how many
    /// records that are.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn settle_leftovers(
        &self,
        who: &Operator,
        village: VillageCode,
        decision: Leftovers,
    ) -> Result<u64, DeskError> {
        Self::to_keep(who, village)?;
        if self.dataset.village(village)?.leftovers == 0 {
            return Err(DeskError::unfit(
                "Tidak ada catatan lama yang menunggu. Tidak ada yang diubah.",
                "No old records wait. Nothing has changed.",
            ));
        }
        let now_ms = clock::now_ms();
        match decision {
            Leftovers::Return => {
                self.note(who, Act::Decided, village.to_string(), "catatan lama dikembalikan")?;
                Ok(self.dataset.return_leftovers(village, &leftovers_returned, now_ms)?)
            }
            Leftovers::Forget => {
                self.note(who, Act::Decided, village.to_string(), "catatan lama diakhiri")?;
                Ok(self.dataset.forget_leftovers(village, &leftovers_forgotten, now_ms)?)
            }
        }
    }

    /// Says that the damaged stores a village keeps aside may go. Gives how
    /// many that are.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn release_damaged(&self, who: &Operator, village: VillageCode) -> Result<u64, DeskError> {
        let desa = Self::to_keep(who, village)?;
        if self.dataset.damaged_stores(village)?.iter().all(|store| store.may_go) {
            let name = desa.full_name();
            return Err(DeskError::unfit(
                format!(
                    "Tidak ada berkas rusak {name} yang menunggu keputusan. Tidak ada yang diubah."
                ),
                format!("No damaged store of {name} waits for a decision. Nothing has changed."),
            ));
        }
        self.note(who, Act::Decided, village.to_string(), "berkas rusak boleh dihapus")?;
        Ok(self.dataset.release_damaged_stores(village, clock::now_ms())?)
    }

    /// Versions of records that were once lost in the village, and what became
    /// of them; newest first. They name records by their ids only.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn branch(
        &self,
        who: &Operator,
        village: VillageCode,
        limit: u32,
    ) -> Result<Vec<SetAside>, DeskError> {
        let scope = Self::one(who, village)?;
        Ok(self.dataset.branch(&scope, village, limit)?)
    }

    /// The village, if the operator may decide about its machines.
    fn to_keep(who: &Operator, village: VillageCode) -> Result<&'static Desa, DeskError> {
        Self::one(who, village)?;
        who.must(Right::ManageKeys)?;
        roster().village(village).ok_or(DeskError::NotThere)
    }
}

/// Whether somebody typed this name, however they write it.
fn same_name(typed: &str, name: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<String>().to_lowercase();
    plain(typed) == plain(name)
}

/// The incident that only one machine is left.
pub(crate) fn one_machine_left() -> NewIncident {
    let words = Words::new(
        "Pengelola memastikan tinggal satu komputer yang dipakai desa ini. Penggabungan berjalan \
         lagi.",
        "An operator made sure that this village uses one machine only. Merging goes on.",
    );
    NewIncident::new(IncidentKind::TwinResolved, words)
}

/// The incident that records of a closed log go back to the village.
pub(crate) fn leftovers_returned(count: u64) -> NewIncident {
    let words = Words::new(
        format!(
            "Pengelola mengembalikan {count} catatan dari log lama ke desa; desa memakai isinya \
             sendiri bila sudah ada."
        ),
        format!(
            "An operator handed {count} records of the old log back to the village, which keeps \
             its own where it has any."
        ),
    );
    NewIncident::new(IncidentKind::LeftoversReturned, words)
}

/// The incident that records of a closed log were ended.
pub(crate) fn leftovers_forgotten(count: u64) -> NewIncident {
    let words = Words::new(
        format!(
            "Pengelola mengakhiri {count} catatan dari log lama. Versinya tetap tersimpan di hub."
        ),
        format!("An operator ended {count} records of the old log. The hub keeps their versions."),
    );
    NewIncident::new(IncidentKind::LeftoversForgotten, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_typed_however_people_write_it() {
        assert!(same_name(" jaten ", "Jaten") && same_name("KALI gambir", "Kaligambir"));
        assert!(!same_name("Jate", "Jaten") && !same_name("", "Jaten"));
    }
}
