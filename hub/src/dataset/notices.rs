//! The part of the dataset that keeps notices, their deliveries and what
//! villages answer.
//!
//! Promises of every implementation: a notice and its place in every targeted
//! village's queue become durable together; a delivery is noted only for the
//! version it was made of; receipts are counted from the villages' own
//! records, never from what a call answered.

use jiff::civil::Date;
use lumbung_domain::informasi::Informasi;
use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Epoch, LogId};

use super::DatasetError;

/// A notice as the hub keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number in the list.
    pub number: i64,
    /// Its newest version.
    pub informasi: Informasi,
    /// The last version that changed what people read; a withdrawal does not.
    pub content_version: u32,
    /// Who wrote the newest version.
    pub written_by: String,
    /// First version, hub clock, Unix milliseconds.
    pub made_ms: i64,
    /// Newest version, hub clock.
    pub changed_ms: i64,
}

/// How far a notice has come, in villages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// It is addressed to.
    pub targeted: u64,
    /// Have its newest version.
    pub delivered: u64,
    /// In which somebody has read what it says now.
    pub read: u64,
}

/// A notice in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedNotice {
    /// The notice.
    pub notice: Notice,
    /// How far it has come.
    pub reach: Reach,
}

/// What is known of the newest version at one village.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It waits for the village.
    Queued,
    /// The village has it.
    Delivered,
    /// Not delivered: the node is too old. Tried again once its software has
    /// changed.
    NodeTooOld,
}

/// A notice at one village.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeVillage {
    /// Which.
    pub village: VillageCode,
    /// How far the newest version is.
    pub state: DeliveryState,
    /// When the state was noted, hub clock, Unix milliseconds; 0 = never, or
    /// known from a stick only.
    pub at_ms: i64,
    /// When the village had it, by its own receipt and clock; 0 = no receipt
    /// has come yet.
    pub received_ms: i64,
    /// When the village's clerk read what it says now, the village's clock.
    pub read_ms: Option<i64>,
    /// RT in which somebody read what it says now.
    pub rt_read: u64,
}

/// One notice with its villages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeDetail {
    /// The notice and how far it has come.
    pub listed: ListedNotice,
    /// Its villages, by code.
    pub villages: Vec<NoticeVillage>,
}

/// To whom a notice is handed over now.
#[derive(Clone, Copy, Debug)]
pub struct Addressee<'a> {
    /// The village.
    pub village: VillageCode,
    /// The log and epoch it stands in, when that is known.
    pub log: Option<(LogId, Epoch)>,
    /// Its node's software; empty when it is not asked.
    pub software: &'a str,
}

/// A version that is to be handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueNotice {
    /// The notice's number.
    pub number: i64,
    /// What to hand over.
    pub informasi: Informasi,
}

/// What a village answered to a version that was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoticeDelivered {
    /// The notice's number.
    pub number: i64,
    /// The version.
    pub version: u32,
    /// Whether the village has it now; otherwise its node is too old.
    pub kept: bool,
}

/// Notices. See the module for what every implementation promises.
pub trait Notices: Send + Sync + 'static {
    /// Keeps the first version of a notice and queues it for `villages`;
    /// gives its number.
    ///
    /// # Errors
    /// [`DatasetError::Store`]; then nothing was kept.
    fn add_notice(
        &self,
        informasi: &Informasi,
        villages: &[VillageCode],
        written_by: &str,
        now_ms: i64,
    ) -> Result<i64, DatasetError>;

    /// Keeps the next version of a notice and queues it for all its villages.
    /// `false` when the kept version is not the one before it: somebody was
    /// faster.
    ///
    /// # Errors
    /// [`DatasetError::Store`]; then nothing was kept.
    fn replace_notice(
        &self,
        number: i64,
        informasi: &Informasi,
        written_by: &str,
        now_ms: i64,
    ) -> Result<bool, DatasetError>;

    /// Notices with lower numbers than `before`, newest first.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn notices(&self, before: i64, limit: u32) -> Result<Vec<ListedNotice>, DatasetError>;

    /// One notice with its villages.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn notice(&self, number: i64) -> Result<Option<NoticeDetail>, DatasetError>;

    /// What is to be handed to a village now, after the notice `after`:
    /// versions that were not, or to a log that the village no longer has.
    /// Those whose last day is before `today` are left out.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn due_notices(
        &self,
        to: Addressee<'_>,
        after: i64,
        today: Date,
        limit: u32,
    ) -> Result<Vec<DueNotice>, DatasetError>;

    /// Notes what a village answered.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn note_deliveries(
        &self,
        to: Addressee<'_>,
        delivered: &[NoticeDelivered],
        now_ms: i64,
    ) -> Result<(), DatasetError>;

    /// Villages for which something waits that is in force on `today`.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn villages_waiting(&self, today: Date) -> Result<Vec<VillageCode>, DatasetError>;
}
