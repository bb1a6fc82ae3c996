//! What the hub knows of each village right now, in memory.
//!
//! The dataset holds what is durable; this holds the moment: which sessions
//! are open, how far behind they are. The console and `status` read it, the
//! pullers write it. Losing it loses nothing.

mod feed;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lumbung_domain::region::VillageCode;
use lumbung_link::meter::Traffic;
use lumbung_telemetry::clock;
use tokio::sync::watch;

pub use feed::{Happened, Happening};

/// What a village's puller is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Not tried yet since the hub started.
    #[default]
    Waiting,
    /// Dialling, or asking who answers.
    Connecting,
    /// Receiving what it missed.
    CatchingUp,
    /// Up to date; changes arrive as they are saved.
    Live,
    /// Not reachable; trying again after a pause.
    Retrying,
    /// Stopped with a trouble that a person must look at.
    Stopped,
    /// An operator holds it.
    Held,
}

impl Phase {
    /// What people read, in Indonesian and English.
    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Waiting => ("menunggu giliran", "waiting for its turn"),
            Self::Connecting => ("menyambung", "connecting"),
            Self::CatchingUp => ("mengejar ketinggalan", "catching up"),
            Self::Live => ("tersambung", "connected"),
            Self::Retrying => ("putus, akan mencoba lagi", "lost, will try again"),
            Self::Stopped => ("berhenti, perlu dilihat", "stopped, needs a look"),
            Self::Held => ("ditahan", "on hold"),
        }
    }
}

/// One village at this moment.
#[derive(Clone, Debug)]
pub struct LiveVillage {
    /// Which.
    pub village: VillageCode,
    /// What its puller is doing.
    pub phase: Phase,
    /// Last entry the node says it has.
    pub head_seq: u64,
    /// Last entry merged here.
    pub merged_seq: u64,
    /// Since when it is known to have entries that are not merged here, hub
    /// clock, Unix milliseconds; 0 = it has none.
    pub behind_since_ms: i64,
    /// Living records merged.
    pub records: u64,
    /// Entries in quarantine.
    pub quarantined: u64,
    /// Last sign of life, hub clock, Unix milliseconds; 0 = never.
    pub last_contact_ms: i64,
    /// Last proof of equality, hub clock; 0 = never.
    pub last_proof_ms: i64,
    /// The entry that proof was made at.
    pub proven_seq: u64,
    /// Last proof of equality that came on a stick, hub clock; 0 = never.
    pub last_stick_ms: i64,
    /// Stable code of what is wrong (see `puller::trouble`); empty = nothing.
    pub trouble: String,
    /// Bytes over its connections since the hub started.
    pub traffic: Traffic,
}

impl LiveVillage {
    /// Entries known at the node and not merged here yet.
    #[must_use]
    pub const fn lag(&self) -> u64 {
        self.head_seq.saturating_sub(self.merged_seq)
    }

    /// Proven equal at everything merged so far.
    #[must_use]
    pub const fn proven(&self) -> bool {
        self.trouble.is_empty()
            && self.last_proof_ms > 0
            && self.proven_seq == self.merged_seq
            && self.lag() == 0
    }
}

/// How the hub itself is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HubCondition {
    /// Since when it runs, hub clock, Unix milliseconds.
    pub started_ms: i64,
    /// Space on the disk of its data; `None` = not known.
    pub disk: Option<Disk>,
    /// When a backup of it last succeeded, hub clock, Unix milliseconds;
    /// `None` = never.
    pub backup_ms: Option<i64>,
    /// Folders with what was there before a backup of it was put back: full
    /// copies of the district's data, erased people included.
    pub set_aside: u32,
    /// When it was started for the first time, hub clock, Unix milliseconds.
    pub first_started_ms: i64,
}

/// Space on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Free for the hub, bytes.
    pub free_bytes: u64,
    /// All of it, bytes.
    pub total_bytes: u64,
}

/// Every village at this moment, and a signal that something moved.
#[derive(Debug)]
pub struct Live {
    villages: Mutex<BTreeMap<u64, LiveVillage>>,
    hub: Mutex<HubCondition>,
    feed: Mutex<feed::Feed>,
    version: watch::Sender<u64>,
}

impl Default for Live {
    fn default() -> Self {
        let now_ms = clock::now_ms();
        let hub = HubCondition {
            started_ms: now_ms,
            disk: None,
            backup_ms: None,
            set_aside: 0,
            first_started_ms: now_ms,
        };
        Self {
            villages: Mutex::default(),
            hub: Mutex::new(hub),
            feed: Mutex::default(),
            version: watch::channel(0).0,
        }
    }
}

impl Live {
    /// Every village, by code.
    #[must_use]
    pub fn all(&self) -> Vec<LiveVillage> {
        self.villages().values().cloned().collect()
    }

    /// How the hub itself is.
    #[must_use]
    pub fn hub(&self) -> HubCondition {
        *self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is known of the hub itself.
    pub fn update_hub(&self, change: impl FnOnce(&mut HubCondition)) {
        change(&mut self.hub.lock().unwrap_or_else(PoisonError::into_inner));
        self.version.send_modify(|version| *version += 1);
    }

    /// One village, once a puller follows it.
    #[must_use]
    pub fn get(&self, village: VillageCode) -> Option<LiveVillage> {
        self.villages().get(&village.as_u64()).cloned()
    }

    /// Changes what is known of a village and wakes the watchers.
    pub fn update(&self, village: VillageCode, change: impl FnOnce(&mut LiveVillage)) {
        {
            let mut villages = self.villages();
            let before = villages.get(&village.as_u64()).map(feed::Before::of);
            let entry = villages.entry(village.as_u64()).or_insert_with(|| LiveVillage {
                village,
                phase: Phase::default(),
                head_seq: 0,
                merged_seq: 0,
                behind_since_ms: 0,
                records: 0,
                quarantined: 0,
                last_contact_ms: 0,
                last_proof_ms: 0,
                proven_seq: 0,
                last_stick_ms: 0,
                trouble: String::new(),
                traffic: Traffic::default(),
            });
            change(entry);
            entry.behind_since_ms = match (entry.lag(), entry.behind_since_ms) {
                (0, _) => 0,
                (_, 0) => clock::now_ms(),
                (_, since_ms) => since_ms,
            };
            let mut feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
            feed.tell(before.as_ref(), entry, clock::now_ms());
        }
        self.version.send_modify(|version| *version += 1);
    }

    /// The last things that happened after `number`, newest first; 0 = all
    /// that are kept.
    #[must_use]
    pub fn happenings(&self, number: u64) -> Vec<Happening> {
        self.feed.lock().unwrap_or_else(PoisonError::into_inner).after(number)
    }

    /// Wakes whenever something moved.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    fn villages(&self) -> MutexGuard<'_, BTreeMap<u64, LiveVillage>> {
        self.villages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
