//! What an operator sees of the district at one moment: every village of
//! theirs with its freshness, what needs somebody, what happened last.

use std::fmt;
use std::str::FromStr;

use lumbung_domain::region::VillageCode;
use lumbung_telemetry::clock;

use super::search::region_scope;
use super::{Desk, DeskError};
use crate::access::{Operator, Right};
use crate::dataset::{Away, Incident, Scope, Totals};
use crate::live::Happening;
use crate::outlook::{Outlook, VillageOutlook};
use crate::reason::{Need, Place, Reasons};
use crate::recap::RegionRef;
use crate::rhythm::{
    ContactDay, Day, Freshness, FreshnessCounts, StripDay, freshness_of_days, strip,
};

/// Things that happened that are told at once; a hub that has just started
/// hears from everybody.
const TOLD_MAX: usize = 30;

/// Contacts this long before a day still tell how long a silence is; who came
/// before that only is missing by any rhythm.
const SILENCE_SEEN_DAYS: i64 = 45;

/// Days of a contact strip.
pub const STRIP_DAYS: u16 = 30;

/// The district as one operator sees it.
#[derive(Clone, Debug)]
pub struct Sight {
    /// The operator's villages, and the hub.
    pub outlook: Outlook,
    /// What needs somebody there, and a line for each village.
    pub reasons: Reasons,
    /// Sums over those villages.
    pub totals: Totals,
}

impl Sight {
    /// Needs of the hub itself that somebody must act on.
    pub fn hub_needs(&self) -> impl Iterator<Item = &Need> {
        self.reasons.to_act().filter(|need| need.place == Place::Hub)
    }

    /// How many villages are in each class.
    #[must_use]
    pub fn counts(&self) -> FreshnessCounts {
        self.outlook.counts()
    }
}

/// How far somebody has been told: the hub's run, the last happening, the
/// last incident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    run: i64,
    happening: u64,
    incident: i64,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.run, self.happening, self.incident)
    }
}

impl FromStr for Told {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('-');
        let mut next = || parts.next().unwrap_or_default();
        Ok(Self { run: next().parse()?, happening: next().parse()?, incident: next().parse()? })
    }
}

/// Something worth telling who watches.
#[derive(Clone, Debug)]
pub enum News {
    /// It happened at the link.
    Happening(Happening),
    /// It is in the list of incidents.
    Incident(Incident),
}

impl News {
    /// When, hub clock, Unix milliseconds.
    #[must_use]
    pub const fn at_ms(&self) -> i64 {
        match self {
            Self::Happening(it) => it.at_ms,
            Self::Incident(it) => it.at_ms,
        }
    }

    /// Where.
    #[must_use]
    pub const fn village(&self) -> VillageCode {
        match self {
            Self::Happening(it) => it.village,
            Self::Incident(it) => it.village,
        }
    }
}

impl Desk {
    /// Looks at all of the operator's villages now. Causes that villages share
    /// are found in the whole district; only what is the operator's is told.
    ///
    /// # Errors
    /// [`DeskError::Failed`].
    pub fn sight(&self, who: &Operator) -> Result<Sight, DeskError> {
        who.must(Right::SeeVillages)?;
        let (outlook, reasons) = self.seen_by(who)?;
        let totals = self.dataset.totals(who.scope())?;
        Ok(Sight { outlook, reasons, totals })
    }

    /// What of the district an operator sees: the one place that narrows it,
    /// for every face.
    pub(super) fn seen_by(&self, who: &Operator) -> Result<(Outlook, Reasons), DeskError> {
        let look = self.whole_district()?;
        let (mut outlook, mut reasons) = (*look).clone();
        let scope = who.scope();
        if !scope.is_whole() {
            outlook.villages.retain(|it| scope.holds(it.desa.code));
            reasons.needs.retain(|need| concerns(need, scope));
            for need in &mut reasons.needs {
                need.villages.retain(|village| scope.holds(*village));
            }
        }
        Ok((outlook, reasons))
    }

