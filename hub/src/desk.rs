//! What operators see and do: the only way from the console and the admin
//! API to the dataset.
//!
//! Every method takes the [`Operator`] who asks. Reads are narrowed to the
//! operator's villages by the store itself ([`Scope`]); a village out of
//! scope is answered exactly like one that does not exist. Acts that show a
//! person or change something are noted in the audit log first. The faces
//! (console, admin API) hold a desk and never a dataset; a test keeps it so.
//!
//! Methods block, like the dataset's.

pub mod asks;
pub mod care;
pub mod diagnosis;
pub mod exporting;
pub mod machine;
pub mod maintenance;
pub mod person;
pub mod publications;
pub mod quality;
pub mod ready;
pub mod recap;
pub mod search;
pub mod sight;
pub mod versions;
pub mod witness;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use lumbung_domain::identity::holds_number_of_a_person;
use lumbung_domain::region::{VillageCode, roster};
use lumbung_telemetry::clock;
use tokio::sync::watch;

use crate::access::audit::{
    Act, AuditCheck, AuditEntry, AuditFilter, AuditLog, AuditNote, WORDS_MAX,
};
use crate::access::{Operator, Refused, Right};
use crate::dataset::{Dataset, DatasetError, HubsOwn, Incident, Scope, Totals, VillageState};
use crate::live::{Live, LiveVillage};
use crate::metrics::OperatorCounts;
use crate::outlook::Outlook;
use crate::puller::Wishes;
use crate::reason::Reasons;
use crate::recap::{KeptSums, Publisher, RecapError, RegionRef};
use crate::registry::Registry;
use crate::uplink::Arrivals;
use crate::words::Words;

mod findings;
pub mod lists;
mod notices;
mod quarantine;
mod together;

pub use findings::{Side, differ};
pub use quality::{StatedRegion, StatedTotal};

/// Why an operator gets no answer. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The role may not.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// There is no such thing among what this operator may see.
    #[error("Yang Anda cari tidak ada, atau di luar wilayah Anda.")]
    NotThere,
    /// What was asked can't be done as it stands; the sentence says why.
    #[error("{0}")]
    Unfit(Words),
    /// The store failed.
    #[error("Data kabupaten sedang tidak bisa dibaca. Tidak ada yang berubah. Coba lagi sebentar.")]
    Failed(#[source] DatasetError),
}

impl DeskError {
    /// What was asked can't be done as it stands: why, in both languages.
    pub(crate) fn unfit(id: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Unfit(Words::new(id, en))
    }

    /// Why, in both languages.
    #[must_use]
    pub fn words(&self) -> Words {
        let english = match self {
            Self::Refused(refused) => refused.english(),
            Self::NotThere => "What you look for is not there, or is outside your area.",
            Self::Unfit(words) => return words.clone(),
            Self::Failed(_) => {
                "The district's data can't be read just now. Nothing has changed. Try again in a \
                 moment."
            }
        };
        Words::new(self.to_string(), english)
    }
}

impl From<DatasetError> for DeskError {
    fn from(error: DatasetError) -> Self {
        match error {
            DatasetError::UnknownVillage(_) => Self::NotThere,
            other => Self::Failed(other),
        }
    }
}

impl From<RecapError> for DeskError {
    fn from(error: RecapError) -> Self {
        match error {
            RecapError::Dataset(error) => error.into(),
            RecapError::UnknownRegion(_) => Self::NotThere,
        }
    }
}

/// The parts of the hub that a desk works with.
pub struct DeskParts {
    /// The district's data. The desk keeps of it what takes a scope.
    pub dataset: Arc<dyn HubsOwn>,
    /// Where is noted who saw and did what.
    pub audit: Arc<dyn AuditLog>,
    /// The view of the moment.
    pub live: Arc<Live>,
    /// Tokens and keys.
    pub registry: Arc<dyn Registry>,
    /// Wishes to hear of a village now.
    pub wishes: Wishes,
    /// The folder of the district's authority.
    pub identity: PathBuf,
    /// Where is counted what operators do.
    pub counts: OperatorCounts,
    /// The nodes that are connected.
    pub arrivals: Arrivals,
    /// The file that says whom alerts are told.
    pub letters: PathBuf,
}

