//! The binary form of consecutive entries, on disk and on the wire.
//!
//! Columns, not rows: first all sequence facts, then all ids, all salts, all
//! payloads. Neighbouring ids share most bytes (see `RecordId`), so an id
//! costs two or three bytes before any compression, and the general-purpose
//! compressor sees like beside like.
//!
//! Layout, version 1 (all numbers LEB128, see `varint`):
//! `"LB" 1 | count | first seq | actors: n, {len, bytes} | per entry: kind,
//! schema, op | source<<2, actor index, time delta | ids | payload lengths
//! (length + 1; 0 = withheld) | salts and digests | payload bytes`.
//! A decoder refuses anything left over.
//!
//! Version 1 is what barns store. Version 2 ([`columns`]) goes further and is
//! for the wire; [`decode`] reads both.
//!
//! On the wire, an actor whom the reader knows already is one number in place
//! of length and name: the longest length, plus its place among them, from 1.

pub mod columns;

use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};

use crate::chain::ACTOR_BYTES_MAX;
use crate::entry::{Entry, Header, Operation, Payload, Salt, Source};
use crate::position::Seq;
use crate::varint::{Reader, write_i64, write_u64};

/// Most entries a block may hold.
pub const ENTRIES_MAX: usize = 65_536;

/// Largest payload of one record, bytes. A resident takes about 200; the
/// limit leaves room for free text and keeps one record far below a batch.
pub const PAYLOAD_BYTES_MAX: usize = 64 * 1024;

const MAGIC: [u8; 3] = *b"LB\x01";

/// Why bytes are not a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// Not a block, or one of a version this build doesn't read.
    #[error("not a block of a known version")]
    UnknownFormat,
    /// The bytes end before the block does.
    #[error("the block is cut off")]
    Truncated,
    /// A number, length or reference makes no sense.
    #[error("the block contradicts itself")]
    Malformed,
    /// A limit of this module is exceeded.
    #[error("the block exceeds a limit")]
    TooLarge,
}

/// Encodes consecutive entries. Returns `None` when there is nothing to
/// encode, the numbers are not consecutive, or a limit is exceeded.
#[must_use]
pub fn encode(entries: &[Entry]) -> Option<Vec<u8>> {
    encode_to(&[], entries)
}

/// The same for a reader who knows these actors, in this order.
#[must_use]
pub fn encode_to(known: &[Arc<str>], entries: &[Entry]) -> Option<Vec<u8>> {
    let first = entries.first()?.header.seq;
    let payload_bytes: usize = entries.iter().map(Entry::size).sum();
    let mut out = Vec::with_capacity(64 + payload_bytes);
    out.extend_from_slice(&MAGIC);
    write_u64(entries.len() as u64, &mut out);
    write_u64(first.0, &mut out);
    let actors = actor_table(entries);
    write_u64(actors.len() as u64, &mut out);
    for actor in &actors {
        if let Some(at) = known.iter().position(|known| known == actor) {
            write_u64((ACTOR_BYTES_MAX + 1 + at) as u64, &mut out);
            continue;
        }
        write_u64(actor.len() as u64, &mut out);
        out.extend_from_slice(actor.as_bytes());
    }
    let mut expected = first;
    let mut last_time = 0_i64;
    for entry in entries {
        let header = &entry.header;
        if header.seq != expected || header.actor.len() > ACTOR_BYTES_MAX {
            return None;
        }
        expected = expected.next();
        write_u64(u64::from(header.kind.0), &mut out);
        write_u64(u64::from(header.schema), &mut out);
        write_u64(header.operation as u64 | u64::from(header.source.0) << 2, &mut out);
        let actor = actors.iter().position(|name| **name == *header.actor)?;
        write_u64(actor as u64, &mut out);
        write_i64(header.time_ms.wrapping_sub(last_time), &mut out);
        last_time = header.time_ms;
    }
    let mut previous = RecordId::default();
    for entry in entries {
        write_id(previous, entry.header.id, &mut out);
        previous = entry.header.id;
    }
    for entry in entries {
        match &entry.payload {
            Payload::Withheld { .. } => write_u64(0, &mut out),
            Payload::Present { bytes, .. } if bytes.len() > PAYLOAD_BYTES_MAX => return None,
            Payload::Present { bytes, .. } => write_u64(bytes.len() as u64 + 1, &mut out),
        }
    }
    for entry in entries {
        match &entry.payload {
            Payload::Withheld { digest } => out.extend_from_slice(digest),
            Payload::Present { salt, .. } => out.extend_from_slice(&salt.0),
        }
    }
    for entry in entries {
        if let Payload::Present { bytes, .. } = &entry.payload {
            out.extend_from_slice(bytes);
        }
    }
    (entries.len() <= ENTRIES_MAX).then_some(out)
}

/// Decodes a block of either version. Payloads share one piece of memory.
///
/// # Errors
/// [`BlockError`] for anything that no encoder here would have written.
pub fn decode(block: &Bytes) -> Result<Vec<Entry>, BlockError> {
    decode_knowing(&[], block)
}

