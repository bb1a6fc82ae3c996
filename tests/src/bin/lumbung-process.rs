//! The programs in one binary, for tests that need real processes: the first
//! argument says which (`node`, `hub` or `hubctl`), the rest is that program's own
//! command line. Behaves in no other way than the programs themselves.

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args: Vec<OsString> = std::env::args_os().collect();
    let part = (args.len() > 1).then(|| args.remove(1));
    match part.as_ref().and_then(|part| part.to_str()) {
        Some("node") => lumbung_node::cli::main(args),
        Some("hub") => lumbung_hub::cli::main(args),
        Some("hubctl") => lumbung_hub::ctl::main(args),
        _ => {
            eprintln!("the first argument is node, hub or hubctl");
            ExitCode::from(2)
        }
    }
}
