//! Notices to villages, and questions about findings and quarantine, which
//! travel as notices too.
//!
//! An operator of some kecamatan writes to their villages only, and sees of a
//! notice what concerns them.

use std::collections::BTreeSet;

use lumbung_domain::code_list::{Code, KategoriInformasi};
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::informasi::{Informasi, Sasaran};
use lumbung_domain::region::VillageCode;
use lumbung_telemetry::clock;

use super::{Desk, DeskError};
use crate::access::audit::{Act, AuditEntry, AuditFilter};
use crate::access::{Operator, Right};
use crate::dataset::notices::{ListedNotice, Notice, NoticeDetail, NoticeVillage, Reach};
use crate::dataset::search::{PlaceLine, PlaceTerms, Slice, Words};
use crate::dataset::{QuarantinedEntry, Scope};
use crate::notices::{self, Created, Draft, NoticeError};

/// "Administrasi" in the list of categories.
const ADMINISTRATION: u16 = 7;

/// RT of a village to choose from: the largest have some 150.
const RT_MAX: usize = 500;

/// Earlier questions that are shown.
const QUESTIONS_MAX: u32 = 20;

/// Earlier returns that are looked at.
const RETURNS_MAX: u32 = 500;

impl From<NoticeError> for DeskError {
    fn from(error: NoticeError) -> Self {
        match error {
            NoticeError::Unknown(_) => Self::NotThere,
            NoticeError::Dataset(error) => error.into(),
            other => Self::Unfit(other.words()),
        }
    }
}

/// What a scope has of a target.
fn of_target(scope: &Scope, sasaran: Sasaran) -> Scope {
    match sasaran {
        Sasaran::Kabupaten => scope.clone(),
        Sasaran::Kecamatan(code) => scope.kecamatan(code),
        Sasaran::Desa(village) | Sasaran::Rt(village, _) => scope.village(village),
    }
}

/// The RT of a target that is one.
fn rt(sasaran: &Sasaran) -> Option<(VillageCode, RecordId)> {
    match sasaran {
        Sasaran::Rt(village, id) => Some((*village, *id)),
        _ => None,
    }
}

/// Whether all of the targets are the operator's.
fn is_own(who: &Operator, sasaran: &[Sasaran]) -> bool {
    let scope = who.scope();
    sasaran.iter().all(|sasaran| match sasaran {
        Sasaran::Kabupaten => scope.is_whole(),
        Sasaran::Kecamatan(code) => scope.covers_kecamatan(*code),
        Sasaran::Desa(village) | Sasaran::Rt(village, _) => scope.holds(*village),
    })
}

