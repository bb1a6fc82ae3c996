//! Who is to be told of what: pure.
//!
//! Something is told once it has lasted, once; again only when it has grown
//! to twice as many villages. It is over once it has been gone for as long,
//! and that is told if its beginning was. During maintenance nothing begins
//! and nothing ends. What hides behind a shared cause is not over.

use std::collections::{HashMap, HashSet};

use crate::dataset::alerts::{KnownAlert, Maintenance};
use crate::reason::{Need, Place, Reasons};

/// What one look comes to.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// What is known from now on.
    pub known: Vec<KnownAlert>,
    /// What people are to be told of.
    pub begun: Vec<Need>,
    /// Keys of what is over, with since when it was known.
    pub over: Vec<(String, i64)>,
}

impl Decision {
    /// Whether there is nothing to tell.
    #[must_use]
    pub const fn is_silent(&self) -> bool {
        self.begun.is_empty() && self.over.is_empty()
    }
}

/// Decides from what must be done now and what is known. `settle_ms`: for how
/// long something must last, or be gone.
#[must_use]
pub fn decide(
    reasons: &Reasons,
    known: &[KnownAlert],
    windows: &[Maintenance],
    settle_ms: i64,
    now_ms: i64,
) -> Decision {
    let quiet = |place: Place| {
        let mut windows = windows.iter();
        windows.any(|it| it.from_ms <= now_ms && now_ms < it.until_ms && place.is_within(it.scope))
    };
    let known: HashMap<&str, &KnownAlert> =
        known.iter().map(|alert| (alert.key.as_str(), alert)).collect();
    let mut decision = Decision::default();
    let mut present = HashSet::new();
    for need in reasons.to_act() {
        let key = need.key();
        if !present.insert(key.clone()) {
            continue;
        }
        let before = known.get(key.as_str()).copied();
        let (alert, tell) = seen(need, key, before, quiet(need.place), settle_ms, now_ms);
        decision.known.push(alert);
        if tell {
            decision.begun.push(need.clone());
        }
    }
    // While the hub itself hears nobody, nothing can be known to be over.
    let blind = reasons.to_act().any(|need| need.code == "hub_terputus");
    let hidden: HashSet<u64> = reasons
        .to_act()
        .filter(|need| !matches!(need.place, Place::Village(_)))
        .flat_map(|need| need.villages.iter().map(|village| village.as_u64()))
        .collect();
    for alert in known.values().filter(|alert| !present.contains(&alert.key)) {
        let place = alert.key.rsplit_once(':').and_then(|(_, code)| code.parse::<u64>().ok());
        let place = place.unwrap_or(0);
        let waits = blind
            || hidden.contains(&place)
            || windows.iter().any(|it| {
                let kecamatan = if place > 999_999 { place / 10_000 } else { place };
                let within = it.scope == 0 || it.scope == place || it.scope == kecamatan;
                within && it.from_ms <= now_ms && now_ms < it.until_ms
            });
        match (alert.told_ms, now_ms - alert.seen_ms >= settle_ms) {
            // Nobody knows of it, so nobody need know that it is over.
            (0, _) => {}
            (_, true) if !waits => decision.over.push((alert.key.clone(), alert.since_ms)),
            _ => decision.known.push((*alert).clone()),
        }
    }
    decision.known.sort_by(|a, b| a.key.cmp(&b.key));
    decision.over.sort();
    decision
}

/// Something that is there: how it is known from now on, and whether it is
/// told.
fn seen(
    need: &Need,
    key: String,
    before: Option<&KnownAlert>,
    quiet: bool,
    settle_ms: i64,
    now_ms: i64,
) -> (KnownAlert, bool) {
    let extent = u32::try_from(need.villages.len()).unwrap_or(u32::MAX);
    let told_ms = before.map_or(0, |before| before.told_ms);
    let since_ms = match before {
        // In maintenance the wait begins anew with every look.
        Some(before) if told_ms != 0 || !quiet => before.since_ms,
        _ => now_ms,
    };
    let told_of = before.map_or(0, |before| before.extent);
    let lasted = now_ms - since_ms >= settle_ms;
    let grown = told_ms != 0 && told_of > 0 && extent >= told_of.saturating_mul(2);
    let tell = !quiet && ((told_ms == 0 && lasted) || grown);
    let alert = KnownAlert {
        key,
        since_ms,
        // To the minute, so that a look that changes nothing writes nothing.
        seen_ms: match before {
            Some(before) if now_ms - before.seen_ms < 60_000 && !tell => before.seen_ms,
            _ => now_ms,
        },
        told_ms: if tell { now_ms } else { told_ms },
        extent: if tell { extent } else { told_of },
    };
    (alert, tell)
}

#[cfg(test)]
mod tests {
    use lumbung_domain::region::roster;

    use super::*;
    use crate::live::{Live, Phase};
    use crate::outlook::tests::{NOW_MS, upkeep};
    use crate::outlook::{Outlook, Stored};
    use crate::rhythm::DAY_MS;

