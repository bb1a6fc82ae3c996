//! Licences, sources and forbidden crates of the dependencies, as `deny.toml`
//! wants them, where `cargo-deny` is installed.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

#[test]
fn dependencies_are_licensed_and_sourced_as_allowed() -> anyhow::Result<()> {
    if Command::new("cargo-deny").arg("--version").output().is_err() {
        println!("SKIPPED: cargo-deny is not installed (cargo install cargo-deny --locked)");
        return Ok(());
    }
    let checked = Command::new("cargo-deny")
        .args(["--offline", "check", "bans", "licenses", "sources"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .output()
        .context("cargo-deny does not start")?;
    ensure!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    Ok(())
}