/// The operators' desk.
pub struct Desk {
    dataset: Arc<dyn Dataset>,
    audit: Arc<dyn AuditLog>,
    live: Arc<Live>,
    registry: Arc<dyn Registry>,
    wishes: Wishes,
    identity: PathBuf,
    counts: OperatorCounts,
    arrivals: Arrivals,
    letters: PathBuf,
    questions: search::Questions,
    sums: KeptSums,
    publisher: Publisher,
    /// Looks at the whole district.
    looks: together::Together<(Outlook, Reasons)>,
    /// Held while one person's data is opened.
    revealing: Mutex<()>,
}

impl Desk {
    /// A desk over these parts of the hub.
    #[must_use]
    pub fn new(parts: DeskParts) -> Self {
        let DeskParts {
            dataset,
            audit,
            live,
            registry,
            wishes,
            identity,
            counts,
            arrivals,
            letters,
        } = parts;
        let publisher = Publisher::new(dataset.clone());
        let (questions, sums) = (search::Questions::default(), KeptSums::for_many());
        let (looks, revealing) = (together::Together::default(), Mutex::default());
        Self {
            dataset,
            audit,
            live,
            registry,
            wishes,
            identity,
            counts,
            arrivals,
            letters,
            questions,
            sums,
            publisher,
            looks,
            revealing,
        }
    }

