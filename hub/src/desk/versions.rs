//! Which software the villages' nodes run, as they named it at their last
//! contact.
//!
//! A version reads `1.4.2` or `1.4.2-uji.3`: the word after the hyphen is its
//! channel. A node is behind when its numbers are below the newest that the
//! hub or any village of its channel runs. What reads otherwise is shown as it
//! is and never called behind.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use lumbung_domain::region::Desa;

use super::{Desk, DeskError};
use crate::access::Operator;
use crate::outlook::Outlook;

/// The numbers of a version and its channel; empty = the ordinary one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reading {
    numbers: [u64; 3],
    channel: String,
    /// Within a channel: `uji.3` is 3.
    build: u64,
}

impl Reading {
    fn of(software: &str) -> Option<Self> {
        // What follows a plus says how it was built, not which version it is.
        let software = software.split('+').next().unwrap_or_default();
        let (numbers, tail) = software.split_once('-').unwrap_or((software, ""));
        let mut parts = numbers.split('.').map(|part| part.parse().ok());
        let numbers = [parts.next()??, parts.next()??, parts.next()??];
        if parts.next().is_some() {
            return None;
        }
        let (channel, build) = tail.split_once('.').unwrap_or((tail, ""));
        Some(Self { numbers, channel: channel.to_owned(), build: build.parse().unwrap_or(0) })
    }

    const fn order(&self) -> ([u64; 3], u64) {
        (self.numbers, self.build)
    }
}

/// A village and when it was heard of last, hub clock, Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runs {
    /// The village.
    pub desa: &'static Desa,
    /// 0 = never.
    pub last_ms: i64,
}

/// One version and who runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// As the nodes name it.
    pub software: String,
    /// Its channel; empty = the ordinary one.
    pub channel: String,
    /// A newer one of its channel is known.
    pub behind: bool,
    /// By name.
    pub villages: Vec<Runs>,
}

/// The versions of an operator's villages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions {
    /// Newest first.
    pub known: Vec<Version>,
    /// Villages that have joined but never named one.
    pub unknown: Vec<Runs>,
    /// Villages that have never joined.
    pub never: usize,
}

impl Versions {
    /// The versions in a look; `hub` is what the hub itself runs.
    fn of(outlook: &Outlook, hub: &str) -> Self {
        let mut by_software: BTreeMap<&str, Vec<Runs>> = BTreeMap::new();
        let (mut unknown, mut never) = (Vec::new(), 0);
        for village in &outlook.villages {
            let runs = Runs { desa: village.desa, last_ms: village.last_ms() };
            match village.upkeep.as_ref().map(|upkeep| upkeep.software.trim()) {
                None => never += 1,
                Some("") if runs.last_ms == 0 => never += 1,
                Some("") => unknown.push(runs),
                Some(software) => by_software.entry(software).or_default().push(runs),
            }
        }
        Self { known: ordered(by_software, hub), unknown, never }
    }

    /// Villages whose version is known.
    #[must_use]
    pub fn heard(&self) -> usize {
        self.known.iter().map(|version| version.villages.len()).sum()
    }

    /// Versions that are behind, the oldest first.
    pub fn behind(&self) -> impl Iterator<Item = &Version> {
        self.known.iter().rev().filter(|version| version.behind)
    }
}

fn ordered(by_software: BTreeMap<&str, Vec<Runs>>, hub: &str) -> Vec<Version> {
    let mut newest: BTreeMap<String, ([u64; 3], u64)> = BTreeMap::new();
    for reading in by_software.keys().copied().chain([hub]).filter_map(Reading::of) {
        let order = reading.order();
        let kept = newest.entry(reading.channel).or_insert(order);
        *kept = order.max(*kept);
    }
    let mut known: Vec<_> = by_software
        .into_iter()
        .map(|(software, mut villages)| {
            villages.sort_by_key(|it| it.desa.name);
            let reading = Reading::of(software);
            let behind = reading.as_ref().is_some_and(|it| {
                newest.get(&it.channel).is_some_and(|newest| it.order() < *newest)
            });
            let channel = reading.as_ref().map(|it| it.channel.clone()).unwrap_or_default();
            let order = reading.map(|it| it.order());
            (order, Version { software: software.to_owned(), channel, behind, villages })
        })
        .collect();
    known.sort_by_key(|(order, _)| Reverse(*order));
    known.into_iter().map(|(_, version)| version).collect()
}

impl Desk {
    /// Which software the operator's villages run.
    ///
    /// # Errors
    /// [`DeskError::Refused`], [`DeskError::Failed`].
    pub fn versions(&self, who: &Operator) -> Result<Versions, DeskError> {
        Ok(Versions::of(&self.sight(who)?.outlook, env!("CARGO_PKG_VERSION")))
    }
}

#[cfg(test)]
mod tests {
    use lumbung_domain::region::roster;

    use super::*;
    use crate::live::Live;
    use crate::outlook::Stored;
    use crate::outlook::tests::{NOW_MS, upkeep};

    fn versions(software: &[&str], hub: &str) -> Versions {
        let villages = roster().villages();
        let upkeep = software.iter().zip(villages).map(|(software, desa)| {
            let mut upkeep = upkeep(desa, 0);
            upkeep.software = (*software).to_owned();
            upkeep
        });
        let stored = Stored { upkeep: upkeep.collect(), ..Stored::default() };
        Versions::of(&Outlook::at(stored, &Live::default(), NOW_MS), hub)
    }

    fn told(versions: &Versions) -> Vec<(&str, usize, bool)> {
        versions
            .known
            .iter()
            .map(|it| (it.software.as_str(), it.villages.len(), it.behind))
            .collect()
    }

    #[test]
    fn newer_versions_come_first_and_older_ones_are_behind() {
        let found = versions(&["0.9.0", "0.10.0", "0.9.0", "0.10.1", ""], "0.10.0");
        assert_eq!(told(&found), [("0.10.1", 1, false), ("0.10.0", 1, true), ("0.9.0", 2, true)]);
        assert_eq!((found.heard(), found.unknown.len(), found.never), (4, 1, 243));
        assert_eq!(found.behind().next().unwrap().software, "0.9.0", "the oldest first");
    }

    #[test]
    fn the_hub_itself_may_be_newest() {
        assert_eq!(told(&versions(&["1.0.0"], "1.0.1")), [("1.0.0", 1, true)]);
    }

    #[test]
    fn channels_do_not_make_each_other_old() {
        let found = versions(&["1.0.0", "1.1.0-uji.2", "1.1.0-uji.10", "dari kode"], "1.0.0+abc");
        assert_eq!(
            told(&found),
            [
                ("1.1.0-uji.10", 1, false),
                ("1.1.0-uji.2", 1, true),
                ("1.0.0", 1, false),
                ("dari kode", 1, false),
            ]
        );
        assert_eq!(found.known[0].channel, "uji");
    }
}
