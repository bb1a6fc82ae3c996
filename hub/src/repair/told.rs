//! The same proof where there is nobody to ask: rows against what a bundle on
//! a stick tells.
//!
//! A bundle that begins at the first entry is the log itself: what differs is
//! put right from it at once. A shorter one carries sums of the proven log by
//! RT and household: they say whether and where the rows differ, and a whole
//! bundle is asked for. Neither is believed where it contradicts itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lumbung_domain::id::RecordId;
use lumbung_domain::region::VillageCode;
use lumbung_ledger::fingerprint::ContentHash;
use lumbung_ledger::{Entry, Operation, Payload, Position};
use lumbung_telemetry::clock;
use lumbung_wire::tree::{Leaf, Part, Parts, Place, Tree};

use super::drill::Drill;
use super::proof::same_place;
use super::{names, words};
use crate::dataset::{DatasetError, HubsOwn, IncidentKind, NewIncident, Repair, RowContent};
use crate::merge::decode;
use crate::words::Words;

/// The latest entry of every record, with the hash of its content.
pub(crate) type Latest = HashMap<RecordId, (Entry, Option<ContentHash>)>;

/// What a bundle tells of the log.
pub(crate) enum Told {
    /// All of it.
    Log(Latest),
    /// Its sums by place: the village, and each RT.
    Sums(BTreeMap<Place, Parts>),
}

/// What a proof against it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToldProof {
    /// Every row is what the log says, if need be after a repair.
    Equal(Words),
    /// Rows differ; where, and what brings the log that puts them right.
    Differs(Words),
    /// What was told contradicts itself; why, in words.
    Contradicts(Words),
}

/// The village to be proven.
pub(crate) struct ToldVillage<'a> {
    pub(crate) village: VillageCode,
    pub(crate) dataset: &'a dyn HubsOwn,
    /// Where the log was told.
    pub(crate) position: Position,
    /// What the node states that everything sums up to there.
    pub(crate) stated: Part,
}

impl ToldVillage<'_> {
    /// Compares, and repairs if the log was told whole. `None`: the hub has
    /// moved on meanwhile.
    ///
    /// # Errors
    /// [`DatasetError`].
    pub(crate) fn prove(&self, told: &Told) -> Result<Option<ToldProof>, DatasetError> {
        let RowContent { position, kept, tree } = self.dataset.content(self.village)?;
        let Some(position) = position.filter(|stands| same_place(stands, &self.position)) else {
            return Ok(None);
        };
        let proven = match told {
            Told::Log(latest) => self.against_log(position, kept, &tree, latest),
            Told::Sums(sums) => self.against_sums(position, kept, &tree, sums),
        };
        match proven {
            Ok(proof) => Ok(Some(proof)),
            Err(DatasetError::NotNext { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn against_log(
        &self,
        position: Position,
        kept: Part,
        own: &Tree,
        latest: &Latest,
    ) -> Result<ToldProof, DatasetError> {
        let log = tree_of(latest);
        let mut drill = Drill::new(own);
        loop {
            let asks = drill.asks();
            if asks.is_empty() {
                break;
            }
            let answers = asks.into_iter().map(|place| (place, log.parts(place))).collect();
            if drill.take(&answers).is_err() {
                return Ok(ToldProof::Contradicts(words::CONTRADICTS.into()));
            }
        }
        let difference = drill.finish();
        let words = if !difference.records.is_empty() {
            let repair = |id: &RecordId| match latest.get(id) {
                Some((entry, hash)) => Repair::Put(decode::change(entry.clone(), *hash)),
                None => Repair::Drop(*id),
            };
            let repairs: Vec<_> = difference.records.keys().map(repair).collect();
            let rts: Vec<_> = difference.records.values().filter_map(|record| record.rt).collect();
            let named = names::of(self.dataset, self.village, &rts, names::told(&repairs))?;
            let places = words::places(&difference, |rt| names::or_unnamed(&named, rt));
            let words = words::rows_repaired(&difference, &places, position.seq);
            self.repair(position, &repairs, &words)?;
            words
        } else {
            self.settle_sums(position, kept, log.root())?
        };
        Ok(match log.root() == self.stated {
            true => ToldProof::Equal(words),
            false => ToldProof::Contradicts(words::STATES_OTHERWISE.into()),
        })
    }

    fn against_sums(
        &self,
        position: Position,
        kept: Part,
        own: &Tree,
        sums: &BTreeMap<Place, Parts>,
    ) -> Result<ToldProof, DatasetError> {
        let nothing = Parts::new();
        let told = |place| sums.get(&place).unwrap_or(&nothing);
        let village = told(Place::Village);
        if total(village) != self.stated {
            return Ok(ToldProof::Contradicts(words::STATES_OTHERWISE.into()));
        }
        let mut differing = BTreeMap::new();
        for part in differing_parts(&own.parts(Place::Village), village) {
            let houses = match part.map(Place::Rt) {
                None => 0,
                Some(rt) => {
                    if total(told(rt)) != village.get(&part).copied().unwrap_or_default() {
                        return Ok(ToldProof::Contradicts(words::CONTRADICTS.into()));
                    }
                    differing_parts(&own.parts(rt), told(rt)).iter().flatten().count()
                }
            };
            differing.insert(part, houses);
        }
        if differing.is_empty() {
            return Ok(ToldProof::Equal(self.settle_sums(position, kept, self.stated)?));
        }
        let rts: Vec<_> = differing.keys().flatten().copied().collect();
        let named = names::of(self.dataset, self.village, &rts, BTreeMap::new())?;
        let places = words::summed_places(&differing, |rt| names::or_unnamed(&named, rt));
        Ok(ToldProof::Differs(words::rows_differ(&places, position.seq)))
    }

    /// The rows are right; are the sums beside them?
    fn settle_sums(
        &self,
        position: Position,
        kept: Part,
        told: Part,
    ) -> Result<Words, DatasetError> {
        if kept == told {
            return Ok(words::EQUAL.into());
        }
        let words = words::sums_repaired(position.seq);
        self.repair(position, &[], &words)?;
        Ok(words)
    }

    fn repair(
        &self,
        position: Position,
        repairs: &[Repair],
        words: &Words,
    ) -> Result<(), DatasetError> {
        let incident = NewIncident::new(IncidentKind::RowsRepaired, words.clone());
        let now_ms = clock::now_ms();
        self.dataset.repair(self.village, &position, repairs, &incident, now_ms)?;
        let (village, records) = (self.village, repairs.len());
        tracing::warn!(%village, records, "rows were put right from a stick");
        Ok(())
    }
}

/// The tree over what lives by these entries.
fn tree_of(latest: &Latest) -> Tree {
    let living = latest.values().filter(|(entry, _)| entry.header.operation != Operation::Delete);
    let leaves: Vec<_> = living
        .map(|(Entry { header, payload }, hash)| {
            let payload = match payload {
                Payload::Present { bytes, .. } => Some(bytes),
                Payload::Withheld { .. } => None,
            };
            Leaf::new(header.id, header.kind, payload, *hash)
        })
        .collect();
    Tree::new(&leaves)
}

fn total(parts: &Parts) -> Part {
    let mut total = Part::default();
    parts.values().for_each(|part| total += *part);
    total
}

fn differing_parts(own: &Parts, told: &Parts) -> BTreeSet<Option<RecordId>> {
    let parts = own.keys().chain(told.keys()).copied();
    parts.filter(|part| own.get(part) != told.get(part)).collect()
}
