//! The part of the dataset that remembers what people have been told.
//!
//! What was decided in one look becomes durable in one transaction: what is
//! known now, and the letters that tell of it. So a restart tells nothing
//! twice and forgets nothing; a letter goes out at least once.

use super::DatasetError;

/// Something that needs somebody, as far as people know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownAlert {
    /// Code and place, see [`crate::reason::Need::key`].
    pub key: String,
    /// First seen, hub clock, Unix milliseconds.
    pub since_ms: i64,
    /// Last seen.
    pub seen_ms: i64,
    /// When people were told; 0 = not yet.
    pub told_ms: i64,
    /// How much they were told of; more of it is told again.
    pub extent: u32,
}

/// A letter that is to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its number; 0 before it is kept.
    pub number: i64,
    /// Through which channel.
    pub channel: String,
    /// In a few words.
    pub subject: String,
    /// What it says, in the form of its channel.
    pub body: String,
    /// When it was written, hub clock.
    pub made_ms: i64,
    /// How often its delivery has failed.
    pub attempts: u32,
}

/// A time in which nobody is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// Its number; 0 before it is kept.
    pub number: i64,
    /// Code of a village or a kecamatan; 0 = everything.
    pub scope: u64,
    /// From, hub clock, Unix milliseconds.
    pub from_ms: i64,
    /// Until.
    pub until_ms: i64,
    /// Why, for those who read the list.
    pub reason: String,
}

/// What people have been told, and are to be told.
pub trait Alerts: Send + Sync {
    /// Everything that is known and not over.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn known_alerts(&self) -> Result<Vec<KnownAlert>, DatasetError>;

    /// Replaces what is known and keeps letters, in one transaction.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn settle_alerts(&self, known: &[KnownAlert], letters: &[Letter]) -> Result<(), DatasetError>;

    /// Letters whose time has come, oldest first.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn letters_due(&self, now_ms: i64) -> Result<Vec<Letter>, DatasetError>;

    /// How many letters are to be delivered, due or not.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn letters_waiting(&self) -> Result<u64, DatasetError>;

    /// A letter was delivered, or is given up.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn letter_done(&self, number: i64) -> Result<(), DatasetError>;

    /// A letter is to be tried again at `due_ms`.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn letter_failed(&self, number: i64, due_ms: i64) -> Result<(), DatasetError>;

    /// Adds a time of maintenance; returns its number.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn add_maintenance(&self, window: &Maintenance) -> Result<i64, DatasetError>;

    /// Ends a time of maintenance now; `false` when none of that number is
    /// going on or to come.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn end_maintenance(&self, number: i64, now_ms: i64) -> Result<bool, DatasetError>;

    /// Times of maintenance that are not over, by their end.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn maintenance(&self, now_ms: i64) -> Result<Vec<Maintenance>, DatasetError>;
}
