//! Searching: what was asked is kept here under a ticket, so that no name
//! stands in an address, a history or a log.
//!
//! A ticket is worth something to the operator who asked and to nobody else,
//! and until a newer one pushes it out. Lists hold names, never identity
//! numbers or specific data, so they are not noted; looking somebody up by
//! number is, and opening one person's data ([`super::person`]).

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use jiff::ToSpan as _;
use jiff::civil::Date;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::identity::{Nik, NikInput};
use lumbung_domain::record::JenisKelamin;
use lumbung_domain::region::roster;
use lumbung_telemetry::clock;
use lumbung_wire::date;

use super::{Desk, DeskError, sees};
use crate::access::audit::Act;
use crate::access::{Operator, Right};
use crate::dataset::Scope;
use crate::dataset::search::{
    Bookmark, FamilyLine, FamilyTerms, Found, Gap, HouseLine, HouseTerms, PlaceLine, PlaceTerms,
    ResidentLine, ResidentTerms, Slice, Words,
};
use crate::recap::RegionRef;
use crate::spans;

/// Lines on one page.
pub const PAGE: usize = 50;

/// Pages of one answer; whoever wants more narrows the question or exports.
pub const PAGES_MAX: usize = 20;

/// Matches that are counted; more is "more than".
pub const COUNTED_MAX: u64 = 1_000;

/// Identity numbers that one operator may look up in an hour.
pub const LOOKUPS_AN_HOUR: u64 = 60;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// Questions kept for all operators together.
const KEPT_MAX: usize = 1_000;

/// What is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum What {
    /// Residents.
    #[default]
    Warga,
    /// Families.
    Keluarga,
    /// Houses.
    RumahTangga,
    /// RT.
    Rt,
    /// Dasawisma.
    Dasawisma,
}

impl What {
    /// Everything that can be looked for.
    pub const ALL: [Self; 5] =
        [Self::Warga, Self::Keluarga, Self::RumahTangga, Self::Rt, Self::Dasawisma];
}

/// A question. Debug output says nothing of the name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// What is looked for.
    pub what: What,
    /// Words of a name (of the resident, of the head, of the group).
    pub name: Name,
    /// Where; `None` = wherever the operator may look.
    pub region: Option<RegionRef>,
    /// Sex.
    pub jenis_kelamin: Option<JenisKelamin>,
    /// At least this old at the date.
    pub age_from: Option<u8>,
    /// At most this old at the date.
    pub age_to: Option<u8>,
    /// The date of the ages; `None` = today.
    pub date: Option<Date>,
    /// Number of `pendidikan_kk`.
    pub pendidikan: Option<u8>,
    /// Number of `pekerjaan`.
    pub pekerjaan: Option<u8>,
    /// Number of `agama`.
    pub agama: Option<u8>,
    /// Number of `status_kawin`.
    pub status_kawin: Option<u8>,
    /// Heads of families only.
    pub heads: bool,
    /// Without NIK (residents), without card number (families).
    pub without_number: bool,
    /// Residents on no family card in a known house.
    pub unplaced: bool,
    /// The dead and those who moved away too.
    pub gone_too: bool,
    /// Families without a head.
    pub without_head: bool,
    /// Houses without a dasawisma.
    pub without_dasawisma: bool,
    /// What houses must have, see [`crate::dataset::bits::house`].
    pub house_with: u32,
    /// What houses must not have.
    pub house_without: u32,
    /// What must be missing of the record, or contradict itself.
    pub gap: Option<Gap>,
}

impl Question {
    /// The same question about everybody.
    #[must_use]
    pub fn without_name(self) -> Self {
        Self { name: Name::default(), ..self }
    }
}

/// A name somebody looks for; it stays out of debug output.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Name(pub String);

impl std::fmt::Debug for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Name({} bytes)", self.0.len())
    }
}

/// The lines of an answer.
pub enum Lines {
    /// Residents.
    Residents(Vec<ResidentLine>),
    /// Families.
    Families(Vec<FamilyLine>),
    /// Houses.
    Houses(Vec<HouseLine>),
    /// RT or dasawisma.
    Places(Vec<PlaceLine>),
}

