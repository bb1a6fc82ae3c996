//! A district on this machine: nodes and a hub as real processes on loopback.
//!
//! Everything lives in one temporary folder and ends with the [`District`].
//! A process is killed (SIGKILL, as a power cut looks to it) or stopped
//! (SIGTERM); both return only once it is gone.

mod hub;
mod node;

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use lumbung_domain::region::{VillageCode, roster};
use tempfile::TempDir;

pub use self::hub::HubProcess;
pub use self::node::{NodeProcess, client};
use crate::fold;
use crate::process::Program;

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
        let hub = HubProcess::new(Program::of(binary, "hub", folder.path().join("hub")))?;
        let mut nodes = Vec::new();
        for desa in roster().villages().iter().take(villages) {
            let node = NodeProcess::new(binary, desa.code, folder.path())?;
            node.init()?;
            hub.add(desa.code, node.address)?;
            nodes.push(node);
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
        NodeProcess::new(binary, village, self.folder.path())
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

fn tail(text: &str) -> &str {
    let from = text.len().saturating_sub(4_000);
    text.get(from..).unwrap_or(text)
}