    /// What happened after what was told, newest first, and how far that goes.
    ///
    /// # Errors
    /// [`DeskError::Refused`].
    pub fn news(
        &self,
        who: &Operator,
        sight: &Sight,
        told: Told,
    ) -> Result<(Vec<News>, Told), DeskError> {
        who.must(Right::SeeVillages)?;
        let run = sight.outlook.hub.started_ms;
        let after = if told.run == run { told.happening } else { 0 };
        let happenings = self.live.happenings(after);
        let happening = happenings.first().map_or(after, |it| it.number);
        let incidents = sight.outlook.villages.iter().filter_map(|it| it.incident.clone());
        let incidents: Vec<_> = incidents.filter(|it| it.number > told.incident).collect();
        let incident = incidents.iter().map(|it| it.number).max().unwrap_or(told.incident);
        let mut news: Vec<News> = happenings.into_iter().map(News::Happening).collect();
        news.extend(incidents.into_iter().map(News::Incident));
        news.retain(|it| who.scope().holds(it.village()));
        news.sort_by_key(|it| std::cmp::Reverse(it.at_ms()));
        news.truncate(TOLD_MAX);
        Ok((news, Told { run, happening, incident }))
    }

    /// How fresh the villages of a region were at the end of each of the last
    /// days, oldest first; `None` = all that the operator sees. The whole
    /// district's days were kept as they were; others are counted from the
    /// contacts that are kept, by the rhythm that each village has now.
    ///
    /// # Errors
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn freshness_days(
        &self,
        who: &Operator,
        region: Option<RegionRef>,
        days: i64,
    ) -> Result<Vec<(Day, FreshnessCounts)>, DeskError> {
        who.must(Right::SeeVillages)?;
        let scope = region_scope(who, region)?;
        let today = Day::of(clock::now_ms());
        if scope.is_whole() {
            return Ok(self.dataset.freshness_days(today.before(days))?);
        }
        let asked = || (0..=days).rev().map(|ago| today.before(ago));
        let mut counts: Vec<Vec<Freshness>> = vec![Vec::new(); asked().count()];
        let mut begun = None;
        let heard = self.dataset.heard()?;
        for heard in heard.iter().filter(|it| scope.holds(it.village)) {
            let first = self.dataset.first_contact_day(heard.village)?;
            begun = begun.into_iter().chain(first).min();
            let from = today.before(days + SILENCE_SEEN_DAYS);
            let came = self.dataset.contact_days(heard.village, from)?;
            let rhythm = heard.rhythm();
            let classes = freshness_of_days(&came, first, &rhythm, asked());
            counts.iter_mut().zip(classes).for_each(|(day, class)| day.push(class));
        }
        let counts = counts.into_iter().map(FreshnessCounts::from_iter);
        // Before anybody came there is nothing to tell.
        Ok(asked()
            .zip(counts)
            .filter(|(day, _)| begun.is_some_and(|begun| *day >= begun))
            .collect())
    }

    /// A village's contacts of the last days, oldest first.
    ///
    /// # Errors
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn contact_strip(
        &self,
        who: &Operator,
        village: VillageCode,
    ) -> Result<Vec<StripDay>, DeskError> {
        Self::one(who, village)?;
        let today = Day::of(clock::now_ms());
        let from = today.before(i64::from(STRIP_DAYS));
        let days: Vec<ContactDay> = self.dataset.contact_days(village, from)?;
        let first = self.dataset.first_contact_day(village)?;
        let aways = self.dataset.aways(from.starts_ms())?;
        let away = |day: Day| -> i64 {
            let (starts_ms, ends_ms) = (day.starts_ms(), Day(day.0 + 1).starts_ms());
            aways.iter().map(|away: &Away| away.within(starts_ms, ends_ms)).sum()
        };
        Ok(strip(&days, first, today, STRIP_DAYS, away))
    }

    /// One village of a look; `None` = not among what the operator may see.
    #[must_use]
    pub fn in_sight(sight: &Sight, village: VillageCode) -> Option<&VillageOutlook> {
        sight.outlook.villages.iter().find(|it| it.desa.code == village)
    }
}

/// Whether a need is for who sees these villages. The hub's own are for all.
fn concerns(need: &Need, scope: &Scope) -> bool {
    match need.place {
        Place::Hub => true,
        Place::Kecamatan(_) => need.villages.iter().any(|village| scope.holds(*village)),
        Place::Village(village) => scope.holds(village),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_somebody_was_told_comes_back_as_written() {
        let told = Told { run: 1_790_000_000_000, happening: 12, incident: 3 };
        assert_eq!(told.to_string().parse(), Ok(told));
        assert!("".parse::<Told>().is_err() && "1-2".parse::<Told>().is_err());
    }
}
