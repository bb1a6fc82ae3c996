//! The part of the dataset that keeps recaps for the public.
//!
//! A publication is written once and whole, and served from here ever after:
//! what villages record, correct or erase later does not touch it. Its counts
//! come in as they are told; the exact ones are not kept with it.

use jiff::civil::Date;
use lumbung_domain::indicator::IndikatorVector;
use lumbung_domain::recap::Level;

use super::DatasetError;

/// A publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The day it holds for.
    pub day: Date,
    /// When it was made, hub clock, Unix milliseconds.
    pub made_ms: i64,
    /// By whom.
    pub made_by: String,
    /// Version of the counting rules then.
    pub rules: u32,
}

/// A region of a publication, as it stands in the sheet around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedRegion {
    /// What it is asked for by; empty for what lies in no region of its sheet.
    pub region: String,
    /// The region around it; empty for the whole kabupaten.
    pub within: String,
    /// Its place among the rows of that one.
    pub at: u32,
    /// The level of its own sheet.
    pub level: Level,
    /// What its row is called.
    pub label: String,
    /// What its own sheet is called.
    pub name: String,
    /// What is told of it.
    pub counts: IndikatorVector,
    /// Residents no sheet could place, as it is told.
    pub unplaced: u64,
}

/// A published sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedSheet {
    /// The publication it belongs to.
    pub publication: Publication,
    /// The region it is of.
    pub region: PublishedRegion,
    /// Its rows.
    pub rows: Vec<PublishedRegion>,
    /// The regions around it, from the top down.
    pub above: Vec<PublishedRegion>,
}

/// Recaps for the public.
pub trait Publications: Send + Sync {
    /// Every publication, newest first.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn publications(&self) -> Result<Vec<Publication>, DatasetError>;

    /// Keeps a publication with all its regions, in one transaction; `false`
    /// = there is one for that day, and nothing changed.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn publish(
        &self,
        publication: &Publication,
        regions: &[PublishedRegion],
    ) -> Result<bool, DatasetError>;

    /// The sheet of a region in the publication for a day; `None` = it has
    /// none.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn published(&self, day: Date, region: &str) -> Result<Option<PublishedSheet>, DatasetError>;
}
