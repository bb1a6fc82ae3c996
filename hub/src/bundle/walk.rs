//! A bundle's entries, one after another, each proven by its chain; and what
//! they tell of the log behind them.

use std::collections::BTreeMap;

use lumbung_domain::region::VillageCode;
use lumbung_ledger::fingerprint::ContentHash;
use lumbung_ledger::{ChainTag, Entry, LogId, Position, Seq};
use lumbung_media::Bundle;
use lumbung_wire::batch;
use lumbung_wire::tree::{Parts, Place, parts_from_wire};

use super::Refused;
use crate::dataset::{DatasetError, HubsOwn};
use crate::repair::{Latest, Told};

/// Goes along the bundle's chain: every entry, the hash of its content, and
/// the chain after it.
pub(super) fn walk(
    bundle: &Bundle,
    mut each: impl FnMut(Entry, Option<ContentHash>, ChainTag),
) -> Result<(), Refused> {
    let mut reached = bundle.from;
    for packed in &bundle.batches {
        let unproven = |_| Refused::Unproven { after: Box::new(reached) };
        let verified = batch::verify(packed.clone(), reached).map_err(unproven)?;
        let mut chain = reached.chain;
        for (entry, hash) in verified.entries {
            chain = chain.step(&entry).0;
            each(entry, hash, chain);
        }
        reached = verified.last;
    }
    match (Position { epoch: bundle.to.epoch, ..reached }) == bundle.to {
        true => Ok(()),
        false => Err(Refused::Unproven { after: Box::new(reached) }),
    }
}

/// Everywhere the hub knows to have stood in a village's log: its marks, and
/// where each of the newest saves ends.
pub(super) fn stood(
    village: VillageCode,
    dataset: &dyn HubsOwn,
) -> Result<Vec<Position>, DatasetError> {
    let mut stood = dataset.marks(village)?;
    stood.extend(dataset.passed(village, (Seq::ZERO, Seq(u64::MAX)))?);
    Ok(stood)
}

/// The part of a log that a bundle holds, as the chain after every entry.
pub(super) struct Chain {
    log_id: LogId,
    from: Seq,
    tags: BTreeMap<Seq, ChainTag>,
}

impl Chain {
    /// Of a bundle that proves itself.
    pub(super) fn of(bundle: &Bundle) -> Result<Self, Refused> {
        let Position { log_id, seq: from, chain, .. } = bundle.from;
        let mut tags = BTreeMap::from([(from, chain)]);
        walk(bundle, |entry, _, chain| {
            tags.insert(entry.header.seq, chain);
        })?;
        Ok(Self { log_id, from, tags })
    }

    /// Whether the position lies on it.
    pub(super) fn holds(&self, at: &Position) -> bool {
        at.log_id == self.log_id && self.tags.get(&at.seq) == Some(&at.chain)
    }

    /// The newest of the positions where the hub stood that lies on it; the
    /// log's origin lies on every log.
    pub(super) fn newest_common(&self, stood: &[Position]) -> Option<Position> {
        let origin = (self.from == Seq::ZERO).then(|| Position::origin(self.log_id));
        let common = stood.iter().filter(|at| self.holds(at));
        common.max_by_key(|at| at.seq).copied().or(origin)
    }
}

/// What the bundle tells of the log at its end; `None` when it is of an older
/// version, or too large a village for its sums to be told.
pub(super) fn told(bundle: &Bundle) -> Result<Option<Told>, Refused> {
    if bundle.end.broken_at != 0 {
        return Ok(None);
    }
    if bundle.from.seq == Seq::ZERO {
        let mut latest = Latest::new();
        walk(bundle, |entry, hash, _| {
            latest.insert(entry.header.id, (entry, hash));
        })?;
        return Ok(Some(Told::Log(latest)));
    }
    let mut sums: BTreeMap<Place, Parts> = BTreeMap::new();
    for told in &bundle.end.sums {
        let place = told.place.as_ref().and_then(Place::from_wire);
        let Some(parts) = place.and_then(|place| parts_from_wire(&[place], &told.parts)) else {
            return Ok(None);
        };
        sums.extend(parts);
    }
    Ok(sums.contains_key(&Place::Village).then_some(Told::Sums(sums)))
}
