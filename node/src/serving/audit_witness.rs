//! What this node witnesses of the district's audit log.
//!
//! The hub tells the head of its log at each contact, and must show that the
//! log still passes through the head this node holds. Where it does not, the
//! node keeps both heads for good, says so to the clerk and to the hub, and
//! goes on witnessing what the hub shows from then on.
//!
//! Kept beside the store, in no backup: it tells what this machine was shown.

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use lumbung_proto::v1;
use lumbung_telemetry::clock;

use crate::kept::Kept;

const HELD_MAGIC: [u8; 4] = *b"LSH1";
const DOUBT_MAGIC: [u8; 4] = *b"LSD1";

/// Contacts in a row at which the hub may go on without showing that it
/// passes through what is held: an answer may get lost, three do not.
const UNSHOWN_MAX: u8 = 3;

/// A head of the district's log: how many entries, and the hash over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogHead {
    /// Entries.
    pub seq: u64,
    /// Hash over them.
    pub hash: [u8; 32],
}

impl LogHead {
    fn of(seq: u64, hash: &[u8]) -> Option<Self> {
        Some(Self { seq, hash: hash.try_into().ok()? })
    }

    fn to_bytes(self) -> [u8; 40] {
        let mut bytes = [0; 40];
        bytes[..8].copy_from_slice(&self.seq.to_le_bytes());
        bytes[8..].copy_from_slice(&self.hash);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (seq, hash) = bytes.split_first_chunk::<8>()?;
        Self::of(u64::from_le_bytes(*seq), hash)
    }
}

/// What this node holds against the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It does not pass through what was held.
    Rewritten,
    /// It is shorter than it was.
    Behind,
    /// The hub never showed that it passes through what is held.
    Unshown,
}

impl Doubt {
    /// As it is kept and sent.
    const fn number(self) -> u8 {
        match self {
            Self::Rewritten => 1,
            Self::Behind => 2,
            Self::Unshown => 3,
        }
    }

    const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Rewritten),
            2 => Some(Self::Behind),
            3 => Some(Self::Unshown),
            _ => None,
        }
    }
}

/// A doubt with both heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubted {
    /// What kind.
    pub doubt: Doubt,
    /// What was held.
    pub held: LogHead,
    /// What the hub showed instead.
    pub shown: LogHead,
    /// When, this machine's clock, Unix milliseconds.
    pub at_ms: i64,
}

impl Doubted {
    /// For the clerk.
    #[must_use]
    pub fn sentence(&self) -> String {
        let when = clock::display(self.at_ms);
        let (held, shown) = (self.held.seq, self.shown.seq);
        match self.doubt {
            Doubt::Rewritten => format!(
                "Buku catatan kabupaten pernah ditulis ulang: pada {when} isinya sampai nomor \
                 {held} berbeda dari yang dulu ditunjukkan kepada desa ini. Data desa tidak \
                 terpengaruh. Beritahukan kepada kecamatan."
            ),
            Doubt::Behind => format!(
                "Buku catatan kabupaten mundur: pada {when} panjangnya {shown} catatan, padahal \
                 dulu {held}. Hub kabupaten kembali dari cadangan lama. Data desa tidak \
                 terpengaruh."
            ),
            Doubt::Unshown => format!(
                "Sampai {when} kabupaten tidak menunjukkan bahwa buku catatannya masih melewati \
                 nomor {held}. Data desa tidak terpengaruh. Beritahukan kepada kecamatan."
            ),
        }
    }

    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = vec![self.doubt.number()];
        bytes.extend(self.held.to_bytes());
        bytes.extend(self.shown.to_bytes());
        bytes.extend(self.at_ms.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (doubt, rest) = bytes.split_first()?;
        let (held, rest) = rest.split_at_checked(40)?;
        let (shown, at_ms) = rest.split_at_checked(40)?;
        Some(Self {
            doubt: Doubt::from_number(*doubt)?,
            held: LogHead::from_bytes(held)?,
            shown: LogHead::from_bytes(shown)?,
            at_ms: i64::from_le_bytes(at_ms.try_into().ok()?),
        })
    }
}

