//! A district on this machine: nodes and a hub as real processes on loopback.
//!
//! Everything lives in one temporary folder and ends with the [`District`].
//! A process is killed (SIGKILL, as a power cut looks to it) or stopped
//! (SIGTERM); both return only once it is gone.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use lumbung_demo::ports::free_address;
use lumbung_domain::id::Kind;
use lumbung_domain::region::{VillageCode, roster};
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::dataset::{HubsOwn, VillageState};
use lumbung_link::channel;
use lumbung_node::barn::Barn;
use lumbung_proto::v1;
use lumbung_proto::v1::local_client::LocalClient;
use tempfile::TempDir;
use tonic::transport::Channel;

use crate::fictitious::dusun;
use crate::fold;
use crate::process::{PROCESS_WITHIN, Program, Running, answers};

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Waits until `condition` holds.
///
/// # Errors
/// When it does not within `within`, or looking failed at the last look.
pub async fn wait_until(
    within: Duration,
    what: &str,
    mut condition: impl AsyncFnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + within;
    loop {
        let seen = condition().await;
        if matches!(seen, Ok(true)) {
            return Ok(());
        }
        if Instant::now() >= deadline {
            seen.with_context(|| format!("not within {within:?}: {what}"))?;
            bail!("not within {within:?}: {what}");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

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

/// The district's hub.
pub struct HubProcess {
    program: Program,
    /// Where its console listens.
    pub console: SocketAddr,
    /// Its public port.
    pub uplink: SocketAddr,
    /// Sessions it holds at most; none = as many as it does by itself.
    pub sessions_max: Option<usize>,
    /// Further arguments of `serve`.
    pub arguments: Vec<String>,
    running: Option<Running>,
    /// A second reader of the hub's file.
    outside: Option<SqliteDataset>,
}

impl HubProcess {
    /// The hub's folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.program.dir
    }

    /// Puts a village on the hub's list.
    ///
    /// # Errors
    /// When the hub refuses.
    pub fn add(&self, village: VillageCode, address: SocketAddr) -> anyhow::Result<()> {
        let done =
            self.program.run(&["villages", "add", &village.compact(), &address.to_string()])?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Ok(())
    }

    /// A token for a village, which reaches this hub at `address`.
    ///
    /// # Errors
    /// When the hub refuses.
    pub fn token(
        &self,
        village: VillageCode,
        address: SocketAddr,
        replaces: bool,
    ) -> anyhow::Result<String> {
        let (code, address) = (village.compact(), address.to_string());
        let mut args = vec!["join-token", "create", &code, "--plain", "--address", &address];
        if replaces {
            args.push("--replace");
        }
        let done = self.program.run(&args)?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Ok(String::from_utf8(done.stdout)?.trim().to_owned())
    }

    /// Starts it and returns at once.
    ///
    /// # Errors
    /// When the program can't be started.
    pub fn spawn(&mut self) -> anyhow::Result<()> {
        let console = self.console.to_string();
        let uplink = self.uplink.to_string();
        let mut args = vec!["serve", "--console", &console, "--uplink", &uplink];
        let most = self.sessions_max.map(|most| most.to_string());
        if let Some(most) = &most {
            args.extend(["--sessions-max", most]);
        }
        args.extend(self.arguments.iter().map(String::as_str));
        self.running = Some(self.program.spawn(&args)?);
        Ok(())
    }

    /// Goes on, at its next start, with a clock that is ahead by so many
    /// seconds.
    pub const fn set_clock_ahead(&mut self, seconds: i64) {
        self.program.clock_ahead_seconds = seconds;
    }

    /// Starts it and waits until its console answers.
    ///
    /// # Errors
    /// When it ends or does not answer in time.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        self.spawn()?;
        let running = self.running.as_mut().context("just started")?;
        answers(running, &self.program, self.console).await
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

    /// Whether the process still runs.
    ///
    /// # Errors
    /// When the system can't tell.
    pub fn is_alive(&mut self) -> anyhow::Result<bool> {
        match &mut self.running {
            Some(running) => running.is_alive(),
            None => Ok(false),
        }
    }

    /// Trusts, from its next start on, these authorities only (a PEM file).
    pub fn trust(&mut self, authorities: &Path) {
        self.program.environment.push(("SSL_CERT_FILE", authorities.display().to_string()));
    }

    /// Runs another of the program's commands on the same folder.
    ///
    /// # Errors
    /// When the program can't be started.
    pub fn run(&self, args: &[&str]) -> anyhow::Result<Output> {
        self.program.run(args)
    }

    /// Runs the operators' command against this hub, over its socket.
    ///
    /// # Errors
    /// When the program can't be started.
    pub fn ctl(&self, args: &[&str]) -> anyhow::Result<Output> {
        self.program
            .operators(&[&["--hub", &self.program.dir.display().to_string()], args].concat())
    }

    /// Runs the operators' command.
    ///
    /// # Errors
    /// When the program can't be started.
    pub fn operators(&self, args: &[&str]) -> anyhow::Result<Output> {
        self.program.operators(args)
    }

    /// The hub's dataset, read from outside: what is committed on its disk.
    ///
    /// # Errors
    /// When the file can't be opened.
    pub fn dataset(&mut self) -> anyhow::Result<&dyn HubsOwn> {
        if self.outside.is_none() {
            self.outside = Some(SqliteDataset::open(self.program.dir.join("hub.db"))?);
        }
        Ok(self.outside.as_ref().context("just opened")?)
    }

    /// Closes the reader of the hub's file, which may be replaced then.
    pub fn look_away(&mut self) {
        self.outside = None;
    }

    /// What the hub's disk says of one village.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn village(&mut self, village: VillageCode) -> anyhow::Result<VillageState> {
        Ok(self.dataset()?.village(village)?)
    }

    /// Everything the process said.
    #[must_use]
    pub fn said(&self) -> String {
        self.program.said()
    }
}

/// Nodes and a hub in one temporary folder.
pub struct District {
    /// The villages' nodes.
    pub nodes: Vec<NodeProcess>,
    /// The hub; it has the nodes on its list.
    pub hub: HubProcess,
    folder: TempDir,
}

impl District {
    /// Prepares the first `villages` villages of the roster and a hub that
    /// knows them. Nothing runs yet. `binary` is the `lumbung-process` of the
    /// calling test.
    ///
    /// # Errors
    /// When a folder can't be made or a command fails.
    pub fn new(binary: &str, villages: usize) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("lumbung-")?;
        let program = |part, name: String| Program {
            binary: binary.into(),
            part,
            namespace: None,
            clock_ahead_seconds: 0,
            environment: Vec::new(),
            dir: folder.path().join(name),
        };
        let hub_program = program("hub", "hub".to_owned());
        std::fs::create_dir_all(&hub_program.dir)?;
        let hub = HubProcess {
            program: hub_program,
            console: free_address()?,
            uplink: free_address()?,
            sessions_max: None,
            arguments: Vec::new(),
            running: None,
            outside: None,
        };
        let mut nodes = Vec::new();
        for desa in roster().villages().iter().take(villages) {
            let program = program("node", desa.code.compact());
            let done = program.run(&["init", &desa.code.compact()])?;
            ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            let address = free_address()?;
            hub.add(desa.code, address)?;
            nodes.push(NodeProcess { program, village: desa.code, address, running: None });
        }
        Ok(Self { nodes, hub, folder })
    }

    /// Like [`District::new`], but the nodes have joined with tokens and dial
    /// the hub at `address` (its own public port, if nothing stands between).
    /// The hub runs afterwards.
    ///
    /// # Errors
    /// When a folder can't be made or a command fails.
    pub async fn joined(
        binary: &str,
        villages: usize,
        address: Option<SocketAddr>,
    ) -> anyhow::Result<Self> {
        let mut district = Self::new(binary, 0)?;
        district.hub.start().await?;
        let address = address.unwrap_or(district.hub.uplink);
        for desa in roster().villages().iter().take(villages) {
            let node = district.node(binary, desa.code)?;
            let token = district.hub.token(desa.code, district.hub.uplink, false)?;
            node.join(&token, address).await?;
            district.nodes.push(node);
        }
        Ok(district)
    }

    /// A node of `village` on an empty folder.
    ///
    /// # Errors
    /// When no port is free.
    pub fn node(&self, binary: &str, village: VillageCode) -> anyhow::Result<NodeProcess> {
        let dir = self.folder.path().join(village.compact());
        let program = Program {
            binary: binary.into(),
            part: "node",
            namespace: None,
            clock_ahead_seconds: 0,
            environment: Vec::new(),
            dir,
        };
        Ok(NodeProcess { program, village, address: free_address()?, running: None })
    }

    /// The folder that holds everything.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts every node and the hub.
    ///
    /// # Errors
    /// When one does not come up.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        for node in &mut self.nodes {
            node.start().await?;
        }
        self.hub.start().await
    }

    /// Stops the hub and every node.
    ///
    /// # Errors
    /// When one does not end in time.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.hub.stop().await?;
        for node in &mut self.nodes {
            node.stop().await?;
        }
        Ok(())
    }

    /// Waits until the hub has every running node's last entry and has
    /// proven itself equal there.
    ///
    /// # Errors
    /// When it has not within `within`.
    pub async fn wait_proven(&mut self, within: Duration) -> anyhow::Result<()> {
        for node in self.nodes.iter().filter(|node| node.is_running()) {
            let seq = node.seq().await?;
            let hub = &mut self.hub;
            let proven = wait_until(within, "the hub is proven equal", async || {
                Ok(hub.village(node.village)?.proven_seq.0 >= seq)
            });
            if let Err(error) = proven.await {
                let state = self.hub.village(node.village)?;
                bail!("{error:#}; node at {seq}, hub: {state:?}\n{}", tail(&self.hub.said()));
            }
        }
        Ok(())
    }

    /// With everything stopped: the hub holds exactly what each village's log
    /// amounts to. Returns the folded logs in the order of the nodes.
    ///
    /// # Errors
    /// Says what differs.
    pub fn compare(&mut self) -> anyhow::Result<Vec<fold::Folded>> {
        let mut all = Vec::new();
        for node in &self.nodes {
            let folded = fold::fold(node.dir(), node.village)?;
            fold::compare(&folded, self.hub.dataset()?, node.village)
                .with_context(|| format!("village {}", node.village))?;
            all.push(folded);
        }
        Ok(all)
    }
}

fn owned(args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).collect()
}

fn borrowed(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

fn tail(text: &str) -> &str {
    let from = text.len().saturating_sub(4_000);
    text.get(from..).unwrap_or(text)
}
