//! The `lumbung-hubctl` command: the admin API as a command line.
//!
//! What was asked for goes to standard output, remarks to standard error; how
//! it ended is the exit code (`outcome`). Never opens the hub's files.

mod act;
mod care;
mod commands;
mod complete;
mod export;
mod get;
mod outcome;
mod print;
mod reach;
mod top;
mod wait;

/// Held against what can be searched for.
#[cfg(test)]
pub(crate) use commands::GAPS;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use lumbung_proto::v1;

use commands::{Cli, Command};
use outcome::{Exit, Failure};
use print::View;
use reach::Place;

/// Runs the command line and gives its exit code.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    match complete::answered(&args) {
        Ok(false) => {}
        Ok(true) => return Exit::Done.into(),
        Err(error) => {
            drop(error.print());
            return Exit::Usage.into();
        }
    }
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            drop(error.print());
            return exit.into();
        }
    };
    lumbung_telemetry::start("error");
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{error}");
            return Exit::Failed.into();
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(exit) => exit.into(),
        Err(Failure { exit, words }) => {
            if !words.is_empty() {
                eprintln!("{words}");
            }
            exit.into()
        }
    }
}

async fn run(cli: Cli) -> Result<Exit, Failure> {
    let Cli { hub, cert, context, output, lang, command } = cli;
    let view = View { format: output, language: lang, width: print::terminal_width() };
    if let Command::Completion { shell } = command {
        let Some(script) = complete::script(shell) else {
            return Err(Failure::new(Exit::Usage, "Tidak ada skrip untuk shell ini."));
        };
        std::io::stdout().write_all(&script)?;
        return Ok(Exit::Done);
    }
    let place = match context {
        Some(name) => reach::context(&name)?,
        None => Place { hub, cert },
    };
    let mut admin = reach::admin(&place).await?;
    match command {
        Command::Completion { .. } => Ok(Exit::Done),
        Command::Wait { villages, awaited, timeout } => {
            wait::run(&mut admin, villages, awaited, timeout).await
        }
        Command::Top => top::run(&mut admin, view).await,
        Command::Export(args) => export::run(&mut admin, args).await,
        Command::Recap { region, date, public, edisi: edition, out: Some(file) } => {
            let date = date.unwrap_or_default();
            let recap = v1::RecapAsked { region, date, public, edition };
            export::recap(&mut admin, recap, &file).await
        }
        Command::Get(args) => get::lists(&mut admin, &args, view).await,
        command => match get::asked(&command)? {
            Some(what) => get::one(&mut admin, what, view).await,
            None => act::run(&mut admin, command).await,
        },
    }
}
