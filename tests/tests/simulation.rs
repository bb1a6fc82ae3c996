//! Simulated districts under every hardship: nothing acknowledged is lost,
//! nothing is invented, everything converges once faults stop.
//!
//! `cargo run --release -p lumbung-tests --bin faults -- --rounds 1000` runs
//! many more worlds; with `--seed` it repeats one.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use lumbung_tests::sim::schedule::{HARDSHIPS, Hardship, Schedule};
use lumbung_tests::sim::world::{self, Outcome};

fn lived(hardship: Hardship, seed: u64, dials: bool) -> Outcome {
    // A hub that dials an address reaches one machine of a village.
    let dials = dials || hardship == Hardship::Twins;
    let outcome = world::run(&Schedule { dials, ..Schedule::draw(hardship, seed) });
    outcome.unwrap_or_else(|error| panic!("{hardship:?}, seed {seed}, {dials}: {error:#}"))
}

fn suffered(dials: bool) {
    for (hardship, seed) in HARDSHIPS.into_iter().zip(1..) {
        let Outcome { acknowledged, unanswered, converged_in, .. } = lived(hardship, seed, dials);
        println!(
            "{hardship:?}, dials {dials}: {acknowledged} saves, {unanswered} unanswered, equal after {converged_in:?}"
        );
        assert!(acknowledged > 100, "hardly anything was saved");
        assert!(hardship != Hardship::PowerCuts || unanswered > 10, "hardly any cut struck");
    }
}

#[test]
fn every_hardship_ends_with_everything_saved_and_equal() {
    suffered(false);
}

#[test]
fn every_hardship_ends_so_too_where_nodes_dial() {
    suffered(true);
}

/// An older store was put back at a village that had been cut off: nobody else
/// had what it lost, and the district is told of it all the same.
#[test]
fn what_only_the_village_had_and_lost_is_told_to_the_district() {
    lived(Hardship::OldDisks, 5, false);
}

/// A village's disk goes back twice before the hub can be reached: what was
/// saved and lost in between takes nothing of what the hub has to hand back.
#[test]
fn what_the_hub_has_comes_back_whatever_was_saved_and_lost_meanwhile() {
    lived(Hardship::OldDisks, 281_205, false);
}

/// A village that was cut off sends many saves in one batch, and its disk goes
/// back to between them: the hub stood before and behind, and must not take what
/// was changed up to there for changed on both sides.
#[test]
fn what_parts_between_two_marks_is_no_false_conflict() {
    lived(Hardship::OldDisks, 28, true);
    lived(Hardship::OldDisks, 43, false);
}

#[test]
fn a_seed_repeats_its_world() {
    for dials in [false, true] {
        let run = |seed| lived(Hardship::Everything, seed, dials).chronicle;
        let same = |first: &[String], second: &[String]| {
            let differs = first.iter().zip(second).find(|(one, other)| one != other);
            assert_eq!(differs, None, "dials {dials}");
            assert_eq!(first.len(), second.len());
        };
        let first = run(7);
        same(&first, &run(7));
        let older = || lived(Hardship::OldDisks, 4, dials).chronicle;
        same(&older(), &older());
        assert_ne!(first, run(8));
    }
}
