//! The `lumbung-node` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    lumbung_node::cli::main(std::env::args_os())
}
