//! Who may speak for a village: tokens handed out and keys allowed.
//!
//! Promises of every implementation: a token is redeemed once, by one key,
//! for its own village; a village has at most one key that is allowed; all
//! changes are durable when they return. Secrets are kept as hashes only.

use std::collections::BTreeSet;

use lumbung_domain::region::VillageCode;
use lumbung_identity::PublicKey;

use crate::dataset::DatasetError;

/// A token that was handed out, as the hub keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenState {
    /// Its number in the list.
    pub number: i64,
    /// The village it is for.
    pub village: VillageCode,
    /// The machine that joins with it replaces the one that is allowed now.
    pub replaces: bool,
    /// Made at, hub clock, Unix milliseconds.
    pub made_ms: i64,
    /// Worth nothing after, hub clock.
    pub expires_ms: i64,
    /// Redeemed at; `None` = not yet.
    pub used_ms: Option<i64>,
}

/// The key of a village's node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeKey {
    /// Whose.
    pub village: VillageCode,
    /// The key.
    pub key: PublicKey,
    /// Allowed since, hub clock, Unix milliseconds.
    pub since_ms: i64,
    /// Its certificate ends, hub clock.
    pub certified_until_ms: i64,
    /// The root its certificate is of, see
    /// [`lumbung_identity::Authority::root_hash`].
    pub root: Option<[u8; 16]>,
    /// No longer allowed since; `None` = allowed.
    pub revoked_ms: Option<i64>,
}

/// Why a token was not redeemed. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    /// No such token, or of another village: the two are not told apart.
    #[error("no such token for this village")]
    Unknown,
    /// Another machine has used it.
    #[error("the token was used by another machine")]
    Used,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// The village has a node, and the token replaces none.
    #[error("the village has a node already")]
    Occupied,
}

/// A key that wants to join with a token.
#[derive(Clone, Copy, Debug)]
pub struct Redemption {
    /// Hash of the token's secret.
    pub secret_hash: [u8; 32],
    /// The village.
    pub village: VillageCode,
    /// The key.
    pub key: PublicKey,
    /// When its certificate will end, hub clock.
    pub certified_until_ms: i64,
    /// The root its certificate will be of.
    pub root: [u8; 16],
}

/// What a node told of its link at the last contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkState {
    /// When it told, hub clock, Unix milliseconds.
    pub at_ms: i64,
    /// How far its clock was ahead of the hub's, milliseconds. For people to
    /// see; never used for order.
    pub clock_ahead_ms: i64,
    /// Bytes its link had cost that day, by its own count.
    pub spent_today_bytes: u64,
    /// The longest silence the link is known to survive, seconds; 0 = not
    /// known.
    pub quiet_held_seconds: u32,
    /// The shortest silence known to break it, seconds; 0 = not known.
    pub quiet_broke_seconds: u32,
    /// It came through the tunnel.
    pub tunnelled: bool,
    /// How long a question and its answer took, microseconds; 0 = not known.
    pub round_trip_us: u32,
}

/// What a node told of its computer at the last contact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// When it told, hub clock, Unix milliseconds.
    pub at_ms: i64,
    /// Free on the disk of its store, bytes; `None` = it could not tell.
    pub disk_free_bytes: Option<u64>,
    /// What its store takes, bytes.
    pub store_bytes: u64,
    /// How often it ended without being stopped, as by a power cut.
    pub unclean_stops: u32,
    /// How many of these are known to be of the last weeks: since
    /// [`Machine::counted_since_ms`].
    pub recent_stops: u32,
    /// Since when those are counted, hub clock.
    pub counted_since_ms: i64,
    /// Its processor.
    pub arch: String,
}

/// Tokens and keys. See the module for what every implementation promises.
pub trait Registry: Send + Sync + 'static {
    /// Keeps a new token; returns its number.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn add_token(
        &self,
        secret_hash: [u8; 32],
        village: VillageCode,
        replaces: bool,
        made_ms: i64,
        expires_ms: i64,
    ) -> Result<i64, DatasetError>;

    /// Every token, newest first.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn tokens(&self) -> Result<Vec<TokenState>, DatasetError>;

    /// Makes a token worthless; `false` when there is none with that number
    /// that is still worth something.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn cancel_token(&self, number: i64) -> Result<bool, DatasetError>;

    /// Redeems a token: its key becomes the village's, any other of the
    /// village is revoked, the village is registered and comes by itself from
    /// then on: an address it had is forgotten. The same key may redeem again:
    /// its answer may have been lost.
    ///
    /// # Errors
    /// The outer error means that nothing is known to have changed.
    fn redeem(
        &self,
        redemption: &Redemption,
        now_ms: i64,
    ) -> Result<Result<(), TokenRefused>, DatasetError>;

    /// The villages that have ever joined, revoked ones included.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn joined(&self) -> Result<BTreeSet<u64>, DatasetError>;

    /// The keys that are allowed, one a village.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn allowed_keys(&self) -> Result<Vec<NodeKey>, DatasetError>;

    /// What is known of one key of a village.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn node_key(
        &self,
        village: VillageCode,
        key: &PublicKey,
    ) -> Result<Option<NodeKey>, DatasetError>;

    /// A node holds a new certificate for its key.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn note_certified(
        &self,
        village: VillageCode,
        key: &PublicKey,
        until_ms: i64,
        root: [u8; 16],
    ) -> Result<(), DatasetError>;

    /// Revokes whatever key the village has; `false` when it has none.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn revoke(&self, village: VillageCode, now_ms: i64) -> Result<bool, DatasetError>;

    /// Keeps what a node told of its link and, if it did, of its computer:
    /// how many of its stops are recent is found here, not read.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn note_link(
        &self,
        village: VillageCode,
        link: &LinkState,
        machine: Option<&Machine>,
    ) -> Result<(), DatasetError>;

    /// What a node told of its link last; `None` = never.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn link(&self, village: VillageCode) -> Result<Option<LinkState>, DatasetError>;

    /// Bytes the village's link may cost a day; 0 = no bound.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn budget(&self, village: VillageCode) -> Result<u64, DatasetError>;

    /// Sets that bound.
    ///
    /// # Errors
    /// [`DatasetError::UnknownVillage`], [`DatasetError::Store`].
    fn set_budget(&self, village: VillageCode, bytes_a_day: u64) -> Result<(), DatasetError>;
}
