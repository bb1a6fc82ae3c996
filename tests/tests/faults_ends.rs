//! The long form of the fault suite says how every world ended.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::process::{Command, Output};

const BINARY: &str = env!("CARGO_BIN_EXE_faults");

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_world_that_ends_well_is_told_with_its_result() {
    let Output { status, stdout, stderr } =
        Command::new(BINARY).args(["--only", "HalfOpen", "--seed", "3"]).output().unwrap();
    let (out, err) = (text(&stdout), text(&stderr));
    assert!(status.success(), "{out}{err}");
    assert!(out.lines().any(|line| line.starts_with("seed 3 HalfOpen: ")), "{out}");
    assert!(out.ends_with("1 worlds ended well\n"), "{out}");
}

/// The kernel ends a world's process in the middle, without a word: it has
/// used up its second of processor time.
#[test]
fn a_world_whose_process_is_killed_is_told_with_what_repeats_it() {
    let limited = "ulimit -c 0; ulimit -t 1; exec \"$0\" --rounds 50 --seed 7 --only Storm";
    let Output { status, stdout, stderr } =
        Command::new("sh").args(["-c", limited, BINARY]).output().unwrap();
    let (out, err) = (text(&stdout), text(&stderr));
    assert_eq!(status.code(), Some(1), "{out}{err}");
    assert!(!out.contains("ended well"), "{out}");
    assert!(err.contains("its process ended early or badly: signal: "), "{err}");
    let told = format!("seed {} Storm did not end well; repeat with: ", 7 + out.lines().count());
    assert!(err.contains(&told), "{out}{err}");
    assert!(err.contains(" --only Storm --dials "), "{err}");
}