/// What is known, in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Known {
    held: Option<LogHead>,
    /// Contacts in a row without being shown what was asked for.
    unshown: u8,
    doubted: Option<Doubted>,
}

impl Known {
    /// Looks at what the hub tells: its head, and its head of the time to
    /// which it takes this node to have witnessed.
    fn look(&mut self, head: LogHead, shown: Option<LogHead>, now_ms: i64) {
        let Some(held) = self.held else {
            self.held = Some(head);
            return;
        };
        let doubt = match shown.filter(|shown| shown.seq == held.seq) {
            _ if head.seq < held.seq => Some((Doubt::Behind, head)),
            _ if head.seq == held.seq && head.hash != held.hash => Some((Doubt::Rewritten, head)),
            _ if head.seq == held.seq => None,
            Some(shown) if shown.hash != held.hash => Some((Doubt::Rewritten, shown)),
            Some(_) => None,
            None if self.unshown + 1 < UNSHOWN_MAX => {
                self.unshown += 1;
                return;
            }
            None => Some((Doubt::Unshown, head)),
        };
        self.unshown = 0;
        self.held = Some(head);
        if let Some((doubt, shown)) = doubt {
            let doubted = Doubted { doubt, held, shown, at_ms: now_ms };
            // What can't be explained by a restored hub stays on top.
            let graver = |old: &Doubted| old.doubt == Doubt::Behind && doubt != Doubt::Behind;
            if self.doubted.as_ref().is_none_or(graver) {
                self.doubted = Some(doubted);
            }
        }
    }
}

/// The witness. What it keeps is durable before it is told.
#[derive(Debug)]
pub struct AuditWitness {
    known: Mutex<(Known, Kept, Kept)>,
}

impl AuditWitness {
    /// Opens what the node that lives in `dir` witnessed.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let held = Kept::open(&dir.join("saksi"), HELD_MAGIC)?;
        let doubt = Kept::open(&dir.join("saksi-beda"), DOUBT_MAGIC)?;
        let known = Known {
            held: held.last().and_then(|bytes| LogHead::from_bytes(bytes.get(..40)?)),
            unshown: held.last().and_then(|bytes| bytes.get(40).copied()).unwrap_or(0),
            doubted: doubt.last().and_then(Doubted::from_bytes),
        };
        Ok(Self { known: Mutex::new((known, held, doubt)) })
    }

    /// What is held against the log.
    #[must_use]
    pub fn doubted(&self) -> Option<Doubted> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).0.doubted
    }

    /// Looks at what the hub tells at a contact and answers what is held.
    ///
    /// # Errors
    /// When it can't be kept.
    pub fn look(&self, asked: &v1::ArrangeRequest) -> io::Result<v1::AuditWitnessed> {
        let mut inside = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, held, doubt) = &mut *inside;
        let before = *known;
        if let Some(head) = LogHead::of(asked.audit_seq, &asked.audit_hash) {
            let shown = match asked.audit_shown {
                // An empty hash says that there is no such entry any more.
                true if asked.audit_shown_hash.is_empty() => {
                    Some(LogHead { seq: asked.audit_shown_seq, hash: [0; 32] })
                }
                true => LogHead::of(asked.audit_shown_seq, &asked.audit_shown_hash),
                false => None,
            };
            let mut now = before;
            now.look(head, shown, clock::now_ms());
            if now.doubted != before.doubted
                && let Some(doubted) = now.doubted
            {
                doubt.keep(&doubted.to_bytes())?;
            }
            if (now.held, now.unshown) != (before.held, before.unshown)
                && let Some(head) = now.held
            {
                let mut bytes = head.to_bytes().to_vec();
                bytes.push(now.unshown);
                held.keep(&bytes)?;
            }
            *known = now;
        }
        let mut reply = v1::AuditWitnessed::default();
        if let Some(held) = known.held {
            reply.held_seq = held.seq;
            reply.held_hash = Bytes::copy_from_slice(&held.hash);
        }
        if let Some(doubted) = known.doubted {
            reply.doubt = doubted.doubt.number().into();
            reply.doubt_held_seq = doubted.held.seq;
            reply.doubt_held_hash = Bytes::copy_from_slice(&doubted.held.hash);
            reply.doubt_shown_seq = doubted.shown.seq;
            reply.doubt_shown_hash = Bytes::copy_from_slice(&doubted.shown.hash);
        }
        Ok(reply)
    }
}

