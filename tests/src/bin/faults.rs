//! Many simulated worlds, one after another: the long form of the fault
//! suite. Prints each world's seed; a failure ends the run and prints the
//! command that repeats it.
//!
//! Each world lives in a process of its own, as it does when it is repeated.
//! However that process ends, this one says so: also when it was killed and
//! could say nothing, and when it ended well without a result.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::Instant;

use anyhow::Context;
use lumbung_tests::sim::schedule::{HARDSHIPS, Hardship, Schedule};
use lumbung_tests::sim::world;

const USAGE: &str = "faults [--rounds N] [--seed S] [--only HARDSHIP] [--dials true|false]";

/// The first argument of a process that is to live one world itself.
const ONE: &str = "one-world";

/// How a result line begins.
const RESULT: &str = "seed ";

struct Options {
    rounds: u64,
    seed: u64,
    only: Option<Hardship>,
    /// Whether nodes dial, whatever the seed says.
    dials: Option<bool>,
}

fn options(mut words: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut options = Options { rounds: 1, seed: 1, only: None, dials: None };
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

/// One world, as the command line names it.
#[derive(Clone, Copy)]
struct Named {
    seed: u64,
    hardship: Hardship,
    dials: bool,
}

impl Named {
    fn arguments(self) -> [String; 6] {
        let Self { seed, hardship, dials } = self;
        let words = ["--seed", &seed.to_string(), "--only", &format!("{hardship:?}")];
        let [seed, its, only, hardship] = words.map(str::to_owned);
        [seed, its, only, hardship, "--dials".to_owned(), dials.to_string()]
    }

    /// Lives in this process and prints the result.
    fn live(self) -> anyhow::Result<()> {
        let Self { seed, hardship, dials } = self;
        let begun = Instant::now();
        let outcome = world::run(&Schedule { dials, ..Schedule::draw(hardship, seed) })?;
        println!(
            "{RESULT}{seed} {hardship:?}: {} saves acknowledged, {} unanswered, equal after \
             {:.1} s of calm ({:.1} s)",
            outcome.acknowledged,
            outcome.unanswered,
            outcome.converged_in.as_secs_f64(),
            begun.elapsed().as_secs_f64(),
        );
        Ok(())
    }

    /// Lives in a process of its own, whose lines are passed on.
    fn watch(self) -> anyhow::Result<()> {
        let itself = std::env::current_exe()?;
        let mut child = Command::new(itself)
            .arg(ONE)
            .args(self.arguments())
            .stdout(Stdio::piped())
            .spawn()
            .context("its process can't be started")?;
        let out = child.stdout.take().context("it has no output")?;
        let mut result = false;
        for line in BufReader::new(out).split(b'\n') {
            let line = line.context("its output can't be read")?;
            result |= line.starts_with(RESULT.as_bytes());
            let mut out = std::io::stdout().lock();
            out.write_all(&line).and_then(|()| out.write_all(b"\n"))?;
        }
        judge(child.wait()?, result)
    }
}

/// Whether a world's process ended as one does whose world ended well.
fn judge(status: ExitStatus, result: bool) -> anyhow::Result<()> {
    anyhow::ensure!(status.success(), "its process ended early or badly: {status}");
    anyhow::ensure!(result, "its process ended without a result: {status}");
    Ok(())
}

/// The worlds, one after another; gives how many there were.
fn run(options: &Options) -> anyhow::Result<u64> {
    let Options { rounds, seed, only, dials } = *options;
    let mut ended = 0;
    for seed in seed..seed.saturating_add(rounds) {
        for hardship in HARDSHIPS.into_iter().filter(|it| only.is_none_or(|only| only == *it)) {
            let dials = dials.unwrap_or_else(|| Schedule::draw(hardship, seed).dials);
            let named = Named { seed, hardship, dials };
            named.watch().with_context(|| {
                format!(
                    "after {ended} worlds, seed {seed} {hardship:?} did not end well; repeat \
                     with: cargo run --release -p lumbung-tests --bin faults -- {}",
                    named.arguments().join(" ")
                )
            })?;
            ended += 1;
        }
    }
    Ok(ended)
}

fn one(options: &Options) -> anyhow::Result<()> {
    let Options { seed, only: Some(hardship), dials: Some(dials), .. } = *options else {
        anyhow::bail!("{ONE} needs a seed, a hardship and who dials");
    };
    Named { seed, hardship, dials }.live()
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).peekable();
    let done = match words.next_if(|word| word == ONE) {
        Some(_) => options(words).and_then(|options| one(&options)),
        None => options(words).and_then(|options| run(&options)).map(|worlds| {
            println!("{worlds} worlds ended well");
        }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:?}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn only_a_result_and_a_good_end_together_count() {
        let (good, bad, killed) = (0, 1 << 8, 9);
        assert!(judge(ExitStatus::from_raw(good), true).is_ok());
        for (status, result) in [(good, false), (bad, true), (killed, true), (killed, false)] {
            assert!(judge(ExitStatus::from_raw(status), result).is_err(), "{status} {result}");
        }
    }
}
