//! A block of columns → entries. Refuses whatever `encode` would not write.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};

use super::column::{Coder, RECENT_MAX, Recent, place_bytes, unzigzag};
use super::fields::{BYTES, FIXED32, FIXED64, VARINT, join};
use super::{
    Body, FIXED_STREAMS, ID_STEPS, ID_TAILS, OPAQUE_BYTES, OPAQUE_LENGTHS, PAYLOADS_BYTES_MAX,
    SHAPES, TIMES, front, joined,
};
use crate::block::{BlockError, ENTRIES_MAX, PAYLOAD_BYTES_MAX, read_actors};
use crate::entry::{Entry, Header, Operation, Payload, Salt, Source};
use crate::position::Seq;
use crate::varint::Reader;

/// Bytes an entry takes at the very least: one in each of four streams, and
/// its salt.
const ENTRY_BYTES_MIN: usize = 12;

struct Shape {
    kind: KindCode,
    schema: u16,
    operation: Operation,
    source: Source,
    actor: Arc<str>,
    body: Body,
    /// The group its fields are in.
    group: usize,
}

struct Group<'a> {
    kind: KindCode,
    schema: u16,
    columns: Vec<Column<'a>>,
    lists: Vec<Recent<'a>>,
}

struct Column<'a> {
    tag: u32,
    coder: Coder,
    list: usize,
    last_id: Option<RecordId>,
    last_place: [i64; 2],
    numbers: Reader<'a>,
    bytes: Reader<'a>,
}

/// Every id of the block, and the tails they are made of.
struct Ids {
    ids: Vec<RecordId>,
    tails: Vec<[u8; 8]>,
}

/// Decodes what follows the magic.
pub(in crate::block) fn decode(block: &[u8]) -> Result<Vec<Entry>, BlockError> {
    let mut reader = Reader::new(block);
    let count = reader.len()?;
    if count > ENTRIES_MAX {
        return Err(BlockError::TooLarge);
    }
    if count == 0 || count > reader.remaining() / ENTRY_BYTES_MIN + 1 {
        return Err(BlockError::Malformed);
    }
    let first = reader.u64()?;
    if first == 0 || first.checked_add(count as u64).is_none() {
        return Err(BlockError::Malformed);
    }
    let actors = read_actors(&[], &mut reader)?;
    let tails = read_list(&mut reader, |reader| reader.array())?;
    let mut shapes = read_list(&mut reader, |reader| read_shape(reader, &actors))?;
    let mut groups = read_list(&mut reader, read_group)?;
    for shape in shapes.iter_mut().filter(|shape| shape.body == Body::Fields) {
        let same = |group: &Group<'_>| group.kind == shape.kind && group.schema == shape.schema;
        shape.group = groups.iter().position(same).ok_or(BlockError::Malformed)?;
    }
    let (mut fixed, mut salts) = read_streams(&mut reader, &mut groups)?;
    let ids = read_ids(&mut fixed, tails, count)?;
    let mut out = Vec::with_capacity(block.len() * 2);
    let mut entries = Vec::with_capacity(count);
    let mut bodies: Vec<Range<usize>> = Vec::with_capacity(count);
    let mut time_ms = 0_i64;
    for (at, seq) in (first..).take(count).enumerate() {
        let shape = shapes.get(fixed[SHAPES].len()?).ok_or(BlockError::Malformed)?;
        time_ms = time_ms.wrapping_add(fixed[TIMES].i64()?);
        let header = Header {
            seq: Seq(seq),
            id: ids.ids[at],
            kind: shape.kind,
            schema: shape.schema,
            operation: shape.operation,
            time_ms,
            actor: Arc::clone(&shape.actor),
            source: shape.source,
        };
        let from = out.len();
        match shape.body {
            Body::Withheld => {}
            Body::Opaque => {
                let length = fixed[OPAQUE_LENGTHS].len()?;
                out.extend_from_slice(fixed[OPAQUE_BYTES].take(length)?);
            }
            Body::Fields => groups[shape.group].read(at, &ids, &mut out)?,
        }
        if out.len() - from > PAYLOAD_BYTES_MAX || out.len() > PAYLOADS_BYTES_MAX {
            return Err(BlockError::TooLarge);
        }
        let payload = match shape.body {
            Body::Withheld => Payload::Withheld { digest: salts.array()? },
            _ => Payload::Present { salt: Salt(salts.array()?), bytes: Bytes::new() },
        };
        bodies.push(from..out.len());
        entries.push(Entry { header, payload });
    }
    let columns = groups.iter().flat_map(|group| &group.columns);
    let used_up = salts.is_empty()
        && fixed.iter().all(Reader::is_empty)
        && columns.into_iter().all(|column| column.numbers.is_empty() && column.bytes.is_empty());
    if !used_up {
        return Err(BlockError::Malformed);
    }
    let out = Bytes::from(out);
    for (entry, body) in entries.iter_mut().zip(bodies) {
        if let Payload::Present { bytes, .. } = &mut entry.payload {
            *bytes = out.slice(body);
        }
    }
    Ok(entries)
}

