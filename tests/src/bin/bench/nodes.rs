//! A district of real processes: 248 nodes and, later, one hub.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use lumbung_demo::population;
use lumbung_demo::ports::free_address;
use lumbung_domain::region::VillageCode;
use lumbung_hub::dataset::Dataset;
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_ledger::Source;
use lumbung_link::channel;
use lumbung_node::barn::{Expected, Submission};
use lumbung_node::config::Config;
use lumbung_node::serving::LOCAL_MESSAGE_BYTES_MAX;
use lumbung_node::village::{Village, change};
use lumbung_proto::v1::{StatusRequest, local_client::LocalClient};
use lumbung_telemetry::clock;
use tonic::transport::Channel;

use crate::machine::cpu_seconds;

/// How long all nodes together may take to answer.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// Nodes are at rest when all together take less CPU than this in a second:
/// after a first import their stores tidy up once, whoever pulls or not.
const REST_CPU_SECONDS: f64 = 0.1;

/// One village of the district.
pub(crate) struct Node {
    pub(crate) code: VillageCode,
    pub(crate) dir: PathBuf,
    /// Entries in its log after filling.
    pub(crate) entries: u64,
    process: Option<Child>,
}

/// The district.
pub(crate) struct District {
    pub(crate) dir: PathBuf,
    pub(crate) nodes: Vec<Node>,
    hub: Option<(Child, SocketAddr)>,
}

impl Node {
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// A client of the running node.
    pub(crate) async fn local(&self) -> anyhow::Result<LocalClient<Channel>> {
        let channel = channel::dial_unix(&self.dir.join("node.sock")).await?;
        Ok(LocalClient::new(channel).max_decoding_message_size(LOCAL_MESSAGE_BYTES_MAX))
    }

    /// Bytes over its connections with the hub, both ways.
    pub(crate) async fn traffic(&self) -> anyhow::Result<u64> {
        let reply = self.local().await?.status(StatusRequest {}).await?.into_inner();
        let report: lumbung_node::serving::report::Report = serde_json::from_str(&reply.json)?;
        Ok(report.received_bytes + report.sent_bytes)
    }
}

impl District {
    /// Fills 248 barns with fictitious residents.
    pub(crate) fn fill(dir: &Path, scale: f64) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let mut nodes = Vec::new();
        for plan in population::plans(3505, scale) {
            let folder = dir.join("desa").join(plan.code.to_string());
            let village = Village::create(&folder, plan.code)?;
            let now = clock::now_ms();
            let mut mint = || village.mint().next(now);
            let records = population::village(&plan, clock::today(), &mut mint);
            for step in records.chunks(1_024) {
                let changes = step
                    .iter()
                    .map(|(id, record)| change(*id, record.kind(), Some(record), Expected::Absent));
                village.barn().submit_blocking(Submission {
                    actor: "kader".into(),
                    source: Source::MANUAL,
                    time_ms: now,
                    changes: changes.collect(),
                })?;
            }
            let entries = village.barn().head().position.seq.0;
            village.close();
            Config::new(plan.code).create(&folder)?;
            nodes.push(Node { code: plan.code, dir: folder, entries, process: None });
        }
        let district = Self { dir: dir.to_path_buf(), nodes, hub: None };
        println!(
            "filled {} villages with {} records in {:.1} s, one after another: {:.0} records/s\n",
            district.nodes.len(),
            district.entries(),
            begun.elapsed().as_secs_f64(),
            district.entries() as f64 / begun.elapsed().as_secs_f64()
        );
        Ok(district)
    }

    /// Entries of all logs.
    pub(crate) fn entries(&self) -> u64 {
        self.nodes.iter().map(|node| node.entries).sum()
    }

    /// The hub's dataset.
    pub(crate) fn hub_file(&self) -> PathBuf {
        self.dir.join("hub").join("hub.db")
    }

    /// Starts every node, registers it, and waits until all answer and have
    /// tidied up after their import.
    pub(crate) async fn start_nodes(&mut self) -> anyhow::Result<()> {
        std::fs::create_dir_all(self.dir.join("hub"))?;
        let dataset = SqliteDataset::open(self.hub_file())?;
        for node in &mut self.nodes {
            let listen = free_address()?.to_string();
            dataset.register(node.code, &listen)?;
            let data = node.dir.display().to_string();
            node.process =
                Some(spawn(&["part-node", "--data", &data, "serve", "--listen", &listen])?);
        }
        drop(dataset);
        let begun = Instant::now();
        for node in &self.nodes {
            while node.local().await.is_err() {
                anyhow::ensure!(begun.elapsed() < READY_WITHIN, "a node does not answer");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        let pids: Vec<_> = self.nodes.iter().filter_map(Node::pid).collect();
        let used = || pids.iter().map(|pid| cpu_seconds(*pid)).sum::<f64>();
        let mut before = used();
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let now = used();
            if now - before < REST_CPU_SECONDS || begun.elapsed() > READY_WITHIN {
                return Ok(());
            }
            before = now;
        }
    }

    /// Starts the hub; its process id.
    pub(crate) fn start_hub(&mut self) -> anyhow::Result<u32> {
        let data = self.dir.join("hub").display().to_string();
        let console = free_address()?;
        let hub = spawn(&[
            "part-hub",
            "--data",
            &data,
            "serve",
            "--console",
            &console.to_string(),
            "--uplink",
            "127.0.0.1:0",
        ])?;
        let pid = hub.id();
        self.hub = Some((hub, console));
        Ok(pid)
    }

    /// Where the running hub's console is, and its process id.
    pub(crate) fn hub(&self) -> Option<(SocketAddr, u32)> {
        self.hub.as_ref().map(|(child, console)| (*console, child.id()))
    }

    /// Runs a command of the hub; what it printed.
    pub(crate) fn hub_says(&self, args: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("part-hub").arg("--data").arg(self.dir.join("hub")).args(args);
        let said = command.stdin(Stdio::null()).output().context("a process can't be started")?;
        anyhow::ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        Ok(String::from_utf8(said.stdout)?)
    }

    /// Bytes over all connections, both ways.
    pub(crate) async fn traffic(&self) -> anyhow::Result<u64> {
        let mut bytes = 0;
        for node in &self.nodes {
            bytes += node.traffic().await?;
        }
        Ok(bytes)
    }

    /// Ends every process.
    pub(crate) fn stop(&mut self) {
        let nodes = self.nodes.iter_mut().filter_map(|node| node.process.take());
        for mut child in nodes.chain(self.hub.take().map(|(child, _)| child)) {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

impl Drop for District {
    fn drop(&mut self) {
        self.stop();
    }
}

fn spawn(args: &[&str]) -> anyhow::Result<Child> {
    Command::new(std::env::current_exe()?)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("a process can't be started")
}