/// The same by a reader who knows these actors.
///
/// # Errors
/// As [`decode`].
pub fn decode_knowing(known: &[Arc<str>], block: &Bytes) -> Result<Vec<Entry>, BlockError> {
    let mut reader = Reader::new(block);
    match reader.array()? {
        MAGIC => {}
        columns::MAGIC => return columns::decode(&block[columns::MAGIC.len()..]),
        _ => return Err(BlockError::UnknownFormat),
    }
    let count = reader.len()?;
    if count > ENTRIES_MAX {
        return Err(BlockError::TooLarge);
    }
    // Each entry takes at least 14 bytes: a lying count can't reserve more
    // memory than a few times the bytes that really came.
    if count == 0 || count > reader.remaining() / 14 + 1 {
        return Err(BlockError::Malformed);
    }
    let first = reader.u64()?;
    if first == 0 || first.checked_add(count as u64).is_none() {
        return Err(BlockError::Malformed);
    }
    let actors = read_actors(known, &mut reader)?;
    let mut headers = read_headers(&mut reader, count, first, &actors)?;
    let mut previous = RecordId::default();
    for header in &mut headers {
        previous = read_id(previous, &mut reader)?;
        header.id = previous;
    }
    let mut lengths = Vec::with_capacity(count);
    for _ in 0..count {
        let length = reader.len()?;
        if length > PAYLOAD_BYTES_MAX + 1 {
            return Err(BlockError::TooLarge);
        }
        lengths.push(length);
    }
    let mut entries = Vec::with_capacity(count);
    for (header, length) in headers.into_iter().zip(&lengths) {
        let payload = if *length == 0 {
            Payload::Withheld { digest: reader.array()? }
        } else {
            Payload::Present { salt: Salt(reader.array()?), bytes: Bytes::new() }
        };
        entries.push(Entry { header, payload });
    }
    for (entry, length) in entries.iter_mut().zip(&lengths) {
        if let Payload::Present { bytes, .. } = &mut entry.payload {
            *bytes = block.slice_ref(reader.take(length - 1)?);
        }
    }
    if reader.is_empty() { Ok(entries) } else { Err(BlockError::Malformed) }
}

fn actor_table(entries: &[Entry]) -> Vec<Arc<str>> {
    let mut actors: Vec<Arc<str>> = Vec::new();
    for entry in entries {
        if !actors.iter().any(|name| **name == *entry.header.actor) {
            actors.push(Arc::clone(&entry.header.actor));
        }
    }
    actors
}

fn read_actors(known: &[Arc<str>], reader: &mut Reader<'_>) -> Result<Vec<Arc<str>>, BlockError> {
    let count = reader.len()?;
    if count > ENTRIES_MAX || count > reader.remaining() {
        return Err(BlockError::Malformed);
    }
    let mut actors = Vec::with_capacity(count);
    for _ in 0..count {
        let length = reader.len()?;
        if let Some(at) = length.checked_sub(ACTOR_BYTES_MAX + 1) {
            actors.push(known.get(at).cloned().ok_or(BlockError::TooLarge)?);
            continue;
        }
        let name = std::str::from_utf8(reader.take(length)?).map_err(|_| BlockError::Malformed)?;
        actors.push(Arc::from(name));
    }
    Ok(actors)
}

fn read_headers(
    reader: &mut Reader<'_>,
    count: usize,
    first: u64,
    actors: &[Arc<str>],
) -> Result<Vec<Header>, BlockError> {
    let mut headers = Vec::with_capacity(count);
    let mut time_ms = 0_i64;
    for seq in (first..).take(count) {
        let kind = KindCode(reader.u16()?);
        let schema = reader.u16()?;
        let packed = reader.u16()?;
        let operation = Operation::from_number((packed & 3) as u8).ok_or(BlockError::Malformed)?;
        let source = Source(u8::try_from(packed >> 2).map_err(|_| BlockError::Malformed)?);
        let actor = actors.get(reader.len()?).ok_or(BlockError::Malformed)?;
        time_ms = time_ms.wrapping_add(reader.i64()?);
        headers.push(Header {
            seq: Seq(seq),
            id: RecordId::default(),
            kind,
            schema,
            operation,
            time_ms,
            actor: Arc::clone(actor),
            source,
        });
    }
    Ok(headers)
}

/// An id as its difference from the one before: how many leading and
/// trailing bytes are equal (4 bits each, at most 15), then the rest.
fn write_id(previous: RecordId, id: RecordId, out: &mut Vec<u8>) {
    let differs = |i: &usize| previous.0[*i] != id.0[*i];
    let lead = (0..16).position(|i| differs(&i)).unwrap_or(15).min(15);
    let trail = (lead..16).rev().position(|i| differs(&i)).unwrap_or(16 - lead).min(15);
    out.push((lead << 4 | trail) as u8);
    out.extend_from_slice(&id.0[lead..16 - trail]);
}

fn read_id(previous: RecordId, reader: &mut Reader<'_>) -> Result<RecordId, BlockError> {
    let tag = reader.byte()?;
    let (lead, trail) = (usize::from(tag >> 4), usize::from(tag & 15));
    let middle = (16_usize - lead).checked_sub(trail).ok_or(BlockError::Malformed)?;
    let mut id = previous;
    id.0[lead..lead + middle].copy_from_slice(reader.take(middle)?);
    Ok(id)
}

#[cfg(test)]
mod tests;
