//! The `lumbung-hub` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    lumbung_hub::cli::main(std::env::args_os())
}
