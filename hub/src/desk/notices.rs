//! Notices to villages, and questions about findings and quarantine, which
//! travel as notices too.
//!
//! An operator of some kecamatan writes to their villages only, and sees of a
//! notice what concerns them.

use lumbung_domain::code_list::{Code, KategoriInformasi};
use lumbung_domain::informasi::Sasaran;
use lumbung_domain::region::VillageCode;
use lumbung_telemetry::clock;

use super::{Desk, DeskError};
use crate::access::audit::{Act, AuditEntry, AuditFilter};
use crate::access::{Operator, Right};
use crate::dataset::Scope;
use crate::dataset::notices::{ListedNotice, NoticeDetail, NoticeVillage, Reach};
use crate::notices::{self, Created, Draft, NoticeError};

/// "Administrasi" in the list of categories.
const ADMINISTRATION: u16 = 7;

/// Earlier questions that are shown.
const QUESTIONS_MAX: u32 = 20;

impl From<NoticeError> for DeskError {
    fn from(error: NoticeError) -> Self {
        match error {
            NoticeError::Unknown(_) => Self::NotThere,
            NoticeError::Dataset(error) => error.into(),
            other => Self::Unfit(other.words()),
        }
    }
}

/// The villages of a target.
fn scope_of(sasaran: Sasaran) -> Scope {
    match sasaran {
        Sasaran::Kabupaten => Scope::whole(),
        Sasaran::Kecamatan(code) => Scope::of_kecamatan([code]),
        Sasaran::Desa(village) | Sasaran::Rt(village, _) => Scope::of_village(village),
    }
}

/// Whether all of the targets are the operator's.
fn is_own(who: &Operator, sasaran: &[Sasaran]) -> bool {
    sasaran.iter().all(|sasaran| {
        let own = scope_of(*sasaran);
        own.within(who.scope()) == own
    })
}

/// Whether any village of the targets is the operator's.
fn concerns(who: &Operator, sasaran: &[Sasaran]) -> bool {
    sasaran.iter().any(|sasaran| !scope_of(*sasaran).within(who.scope()).is_nothing())
}

fn reach(villages: &[NoticeVillage]) -> Reach {
    use crate::dataset::notices::DeliveryState;
    let count = |fits: &dyn Fn(&NoticeVillage) -> bool| {
        villages.iter().filter(|village| fits(village)).count() as u64
    };
    Reach {
        targeted: villages.len() as u64,
        delivered: count(&|village| village.state == DeliveryState::Delivered),
        read: count(&|village| village.read_ms.is_some() || village.rt_read > 0),
    }
}

/// The subject under which acts about a finding are noted.
fn finding_subject(number: i64) -> String {
    format!("temuan {number}")
}

impl Desk {
    /// Notices that concern the operator's villages, newest first. Counts of a
    /// notice that goes beyond them are of all its villages.
    ///
    /// # Errors
    /// [`DeskError::Failed`].
    pub fn notices(&self, who: &Operator, limit: u32) -> Result<Vec<ListedNotice>, DeskError> {
        who.must(Right::SeeVillages)?;
        let mut listed = notices::list(&*self.dataset, limit)?;
        listed.retain(|listed| concerns(who, &listed.notice.informasi.sasaran));
        Ok(listed)
    }

    /// One notice with those of its villages that the operator may see; counts
    /// are of these.
    ///
    /// # Errors
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn notice(&self, who: &Operator, number: i64) -> Result<NoticeDetail, DeskError> {
        who.must(Right::SeeVillages)?;
        let mut detail = notices::one(&*self.dataset, number)?;
        if !concerns(who, &detail.listed.notice.informasi.sasaran) {
            return Err(DeskError::NotThere);
        }
        detail.villages.retain(|village| who.scope().holds(village.village));
        detail.listed.reach = reach(&detail.villages);
        Ok(detail)
    }

    /// The villages that a notice would reach, by code; nothing is kept.
    ///
    /// # Errors
    /// As [`Desk::inform`].
    pub fn reached_by(
        &self,
        who: &Operator,
        draft: &Draft,
        sasaran: &[Sasaran],
    ) -> Result<Vec<VillageCode>, DeskError> {
        who.must(Right::Inform)?;
        if !is_own(who, sasaran) {
            return Err(DeskError::NotThere);
        }
        Ok(notices::reached_by(&*self.dataset, draft.clone(), sasaran.to_vec())?)
    }

    /// Writes a notice to villages of the operator.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::Inform`];
    /// [`DeskError::NotThere`] for a place out of scope; [`DeskError::Unfit`]
    /// when the text breaks rules; [`DeskError::Failed`].
    pub fn inform(
        &self,
        who: &Operator,
        draft: Draft,
        sasaran: Vec<Sasaran>,
    ) -> Result<Created, DeskError> {
        who.must(Right::Inform)?;
        if !is_own(who, &sasaran) {
            return Err(DeskError::NotThere);
        }
        let words = format!("baru, {} tujuan", sasaran.len());
        self.note(who, Act::Noticed, "informasi", &words)?;
        Ok(notices::create(&*self.dataset, draft, sasaran, who.name(), clock::now_ms())?)
    }

