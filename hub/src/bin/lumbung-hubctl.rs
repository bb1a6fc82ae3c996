//! The `lumbung-hubctl` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    lumbung_hub::ctl::main(std::env::args_os())
}
