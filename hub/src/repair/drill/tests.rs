//! Two villages that differ in any way at all, parents included.

use lumbung_domain::id::{Kind, KindCode};
use lumbung_ledger::fingerprint::content_hash;
use lumbung_wire::tree::Leaf;
use proptest::prelude::*;

use super::*;

fn id(number: u8) -> RecordId {
    RecordId::from_parts(1_790_000_000_000, 0, u64::from(number))
}

/// A record of any kind under any other, or under one that is not there.
fn any_leaf() -> impl Strategy<Value = (u8, Leaf)> {
    let kinds = prop_oneof![
        prop::sample::select(Kind::ALL.to_vec()).prop_map(|kind| kind.code()),
        Just(KindCode(4711)),
    ];
    let parent = proptest::option::weighted(0.9, 0_u8..40);
    (0_u8..40, kinds, parent, any::<u8>(), proptest::bool::weighted(0.9)).prop_map(
        |(number, kind, parent, content, present)| {
            let id_ = id(number);
            // What a record hangs under is part of its content.
            let bytes = [content, parent.unwrap_or(u8::MAX)];
            let hash = present.then(|| content_hash(id_, kind, 1, &bytes));
            let parent = parent.filter(|_| present).map(id);
            (number, Leaf { id: id_, kind, parent, hash })
        },
    )
}

fn any_village() -> impl Strategy<Value = BTreeMap<u8, Leaf>> {
    proptest::collection::vec(any_leaf(), 0..60).prop_map(|leaves| leaves.into_iter().collect())
}

fn tree(village: &BTreeMap<u8, Leaf>) -> Tree {
    Tree::new(&village.values().copied().collect::<Vec<_>>())
}

/// Descends with an honest other side; how many questions it took.
fn descend(own: &Tree, other: &Tree) -> (Difference, usize) {
    let mut drill = Drill::new(own);
    let mut questions = 0;
    while !drill.asks().is_empty() {
        questions += 1;
        let asks = drill.asks().into_iter();
        drill.take(&asks.map(|place| (place, other.parts(place))).collect()).unwrap();
    }
    assert_eq!(drill.root(), other.root());
    (drill.finish(), questions)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_differs_is_found_wherever_it_hangs(own in any_village(), changed in any_village()) {
        // The other side is the same village with some records changed, added
        // or, where the change has no content, gone.
        let mut other = own.clone();
        for (number, leaf) in changed.iter().take(12) {
            match leaf.hash {
                Some(_) => other.insert(*number, *leaf),
                None => other.remove(number),
            };
        }
        let (difference, questions) = descend(&tree(&own), &tree(&other));
        prop_assert!(questions <= 3, "one question a level");
        let part = |village: &BTreeMap<u8, Leaf>, number| village.get(&number).map(Part::from);
        let differs: BTreeSet<_> = (0..40)
            .filter(|number| part(&own, *number) != part(&other, *number))
            .map(id)
            .collect();
        let found: BTreeSet<_> = difference.records.keys().copied().collect();
        prop_assert_eq!(found, differs);
        for (found, differing) in &difference.records {
            let number = (0..40).find(|number| id(*number) == *found).unwrap();
            prop_assert_eq!(differing.own, part(&own, number));
            prop_assert_eq!(differing.told, part(&other, number));
        }
    }

    #[test]
    fn a_lie_below_the_top_is_noticed(village in any_village(), at in 0_usize..100) {
        let own = Tree::default();
        let other = tree(&village);
        let mut drill = Drill::new(&own);
        let mut level = 0;
        let mut outcome = Ok(());
        while outcome.is_ok() && !drill.asks().is_empty() {
            let asks = drill.asks();
            let mut answers: BTreeMap<_, _> =
                asks.iter().map(|place| (*place, other.parts(*place))).collect();
            if level > 0 {
                let lied = answers.get_mut(&asks[at % asks.len()]).unwrap();
                if let Some(part) = lied.values_mut().next() {
                    part.records += 1;
                }
            }
            outcome = drill.take(&answers);
            level += 1;
        }
        prop_assert_eq!(outcome.is_err(), !village.is_empty());
    }
}

#[test]
fn equal_sides_take_one_question() {
    let village: BTreeMap<_, _> = (0..9)
        .map(|number| {
            let (kind, parent) =
                if number == 0 { (Kind::Rt, None) } else { (Kind::RumahTangga, Some(id(0))) };
            let hash = Some(content_hash(id(number), kind.code(), 1, &[number]));
            (number, Leaf { id: id(number), kind: kind.code(), parent, hash })
        })
        .collect();
    let tree = tree(&village);
    let (difference, questions) = descend(&tree, &tree);
    assert_eq!((difference.records.len(), questions), (0, 1));
}
