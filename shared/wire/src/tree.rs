//! A village's records as a tree of sums: RT, rumah tangga, record.
//!
//! Node and hub build it from what each of them holds, by the same rules, so
//! that a difference of sums can be followed down to single records and read
//! as words: "RT 003 / RW 002, 2 rumah tangga". What hangs where follows the
//! records' own parents. Every record is a leaf exactly once, whatever is
//! missing above it: what hangs under no RT is *loose*, what hangs under an RT
//! but in no house is *unhoused*. Knows no store and asks nobody.

use std::collections::{BTreeMap, HashMap};
use std::ops::AddAssign;

use bytes::Bytes;
use lumbung_domain::id::{Kind, KindCode, RecordId};
use lumbung_ledger::Fingerprint;
use lumbung_ledger::fingerprint::ContentHash;
use lumbung_proto::v1::{self, fingerprint_request};

use crate::record;

/// mutasi, warga, keluarga, rumah tangga, RT, RW, dusun: no way up is longer.
const LEVELS_MAX: usize = 8;

/// One living record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The record.
    pub id: RecordId,
    /// Its kind, known to this version or not.
    pub kind: KindCode,
    /// What it hangs under, by its own content; `None` at the top and for
    /// content that can't be read.
    pub parent: Option<RecordId>,
    /// Hash of its content; `None` when the content is withheld, which counts
    /// the record but adds nothing to a sum.
    pub hash: Option<ContentHash>,
}

impl Leaf {
    /// The leaf of a record with this payload and content hash.
    #[must_use]
    pub fn new(
        id: RecordId,
        kind: KindCode,
        payload: Option<&Bytes>,
        hash: Option<ContentHash>,
    ) -> Self {
        let known = Kind::from_code(kind).zip(payload);
        let record = known.and_then(|(kind, payload)| record::decode(kind, payload).ok());
        Self { id, kind, parent: record.and_then(|record| record.parent()), hash }
    }
}

/// A place in the tree, named alike by both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Everything; its parts are RT.
    Village,
    /// What hangs under no RT; its parts are records.
    Loose,
    /// An RT; its parts are rumah tangga.
    Rt(RecordId),
    /// What hangs under this RT but in no rumah tangga; its parts are records.
    Unhoused(RecordId),
    /// A rumah tangga; its parts are records.
    House(RecordId),
}

impl Place {
    /// The place that a part of this one is, or nothing when it is a record.
    /// The part without an id is the rest.
    #[must_use]
    pub const fn below(self, part: Option<RecordId>) -> Option<Self> {
        match (self, part) {
            (Self::Village, Some(rt)) => Some(Self::Rt(rt)),
            (Self::Village, None) => Some(Self::Loose),
            (Self::Rt(_), Some(house)) => Some(Self::House(house)),
            (Self::Rt(rt), None) => Some(Self::Unhoused(rt)),
            (Self::Loose | Self::Unhoused(_) | Self::House(_), _) => None,
        }
    }

    /// The wire form.
    #[must_use]
    pub fn to_wire(self) -> fingerprint_request::Place {
        let id = |id: RecordId| Bytes::copy_from_slice(id.as_bytes());
        let empty = fingerprint_request::Place::default();
        match self {
            Self::Village => empty,
            Self::Loose => fingerprint_request::Place { loose: true, ..empty },
            Self::Rt(rt) => fingerprint_request::Place { rt: id(rt), ..empty },
            Self::Unhoused(rt) => fingerprint_request::Place { rt: id(rt), loose: true, ..empty },
            Self::House(house) => fingerprint_request::Place { house: id(house), ..empty },
        }
    }

    /// The place behind a wire form; `None` when it names no place.
    #[must_use]
    pub fn from_wire(place: &fingerprint_request::Place) -> Option<Self> {
        match (place.rt.is_empty(), place.house.is_empty(), place.loose) {
            (true, true, false) => Some(Self::Village),
            (true, true, true) => Some(Self::Loose),
            (false, true, false) => RecordId::from_slice(&place.rt).map(Self::Rt),
            (false, true, true) => RecordId::from_slice(&place.rt).map(Self::Unhoused),
            (true, false, false) => RecordId::from_slice(&place.house).map(Self::House),
            _ => None,
        }
    }
}

/// The sum of one part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Sum over its records.
    pub fingerprint: Fingerprint,
    /// Its records.
    pub records: u64,
}

