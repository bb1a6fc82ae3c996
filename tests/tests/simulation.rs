//! Simulated districts under every hardship: nothing acknowledged is lost,
//! nothing is invented, everything converges once faults stop.
//!
//! `cargo run --release -p lumbung-tests --bin faults -- --rounds 1000` runs
//! many more worlds; with `--seed` it repeats one.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use lumbung_tests::sim::schedule::{HARDSHIPS, Hardship, Schedule};
use lumbung_tests::sim::world::{self, Outcome};

fn lived(hardship: Hardship, seed: u64) -> Outcome {
    let outcome = world::run(&Schedule::draw(hardship, seed));
    outcome.unwrap_or_else(|error| panic!("{hardship:?}, seed {seed}: {error:#}"))
}

#[test]
fn every_hardship_ends_with_everything_saved_and_equal() {
    for (hardship, seed) in HARDSHIPS.into_iter().zip(1..) {
        let Outcome { acknowledged, unanswered, converged_in, .. } = lived(hardship, seed);
        println!(
            "{hardship:?}: {acknowledged} saves, {unanswered} unanswered, equal after {converged_in:?}"
        );
        assert!(acknowledged > 100, "hardly anything was saved");
        assert!(hardship != Hardship::PowerCuts || unanswered > 10, "hardly any cut struck");
    }
}

#[test]
fn a_seed_repeats_its_world() {
    let run = |seed| lived(Hardship::Everything, seed).chronicle;
    let (first, second) = (run(7), run(7));
    let differs = first.iter().zip(&second).find(|(one, other)| one != other);
    assert_eq!(differs, None);
    assert_eq!(first.len(), second.len());
    assert_ne!(first, run(8));
}
