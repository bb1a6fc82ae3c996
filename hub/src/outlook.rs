//! Every village of the district at one moment: what is stored and what is
//! live, put together once for whoever shows, counts or tells.
//!
//! Reads only, but for the one line a day that is kept of how fresh the
//! district was.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lumbung_domain::region::{Desa, roster};
use lumbung_link::world;
use lumbung_telemetry::clock;

use crate::dataset::{Away, Dataset, DatasetError, Heard, Incident, Upkeep};
use crate::live::{HubCondition, Live, LiveVillage, Phase};
use crate::rhythm::{DAY_MS, Freshness, FreshnessCounts, Gaps, Rhythm, Way};

/// How often the day's line is renewed, and how long after the start the
/// first time: lines are made anew until then.
const KEEP_EVERY: Duration = Duration::from_secs(10 * 60);

/// How long an incident is news, milliseconds.
const NEWS_MS: i64 = 7 * DAY_MS;

/// What is taken together: read from the dataset at one time.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// Every registered village.
    pub upkeep: Vec<Upkeep>,
    /// Incidents of the last week, newest first.
    pub incidents: Vec<Incident>,
    /// When the hub could hear nobody.
    pub aways: Vec<Away>,
}

/// One village at one moment.
#[derive(Clone, Debug)]
pub struct VillageOutlook {
    /// Which.
    pub desa: &'static Desa,
    /// What is stored of it, with when it was heard of; `None` = not
    /// registered.
    pub upkeep: Option<Upkeep>,
    /// What its puller does; `None` = nobody follows it.
    pub live: Option<LiveVillage>,
    /// Its line is open just now.
    pub in_touch: bool,
    /// An operator holds it just now: nobody is to be told of it.
    pub held: bool,
    /// For how long it has been silent, milliseconds; `None` = never heard of.
    pub silence_ms: Option<i64>,
    /// The same without the time in which the hub could hear nobody: what it
    /// is to be called late for.
    pub own_silence_ms: Option<i64>,
    /// Its own rhythm, or what is expected of a village that is not known yet.
    pub rhythm: Rhythm,
    /// How fresh what is here of it is, by that rhythm.
    pub freshness: Freshness,
    /// The newest incident of the last week.
    pub incident: Option<Incident>,
}

impl VillageOutlook {
    /// Last sign of it, hub clock, Unix milliseconds; 0 = never.
    #[must_use]
    pub fn last_ms(&self) -> i64 {
        self.upkeep.as_ref().map_or(0, |upkeep| upkeep.heard.last_ms())
    }

    /// Whether its computer's key is revoked and none has taken its place.
    #[must_use]
    pub fn is_turned_away(&self) -> bool {
        self.upkeep.as_ref().is_some_and(|upkeep| upkeep.revoked_ms != 0)
    }

    /// How late it is by its own doing; never worse than
    /// [`VillageOutlook::freshness`].
    #[must_use]
    pub fn own_freshness(&self) -> Freshness {
        Freshness::of(self.own_silence_ms, &self.rhythm)
    }

    fn of(
        desa: &'static Desa,
        upkeep: Option<Upkeep>,
        live: Option<LiveVillage>,
        aways: &[Away],
        now_ms: i64,
    ) -> Self {
        let in_touch =
            live.as_ref().is_some_and(|live| matches!(live.phase, Phase::Live | Phase::CatchingUp));
        // The moment goes before what is stored a second later.
        let upkeep = upkeep.map(|mut upkeep| {
            let told_ms = live.as_ref().map_or(0, |live| live.last_contact_ms);
            upkeep.heard.contact_ms = upkeep.heard.contact_ms.max(told_ms);
            upkeep
        });
        let heard = upkeep.as_ref().map(|upkeep| &upkeep.heard);
        let rhythm =
            heard.map_or_else(|| Rhythm::learn(&Gaps::default(), Way::Link), Heard::rhythm);
        let silence_ms = heard.and_then(|heard| heard.silence_ms(in_touch, now_ms));
        let own_silence_ms = silence_ms.map(|silence_ms| {
            let since_ms = now_ms - silence_ms;
            let away_ms: i64 = aways.iter().map(|away| away.within(since_ms, now_ms)).sum();
            (silence_ms - away_ms).max(0)
        });
        let freshness = Freshness::of(silence_ms, &rhythm);
        let hold = upkeep.as_ref().and_then(|it| it.hold.as_ref());
        let held = hold.is_some_and(|hold| hold.is_on(now_ms));
        let incident = None;
        Self {
            desa,
            upkeep,
            live,
            in_touch,
            held,
            silence_ms,
            own_silence_ms,
            rhythm,
            freshness,
            incident,
        }
    }
}

/// Every village of the district, registered or not, by code.
#[derive(Clone, Debug)]
pub struct Outlook {
    /// When, hub clock, Unix milliseconds.
    pub now_ms: i64,
    /// How the hub itself is.
    pub hub: HubCondition,
    /// The villages.
    pub villages: Vec<VillageOutlook>,
}