impl AddAssign for Part {
    fn add_assign(&mut self, other: Self) {
        self.fingerprint += other.fingerprint;
        self.records += other.records;
    }
}

impl From<&Leaf> for Part {
    fn from(leaf: &Leaf) -> Self {
        let fingerprint = leaf.hash.map(Fingerprint::from).unwrap_or_default();
        Self { fingerprint, records: 1 }
    }
}

/// The parts of one place by their id; the part without one is the rest.
pub type Parts = BTreeMap<Option<RecordId>, Part>;

/// The sums of every place of one village.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    places: BTreeMap<Place, Parts>,
    root: Part,
}

impl Tree {
    /// The tree over these records, in any order.
    #[must_use]
    pub fn new(leaves: &[Leaf]) -> Self {
        let records = leaves.iter().map(|leaf| (leaf.id, leaf)).collect();
        let mut tree = Self::default();
        for leaf in leaves {
            tree.add(leaf, Above::of(leaf, &records));
        }
        tree
    }

    fn add(&mut self, leaf: &Leaf, above: Above) {
        let part = Part::from(leaf);
        self.root += part;
        let own = match (above.rt, above.house) {
            (None, _) => Place::Loose,
            (Some(rt), None) => Place::Unhoused(rt),
            (Some(_), Some(house)) => Place::House(house),
        };
        let mut put = |place, part_id| {
            *self.places.entry(place).or_default().entry(part_id).or_default() += part;
        };
        put(Place::Village, above.rt);
        if let Some(rt) = above.rt {
            put(Place::Rt(rt), above.house);
        }
        put(own, Some(leaf.id));
    }

    /// The sum over everything.
    #[must_use]
    pub const fn root(&self) -> Part {
        self.root
    }

    /// The parts of a place; none when nothing hangs there.
    #[must_use]
    pub fn parts(&self, place: Place) -> Parts {
        self.places.get(&place).cloned().unwrap_or_default()
    }

    /// The place that callers of the first version mean by an id: the village
    /// without one, an RT when one has that id, else a rumah tangga.
    #[must_use]
    pub fn place_of(&self, id: Option<RecordId>) -> Place {
        match id {
            None => Place::Village,
            Some(id) if self.places.contains_key(&Place::Rt(id)) => Place::Rt(id),
            Some(id) => Place::House(id),
        }
    }
}

/// The RT and rumah tangga a record belongs to.
#[derive(Clone, Copy, Default)]
struct Above {
    rt: Option<RecordId>,
    house: Option<RecordId>,
}

impl Above {
    /// The first RT or rumah tangga on the way up. The RT of what is in a
    /// house is that of the house, so that a house is whole whatever its
    /// records say.
    fn of(leaf: &Leaf, records: &HashMap<RecordId, &Leaf>) -> Self {
        let way = |from| {
            let up = |below: &&Leaf| below.parent.and_then(|id| records.get(&id).copied());
            std::iter::successors(Some(from), up).take(LEVELS_MAX)
        };
        let kind = |step: &&Leaf| Kind::from_code(step.kind);
        let is_rt = |step: &&Leaf| kind(step) == Some(Kind::Rt);
        let is_house = |step: &&Leaf| kind(step) == Some(Kind::RumahTangga);
        match way(leaf).find(|step| is_rt(step) || is_house(step)) {
            Some(house) if is_house(&house) => {
                Self { rt: way(house).find(is_rt).map(|rt| rt.id), house: Some(house.id) }
            }
            rt => Self { rt: rt.map(|rt| rt.id), house: None },
        }
    }
}

/// The wire form of the parts of one place, the `place`th that was asked for.
pub fn parts_to_wire(
    place: u32,
    parts: &Parts,
) -> impl Iterator<Item = v1::fingerprint_reply::Part> {
    parts.iter().map(move |(id, part)| v1::fingerprint_reply::Part {
        id: id.map_or_else(Bytes::new, |id| Bytes::copy_from_slice(id.as_bytes())),
        fingerprint: Bytes::copy_from_slice(&part.fingerprint.to_bytes()),
        records: part.records,
        place,
    })
}

