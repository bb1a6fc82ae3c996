//! Many simulated worlds, one after another: the long form of the fault
//! suite. Prints each world's seed; a failure ends the run and prints the
//! command that repeats it.

use std::time::Instant;

use anyhow::Context;
use lumbung_tests::sim::schedule::{HARDSHIPS, Hardship, Schedule};
use lumbung_tests::sim::world;

const USAGE: &str = "faults [--rounds N] [--seed S] [--only HARDSHIP] [--dials true|false]";

struct Options {
    rounds: u64,
    seed: u64,
    only: Option<Hardship>,
    /// Whether nodes dial, whatever the seed says.
    dials: Option<bool>,
}

fn options() -> anyhow::Result<Options> {
    let mut options = Options { rounds: 1, seed: 1, only: None, dials: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().context(USAGE)?;
        match word.as_str() {
            "--rounds" => options.rounds = value.parse()?,
            "--seed" => options.seed = value.parse()?,
            "--only" => {
                let named = |it: &Hardship| format!("{it:?}").eq_ignore_ascii_case(&value);
                options.only = Some(HARDSHIPS.into_iter().find(named).context(USAGE)?);
            }
            "--dials" => options.dials = Some(value.parse()?),
            _ => anyhow::bail!(USAGE),
        }
    }
    Ok(options)
}

fn main() -> anyhow::Result<()> {
    let Options { rounds, seed, only, dials } = options()?;
    for seed in seed..seed.saturating_add(rounds) {
        for hardship in HARDSHIPS.into_iter().filter(|it| only.is_none_or(|only| only == *it)) {
            let begun = Instant::now();
            let drawn = Schedule::draw(hardship, seed);
            let dials = dials.unwrap_or(drawn.dials);
            let outcome = world::run(&Schedule { dials, ..drawn }).with_context(|| {
                format!(
                    "repeat with: cargo run --release -p lumbung-tests --bin faults -- \
                     --seed {seed} --only {hardship:?} --dials {dials}"
                )
            })?;
            println!(
                "seed {seed} {hardship:?}: {} saves acknowledged, {} unanswered, equal after \
                 {:.1} s of calm ({:.1} s)",
                outcome.acknowledged,
                outcome.unanswered,
                outcome.converged_in.as_secs_f64(),
                begun.elapsed().as_secs_f64(),
            );
        }
    }
    Ok(())
}