/// Whether any village of the targets is the operator's.
fn concerns(who: &Operator, sasaran: &[Sasaran]) -> bool {
    sasaran.iter().any(|sasaran| !of_target(who.scope(), *sasaran).is_nothing())
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
        let own = |informasi: &Informasi| concerns(who, &informasi.sasaran);
        Ok(notices::list(&*self.dataset, own, limit)?)
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

    /// The RT of a village, for a list to choose from.
    ///
    /// # Errors
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn rts(&self, who: &Operator, village: VillageCode) -> Result<Vec<PlaceLine>, DeskError> {
        let scope = Self::one(who, village)?;
        let terms = PlaceTerms { kind: Kind::Rt, words: Words::default(), within: None };
        let slice = Slice { after: None, limit: RT_MAX };
        Ok(self.dataset.find_places(&scope, &terms, &slice)?.lines)
    }

    /// The RT that targets name, as far as they are in villages of the
    /// operator and the hub has them.
    ///
    /// # Errors
    /// [`DeskError::Failed`].
    pub fn rts_named(
        &self,
        who: &Operator,
        sasaran: &[Sasaran],
    ) -> Result<Vec<PlaceLine>, DeskError> {
        let named: BTreeSet<_> = sasaran.iter().filter_map(rt).collect();
        let villages: BTreeSet<_> = named.iter().map(|(village, _)| *village).collect();
        let mut rts = Vec::new();
        for village in villages.into_iter().filter(|village| who.scope().holds(*village)) {
            rts.extend(self.rts(who, village)?);
        }
        rts.retain(|rt| named.contains(&(rt.village, rt.id)));
        Ok(rts)
    }

    /// Targets that are not all the operator's, or an RT that the hub does not
    /// have, are not there.
    fn must_be_there(&self, who: &Operator, sasaran: &[Sasaran]) -> Result<(), DeskError> {
        let rts = sasaran.iter().filter_map(rt).count();
        if is_own(who, sasaran) && self.rts_named(who, sasaran)?.len() == rts {
            Ok(())
        } else {
            Err(DeskError::NotThere)
        }
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
        self.must_be_there(who, sasaran)?;
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
        self.must_be_there(who, &sasaran)?;
        let words = format!("baru, {} tujuan", sasaran.len());
        self.note(who, Act::Noticed, "informasi", &words)?;
        Ok(notices::create(&*self.dataset, draft, sasaran, who.name(), clock::now_ms())?)
    }

    /// The notice, if all of it is the operator's to change.
    fn own_notice(&self, who: &Operator, number: i64) -> Result<Informasi, DeskError> {
        who.must(Right::Inform)?;
        let informasi = self.notice(who, number)?.listed.notice.informasi;
        if is_own(who, &informasi.sasaran) { Ok(informasi) } else { Err(DeskError::NotThere) }
    }

    /// The notice that the operator is about to correct.
    ///
    /// # Errors
    /// As [`Desk::correct_notice`].
    pub fn notice_to_correct(&self, who: &Operator, number: i64) -> Result<Informasi, DeskError> {
        match self.own_notice(who, number)? {
            Informasi { ditarik: true, .. } => Err(NoticeError::Withdrawn.into()),
            informasi => Ok(informasi),
        }
    }

    /// Replaces what version `seen` of a notice says.
    ///
    /// # Errors
    /// As [`Desk::inform`]; [`DeskError::Unfit`] also when somebody else has
    /// changed it since, or it was withdrawn.
    pub fn correct_notice(
        &self,
        who: &Operator,
        number: i64,
        seen: u32,
        draft: Draft,
    ) -> Result<(), DeskError> {
        if self.notice_to_correct(who, number)?.versi != seen {
            return Err(NoticeError::Busy.into());
        }
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
        let entry = self.quarantined(who, number)?;
        let isi = format!(
            "Kabupaten belum bisa menerima satu catatan desa ini: {}\n\nBuka catatan {}, perbaiki, \
             lalu simpan lagi. Catatan lain desa ini sudah diterima dan aman.",
            entry.reason, entry.id
        );
        self.note(who, Act::Quarantine, entry.village.to_string(), "dikirim balik ke desa")?;
        let judul = title_of_return(&entry);
        let sasaran = vec![Sasaran::Desa(entry.village)];
        Ok(notices::create(
            &*self.dataset,
            letter(judul, isi),
            sasaran,
            who.name(),
            clock::now_ms(),
        )?)
    }

    /// The notices with which these entries were sent back and that still
    /// stand, newest first.
    ///
    /// # Errors
    /// As [`Desk::notices`].
    pub fn returns_of(
        &self,
        who: &Operator,
        entries: &[QuarantinedEntry],
    ) -> Result<Vec<(i64, Notice)>, DeskError> {
        who.must(Right::SeeVillages)?;
        let returned = |informasi: &Informasi| {
            let mut entries = entries.iter();
            let entry = entries.find(|entry| returns(informasi, entry));
            entry.filter(|entry| who.scope().holds(entry.village)).map(|entry| entry.number)
        };
        let wanted = |informasi: &Informasi| returned(informasi).is_some();
        let listed = notices::list(&*self.dataset, wanted, RETURNS_MAX)?;
        let notices = listed.into_iter().map(|it| it.notice);
        Ok(notices.filter_map(|it| Some((returned(&it.informasi)?, it))).collect())
    }
}

fn title_of_return(entry: &QuarantinedEntry) -> String {
    format!("Catatan nomor urut {} perlu diperbaiki", entry.seq)
}

/// Whether a notice sends this entry back. A new log has the same numbers
/// again, so the record is looked for too.
fn returns(informasi: &Informasi, entry: &QuarantinedEntry) -> bool {
    !informasi.ditarik
        && informasi.sasaran == [Sasaran::Desa(entry.village)]
        && informasi.judul == title_of_return(entry)
        && informasi.isi.contains(&entry.id.to_string())
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