    /// Wakes whenever a village moved.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.live.watch()
    }

    /// The operator's villages as stored, by code.
    ///
    /// # Errors
    /// [`DeskError::Failed`].
    pub fn villages(&self, who: &Operator) -> Result<Vec<VillageState>, DeskError> {
        who.must(Right::SeeVillages)?;
        let mut villages = self.dataset.villages()?;
        villages.retain(|state| who.scope().holds(state.village));
        Ok(villages)
    }

    /// The operator's villages at this moment, by code.
    ///
    /// # Errors
    /// [`DeskError::Refused`].
    pub fn live(&self, who: &Operator) -> Result<Vec<LiveVillage>, DeskError> {
        who.must(Right::SeeVillages)?;
        let mut live = self.live.all();
        live.retain(|live| who.scope().holds(live.village));
        Ok(live)
    }

    /// Looks at the whole district now, with all others who ask just now.
    fn whole_district(&self) -> Result<Arc<(Outlook, Reasons)>, DeskError> {
        let looked = self.looks.get(|| {
            let outlook = Outlook::now(&*self.dataset, &self.live)?;
            let reasons = Reasons::of(&outlook);
            Ok::<_, DatasetError>((outlook, reasons))
        });
        Ok(looked?)
    }

    /// The scope of one village, if the operator may see it.
    fn one(who: &Operator, village: VillageCode) -> Result<Scope, DeskError> {
        who.must(Right::SeeVillages)?;
        let known = roster().village(village).is_some() && who.scope().holds(village);
        if known { Ok(who.scope().village(village)) } else { Err(DeskError::NotThere) }
    }

    /// One village as stored and at this moment.
    ///
    /// # Errors
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn village(
        &self,
        who: &Operator,
        village: VillageCode,
    ) -> Result<(VillageState, Option<LiveVillage>), DeskError> {
        Self::one(who, village)?;
        Ok((self.dataset.village(village)?, self.live.get(village)))
    }

    /// Sums over the operator's villages.
    ///
    /// # Errors
    /// [`DeskError::Failed`].
    pub fn totals(&self, who: &Operator) -> Result<Totals, DeskError> {
        who.must(Right::SeeVillages)?;
        Ok(self.dataset.totals(who.scope())?)
    }

    /// The operator's scope, or one village of it.
    fn narrowed(who: &Operator, village: Option<VillageCode>) -> Result<Scope, DeskError> {
        who.must(Right::SeeVillages)?;
        match village {
            None => Ok(who.scope().clone()),
            Some(village) => Self::one(who, village),
        }
    }

    /// What happened to villages, newest first.
    ///
    /// # Errors
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn incidents(
        &self,
        who: &Operator,
        village: Option<VillageCode>,
        limit: u32,
    ) -> Result<Vec<Incident>, DeskError> {
        Ok(self.dataset.incidents(&Self::narrowed(who, village)?, limit)?)
    }

    /// Passes who may read the audit log: it is of all villages in one.
    fn must_read_all(who: &Operator) -> Result<(), DeskError> {
        who.must(Right::Audit)?;
        if who.scope().is_whole() { Ok(()) } else { Err(DeskError::NotThere) }
    }

    /// Entries of the audit log, newest first.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::Audit`], [`DeskError::NotThere`]
    /// for who does not see the whole district, [`DeskError::Failed`].
    pub fn audit(
        &self,
        who: &Operator,
        filter: &AuditFilter,
    ) -> Result<Vec<AuditEntry>, DeskError> {
        Self::must_read_all(who)?;
        Ok(self.audit.audit(filter)?)
    }

    /// Whether the audit log goes on whole from where this hub walked it last:
    /// for pages, which are opened often.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::Audit`], [`DeskError::NotThere`]
    /// for who does not see the whole district, [`DeskError::Failed`].
    pub fn check_audit_on(&self, who: &Operator) -> Result<AuditCheck, DeskError> {
        Self::must_read_all(who)?;
        Ok(self.audit.check_audit_on()?)
    }

    /// Whether the whole audit log is whole.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::Audit`], [`DeskError::NotThere`]
    /// for who does not see the whole district, [`DeskError::Failed`].
    pub fn check_audit(&self, who: &Operator) -> Result<AuditCheck, DeskError> {
        Self::must_read_all(who)?;
        Ok(self.audit.check_audit()?)
    }

    /// Notes an act before it happens. Words that look like they name a
    /// person's number are refused: the log is kept for ever.
    fn note(
        &self,
        who: &Operator,
        act: Act,
        subject: impl Into<String>,
        words: &str,
    ) -> Result<(), DeskError> {
        let note = AuditNote {
            operator: who.name().to_owned(),
            act,
            subject: subject.into(),
            words: fit_words(words)?,
        };
        self.audit.note(&note, clock::now_ms())?;
        Ok(())
    }
}

/// Whether all of a region lies in a scope.
fn sees(scope: &Scope, region: RegionRef) -> bool {
    match region {
        RegionRef::Kabupaten => scope.is_whole(),
        RegionRef::Kecamatan(code) => scope.covers_kecamatan(code),
        RegionRef::Desa(village) | RegionRef::Below(village, _) => scope.holds(village),
    }
}

/// Words as the log may keep them.
pub(crate) fn fit_words(words: &str) -> Result<String, DeskError> {
    let words = words.trim();
    if holds_number_of_a_person(words) {
        return Err(DeskError::unfit(
            "Jangan tulis NIK atau nomor KK di alasan: catatan ini disimpan selamanya.",
            "Don't write a NIK or family card number in a reason: it is kept for ever.",
        ));
    }
    if words.chars().count() > WORDS_MAX {
        return Err(DeskError::unfit(
            format!("Alasan paling panjang {WORDS_MAX} huruf."),
            format!("A reason has {WORDS_MAX} characters at most."),
        ));
    }
    Ok(words.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_hold_no_numbers_of_persons() {
        assert!(fit_words("Surat 470/12/2026 dari 3505902001, permintaan warga").is_ok());
        assert!(fit_words("NIK 3505900101900001").is_err());
        assert!(fit_words("NIK 3505 9001 0190 0001").is_err());
        assert!(fit_words(&"a".repeat(WORDS_MAX + 1)).is_err());
        assert_eq!(fit_words(" satu\ndua ").unwrap(), "satu dua");
    }
}