    const SETTLE_MS: i64 = 5 * 60_000;

    /// The first villages of the second kecamatan have been silent for so
    /// many days.
    fn silent(days: &[i64]) -> Reasons {
        let code = roster().kecamatan()[1].code;
        let all: Vec<_> = roster().villages_of(code).collect();
        let live = Live::default();
        live.update(roster().villages()[0].code, |live| live.phase = Phase::Live);
        let of = |(at, days): (usize, &i64)| upkeep(all[at], days * DAY_MS);
        let upkeep = days.iter().enumerate().map(of).collect();
        Reasons::of(&Outlook::at(Stored { upkeep, ..Stored::default() }, &live, NOW_MS))
    }

    fn step(reasons: &Reasons, known: &[KnownAlert], after_ms: i64) -> Decision {
        decide(reasons, known, &[], SETTLE_MS, NOW_MS + after_ms)
    }

    #[test]
    fn what_lasts_is_told_once_and_so_is_its_end() {
        let (bad, good) = (silent(&[9]), silent(&[0]));
        let first = step(&bad, &[], 0);
        assert!(first.is_silent());
        let second = step(&bad, &first.known, SETTLE_MS);
        assert_eq!(second.begun.len(), 1);
        let third = step(&bad, &second.known, 2 * SETTLE_MS);
        assert!(third.is_silent());
        let gone = step(&good, &third.known, 2 * SETTLE_MS + 1);
        assert!(gone.is_silent() && gone.known.len() == 1, "it may come again at once");
        let over = step(&good, &gone.known, 4 * SETTLE_MS);
        assert_eq!((over.over.len(), over.known.len()), (1, 0));
        assert!(step(&good, &over.known, 5 * SETTLE_MS).is_silent());
    }

    #[test]
    fn what_passes_by_itself_is_never_told() {
        let first = step(&silent(&[9]), &[], 0);
        let gone = step(&silent(&[0]), &first.known, SETTLE_MS - 1);
        assert!(gone.is_silent() && gone.known.is_empty());
    }

    #[test]
    fn advice_is_never_told() {
        let reasons = silent(&[2]);
        assert_eq!(reasons.needs.len(), 1);
        assert!(step(&reasons, &[], 0).known.is_empty());
    }

    #[test]
    fn nothing_begins_or_ends_during_maintenance() {
        let place = silent(&[9]).needs[0].place;
        let window = |scope| Maintenance {
            number: 1,
            scope,
            from_ms: 0,
            until_ms: NOW_MS + 10 * SETTLE_MS,
            reason: String::new(),
        };
        let kecamatan = roster().kecamatan()[1].code.as_u64();
        for scope in [0, kecamatan, place.code()] {
            let windows = [window(scope)];
            let at = |reasons: &Reasons, known: &[KnownAlert], after: i64| {
                decide(reasons, known, &windows, SETTLE_MS, NOW_MS + after * SETTLE_MS)
            };
            let (bad, good) = (silent(&[9]), silent(&[0]));
            let quiet = at(&bad, &at(&bad, &[], 0).known, 5);
            assert!(quiet.is_silent());
            // After it, what lasts is told.
            let after = at(&bad, &quiet.known, 10);
            assert_eq!(after.begun.len(), 1);
            let ending = decide(&good, &after.known, &[window(scope)], SETTLE_MS, NOW_MS + 1);
            assert!(ending.is_silent() && ending.known.len() == 1);
        }
        let elsewhere = [window(roster().kecamatan()[0].code.as_u64())];
        let first = decide(&silent(&[9]), &[], &elsewhere, SETTLE_MS, NOW_MS);
        let second = decide(&silent(&[9]), &first.known, &elsewhere, SETTLE_MS, NOW_MS + SETTLE_MS);
        assert_eq!(second.begun.len(), 1);
    }

    #[test]
    fn what_hides_behind_its_kecamatan_is_not_over() {
        let count = roster().villages_of(roster().kecamatan()[1].code).count();
        let one = silent(&[9]);
        let told = step(&one, &step(&one, &[], 0).known, SETTLE_MS);
        assert_eq!(told.begun.len(), 1);
        let all = silent(&vec![9; count]);
        let known = step(&all, &told.known, 2 * SETTLE_MS).known;
        let together = step(&all, &known, 3 * SETTLE_MS);
        let codes: Vec<_> = together.begun.iter().map(|need| need.code).collect();
        assert_eq!(codes, ["kecamatan_diam"], "one for all");
        assert!(together.over.is_empty() && together.known.len() == 2);
    }

    #[test]
    fn only_twice_as_many_villages_are_told_of_again() {
        let told = |extent| {
            let reasons = silent(&[9; 8]);
            let key = reasons.needs[0].key();
            assert!(key.starts_with("kecamatan_diam:"), "{key}");
            let known = KnownAlert { key, since_ms: 0, seen_ms: 0, told_ms: 1, extent };
            step(&reasons, &[known], 0).begun.len()
        };
        assert_eq!((told(4), told(5), told(8)), (1, 0, 0));
    }
}
