//! A district of one village to which things happen: its folder is copied,
//! put back, swapped and wiped while node and hub go on around it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::{Dusun, Record};
use lumbung_hub::dataset::SetAside;
use lumbung_proto::v1;
use lumbung_telemetry::clock;
use lumbung_wire::record::decode;

use crate::district::{District, wait_until};
use crate::fictitious::dusun;
use crate::fold::Folded;

/// A stopped village is looked at again every 30 s at most.
pub const WITHIN: Duration = Duration::from_secs(60);

/// A district of one village, to which things happen.
pub struct Scene {
    /// Its node and hub.
    pub district: District,
    /// The village's folder.
    pub dir: PathBuf,
}

impl Scene {
    /// Starts it. `binary` is the `lumbung-process` of the calling test.
    ///
    /// # Errors
    /// When something does not come up.
    pub async fn new(binary: &str) -> anyhow::Result<Self> {
        let mut district = District::new(binary, 1)?;
        district.start().await?;
        let dir = district.nodes[0].dir().to_path_buf();
        Ok(Self { district, dir })
    }

    async fn change(&self, id: Option<RecordId>, name: Option<&str>) -> anyhow::Result<RecordId> {
        let change = v1::RecordChange {
            id: id.map_or_else(Bytes::new, |id| Bytes::copy_from_slice(id.as_bytes())),
            kind: u32::from(Kind::Dusun.code().0),
            delete: name.is_none(),
            payload: name.map_or_else(Bytes::new, dusun),
        };
        let reply = self.district.nodes[0].save(vec![change]).await?;
        ensure!(!reply.refused, "a dusun was refused");
        RecordId::from_slice(&reply.ids[0]).context("an id")
    }

    /// Saves a new dusun.
    ///
    /// # Errors
    /// When the node does not take it.
    pub async fn create(&self, name: &str) -> anyhow::Result<RecordId> {
        self.change(None, Some(name)).await
    }

    /// Gives a dusun another name.
    ///
    /// # Errors
    /// When the node does not take it.
    pub async fn rename(&self, id: RecordId, name: &str) -> anyhow::Result<()> {
        self.change(Some(id), Some(name)).await.map(drop)
    }

    /// Ends a dusun.
    ///
    /// # Errors
    /// When the node does not take it.
    pub async fn delete(&self, id: RecordId) -> anyhow::Result<()> {
        self.change(Some(id), None).await.map(drop)
    }

    /// The village's machine is set up anew under the same code, and begins empty;
    /// since when, Unix milliseconds.
    ///
    /// # Errors
    /// When its folder can't be put aside, or the node does not come up.
    pub async fn reinstall(&mut self) -> anyhow::Result<i64> {
        let gone = self.other_dir("gone");
        let node = &mut self.district.nodes[0];
        node.stop().await?;
        std::fs::rename(&self.dir, gone)?;
        let made = node.run(&["init", &node.village.to_string()]).await?;
        ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let since = clock::now_ms();
        node.start().await?;
        Ok(since)
    }

    /// A place beside the village's folder.
    #[must_use]
    pub fn other_dir(&self, name: &str) -> PathBuf {
        self.dir.with_extension(name)
    }

    /// The hub stands where the node stands, proven after `since_ms`, with
    /// nothing left to hand back.
    ///
    /// # Errors
    /// When it does not come to that.
    pub async fn wait_equal(&mut self, since_ms: i64) -> anyhow::Result<()> {
        let District { nodes, hub, .. } = &mut self.district;
        let node = &nodes[0];
        let equal = wait_until(WITHIN, "the hub is proven equal", async || {
            let status = node.status().await?;
            let state = hub.village(node.village)?;
            let stands = state.position.map(|position| position.seq.0);
            Ok(stands == status["seq"].as_u64()
                && state.proven_seq.0 == stands.unwrap_or_default()
                && state.fingerprint.to_string() == status["fingerprint"]
                && state.last_proof_ms >= since_ms
                && state.trouble.is_empty()
                && state.undelivered == 0)
        });
        if let Err(error) = equal.await {
            let state = self.district.hub.village(self.district.nodes[0].village)?;
            let said = self.district.hub.said();
            anyhow::bail!("{error:#}; {state:?}\n{said}");
        }
        Ok(())
    }

    /// Stops everything and compares the hub with the fold of the log.
    ///
    /// # Errors
    /// Says what differs.
    pub async fn finish(&mut self) -> anyhow::Result<Folded> {
        self.district.stop().await?;
        Ok(self.district.compare()?.remove(0))
    }

    /// The incidents of the village, oldest first: code and sentence.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn incidents(&mut self) -> anyhow::Result<Vec<(String, String)>> {
        let village = self.district.nodes[0].village;
        let hub = self.district.hub.dataset()?;
        let incidents = hub.incidents(&hub.whole().village(village), 99)?;
        Ok(incidents.into_iter().rev().map(|it| (it.code, it.sentence)).collect())
    }

    /// The one incident of this kind.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn incident(&mut self, code: &str) -> anyhow::Result<String> {
        let incidents = self.incidents()?;
        let mut found: Vec<_> = incidents.iter().filter(|it| it.0 == code).collect();
        ensure!(found.len() == 1, "{code} is not there once: {incidents:?}");
        Ok(found.remove(0).1.clone())
    }

    /// What the hub has set aside.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn branch(&mut self) -> anyhow::Result<Vec<SetAside>> {
        let village = self.district.nodes[0].village;
        let hub = self.district.hub.dataset()?;
        Ok(hub.branch(&hub.whole(), village, 10_000)?)
    }

    /// What a command of the hub prints.
    ///
    /// # Errors
    /// When the command fails.
    pub fn hub_says(&self, args: &[&str]) -> anyhow::Result<String> {
        let done = self.district.hub.run(args)?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }

    /// Swaps the village's folder with the one called `other` beside it.
    ///
    /// # Errors
    /// When it can't be moved.
    pub fn swap(&self, other: &str) -> anyhow::Result<()> {
        let (aside, other) = (self.other_dir("aside"), self.other_dir(other));
        std::fs::rename(&self.dir, &aside)?;
        std::fs::rename(&other, &self.dir)?;
        Ok(std::fs::rename(&aside, &other)?)
    }
}

/// Copies a folder of a stopped program; a socket it left behind stays.
///
/// # Errors
/// When something can't be copied.
pub fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for item in std::fs::read_dir(from)? {
        let item = item?;
        let target = to.join(item.file_name());
        let kind = item.file_type()?;
        if kind.is_dir() {
            copy(&item.path(), &target)?;
        } else if kind.is_file() {
            std::fs::copy(item.path(), target)?;
        }
    }
    Ok(())
}

/// Puts the folder `old` in the place of `dir`.
///
/// # Errors
/// When something can't be copied.
pub fn put_back(old: &Path, dir: &Path) -> anyhow::Result<()> {
    std::fs::remove_dir_all(dir)?;
    copy(old, dir)
}

/// The names of the living dusun, by record.
#[must_use]
pub fn names(folded: &Folded) -> BTreeMap<RecordId, String> {
    let read = |bytes: &Bytes| match decode(Kind::Dusun, bytes) {
        Ok(Record::Dusun(Dusun { nama, .. })) => nama,
        other => format!("{other:?}"),
    };
    folded.records.iter().map(|(id, living)| (*id, read(&living.bytes))).collect()
}
