//! Reasons in words: what needs somebody, and why a village is as it is.
//!
//! From one look at all villages ([`crate::outlook`]) comes an ordered list of
//! *needs*, each with a stable code, a place, since when, what to do and a
//! message that can be sent to the clerk as it is; and one *line* per village
//! that says why it is late or wrong, or that it is in good order. What has
//! one cause is one need: a kecamatan that fell silent together, the hub's own
//! line. Pure: no clock, no store. Words never hold anything about a resident.

mod line;
mod together;
mod village;
mod words;

use std::collections::HashMap;

use lumbung_domain::region::{Desa, KecamatanCode, VillageCode, roster};

use crate::dataset::Narahubung;
use crate::outlook::{Outlook, VillageOutlook};
use together::Together;
pub(crate) use words::trouble_todo;
pub use words::{clock_off, duration, trouble_en};

pub use crate::words::Words;

/// The need of a village whose machine is turned away, and none has taken its
/// place.
pub const KEY_REVOKED: &str = "kunci_dicabut";

/// Whether somebody must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Somebody must; people are told.
    Act,
    /// Worth knowing; nobody is told.
    Advice,
}

impl Severity {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Act => "bertindak",
            Self::Advice => "saran",
        }
    }
}

/// What a need is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The hub itself.
    Hub,
    /// All or most villages of a kecamatan.
    Kecamatan(KecamatanCode),
    /// One village.
    Village(VillageCode),
}

impl Place {
    /// As people say it.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Hub => "Hub kabupaten".to_owned(),
            Self::Kecamatan(code) => roster().kecamatan_of(code).map_or_else(
                || code.compact(),
                |kecamatan| format!("Kecamatan {}", kecamatan.name),
            ),
            Self::Village(code) => {
                roster().village(code).map_or_else(|| code.compact(), Desa::full_name)
            }
        }
    }

    /// Its code; 0 = the hub.
    #[must_use]
    pub const fn code(self) -> u64 {
        match self {
            Self::Hub => 0,
            Self::Kecamatan(code) => code.as_u64(),
            Self::Village(code) => code.as_u64(),
        }
    }

    /// Whether a time of maintenance for `scope` (a code; 0 = everything)
    /// covers it.
    #[must_use]
    pub fn is_within(self, scope: u64) -> bool {
        let kecamatan = match self {
            Self::Village(code) => code.kecamatan().as_u64(),
            _ => self.code(),
        };
        scope == 0 || scope == self.code() || scope == kecamatan
    }
}

/// Something that needs somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Stable code of what it is.
    pub code: &'static str,
    /// Whether somebody must act.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// Since when, hub clock, Unix milliseconds; 0 = not known.
    pub since_ms: i64,
    /// What is the matter, and whether the data is safe.
    pub what: Words,
    /// What to do.
    pub todo: Words,
    /// A message for the clerk, ready to be sent, in Bahasa Indonesia; `None`
    /// where the village can do nothing.
    pub message: Option<String>,
    /// Whom to call.
    pub call: Option<Narahubung>,
    /// The villages it is about.
    pub villages: Vec<VillageCode>,
}

impl Need {
    /// What tells it from every other need: code and place.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}:{}", self.code, self.place.code())
    }
}

/// Everything that needs somebody, and a line for each village.
#[derive(Clone, Debug)]
pub struct Reasons {
    /// What must be done first: what somebody must do, the hub and whole
    /// kecamatan before villages, oldest first.
    pub needs: Vec<Need>,
    lines: HashMap<u64, Words>,
}

impl Reasons {
    /// Finds the reasons for how things are.
    #[must_use]
    pub fn of(outlook: &Outlook) -> Self {
        let together = Together::of(outlook);
        let mut needs: Vec<Need> = together.needs().to_vec();
        needs.extend(words::hub_disk(outlook));
        needs.extend(words::hub_set_aside(outlook));
        needs.extend(words::hub_backup(outlook));
        let mut lines = HashMap::with_capacity(outlook.villages.len());
        for village in &outlook.villages {
            let shared = together.cause_of(village);
            let own = village::needs(village, shared.is_some(), outlook.now_ms);
            let line = line::of(village, shared, &own, outlook.now_ms);
            lines.insert(village.desa.code.as_u64(), line);
            needs.extend(own);
        }
        needs.sort_by_key(|need| {
            let narrow = matches!(need.place, Place::Village(_));
            let since_ms = if need.since_ms == 0 { i64::MAX } else { need.since_ms };
            (need.severity, narrow, since_ms, need.place.code())
        });
        Self { needs, lines }
    }

    /// Why a village is late or wrong, or that all is well.
    #[must_use]
    pub fn line(&self, village: VillageCode) -> Option<&Words> {
        self.lines.get(&village.as_u64())
    }

    /// What needs somebody at one village.
    pub fn of_village(&self, village: VillageCode) -> impl Iterator<Item = &Need> {
        self.needs.iter().filter(move |need| need.villages.contains(&village))
    }

    /// What somebody must do.
    pub fn to_act(&self) -> impl Iterator<Item = &Need> {
        self.needs.iter().filter(|need| need.severity == Severity::Act)
    }
}

/// Whether a village that has been heard of is silent for longer than it
/// usually is, by its own doing.
fn is_overdue(village: &VillageOutlook) -> bool {
    use crate::rhythm::Freshness;
    let class = village.own_freshness();
    !village.held && class > Freshness::Segar && class < Freshness::BelumTerdaftar
}

#[cfg(test)]
mod tests;
