//! One change of one record.

use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};

use crate::fingerprint::{ContentHash, content_hash};
use crate::position::Seq;

/// What an entry does to its record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Operation {
    /// The record did not exist before.
    Create = 1,
    /// The record's whole content is replaced.
    Update = 2,
    /// The record ends; the entry stays as its tombstone.
    Delete = 3,
}

impl Operation {
    /// The operation behind its number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Create,
            2 => Self::Update,
            3 => Self::Delete,
            _ => return None,
        })
    }
}

/// Where a change came from. Unknown numbers of newer nodes are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Source(pub u8);

impl Source {
    /// Typed in by a person.
    pub const MANUAL: Self = Self(1);
    /// Read from an OpenSID resident sheet.
    pub const OPENSID: Self = Self(2);
    /// Read from a SIAK dump.
    pub const SIAK: Self = Self(3);
    /// Read from Lumbung's own template.
    pub const TEMPLATE: Self = Self(4);
    /// The record was erased on request (UU 27/2022 pasal 8); only deletes
    /// carry it.
    pub const ERASURE: Self = Self(5);
    /// A change of a lost branch of the log, handed back by the hub.
    pub const RETURNED: Self = Self(6);
    /// Written by the node itself, for example that a notice arrived.
    pub const NODE: Self = Self(7);

    /// Whether an entry repeats another one, with its author and time: two of them
    /// are not the same entry because they look alike.
    #[must_use]
    pub const fn repeats(self) -> bool {
        matches!(self, Self::ERASURE | Self::RETURNED)
    }

    /// The name people read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MANUAL => "manual",
            Self::OPENSID => "opensid",
            Self::SIAK => "siak",
            Self::TEMPLATE => "templat",
            Self::ERASURE => "penghapusan",
            Self::RETURNED => "dikembalikan",
            Self::NODE => "node",
            _ => "lain",
        }
    }
}

/// Eight random bytes that keep an erased payload from being guessed out of
/// the digest that stays in the chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Salt(pub [u8; 8]);

/// Everything about a change except its content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// Its number in the log.
    pub seq: Seq,
    /// The record it changes.
    pub id: RecordId,
    /// The record's kind.
    pub kind: KindCode,
    /// Version of the payload's schema.
    pub schema: u16,
    /// What it does.
    pub operation: Operation,
    /// The node's wall clock, Unix milliseconds. For people to read; never
    /// used for order, since village clocks may be years off.
    pub time_ms: i64,
    /// Who made the change: an account name of the node, at most 64 bytes.
    pub actor: Arc<str>,
    /// Where it came from.
    pub source: Source,
}

/// The content of a change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Payload {
    /// The record's protobuf message as opaque bytes, never re-encoded by
    /// whoever stores or forwards it. Empty for a delete.
    Present {
        /// See [`Salt`].
        salt: Salt,
        /// The message.
        bytes: Bytes,
    },
    /// The content is gone (erased) or not sent (too large for this link);
    /// its digest keeps the chain verifiable.
    Withheld {
        /// What [`Entry::digest`] gave while the content was there.
        digest: [u8; 32],
    },
}

/// One change of one record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Who, when, what.
    pub header: Header,
    /// The content.
    pub payload: Payload,
}

impl Entry {
    /// Hash of the record's content after this entry, for the fingerprint.
    /// `None` for a delete and for withheld content.
    #[must_use]
    pub fn content_hash(&self) -> Option<ContentHash> {
        match (&self.payload, self.header.operation) {
            (Payload::Present { bytes, .. }, Operation::Create | Operation::Update) => {
                Some(content_hash(self.header.id, self.header.kind, self.header.schema, bytes))
            }
            _ => None,
        }
    }

    /// The salted digest that stands for the content in the chain, with the
    /// content hash it was made from (one pass over the payload serves both).
    #[must_use]
    pub fn digest(&self) -> ([u8; 32], Option<ContentHash>) {
        match &self.payload {
            Payload::Withheld { digest } => (*digest, None),
            Payload::Present { salt, bytes } => {
                let header = &self.header;
                let hash = content_hash(header.id, header.kind, header.schema, bytes);
                let mut salted = [0_u8; 40];
                salted[..8].copy_from_slice(&salt.0);
                salted[8..].copy_from_slice(&hash.0);
                let digest = *blake3::hash(&salted).as_bytes();
                (digest, (header.operation != Operation::Delete).then_some(hash))
            }
        }
    }

    /// Bytes this entry takes in memory, about.
    #[must_use]
    pub fn size(&self) -> usize {
        let payload = match &self.payload {
            Payload::Present { bytes, .. } => bytes.len(),
            Payload::Withheld { .. } => 32,
        };
        64 + payload
    }
}
