//! The processes of the demo: one hub, 248 nodes, each this binary again.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::fill::{Filled, folder};
use crate::ports::free_address;

/// A stopped part gets this long to close its files before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// The hub gets this long to receive nodes.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// Villages that join at the same time.
const JOINING_MAX: usize = 4;

/// How often dead parts are looked for.
const REVIVE_EVERY: Duration = Duration::from_secs(2);

/// The hub's dataset in the demo's folder.
pub(super) fn hub_file(dir: &Path) -> PathBuf {
    dir.join("hub").join("hub.db")
}

/// Lets every village join that has not yet: with the commands that an
/// operator and a clerk would use.
async fn join_all(dir: &Path, uplink: SocketAddr, filled: &[Filled]) -> anyhow::Result<()> {
    let waiting: Vec<_> = filled
        .iter()
        .filter(|village| !folder(dir, village.code).join("identity/district.toml").exists())
        .collect();
    let bar = super::progress::bar("Bergabung", waiting.len() as u64, "desa");
    let mut joining = tokio::task::JoinSet::new();
    let mut waiting = waiting.into_iter();
    loop {
        while joining.len() < JOINING_MAX
            && let Some(village) = waiting.next()
        {
            let (hub, node) = (dir.join("hub"), folder(dir, village.code));
            let (code, address) = (village.code.compact(), uplink.to_string());
            joining.spawn_blocking(move || {
                let (hub, node) = (hub.display().to_string(), node.display().to_string());
                let token = command(&[
                    "part-hub",
                    "--data",
                    &hub,
                    "join-token",
                    "create",
                    &code,
                    "--plain",
                    "--address",
                    &address,
                ])?;
                command(&["part-node", "--data", &node, "join", token.trim()])
            });
        }
        match joining.join_next().await {
            Some(joined) => drop(joined??),
            None => break,
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Runs a command of one part to its end; what it said.
pub(super) fn command(args: &[&str]) -> anyhow::Result<String> {
    let done = Command::new(std::env::current_exe()?).args(args).stdin(Stdio::null()).output()?;
    anyhow::ensure!(
        done.status.success(),
        "Persiapan gagal: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// One process and how to start it again.
struct Part {
    name: String,
    args: Vec<String>,
    log: PathBuf,
    child: Child,
}

/// Every process of the demo.
pub(super) struct Parts {
    all: Vec<Part>,
}

impl Parts {
    /// Starts the hub, lets every village join it with a token of its own,
    /// and starts the nodes, which dial the hub.
    pub(super) async fn start(
        dir: &Path,
        console: SocketAddr,
        uplink: SocketAddr,
        filled: &[Filled],
    ) -> anyhow::Result<Self> {
        let hub = dir.join("hub");
        std::fs::create_dir_all(&hub)?;
        let data = hub.display().to_string();
        let (console, address) = (console.to_string(), uplink.to_string());
        let args =
            ["part-hub", "serve", "--data", &data, "--console", &console, "--uplink", &address];
        let mut parts = Self { all: vec![Part::start(dir, "hub".to_owned(), &args)?] };
        parts.wait_for(uplink).await?;
        join_all(dir, uplink, filled).await?;
        for village in filled {
            let code = village.code.to_string();
            let data = folder(dir, village.code).display().to_string();
            let listen = free_address()?.to_string();
            let args = ["part-node", "--data", &data, "serve", "--listen", &listen];
            parts.all.push(Part::start(dir, code, &args)?);
        }
        Ok(parts)
    }

    /// Waits until the hub receives nodes.
    async fn wait_for(&mut self, uplink: SocketAddr) -> anyhow::Result<()> {
        let begun = Instant::now();
        while tokio::net::TcpStream::connect(uplink).await.is_err() {
            for part in &mut self.all {
                if let Some(status) = part.child.try_wait()? {
                    let said = std::fs::read_to_string(&part.log).unwrap_or_default();
                    anyhow::bail!("Hub berhenti ({status}): {said}");
                }
            }
            anyhow::ensure!(begun.elapsed() < READY_WITHIN, "Hub tidak siap menerima node.");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Starts dead parts again, and says so.
    pub(super) fn revive(&mut self) -> anyhow::Result<()> {
        for part in &mut self.all {
            if let Some(status) = part.child.try_wait()? {
                lumbung_telemetry::say!("{} berhenti ({status}); dijalankan lagi.", part.name);
                part.child = spawn(&part.args, &part.log)?;
            }
        }
        Ok(())
    }

    /// Keeps starting dead parts again, until one can't be.
    pub(super) async fn keep_alive(&mut self) {
        loop {
            tokio::time::sleep(REVIVE_EVERY).await;
            if let Err(error) = self.revive() {
                lumbung_telemetry::say!("Satu bagian tidak bisa dijalankan lagi: {error:#}");
                return;
            }
        }
    }

    /// Asks every part to stop, and kills what does not.
    pub(super) async fn stop(&mut self) {
        let pids = self.all.iter().map(|part| part.child.id().to_string());
        drop(Command::new("kill").arg("-TERM").args(pids).stderr(Stdio::null()).status());
        let begun = Instant::now();
        for part in &mut self.all {
            while matches!(part.child.try_wait(), Ok(None)) {
                if begun.elapsed() > STOP_WITHIN {
                    drop(part.child.kill());
                    drop(part.child.wait());
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

impl Drop for Parts {
    /// Nothing the demo started outlives it, whatever ends it.
    fn drop(&mut self) {
        for part in &mut self.all {
            if matches!(part.child.try_wait(), Ok(None)) {
                drop(part.child.kill());
                drop(part.child.wait());
            }
        }
    }
}

impl Part {
    fn start(dir: &Path, name: String, args: &[&str]) -> anyhow::Result<Self> {
        let log = dir.join("log").join(format!("{name}.log"));
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let child = spawn(&args, &log)?;
        Ok(Self { name, args, log, child })
    }
}

fn spawn(args: &[String], log: &Path) -> anyhow::Result<Child> {
    let log = File::options().create(true).append(true).open(log)?;
    Command::new(std::env::current_exe()?)
        .args(args)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("Satu bagian demo tidak bisa dijalankan")
}