/// The parts of every place in the order they were asked for; `None` when the
/// answer is malformed: an id or a sum of the wrong length, a part of a place
/// nobody asked for, or the same part twice.
#[must_use]
pub fn parts_from_wire(
    asked: &[Place],
    told: &[v1::fingerprint_reply::Part],
) -> Option<BTreeMap<Place, Parts>> {
    let mut places: BTreeMap<_, _> = asked.iter().map(|place| (*place, Parts::new())).collect();
    for part in told {
        let place = asked.get(usize::try_from(part.place).ok()?)?;
        let id = match part.id.is_empty() {
            true => None,
            false => Some(RecordId::from_slice(&part.id)?),
        };
        let fingerprint = Fingerprint::from_slice(&part.fingerprint)?;
        let part = Part { fingerprint, records: part.records };
        if places.entry(*place).or_default().insert(id, part).is_some() {
            return None;
        }
    }
    Some(places)
}

#[cfg(test)]
mod tests {
    use lumbung_ledger::fingerprint::content_hash;

    use super::*;

    fn id(number: u64) -> RecordId {
        RecordId::from_parts(1_790_000_000_000, 0, number)
    }

    fn leaf(number: u64, kind: Kind, parent: Option<u64>) -> Leaf {
        let hash = content_hash(id(number), kind.code(), 1, &number.to_le_bytes());
        Leaf { id: id(number), kind: kind.code(), parent: parent.map(id), hash: Some(hash) }
    }

    fn village() -> Vec<Leaf> {
        vec![
            leaf(1, Kind::Dusun, None),
            leaf(2, Kind::Rt, Some(1)),
            leaf(3, Kind::Dasawisma, Some(2)),
            leaf(4, Kind::RumahTangga, Some(2)),
            leaf(5, Kind::Keluarga, Some(4)),
            leaf(6, Kind::Warga, Some(5)),
            leaf(7, Kind::Mutasi, Some(6)),
            // A family whose house nobody knows.
            leaf(8, Kind::Keluarga, Some(99)),
        ]
    }

    fn ids(tree: &Tree, place: Place) -> Vec<Option<RecordId>> {
        tree.parts(place).into_keys().collect()
    }

    #[test]
    fn every_record_hangs_where_its_parents_say() {
        let tree = Tree::new(&village());
        assert_eq!(ids(&tree, Place::Village), [None, Some(id(2))]);
        assert_eq!(ids(&tree, Place::Loose), [Some(id(1)), Some(id(8))]);
        assert_eq!(ids(&tree, Place::Rt(id(2))), [None, Some(id(4))]);
        assert_eq!(ids(&tree, Place::Unhoused(id(2))), [Some(id(2)), Some(id(3))]);
        assert_eq!(ids(&tree, Place::House(id(4))), [4, 5, 6, 7].map(|n| Some(id(n))));
    }

    #[test]
    fn every_level_adds_up_to_the_one_above() {
        let tree = Tree::new(&village());
        let mut waiting = vec![(Place::Village, tree.root())];
        let mut leaves = 0;
        while let Some((place, sum)) = waiting.pop() {
            let mut total = Part::default();
            for (part_id, part) in tree.parts(place) {
                total += part;
                match place.below(part_id) {
                    Some(below) => waiting.push((below, part)),
                    None => leaves += part.records,
                }
            }
            assert_eq!(total, sum, "{place:?}");
        }
        assert_eq!(leaves, 8);
    }

    #[test]
    fn a_circle_of_parents_ends() {
        let tree = Tree::new(&[leaf(1, Kind::Warga, Some(2)), leaf(2, Kind::Warga, Some(1))]);
        assert_eq!(ids(&tree, Place::Loose), [Some(id(1)), Some(id(2))]);
    }

    #[test]
    fn places_and_parts_come_back_from_the_wire() {
        let tree = Tree::new(&village());
        let places = [
            Place::Village,
            Place::Loose,
            Place::Rt(id(2)),
            Place::Unhoused(id(2)),
            Place::House(id(4)),
        ];
        let told: Vec<_> = (0..)
            .zip(places)
            .flat_map(|(at, place)| parts_to_wire(at, &tree.parts(place)).collect::<Vec<_>>())
            .collect();
        let read = parts_from_wire(&places, &told).unwrap();
        for place in places {
            assert_eq!(Place::from_wire(&place.to_wire()), Some(place));
            assert_eq!(read[&place], tree.parts(place));
        }
        let twice = [told[0].clone(), told[0].clone()];
        assert_eq!(parts_from_wire(&places, &twice), None);
        assert_eq!(parts_from_wire(&[], &told), None);
    }
}
