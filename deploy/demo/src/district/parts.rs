//! The processes of the demo: one hub, 248 nodes, each this binary again.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use lumbung_hub::dataset::Dataset;
use lumbung_hub::dataset::sqlite::SqliteDataset;

use super::fill::{Filled, folder};

/// A stopped part gets this long to close its files before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// How often dead parts are looked for.
const REVIVE_EVERY: Duration = Duration::from_secs(2);

/// The hub's dataset in the demo's folder.
pub(super) fn hub_file(dir: &Path) -> PathBuf {
    dir.join("hub").join("hub.db")
}

/// One process and how to start it again.
struct Part {
    name: String,
    args: Vec<String>,
    log: PathBuf,
    child: Child,
}

/// Every process of the demo.
pub(super) struct Parts(Vec<Part>);

impl Parts {
    /// Registers the villages, then starts the hub and every node.
    pub(super) fn start(
        dir: &Path,
        console: SocketAddr,
        filled: &[Filled],
    ) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir.join("hub"))?;
        let ports = free_ports(filled.len())?;
        let dataset = SqliteDataset::open(hub_file(dir))?;
        for (village, port) in filled.iter().zip(&ports) {
            dataset.register(village.code, &format!("127.0.0.1:{port}"))?;
        }
        drop(dataset);
        let mut parts = Vec::with_capacity(filled.len() + 1);
        for (village, port) in filled.iter().zip(&ports) {
            let code = village.code.to_string();
            let data = folder(dir, village.code).display().to_string();
            let listen = format!("127.0.0.1:{port}");
            let args = ["part-node", "--data", &data, "serve", "--listen", &listen];
            parts.push(Part::start(dir, code, &args)?);
        }
        let data = dir.join("hub").display().to_string();
        let args = ["part-hub", "serve", "--data", &data, "--console", &console.to_string()];
        parts.push(Part::start(dir, "hub".to_owned(), &args)?);
        Ok(Self(parts))
    }

    /// Starts dead parts again, and says so.
    pub(super) fn revive(&mut self) -> anyhow::Result<()> {
        for part in &mut self.0 {
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
        let pids = self.0.iter().map(|part| part.child.id().to_string());
        drop(Command::new("kill").arg("-TERM").args(pids).stderr(Stdio::null()).status());
        let begun = Instant::now();
        for part in &mut self.0 {
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
        for part in &mut self.0 {
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

/// Ports that nobody listens on right now.
fn free_ports(count: usize) -> anyhow::Result<Vec<u16>> {
    let listeners: Result<Vec<_>, _> =
        (0..count).map(|_| TcpListener::bind(("127.0.0.1", 0))).collect();
    listeners?.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}
