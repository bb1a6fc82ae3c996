//! Following a difference of sums down to single records.
//!
//! Level by level: the places of which the other side is asked, its answers,
//! the places that differ below them. Pure: it asks nobody itself. Every
//! answer must add up to the sum it takes apart, so a side that contradicts
//! itself is noticed and not believed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lumbung_domain::id::RecordId;
use lumbung_wire::tree::{Part, Parts, Place, Tree};

use super::difference::{Difference, Differing};

/// The other side's answers don't add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the parts of {0:?} do not add up to what was told of it")]
pub struct Contradiction(pub Place);

/// A record as one side lists it.
type Listed = BTreeMap<RecordId, (Part, Place)>;

/// A descent under way.
#[derive(Debug)]
pub struct Drill<'t> {
    own: &'t Tree,
    /// The places to ask for next, with the sum each was told to have; `None`
    /// for the whole, which nothing was told of.
    asks: BTreeMap<Place, Option<Part>>,
    own_records: Listed,
    told_records: Listed,
    /// The RT of each rumah tangga that was descended into.
    rts: HashMap<RecordId, RecordId>,
    root: Part,
}

impl<'t> Drill<'t> {
    /// Begins at the whole.
    #[must_use]
    pub fn new(own: &'t Tree) -> Self {
        Self {
            own,
            asks: BTreeMap::from([(Place::Village, None)]),
            own_records: Listed::new(),
            told_records: Listed::new(),
            rts: HashMap::new(),
            root: Part::default(),
        }
    }

    /// What to ask the other side for now; empty = everything is known.
    #[must_use]
    pub fn asks(&self) -> Vec<Place> {
        self.asks.keys().copied().collect()
    }

    /// What the other side said everything sums up to, once it answered.
    #[must_use]
    pub const fn root(&self) -> Part {
        self.root
    }

    /// Takes the answers to all that was asked and goes down one level.
    ///
    /// # Errors
    /// [`Contradiction`].
    pub fn take(&mut self, answers: &BTreeMap<Place, Parts>) -> Result<(), Contradiction> {
        let nothing = Parts::new();
        for (place, sum) in std::mem::take(&mut self.asks) {
            let told = answers.get(&place).unwrap_or(&nothing);
            let mut total = Part::default();
            told.values().for_each(|part| total += *part);
            match sum {
                None => self.root = total,
                Some(sum) if sum != total => return Err(Contradiction(place)),
                Some(_) => {}
            }
            self.compare(place, told);
        }
        Ok(())
    }

    fn compare(&mut self, place: Place, told: &Parts) {
        let own = self.own.parts(place);
        let parts: BTreeSet<_> = own.keys().chain(told.keys()).copied().collect();
        for part in parts {
            let (mine, theirs) = (own.get(&part).copied(), told.get(&part).copied());
            if let Some(below) = place.below(part) {
                if mine != theirs {
                    self.descend(place, below, theirs);
                }
            } else if let Some(id) = part {
                // Equal ones too: a record may hang elsewhere on the other
                // side and yet be the same.
                self.own_records.extend(mine.map(|mine| (id, (mine, place))));
                self.told_records.extend(theirs.map(|theirs| (id, (theirs, place))));
            }
        }
    }

    fn descend(&mut self, place: Place, below: Place, told: Option<Part>) {
        // A rumah tangga may hang under another RT on either side, or under
        // none that is known: its one answer serves both, and where the log
        // lists it is where it is.
        let sum = self.asks.entry(below).or_default();
        let (Place::Rt(rt), Place::House(house)) = (place, below) else {
            *sum = Some(told.unwrap_or_default());
            return;
        };
        match told {
            Some(told) => {
                *sum = Some(told);
                self.rts.insert(house, rt);
            }
            None => {
                sum.get_or_insert_default();
                self.rts.entry(house).or_insert(rt);
            }
        }
    }

    /// What differs, once there is nothing left to ask.
    #[must_use]
    pub fn finish(self) -> Difference {
        let ids: BTreeSet<_> =
            self.own_records.keys().chain(self.told_records.keys()).copied().collect();
        let rt_of = |place: Place| match place {
            Place::Rt(rt) | Place::Unhoused(rt) => Some(rt),
            Place::House(house) => self.rts.get(&house).copied(),
            Place::Village | Place::Loose => None,
        };
        let records = ids.into_iter().filter_map(|id| {
            let (own, told) = (self.own_records.get(&id), self.told_records.get(&id));
            let place = told.or(own)?.1;
            let (own, told) = (own.map(|own| own.0), told.map(|told| told.0));
            (own != told).then(|| (id, Differing { own, told, rt: rt_of(place), place }))
        });
        Difference { records: records.collect() }
    }
}

#[cfg(test)]
mod tests;