/// What the node that lives in `dir` holds against the log, without opening
/// it for writing; `None` = nothing, or never joined.
#[must_use]
pub fn doubted(dir: &Path) -> Option<Doubted> {
    let path = dir.join("saksi-beda");
    if !path.exists() {
        return None;
    }
    let kept = Kept::open(&path, DOUBT_MAGIC).ok()?;
    kept.last().and_then(Doubted::from_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn head(seq: u64, salt: u8) -> LogHead {
        LogHead { seq, hash: [salt; 32] }
    }

    fn told(known: &mut Known, now: LogHead, shown: Option<LogHead>) -> Option<Doubt> {
        known.look(now, shown, 1);
        known.doubted.map(|doubted| doubted.doubt)
    }

    #[test]
    fn a_log_that_passes_through_what_is_held_is_followed() {
        let mut known = Known::default();
        assert_eq!(told(&mut known, head(3, 1), None), None);
        assert_eq!(told(&mut known, head(3, 1), None), None);
        // A lost answer: the hub does not know yet where this node stands.
        assert_eq!(told(&mut known, head(5, 2), Some(head(1, 9))), None);
        assert_eq!(known.held, Some(head(3, 1)));
        assert_eq!(told(&mut known, head(5, 2), Some(head(3, 1))), None);
        assert_eq!(known.held, Some(head(5, 2)));
    }

    #[test]
    fn a_rewritten_log_is_told_from_a_restored_one_and_both_heads_stay() {
        let from = Known { held: Some(head(5, 2)), ..Known::default() };
        for (now, shown, doubt) in [
            (head(5, 7), None, Doubt::Rewritten),
            (head(9, 7), Some(head(5, 7)), Doubt::Rewritten),
            (head(4, 2), None, Doubt::Behind),
        ] {
            let mut known = from;
            assert_eq!(told(&mut known, now, shown), Some(doubt));
            assert_eq!(known.doubted.unwrap().held, head(5, 2));
            assert_eq!(known.held, Some(now));
        }
        let mut known = from;
        assert_eq!(told(&mut known, head(4, 2), None), Some(Doubt::Behind));
        assert_eq!(told(&mut known, head(4, 8), None), Some(Doubt::Rewritten));
        // The graver one stays on top.
        assert_eq!(told(&mut known, head(2, 2), None), Some(Doubt::Rewritten));
    }

    #[test]
    fn a_hub_that_never_shows_what_is_asked_is_told() {
        let mut known = Known { held: Some(head(5, 2)), ..Known::default() };
        assert_eq!(told(&mut known, head(6, 1), None), None);
        assert_eq!(told(&mut known, head(7, 1), None), None);
        assert_eq!(told(&mut known, head(8, 1), None), Some(Doubt::Unshown));
    }

    #[test]
    fn what_was_witnessed_survives_its_files() {
        let dir = tempfile::tempdir().unwrap();
        let asked = |seq, salt: u8| v1::ArrangeRequest {
            audit_seq: seq,
            audit_hash: Bytes::copy_from_slice(&[salt; 32]),
            ..Default::default()
        };
        let witness = AuditWitness::open(dir.path()).unwrap();
        assert_eq!(witness.look(&asked(5, 2)).unwrap().held_seq, 5);
        drop(witness);
        assert_eq!(doubted(dir.path()), None);
        let witness = AuditWitness::open(dir.path()).unwrap();
        let reply = witness.look(&asked(5, 3)).unwrap();
        assert_eq!((reply.doubt, reply.doubt_held_seq), (1, 5));
        let kept = doubted(dir.path()).unwrap();
        assert_eq!((kept.doubt, kept.held, kept.shown), (Doubt::Rewritten, head(5, 2), head(5, 3)));
        assert!(kept.sentence().starts_with("Buku catatan kabupaten pernah ditulis ulang"));
    }
}