    /// The notice, if all of it is the operator's to change.
    fn own_notice(&self, who: &Operator, number: i64) -> Result<(), DeskError> {
        who.must(Right::Inform)?;
        let detail = self.notice(who, number)?;
        if is_own(who, &detail.listed.notice.informasi.sasaran) {
            Ok(())
        } else {
            Err(DeskError::NotThere)
        }
    }

    /// Replaces what a notice says.
    ///
    /// # Errors
    /// As [`Desk::inform`].
    pub fn correct_notice(
        &self,
        who: &Operator,
        number: i64,
        draft: Draft,
    ) -> Result<(), DeskError> {
        self.own_notice(who, number)?;
        self.note(who, Act::Noticed, format!("informasi {number}"), "diperbaiki")?;
        Ok(notices::correct(&*self.dataset, number, draft, who.name(), clock::now_ms())?)
    }

    /// Withdraws a notice.
    ///
    /// # Errors
    /// As [`Desk::inform`].
    pub fn withdraw_notice(&self, who: &Operator, number: i64) -> Result<(), DeskError> {
        self.own_notice(who, number)?;
        self.note(who, Act::Noticed, format!("informasi {number}"), "ditarik")?;
        Ok(notices::withdraw(&*self.dataset, number, who.name(), clock::now_ms())?)
    }

    /// Asks the villages of a finding about it; those of the operator only.
    /// Gives the notice that carries the question.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::Act`]; [`DeskError::NotThere`];
    /// [`DeskError::Unfit`] when the words break rules; [`DeskError::Failed`].
    pub fn ask_villages(
        &self,
        who: &Operator,
        number: i64,
        words: &str,
    ) -> Result<Created, DeskError> {
        who.must(Right::Act)?;
        let (finding, sides) = self.finding(who, number)?;
        let mut villages: Vec<VillageCode> =
            sides.iter().map(|side| side.claim.village).chain(finding.other_village).collect();
        villages.retain(|village| who.scope().holds(*village));
        villages.sort_unstable();
        villages.dedup();
        let records = sides.iter().filter(|side| who.scope().holds(side.claim.village));
        let records: Vec<_> = records
            .map(|side| format!("{} catatan {}", side.claim.village, side.claim.id))
            .collect();
        let isi = format!("{}\n\nCatatan yang dimaksud:\n{}", words.trim(), records.join("\n"));
        self.note(who, Act::Asked, finding_subject(number), words)?;
        let judul = format!("Pertanyaan tentang temuan nomor {number}");
        let sasaran = villages.into_iter().map(Sasaran::Desa).collect();
        Ok(notices::create(
            &*self.dataset,
            letter(judul, isi),
            sasaran,
            who.name(),
            clock::now_ms(),
        )?)
    }

    /// Questions sent about a finding, newest first.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::SeeRecords`],
    /// [`DeskError::Failed`].
    pub fn asked(&self, who: &Operator, number: i64) -> Result<Vec<AuditEntry>, DeskError> {
        who.must(Right::SeeRecords)?;
        let filter = AuditFilter {
            act: Some(Act::Asked.code().into()),
            subject: Some(finding_subject(number)),
            limit: QUESTIONS_MAX,
            ..AuditFilter::default()
        };
        Ok(self.audit.audit(&filter)?)
    }

    /// Tells a village why an entry of it could not be taken, so that it
    /// mends the record: its next version takes the entry's place.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::Act`], [`DeskError::NotThere`],
    /// [`DeskError::Failed`].
    pub fn send_back(&self, who: &Operator, number: i64) -> Result<Created, DeskError> {
        who.must(Right::Act)?;
        let own = self.quarantine(who, None)?;
        let entry = own.iter().find(|entry| entry.number == number).ok_or(DeskError::NotThere)?;
        let isi = format!(
            "Kabupaten belum bisa menerima satu catatan desa ini: {}\n\nBuka catatan {}, perbaiki, \
             lalu simpan lagi. Catatan lain desa ini sudah diterima dan aman.",
            entry.reason, entry.id
        );
        self.note(who, Act::Quarantine, entry.village.to_string(), "dikirim balik ke desa")?;
        let judul = format!("Catatan nomor urut {} perlu diperbaiki", entry.seq);
        let sasaran = vec![Sasaran::Desa(entry.village)];
        Ok(notices::create(
            &*self.dataset,
            letter(judul, isi),
            sasaran,
            who.name(),
            clock::now_ms(),
        )?)
    }
}

/// A letter of the administration, in force from today on.
fn letter(judul: String, isi: String) -> Draft {
    Draft {
        judul,
        isi,
        kategori: Code::<KategoriInformasi>::new(ADMINISTRATION),
        terbit: Some(clock::today()),
        berlaku_sampai: None,
    }
}
