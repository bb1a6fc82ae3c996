//! The part of the dataset by which villages are watched: when each was heard
//! of, day by day, in what rhythm, and how fresh the district was.
//!
//! Contacts themselves are noted by [`super::Dataset::note_contacts`], in the
//! same transaction that notes everything else a contact teaches. Days are
//! kept for [`DAYS_KEPT`]; what is older goes.

use lumbung_domain::region::VillageCode;

use super::{DatasetError, Hold, Incident};
use crate::registry::{LinkState, Machine};
use crate::rhythm::{ContactDay, Day, Freshness, FreshnessCounts, Gaps, Rhythm, Way};

/// How many days of contacts are kept: a year and a month, so that a season
/// can be held against the one before.
pub const DAYS_KEPT: i64 = 400;

/// A hub that says nothing for this long was away, milliseconds: it says that
/// it is awake once a minute.
pub const AWAY_MIN_MS: i64 = 10 * 60 * 1000;

/// When a registered village was heard of, and its rhythm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Which village.
    pub village: VillageCode,
    /// Last contact of the link, hub clock, Unix milliseconds; 0 = never.
    pub contact_ms: i64,
    /// Last stick that proved it equal, hub clock; 0 = never.
    pub stick_ms: i64,
    /// Its newest gaps.
    pub gaps: Gaps,
    /// Since when its trouble is known, hub clock; 0 = no trouble, or not
    /// known since when.
    pub trouble_since_ms: i64,
}

impl Heard {
    /// The last sign of it, whatever way, hub clock; 0 = never.
    #[must_use]
    pub const fn last_ms(&self) -> i64 {
        if self.contact_ms > self.stick_ms { self.contact_ms } else { self.stick_ms }
    }

    /// The way it last came.
    #[must_use]
    pub const fn way(&self) -> Way {
        if self.stick_ms > 0 && self.stick_ms >= self.contact_ms { Way::Stick } else { Way::Link }
    }

    /// What is learned from its gaps.
    #[must_use]
    pub fn rhythm(&self) -> Rhythm {
        Rhythm::learn(&self.gaps, self.way())
    }

    /// For how long it has been silent, milliseconds; `None` = never heard
    /// of. `in_touch`: its line is open just now.
    #[must_use]
    pub fn silence_ms(&self, in_touch: bool, now_ms: i64) -> Option<i64> {
        match self.last_ms() {
            _ if in_touch => Some(0),
            0 => None,
            last_ms => Some(now_ms.saturating_sub(last_ms).max(0)),
        }
    }

    /// How fresh it is, by its own rhythm.
    #[must_use]
    pub fn freshness(&self, in_touch: bool, now_ms: i64) -> Freshness {
        Freshness::of(self.silence_ms(in_touch, now_ms), &self.rhythm())
    }
}

/// Whom to call about a village. A person's name and number: shown to
/// operators and sent to them, never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Narahubung {
    /// Name.
    pub nama: String,
    /// Telephone number, as it is dialled.
    pub telepon: String,
}

impl std::fmt::Debug for Narahubung {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Narahubung(…)")
    }
}

