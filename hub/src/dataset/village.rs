//! A village as the hub's list keeps it: where the hub stands with it, what
//! it counted, when it was last heard of and proven, and what is wrong.
//!
//! What a contact teaches is written beside rows and position, never with
//! them: losing a note loses no record.

use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Fingerprint, Position, Seq};

use super::care::Hold;
use crate::words::Words;

/// A village as the hub's list keeps it.
#[derive(Clone, Debug)]
pub struct VillageState {
    /// Its code.
    pub village: VillageCode,
    /// Where the hub dials it, `host:port`; empty when it isn't dialled.
    pub address: String,
    /// Where the hub stands in its log.
    pub position: Option<Position>,
    /// Sum over the merged records.
    pub fingerprint: Fingerprint,
    /// Merged living records.
    pub records: u64,
    /// Living residents among them.
    pub warga: u64,
    /// Living rumah tangga among them.
    pub rumah_tangga: u64,
    /// Entries waiting in quarantine, but for those whose content the village has
    /// thinned out: a later entry takes their place.
    pub quarantined: u64,
    /// Open findings that name this village.
    pub findings: u64,
    /// Last time the node answered, hub clock, Unix milliseconds; 0 = never.
    pub last_contact_ms: i64,
    /// Last time node and hub were proven equal, hub clock; 0 = never.
    pub last_proof_ms: i64,
    /// The position that proof was made at.
    pub proven_seq: Seq,
    /// Last time a bundle on a stick proved node and hub equal, hub clock,
    /// Unix milliseconds; 0 = never.
    pub last_stick_ms: i64,
    /// To whom an answer on a stick may be sealed: an age recipient of the
    /// node; empty = not known.
    pub answer_to: String,
    /// Software version the node named last.
    pub software: String,
    /// A stable code of what is wrong (see `puller::trouble`); empty = nothing.
    pub trouble: String,
    /// Last time its rows were proven equal to its log, row by row, hub
    /// clock, Unix milliseconds; 0 = never.
    pub deep_proof_ms: i64,
    /// What the last attempt at such a proof came to, in Bahasa Indonesia.
    pub deep_proof_words: String,
    /// The same in English; empty for what versions before that noted.
    pub deep_proof_words_en: String,
    /// When an operator asked for such a proof, hub clock; 0 = never.
    pub proof_asked_ms: i64,
    /// Living records of a closed log that wait for an operator's decision.
    pub leftovers: u64,
    /// Stopped since because two machines answer for it, hub clock, Unix
    /// milliseconds; 0 = not.
    pub twin_ms: i64,
    /// How often an operator decided something: whoever follows the village
    /// begins anew.
    pub decisions: i64,
    /// Versions that may have to be handed back (again).
    pub undelivered: u64,
    /// The hold that an operator put on it, be it over.
    pub hold: Option<Hold>,
}

/// What a contact taught, written without touching rows or position.
#[derive(Clone, Debug, Default)]
pub struct ContactNote {
    /// When, hub clock, Unix milliseconds; 0 = it is no contact.
    pub at_ms: i64,
    /// How often the node answered anew.
    pub visits: u32,
    /// Software version, when it was told.
    pub software: Option<String>,
    /// Proven equal at this position.
    pub proven: Option<Seq>,
    /// New trouble code; `Some("")` clears it.
    pub trouble: Option<String>,
    /// When that trouble was noticed, hub clock; 0 = with the contact.
    pub trouble_ms: i64,
    /// It came on a stick: no contact of the link.
    pub stick: Option<Stick>,
    /// What an attempt at a deep proof came to.
    pub deep_proof: Option<DeepProof>,
}

impl ContactNote {
    /// Whether the village came: a stick that proved nothing leaves open what
    /// is missing.
    #[must_use]
    pub const fn is_contact(&self) -> bool {
        self.at_ms > 0 && (self.stick.is_none() || self.proven.is_some())
    }
}

/// What an attempt to prove rows against the log came to.
#[derive(Clone, Debug)]
pub struct DeepProof {
    /// Every row is what the log says, if need be after a repair.
    pub equal: bool,
    /// In words, without personal data.
    pub words: Words,
}

/// What a bundle on a stick taught besides its records.
#[derive(Clone, Debug, Default)]
pub struct Stick {
    /// To whom an answer may be sealed.
    pub answer_to: String,
}

/// How long a village counts as fresh after a stick has proven it equal:
/// sticks are brought to the weekly meeting at the kecamatan, and one may be
/// missed by a day or two.
pub const STICK_FRESH_MS: i64 = 9 * 24 * 60 * 60 * 1000;

impl VillageState {
    /// Whether a stick has proven it equal lately, and nothing else is known
    /// since.
    #[must_use]
    pub const fn is_fresh_by_stick(&self, now_ms: i64) -> bool {
        is_fresh_by_stick(self.last_stick_ms, self.last_contact_ms, now_ms)
    }
}

/// Whether a stick at `stick_ms` says more than the link's last contact, and
/// still counts.
#[must_use]
pub const fn is_fresh_by_stick(stick_ms: i64, contact_ms: i64, now_ms: i64) -> bool {
    let age_ms = now_ms.saturating_sub(stick_ms);
    stick_ms > 0 && stick_ms >= contact_ms && age_ms < STICK_FRESH_MS
}
