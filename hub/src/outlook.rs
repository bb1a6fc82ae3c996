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

use crate::dataset::{Dataset, DatasetError, Heard};
use crate::live::{Live, LiveVillage, Phase};
use crate::rhythm::{Freshness, FreshnessCounts, Gaps, Rhythm, Way};

/// How often the day's line is renewed, and how long after the start the
/// first time: lines are made anew until then.
const KEEP_EVERY: Duration = Duration::from_secs(10 * 60);

/// One village at one moment.
#[derive(Clone, Debug)]
pub struct VillageOutlook {
    /// Which.
    pub desa: &'static Desa,
    /// When it was heard of; `None` = not registered.
    pub heard: Option<Heard>,
    /// Its line is open just now.
    pub in_touch: bool,
    /// For how long it has been silent, milliseconds; `None` = never heard of.
    pub silence_ms: Option<i64>,
    /// Its own rhythm, or what is expected of a village that is not known yet.
    pub rhythm: Rhythm,
    /// How fresh it is by that rhythm.
    pub freshness: Freshness,
}

impl VillageOutlook {
    fn of(
        desa: &'static Desa,
        heard: Option<Heard>,
        live: Option<&LiveVillage>,
        now_ms: i64,
    ) -> Self {
        let in_touch =
            live.is_some_and(|live| matches!(live.phase, Phase::Live | Phase::CatchingUp));
        // The moment goes before what is stored a second later.
        let heard = heard.map(|heard| Heard {
            contact_ms: heard.contact_ms.max(live.map_or(0, |live| live.last_contact_ms)),
            ..heard
        });
        let rhythm = heard
            .as_ref()
            .map_or_else(|| Rhythm::learn(&Gaps::default(), Way::Link), Heard::rhythm);
        let silence_ms = heard.as_ref().and_then(|heard| heard.silence_ms(in_touch, now_ms));
        let freshness = Freshness::of(silence_ms, &rhythm);
        Self { desa, heard, in_touch, silence_ms, rhythm, freshness }
    }
}

/// Every village of the district, registered or not, by code.
#[derive(Clone, Debug)]
pub struct Outlook {
    /// When, hub clock, Unix milliseconds.
    pub now_ms: i64,
    /// The villages.
    pub villages: Vec<VillageOutlook>,
}

impl Outlook {
    /// Looks now.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    pub fn now(dataset: &dyn Dataset, live: &Live) -> Result<Self, DatasetError> {
        Ok(Self::at(dataset.heard()?, &live.all(), clock::now_ms()))
    }

    /// Puts together what is stored and what is live.
    #[must_use]
    pub fn at(heard: Vec<Heard>, live: &[LiveVillage], now_ms: i64) -> Self {
        let mut heard: HashMap<u64, Heard> =
            heard.into_iter().map(|heard| (heard.village.as_u64(), heard)).collect();
        let live: HashMap<u64, &LiveVillage> =
            live.iter().map(|live| (live.village.as_u64(), live)).collect();
        let of = |desa: &'static Desa| {
            let code = desa.code.as_u64();
            VillageOutlook::of(desa, heard.remove(&code), live.get(&code).copied(), now_ms)
        };
        Self { now_ms, villages: roster().villages().iter().map(of).collect() }
    }

    /// How many villages are in each class.
    #[must_use]
    pub fn counts(&self) -> FreshnessCounts {
        self.villages.iter().map(|village| village.freshness).collect()
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
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_795_500_000_000;
    const DAY_MS: i64 = 86_400_000;

    fn heard(desa: &Desa, ago_ms: i64) -> Heard {
        Heard {
            village: desa.code,
            contact_ms: NOW_MS - ago_ms,
            stick_ms: 0,
            gaps: Gaps::default(),
            trouble_since_ms: 0,
        }
    }

    #[test]
    fn all_villages_are_seen_and_an_open_line_is_fresh() {
        let all = roster().villages();
        let live = Live::default();
        live.update(all[1].code, |live| live.phase = Phase::Live);
        let old = vec![heard(&all[0], 2 * DAY_MS), heard(&all[1], 2 * DAY_MS)];
        let outlook = Outlook::at(old, &live.all(), NOW_MS);
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
        let outlook = Outlook::at(vec![heard(desa, 9 * DAY_MS)], &live.all(), NOW_MS);
        assert_eq!(outlook.villages[0].silence_ms, Some(1_000));
    }
}