impl Outlook {
    /// Looks now.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    pub fn now(dataset: &dyn Dataset, live: &Live) -> Result<Self, DatasetError> {
        let now_ms = clock::now_ms();
        let stored = Stored {
            upkeep: dataset.upkeep()?,
            incidents: dataset.recent_incidents(now_ms - NEWS_MS)?,
            aways: dataset.aways(0)?,
        };
        Ok(Self::at(stored, live, now_ms))
    }

    /// Puts together what is stored and what is live.
    #[must_use]
    pub fn at(stored: Stored, live: &Live, now_ms: i64) -> Self {
        let Stored { upkeep, incidents, aways } = stored;
        let mut upkeep: HashMap<u64, Upkeep> =
            upkeep.into_iter().map(|it| (it.heard.village.as_u64(), it)).collect();
        let of = |desa: &'static Desa| {
            let upkeep = upkeep.remove(&desa.code.as_u64());
            let live = live.get(desa.code);
            let mut village = VillageOutlook::of(desa, upkeep, live, &aways, now_ms);
            village.incident = incidents.iter().find(|it| it.village == desa.code).cloned();
            village
        };
        let villages = roster().villages().iter().map(of).collect();
        Self { now_ms, hub: live.hub(), villages }
    }

    /// How many villages are in each class.
    #[must_use]
    pub fn counts(&self) -> FreshnessCounts {
        self.villages.iter().map(|village| village.freshness).collect()
    }

    /// How many lines are open.
    #[must_use]
    pub fn in_touch(&self) -> usize {
        self.villages.iter().filter(|village| village.in_touch).count()
    }
}

/// Keeps, for ever, how fresh the district is: one line a day stays.
pub async fn keep_history(dataset: Arc<dyn Dataset>, live: Arc<Live>) {
    loop {
        tokio::time::sleep(KEEP_EVERY).await;
        let (dataset, live) = (Arc::clone(&dataset), Arc::clone(&live));
        let kept = world::blocking(move || {
            let outlook = Outlook::now(&*dataset, &live)?;
            dataset.keep_freshness(&outlook.counts(), outlook.now_ms)
        });
        if let Ok(Err(error)) = kept.await {
            tracing::error!(%error, "how fresh the district is can't be kept");
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const NOW_MS: i64 = 1_795_500_000_000;

    /// A village in good order, last heard of so long ago.
    pub(crate) fn upkeep(desa: &Desa, ago_ms: i64) -> Upkeep {
        Upkeep {
            heard: Heard {
                village: desa.code,
                contact_ms: NOW_MS - ago_ms,
                stick_ms: 0,
                gaps: Gaps::default(),
                trouble_since_ms: 0,
            },
            trouble: String::new(),
            quarantined: 0,
            quarantine_since_ms: 0,
            findings: 0,
            findings_since_ms: 0,
            leftovers: 0,
            damaged: 0,
            damaged_since_ms: 0,
            undelivered: 0,
            undelivered_since_ms: 0,
            notices_waiting: 0,
            notices_since_ms: 0,
            deep_proof_ms: 0,
            link: None,
            machine: None,
            budget_bytes: 0,
            certified_until_ms: Some(NOW_MS + 40 * DAY_MS),
            revoked_ms: 0,
            software: String::new(),
            narahubung: None,
            hold: None,
        }
    }

    fn stored(upkeep: Vec<Upkeep>) -> Stored {
        Stored { upkeep, ..Stored::default() }
    }

    #[test]
    fn all_villages_are_seen_and_an_open_line_is_fresh() {
        let all = roster().villages();
        let live = Live::default();
        live.update(all[1].code, |live| live.phase = Phase::Live);
        let old = vec![upkeep(&all[0], 2 * DAY_MS), upkeep(&all[1], 2 * DAY_MS)];
        let outlook = Outlook::at(stored(old), &live, NOW_MS);
        assert_eq!(outlook.villages.len(), 248);
        assert_eq!(outlook.villages[0].freshness, Freshness::Terlambat);
        assert_eq!(outlook.villages[1].freshness, Freshness::Segar);
        assert_eq!(outlook.villages[2].freshness, Freshness::BelumTerdaftar);
        let counts = outlook.counts();
        assert_eq!(Freshness::ALL.map(|class| counts.of(class)), [1, 1, 0, 0, 246]);
    }

    #[test]
    fn what_was_heard_just_now_counts_before_it_is_stored() {
        let desa = &roster().villages()[0];
        let live = Live::default();
        live.update(desa.code, |live| {
            live.phase = Phase::Retrying;
            live.last_contact_ms = NOW_MS - 1_000;
        });
        let outlook = Outlook::at(stored(vec![upkeep(desa, 9 * DAY_MS)]), &live, NOW_MS);
        assert_eq!(outlook.villages[0].silence_ms, Some(1_000));
    }

    #[test]
    fn what_the_hub_could_not_hear_is_old_but_not_the_villages_doing() {
        let desa = &roster().villages()[0];
        let aways = vec![Away { from_ms: NOW_MS - 4 * DAY_MS, until_ms: NOW_MS - 1_000 }];
        let stored = Stored { upkeep: vec![upkeep(desa, 4 * DAY_MS)], aways, ..Stored::default() };
        let outlook = Outlook::at(stored, &Live::default(), NOW_MS);
        let village = &outlook.villages[0];
        assert_eq!(village.freshness, Freshness::Lama);
        assert_eq!(
            (village.own_silence_ms, village.own_freshness()),
            (Some(1_000), Freshness::Segar)
        );
    }
}
