//! Benchmarks of the hot paths, each beside the raw limit it could reach,
//! measured in the same run. Nothing here asserts a time.
//!
//! `cargo run --release -p lumbung-tests --bin bench -- [a] [b] [c] [d] [e]
//! [f] [g] [h] [i] [j] [k] [--scale S] [--sessions N] [--operators N]`: without letters everything runs,
//! on one district that is filled first. `docs/benchmarks.md` says what each letter measures.

mod clicks;
mod idle;
mod latency;
mod link;
mod machine;
mod nodes;
mod pull;
mod ready;
mod recap;
mod sessions;
mod write;

use std::process::ExitCode;

use nodes::District;
use tokio::task::block_in_place;

/// Share of the real number of residents at which 248 villages hold about
/// 248 × 5,000 records.
const SCALE: f64 = 0.562;

/// Nodes that dial in at the same time.
const SESSIONS: usize = 10_000;

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let program = args.next();
    // The parts this command starts itself as.
    match args.next().as_deref().and_then(|part| part.to_str()) {
        Some("part-node" | "node") => {
            return lumbung_node::cli::main(program.into_iter().chain(args));
        }
        Some("part-hub" | "hub") => return lumbung_hub::cli::main(program.into_iter().chain(args)),
        _ => {}
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = runtime.map_err(anyhow::Error::from).and_then(|rt| rt.block_on(run(&args)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &[String]) -> anyhow::Result<()> {
    let scale = match args.iter().position(|arg| arg == "--scale") {
        Some(at) => args.get(at + 1).map_or(Ok(SCALE), |scale| scale.parse())?,
        None => SCALE,
    };
    let letters: Vec<&str> =
        args.iter().map(String::as_str).filter(|arg| arg.len() == 1 && *arg >= "a").collect();
    let wanted = |letter: &str| letters.is_empty() || letters.contains(&letter);
    let dir = tempfile::tempdir()?;
    machine::describe(dir.path())?;
    if wanted("b") {
        block_in_place(|| write::measure(dir.path()))?;
    }
    if ["a", "c", "d", "e", "j"].into_iter().any(wanted) {
        let mut district = block_in_place(|| District::fill(dir.path(), scale))?;
        // The yardstick first: it must not find a warm cache of our making.
        let raw = block_in_place(|| pull::raw(&district))?;
        pull::measure(&mut district, &raw).await?;
        if wanted("c") {
            latency::measure(&district).await?;
        }
        if wanted("d") {
            idle::measure(&district).await?;
        }
        if wanted("e") {
            block_in_place(|| recap::measure(&district))?;
        }
        if wanted("j") {
            let operators = number(args, "--operators", clicks::OPERATORS)?;
            clicks::measure(&district, operators).await?;
        }
        district.stop();
    }
    if ["f", "g", "h"].into_iter().any(wanted) {
        link::measure(wanted).await?;
    }
    if wanted("k") {
        ready::measure().await?;
    }
    if wanted("i") {
        sessions::measure(number(args, "--sessions", SESSIONS)?).await?;
    }
    Ok(())
}

/// The number behind an option.
fn number(args: &[String], option: &str, otherwise: usize) -> anyhow::Result<usize> {
    let at = args.iter().position(|arg| arg == option);
    let named = at.and_then(|at| args.get(at + 1));
    Ok(named.map_or(Ok(otherwise), |number| number.parse())?)
}