/// A list with its length in front. Each item takes a byte at least.
fn read_list<'a, T>(
    reader: &mut Reader<'a>,
    mut read: impl FnMut(&mut Reader<'a>) -> Result<T, BlockError>,
) -> Result<Vec<T>, BlockError> {
    let count = reader.len()?;
    if count > reader.remaining() {
        return Err(BlockError::Malformed);
    }
    (0..count).map(|_| read(reader)).collect()
}

fn read_shape(reader: &mut Reader<'_>, actors: &[Arc<str>]) -> Result<Shape, BlockError> {
    let kind = KindCode(reader.u16()?);
    let schema = reader.u16()?;
    let packed = reader.u16()?;
    let operation = Operation::from_number((packed & 3) as u8).ok_or(BlockError::Malformed)?;
    let source = Source(u8::try_from(packed >> 2).map_err(|_| BlockError::Malformed)?);
    let actor = Arc::clone(actors.get(reader.len()?).ok_or(BlockError::Malformed)?);
    let body = Body::from_number(reader.u64()?).ok_or(BlockError::Malformed)?;
    Ok(Shape { kind, schema, operation, source, actor, body, group: 0 })
}

fn read_group<'a>(reader: &mut Reader<'a>) -> Result<Group<'a>, BlockError> {
    let kind = KindCode(reader.u16()?);
    let schema = reader.u16()?;
    let columns = read_list(reader, |reader| {
        let tag = u32::try_from(reader.u64()?).map_err(|_| BlockError::Malformed)?;
        let coder = Coder::from_number(reader.u64()?).ok_or(BlockError::Malformed)?;
        let sound = match tag & 7 {
            VARINT => matches!(coder, Coder::Number | Coder::Rows),
            BYTES => coder != Coder::Number,
            FIXED64 | FIXED32 => coder == Coder::Rows,
            _ => false,
        };
        if !sound {
            return Err(BlockError::Malformed);
        }
        let list = if coder == Coder::Text { reader.len()? } else { 0 };
        let (numbers, bytes) = (Reader::new(&[]), Reader::new(&[]));
        Ok(Column { tag, coder, list, last_id: None, last_place: [0; 2], numbers, bytes })
    })?;
    if columns.iter().any(|column| column.list >= columns.len()) {
        return Err(BlockError::Malformed);
    }
    let lists = columns.iter().map(|_| Recent::new()).collect();
    Ok(Group { kind, schema, columns, lists })
}

/// Lengths, then streams, to the end of the block; the salts come last.
fn read_streams<'a>(
    reader: &mut Reader<'a>,
    groups: &mut [Group<'a>],
) -> Result<(Vec<Reader<'a>>, Reader<'a>), BlockError> {
    let columns = groups.iter().flat_map(|group| &group.columns);
    let of_columns: usize = columns.map(|column| 1 + usize::from(column.coder.has_bytes())).sum();
    let lengths: Result<Vec<usize>, _> =
        (0..FIXED_STREAMS + of_columns + 1).map(|_| reader.len()).collect();
    let mut lengths = lengths?.into_iter();
    let mut next = || Ok(Reader::new(reader.take(lengths.next().ok_or(BlockError::Malformed)?)?));
    let fixed: Result<Vec<_>, BlockError> = (0..FIXED_STREAMS).map(|_| next()).collect();
    let fixed = fixed?;
    for column in groups.iter_mut().flat_map(|group| &mut group.columns) {
        column.numbers = next()?;
        if column.coder.has_bytes() {
            column.bytes = next()?;
        }
    }
    let salts = next()?;
    if reader.is_empty() { Ok((fixed, salts)) } else { Err(BlockError::Malformed) }
}