/// One page of an answer.
pub struct Answer {
    /// What was asked.
    pub question: Question,
    /// The lines of this page.
    pub lines: Lines,
    /// How many there are in all.
    pub matched: u64,
    /// The page, from 1.
    pub page: usize,
    /// Whether another page follows that can be opened.
    pub more: bool,
}

/// A question that somebody asked.
struct Kept {
    ticket: String,
    operator: String,
    question: Question,
    /// Where page 2, 3, ... begin, as far as somebody turned the pages.
    pages: Vec<Bookmark>,
}

/// The questions kept.
#[derive(Default)]
pub(super) struct Questions(Mutex<VecDeque<Kept>>);

impl Questions {
    fn with<T>(&self, work: impl FnOnce(&mut VecDeque<Kept>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Desk {
    /// Keeps a question; gives the ticket to open its answer with.
    ///
    /// # Errors
    /// [`DeskError::NotThere`] for a region out of scope,
    /// [`DeskError::Unfit`] for ages the wrong way round.
    pub fn ask(&self, who: &Operator, question: Question) -> Result<String, DeskError> {
        who.must(Right::SeeRecords)?;
        region_scope(who, question.region)?;
        sensible(&question)?;
        let mut secret = [0; 16];
        getrandom::fill(&mut secret).map_err(|_| {
            DeskError::unfit(
                "Pencarian belum bisa disimpan. Coba lagi.",
                "The search can't be kept just now. Try again.",
            )
        })?;
        let mut ticket = String::with_capacity(32);
        for byte in secret {
            // Writing to a string can't fail.
            let _ = write!(ticket, "{byte:02x}");
        }
        let operator = who.name().to_owned();
        let kept = Kept { ticket: ticket.clone(), operator, question, pages: Vec::new() };
        self.questions.with(|all| {
            all.push_back(kept);
            if all.len() > KEPT_MAX {
                all.pop_front();
            }
        });
        Ok(ticket)
    }

    /// The first lines of the answer to a question that is not kept; never
    /// more than the pages of one that is.
    ///
    /// # Errors
    /// As [`Desk::ask`], and [`DeskError::Failed`].
    pub fn find(
        &self,
        who: &Operator,
        question: Question,
        limit: usize,
    ) -> Result<Answer, DeskError> {
        who.must(Right::SeeRecords)?;
        let scope = region_scope(who, question.region)?;
        sensible(&question)?;
        let slice = Slice { after: None, limit: limit.clamp(1, PAGE * PAGES_MAX) };
        let _span = spans::search(question.what, question.region).entered();
        let (lines, matched, next) = self.look(&scope, &question, &slice)?;
        Ok(Answer { question, lines, matched, page: 1, more: next.is_some() })
    }

    /// One page of the answer to a question of this operator.
    ///
    /// # Errors
    /// [`DeskError::NotThere`] when the ticket is another's or too old,
    /// [`DeskError::Failed`].
    pub fn answer(&self, who: &Operator, ticket: &str, page: usize) -> Result<Answer, DeskError> {
        who.must(Right::SeeRecords)?;
        let (question, after, page) = self.questions.with(|all| {
            let kept = all.iter().rev();
            let mut own = kept.filter(|kept| kept.ticket == ticket && kept.operator == who.name());
            let kept = own.next().ok_or(DeskError::NotThere)?;
            // A page nobody has turned to begins where none knows.
            let page = page.clamp(1, PAGES_MAX).min(kept.pages.len() + 1);
            let after = page.checked_sub(2).and_then(|at| kept.pages.get(at)).cloned();
            Ok::<_, DeskError>((kept.question.clone(), after, page))
        })?;
        let scope = region_scope(who, question.region)?;
        let slice = Slice { after, limit: PAGE };
        let _span = spans::search(question.what, question.region).entered();
        let (lines, matched, next) = self.look(&scope, &question, &slice)?;
        let more = next.is_some() && page < PAGES_MAX;
        self.questions.with(|all| {
            let kept = all.iter_mut().find(|kept| kept.ticket == ticket);
            if let (Some(kept), Some(next)) = (kept, next)
                && kept.pages.len() + 1 == page
            {
                kept.pages.push(next);
            }
        });
        Ok(Answer { question, lines, matched, page, more })
    }

    fn look(
        &self,
        scope: &Scope,
        question: &Question,
        slice: &Slice,
    ) -> Result<(Lines, u64, Option<Bookmark>), DeskError> {
        fn parts<T>(
            found: Found<T>,
            lines: impl FnOnce(Vec<T>) -> Lines,
        ) -> (Lines, u64, Option<Bookmark>) {
            (lines(found.lines), found.matched, found.next)
        }
        let (words, within) = (Words::of(&question.name.0), within(question.region));
        Ok(match question.what {
            What::Warga => {
                let terms = resident_terms(question, words, within);
                parts(self.dataset.find_residents(scope, &terms, slice)?, Lines::Residents)
            }
            What::Keluarga => {
                let terms = FamilyTerms {
                    words,
                    within,
                    without_head: question.without_head,
                    without_number: question.without_number,
                    gap: question.gap,
                };
                parts(self.dataset.find_families(scope, &terms, slice)?, Lines::Families)
            }
            What::RumahTangga => {
                let terms = HouseTerms {
                    words,
                    within,
                    with: question.house_with,
                    without: question.house_without,
                    without_dasawisma: question.without_dasawisma,
                    gap: question.gap,
                };
                parts(self.dataset.find_houses(scope, &terms, slice)?, Lines::Houses)
            }
            What::Rt | What::Dasawisma => {
                let kind = if question.what == What::Rt { Kind::Rt } else { Kind::Dasawisma };
                let terms = PlaceTerms { kind, words, within };
                parts(self.dataset.find_places(scope, &terms, slice)?, Lines::Places)
            }
        })
    }

    /// Who carries the NIK that was typed, among the operator's villages.
    /// Whoever may look up numbers can try them, so that needs the right to
    /// reveal, is noted each time (without the number) and goes so many times
    /// an hour.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::Reveal`], [`DeskError::Unfit`]
    /// when it is none or too often, [`DeskError::Failed`].
    pub fn find_nik(&self, who: &Operator, typed: &str) -> Result<Vec<ResidentLine>, DeskError> {
        who.must(Right::SeeRecords)?;
        who.must(Right::Reveal)?;
        match Nik::parse(typed) {
            Ok(NikInput::Nik(nik)) => {
                self.note_lookup(who)?;
                let _span = spans::search_by_number().entered();
                Ok(self.dataset.find_nik(who.scope(), nik)?)
            }
            Ok(_) => Err(DeskError::unfit("Ketik NIK 16 angka.", "Type the 16 digits of a NIK.")),
            Err(error) => Err(DeskError::unfit(
                error.to_string(),
                "That is no NIK: it has 16 digits and does not end in 0000. Look at the card again.",
            )),
        }
    }

    /// Notes that a number is looked up, unless that was often of late.
    fn note_lookup(&self, who: &Operator) -> Result<(), DeskError> {
        // One after another, so that nobody slips past the limit.
        let _one = self.revealing.lock().unwrap_or_else(PoisonError::into_inner);
        let since_ms = clock::now_ms() - HOUR_MS;
        if self.audit.count_acts(who.name(), Act::LookedUp, since_ms)? >= LOOKUPS_AN_HOUR {
            return Err(DeskError::unfit(
                format!(
                    "Dalam satu jam Anda sudah mencari {LOOKUPS_AN_HOUR} NIK. Tunggu sebentar, \
                     atau cari dengan nama. NIK ini tidak dicari."
                ),
                format!(
                    "You have looked up {LOOKUPS_AN_HOUR} NIK within an hour. Wait a little, or \
                     search by name. This NIK was not looked up."
                ),
            ));
        }
        self.note(who, Act::LookedUp, "", "")
    }

    /// The RT and dasawisma of a village, for a list to choose from.
    ///
    /// # Errors
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn places(
        &self,
        who: &Operator,
        village: lumbung_domain::region::VillageCode,
        kind: Kind,
    ) -> Result<Vec<PlaceLine>, DeskError> {
        who.must(Right::SeeRecords)?;
        let scope = Self::one(who, village)?;
        let terms = PlaceTerms { kind, words: Words::default(), within: None };
        let slice = Slice { after: None, limit: 500 };
        Ok(self.dataset.find_places(&scope, &terms, &slice)?.lines)
    }
}

/// Passes a question that somebody can be the answer to.
fn sensible(question: &Question) -> Result<(), DeskError> {
    match (question.age_from, question.age_to) {
        (Some(from), Some(to)) if from > to => Err(DeskError::unfit(
            "Umur paling muda lebih besar daripada umur paling tua.",
            "The lowest age is above the highest.",
        )),
        _ => Ok(()),
    }
}

/// The part of the operator's scope that a region is.
pub(super) fn region_scope(who: &Operator, region: Option<RegionRef>) -> Result<Scope, DeskError> {
    let scope = who.scope();
    let region = match region {
        None => return Ok(scope.clone()),
        Some(region) if sees(scope, region) => region,
        Some(_) => return Err(DeskError::NotThere),
    };
    Ok(match region {
        RegionRef::Kabupaten => scope.clone(),
        RegionRef::Kecamatan(code) => scope.kecamatan(code),
        RegionRef::Desa(village) | RegionRef::Below(village, _) => {
            roster().village(village).ok_or(DeskError::NotThere)?;
            scope.village(village)
        }
    })
}

/// The region below the village that a question is narrowed to.
pub(super) const fn within(region: Option<RegionRef>) -> Option<RecordId> {
    match region {
        Some(RegionRef::Below(_, id)) => Some(id),
        _ => None,
    }
}

fn resident_terms(question: &Question, words: Words, within: Option<RecordId>) -> ResidentTerms {
    let at = question.date.unwrap_or_else(clock::today);
    // Age counts completed years: whoever is at least `from` was born on that
    // day `from` years ago or before, whoever is at most `to` after the day
    // `to + 1` years ago.
    let ago = |years: i64| at.checked_sub(years.years()).ok().map(date::to_days);
    ResidentTerms {
        words,
        within,
        jenis_kelamin: question.jenis_kelamin,
        born_until: question.age_from.and_then(|from| ago(i64::from(from))),
        born_from: question.age_to.and_then(|to| ago(i64::from(to) + 1)).map(|day| day + 1),
        pendidikan: question.pendidikan,
        pekerjaan: question.pekerjaan,
        agama: question.agama,
        status_kawin: question.status_kawin,
        heads: question.heads,
        without_nik: question.without_number,
        unplaced: question.unplaced,
        gone_too: question.gone_too,
        gap: question.gap,
    }
}

#[cfg(test)]
mod tests {
    use lumbung_domain::indicator::umur_tahun;

    use super::*;

    #[test]
    fn ages_become_the_birth_dates_that_have_them() {
        for at in
            [Date::constant(2026, 12, 31), Date::constant(2028, 2, 29), Date::constant(2027, 2, 28)]
        {
            let question = Question {
                age_from: Some(17),
                age_to: Some(20),
                date: Some(at),
                ..Question::default()
            };
            let terms = resident_terms(&question, Words::default(), None);
            let (from, until) = (terms.born_from.unwrap(), terms.born_until.unwrap());
            let first = date::to_days(at) - 22 * 366;
            for day in first..date::to_days(at) - 16 * 365 {
                let age = umur_tahun(date::from_days(day).unwrap(), at);
                let asked = (17..=20).contains(&age);
                assert_eq!((from..=until).contains(&day), asked, "{day} at {at}");
            }
        }
    }

    #[test]
    fn a_question_says_no_name_in_debug_output() {
        let question = Question { name: Name("Siti".to_owned()), ..Question::default() };
        assert!(!format!("{question:?}").contains("Siti"));
    }
}
