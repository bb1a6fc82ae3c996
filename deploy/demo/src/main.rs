//! The `lumbung-demo` command: the whole district on one machine.
//!
//! One binary plays every part: it starts itself again as the hub and as
//! each of the 248 nodes, so that every one is a process of its own, with its
//! own disk, that can be killed at any moment.

use std::process::ExitCode;

use clap::Parser;
use lumbung_demo::district::{self, Options};

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let program = args.next();
    // The parts this command starts itself as.
    match args.next().as_deref().and_then(|part| part.to_str()) {
        Some("part-node") => return lumbung_node::cli::main(program.into_iter().chain(args)),
        Some("part-hub") => return lumbung_hub::cli::main(program.into_iter().chain(args)),
        _ => {}
    }
    let options = Options::parse();
    lumbung_telemetry::start("warn");
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(district::run(options)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