fn read_ids(
    fixed: &mut [Reader<'_>],
    tails: Vec<[u8; 8]>,
    count: usize,
) -> Result<Ids, BlockError> {
    let mut ids = Vec::with_capacity(count);
    let mut at = 0_u64;
    for _ in 0..count {
        at = at.wrapping_add(fixed[ID_STEPS].i64()?.cast_unsigned());
        let tail = tails.get(fixed[ID_TAILS].len()?).ok_or(BlockError::Malformed)?;
        ids.push(joined(at, *tail));
    }
    Ok(Ids { ids, tails })
}

impl Group<'_> {
    /// Puts together the payload of the group's next record, the block's
    /// entry `at`.
    fn read(&mut self, at: usize, ids: &Ids, out: &mut Vec<u8>) -> Result<(), BlockError> {
        let from = out.len();
        for column in &mut self.columns {
            let number = column.numbers.u64()?;
            if number == 0 {
                continue;
            }
            let tag = column.tag;
            match column.coder {
                Coder::Number => join(tag, number, &[], out),
                Coder::Id => join(tag, 0, &column.id(number, at, ids)?.0, out),
                Coder::Place => join(tag, 0, &column.place(number)?, out),
                Coder::Text => {
                    let list = &mut self.lists[column.list];
                    let code = usize::try_from(number).map_err(|_| BlockError::Malformed)?;
                    let text = match code.checked_sub(RECENT_MAX) {
                        None | Some(0) => list.take(code)?,
                        Some(length) => {
                            let text = column.bytes.take(length)?;
                            list.push(text);
                            text
                        }
                    };
                    join(tag, 0, text, out);
                }
                Coder::Rows => column.rows(number, out)?,
            }
            if out.len() - from > PAYLOAD_BYTES_MAX {
                return Err(BlockError::TooLarge);
            }
        }
        Ok(())
    }
}

impl Column<'_> {
    fn id(&mut self, number: u64, at: usize, ids: &Ids) -> Result<RecordId, BlockError> {
        let id = match number {
            1 => self.last_id.ok_or(BlockError::Malformed)?,
            2 => {
                let tail = ids.tails.get(self.numbers.len()?).ok_or(BlockError::Malformed)?;
                let step = unzigzag(self.numbers.u64()?).cast_unsigned();
                joined(front(ids.ids[at]).wrapping_add(step), *tail)
            }
            _ => {
                let place = (at as i64).checked_add(unzigzag(number - 3));
                let place = place.and_then(|place| usize::try_from(place).ok());
                *place.and_then(|place| ids.ids.get(place)).ok_or(BlockError::Malformed)?
            }
        };
        self.last_id = Some(id);
        Ok(id)
    }

    fn place(&mut self, number: u64) -> Result<[u8; 18], BlockError> {
        let lat = self.last_place[0].wrapping_add(unzigzag(number - 1));
        let lon = self.last_place[1].wrapping_add(unzigzag(self.numbers.u64()?));
        self.last_place = [lat, lon];
        Ok(place_bytes(self.last_place))
    }

    fn rows(&mut self, count: u64, out: &mut Vec<u8>) -> Result<(), BlockError> {
        for _ in 0..count {
            match self.tag & 7 {
                VARINT => join(self.tag, self.numbers.u64()?, &[], out),
                BYTES => {
                    let length = self.numbers.len()?;
                    join(self.tag, 0, self.bytes.take(length)?, out);
                }
                FIXED64 => join(self.tag, 0, self.bytes.take(8)?, out),
                _ => join(self.tag, 0, self.bytes.take(4)?, out),
            }
        }
        Ok(())
    }
}
