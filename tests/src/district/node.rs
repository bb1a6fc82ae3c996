//! A village's node as a process.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Output;

use anyhow::{Context, ensure};
use bytes::Bytes;
use lumbung_demo::ports::free_address;
use lumbung_domain::id::Kind;
use lumbung_domain::region::VillageCode;
use lumbung_link::channel;
use lumbung_node::barn::Barn;
use lumbung_proto::v1;
use lumbung_proto::v1::local_client::LocalClient;
use tonic::transport::Channel;

use super::wait_until;
use crate::fictitious::dusun;
use crate::process::{PROCESS_WITHIN, Program, Running, answers};

/// A village's node.
#[derive(Debug)]
pub struct NodeProcess {
    program: Program,
    /// Which village.
    pub village: VillageCode,
    /// Where the hub reaches it.
    pub address: SocketAddr,
    running: Option<Running>,
}

impl NodeProcess {
    /// A node that may be started on a folder of its own below `district`.
    pub(super) fn new(binary: &str, village: VillageCode, district: &Path) -> anyhow::Result<Self> {
        let program = Program::of(binary, "node", district.join(village.compact()));
        Ok(Self { program, village, address: free_address()?, running: None })
    }

    /// Prepares its folder.
    pub(super) fn init(&self) -> anyhow::Result<()> {
        let done = self.program.run(&["init", &self.village.compact()])?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Ok(())
    }

    /// The village's folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.program.dir
    }

    /// Whether it was started and neither killed nor stopped since.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Starts it and returns at once.
    ///
    /// # Errors
    /// When the program can't be started.
    pub fn spawn(&mut self) -> anyhow::Result<()> {
        let address = self.address.to_string();
        self.running = Some(self.program.spawn(&["serve", "--listen", &address])?);
        Ok(())
    }

    /// Starts it and waits until it answers the hub and commands.
    ///
    /// # Errors
    /// When it ends or does not answer in time.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        self.spawn()?;
        let running = self.running.as_mut().context("just started")?;
        // From another network its port can't be reached, which is the point.
        if self.program.namespace.is_none() {
            answers(running, &self.program, self.address).await?;
        }
        wait_until(PROCESS_WITHIN, "the node answers commands", async || {
            Ok(self.status().await.is_ok())
        })
        .await
    }

    /// SIGKILL.
    ///
    /// # Errors
    /// When the process can't be killed.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.running.take().map_or(Ok(()), Running::kill)
    }

    /// SIGTERM.
    ///
    /// # Errors
    /// When the process does not end in time, or ends in failure.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        match self.running.take() {
            Some(running) => running.stop().await,
            None => Ok(()),
        }
    }

    /// Goes on with a clock that is ahead by so many seconds.
    pub const fn set_clock_ahead(&mut self, seconds: i64) {
        self.program.clock_ahead_seconds = seconds;
    }

    /// Goes on in another network namespace.
    pub fn live_in(&mut self, namespace: &str) {
        self.program.namespace = Some(namespace.to_owned());
    }

    /// Goes on in another folder beside its own, `name`; nothing is moved.
    pub fn move_to(&mut self, name: &str) {
        self.program.dir.set_file_name(name);
    }

    /// Joins the district with a token, at `address`.
    ///
    /// # Errors
    /// What the command says.
    pub async fn join(&self, token: &str, address: SocketAddr) -> anyhow::Result<String> {
        let done = self.run(&["join", token, "--address", &address.to_string()]).await?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }

    /// Runs another of the program's commands on the same folder.
    ///
    /// # Errors
    /// When the program can't be started.
    pub async fn run(&self, args: &[&str]) -> anyhow::Result<Output> {
        let (program, args) = (self.program.clone(), owned(args));
        tokio::task::spawn_blocking(move || program.run(&borrowed(&args))).await?
    }

    /// A client of the node's socket.
    ///
    /// # Errors
    /// When the node does not run.
    pub async fn client(&self) -> anyhow::Result<LocalClient<Channel>> {
        client(self.dir()).await
    }

    /// Saves through the node's socket.
    ///
    /// # Errors
    /// When the node does not run, or fails.
    pub async fn save(&self, changes: Vec<v1::RecordChange>) -> anyhow::Result<v1::SaveReply> {
        let request = v1::SaveRequest { actor: "uji".to_owned(), changes, ..Default::default() };
        Ok(self.client().await?.save(request).await?.into_inner())
    }

    /// Saves a new dusun of this name.
    ///
    /// # Errors
    /// When the node can't be reached or refuses.
    pub async fn save_dusun(&self, name: &str) -> anyhow::Result<()> {
        let change = v1::RecordChange {
            id: Bytes::new(),
            kind: u32::from(Kind::Dusun.code().0),
            delete: false,
            payload: dusun(name),
        };
        ensure!(!self.save(vec![change]).await?.refused, "a sound record was refused");
        Ok(())
    }

    /// The node's status.
    ///
    /// # Errors
    /// When the node does not run.
    pub async fn status(&self) -> anyhow::Result<serde_json::Value> {
        let reply = self.client().await?.status(v1::StatusRequest {}).await?.into_inner();
        Ok(serde_json::from_str(&reply.json)?)
    }

    /// The number of the node's last durable entry.
    ///
    /// # Errors
    /// When the node does not run.
    pub async fn seq(&self) -> anyhow::Result<u64> {
        self.status().await?["seq"].as_u64().context("no seq in the status")
    }

    /// Everything the process said.
    #[must_use]
    pub fn said(&self) -> String {
        self.program.said()
    }
}

/// A client of the node that runs on `dir`.
///
/// # Errors
/// When none runs.
pub async fn client(dir: &Path) -> anyhow::Result<LocalClient<Channel>> {
    let channel = match channel::dial_unix(&dir.join("node.sock")).await {
        Ok(channel) => channel,
        // One whose folder takes no socket has it elsewhere.
        Err(_) => channel::dial_unix(&Barn::beside_copy(dir, "sock")?).await?,
    };
    Ok(LocalClient::new(channel))
}

fn owned(args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).collect()
}

fn borrowed(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}