/// What may need somebody's attention at a registered village.
#[derive(Clone, Debug)]
pub struct Upkeep {
    /// When it was heard of.
    pub heard: Heard,
    /// Stable code of what is wrong; empty = nothing.
    pub trouble: String,
    /// Entries in quarantine, but for those whose content the village has thinned
    /// out: a later entry takes their place.
    pub quarantined: u64,
    /// Since when the oldest of them waits, hub clock; 0 = none.
    pub quarantine_since_ms: i64,
    /// Open findings in which it has a part.
    pub findings: u64,
    /// Since when the oldest of them is open, hub clock; 0 = none.
    pub findings_since_ms: i64,
    /// Records of a closed log that wait for a decision.
    pub leftovers: u64,
    /// Damaged stores that the village keeps aside until somebody has looked:
    /// what never arrived here may be in them.
    pub damaged: u64,
    /// Since when the hub knows of the oldest of them, hub clock; 0 = none.
    pub damaged_since_ms: i64,
    /// Versions that may have to be handed back.
    pub undelivered: u64,
    /// Since when the oldest of them waits, hub clock; 0 = none.
    pub undelivered_since_ms: i64,
    /// Notices in force, questions among them, that have not come there.
    pub notices_waiting: u64,
    /// Since when the oldest of them waits, hub clock; 0 = none.
    pub notices_since_ms: i64,
    /// When its rows were last proven one by one, hub clock; 0 = never.
    pub deep_proof_ms: i64,
    /// What its node told of the link last.
    pub link: Option<LinkState>,
    /// What its node told of its computer last.
    pub machine: Option<Machine>,
    /// Bytes its link may cost a day; 0 = no bound.
    pub budget_bytes: u64,
    /// When the certificate of its allowed key ends, hub clock; `None` = no
    /// node has joined.
    pub certified_until_ms: Option<i64>,
    /// Since when its last key is revoked and no other allowed, hub clock; 0 =
    /// it is not.
    pub revoked_ms: i64,
    /// Software its node named last.
    pub software: String,
    /// Whom to call.
    pub narahubung: Option<Narahubung>,
    /// The hold that an operator put on it, be it over.
    pub hold: Option<Hold>,
}

/// A time in which the hub could hear nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Away {
    /// Since, hub clock, Unix milliseconds.
    pub from_ms: i64,
    /// Until.
    pub until_ms: i64,
}

impl Away {
    /// How much of it lies between two moments, milliseconds.
    #[must_use]
    pub fn within(&self, from_ms: i64, until_ms: i64) -> i64 {
        (self.until_ms.min(until_ms) - self.from_ms.max(from_ms)).max(0)
    }
}

/// Watching villages. See the module for what is kept.
pub trait Watch: Send + Sync {
    /// When every registered village was heard of, by code, in one query.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn heard(&self) -> Result<Vec<Heard>, DatasetError>;

    /// What may need somebody's attention, of every registered village, by
    /// code, in one query.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn upkeep(&self) -> Result<Vec<Upkeep>, DatasetError>;

    /// Incidents of all villages noticed since `since_ms`, newest first.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn recent_incidents(&self, since_ms: i64) -> Result<Vec<Incident>, DatasetError>;

    /// How many incidents of each kind were ever noted, by code.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn count_incidents(&self) -> Result<Vec<(String, u64)>, DatasetError>;

    /// Sets whom to call about a village; `None` = nobody any more.
    ///
    /// # Errors
    /// [`DatasetError::UnknownVillage`], [`DatasetError::Store`].
    fn set_narahubung(
        &self,
        village: VillageCode,
        narahubung: Option<&Narahubung>,
        now_ms: i64,
    ) -> Result<(), DatasetError>;

    /// The days from `from` on, on which anything was noted of a village,
    /// oldest first.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn contact_days(
        &self,
        village: VillageCode,
        from: Day,
    ) -> Result<Vec<ContactDay>, DatasetError>;

    /// The first day on which a village came, as far as days are kept.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn first_contact_day(&self, village: VillageCode) -> Result<Option<Day>, DatasetError>;

    /// The hub is awake now. Gives the time it was away, if it was: noted
    /// once, and taken off every gap that it falls into.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn hub_awake(&self, now_ms: i64) -> Result<Option<Away>, DatasetError>;

    /// Notes a time in which the hub was awake but could hear nobody.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn note_away(&self, away: Away) -> Result<(), DatasetError>;

    /// The times since `since_ms` in which the hub could hear nobody, oldest
    /// first.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn aways(&self, since_ms: i64) -> Result<Vec<Away>, DatasetError>;

    /// Keeps how fresh the district is at a moment; the last look at a day is
    /// what stays of it. Lets go of days that are too old.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn keep_freshness(&self, counts: &FreshnessCounts, now_ms: i64) -> Result<(), DatasetError>;

    /// How fresh the district was at the end of each day from `from` on,
    /// oldest first. Days on which the hub was away are missing.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn freshness_days(&self, from: Day) -> Result<Vec<(Day, FreshnessCounts)>, DatasetError>;
}
