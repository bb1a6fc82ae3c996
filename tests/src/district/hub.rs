//! The district's hub as a process, and its dataset seen from outside.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Output;

use anyhow::{Context, ensure};
use lumbung_demo::ports::free_address;
use lumbung_domain::region::VillageCode;
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::dataset::{HubsOwn, VillageState};

use crate::process::{Program, Running, answers};

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
    /// A hub that may be started, on a folder that is made.
    pub(super) fn new(program: Program) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&program.dir)?;
        Ok(Self {
            program,
            console: free_address()?,
            uplink: free_address()?,
            sessions_max: None,
            arguments: Vec::new(),
            running: None,
            outside: None,
        })
    }

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
