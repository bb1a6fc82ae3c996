//! The hub's file, put back as it was.

use std::fs;

use lumbung_hub::dataset::sqlite::SqliteDataset;

use super::World;

impl World {
    pub(super) fn copy_hub(&mut self) -> anyhow::Result<()> {
        let copy = self.folder.join(format!("hub-{}.salinan", self.hub_copies.len()));
        self.hub.copy_to(&copy)?;
        self.hub_copies.push(copy);
        Ok(())
    }

    /// An earlier file of the hub comes back. What it alone had is lost.
    pub(super) fn put_hub_back(&mut self, which: usize) -> anyhow::Result<()> {
        if self.hub_copies.is_empty() {
            return Ok(());
        }
        self.now_ms += 1;
        let file = self.folder.join(format!("hub-{}.db", self.now_ms));
        fs::copy(&self.hub_copies[which % self.hub_copies.len()], &file)?;
        self.hub = SqliteDataset::open(file)?;
        self.had.clear();
        Ok(())
    }
}
