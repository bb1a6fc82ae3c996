//! Entries → a block of columns.

use std::collections::HashMap;
use std::sync::Arc;

use lumbung_domain::id::{KindCode, RecordId};

use super::column::{Coder, RECENT_MAX, Recent, place, zigzag};
use super::fields::{BYTES, Field, VARINT, split};
use super::{
    Body, FIXED_STREAMS, ID_STEPS, ID_TAILS, MAGIC, OPAQUE_BYTES, OPAQUE_LENGTHS,
    PAYLOADS_BYTES_MAX, SHAPES, TIMES, front, tail,
};
use crate::block::{ENTRIES_MAX, PAYLOAD_BYTES_MAX, actor_table};
use crate::chain::ACTOR_BYTES_MAX;
use crate::entry::{Entry, Payload};
use crate::varint::{write_i64, write_u64};

/// Records looked at when a column's list is chosen.
const LOOKED_AT: usize = 64;

/// Texts shorter than this on average don't look for another column's list.
const SHARED_FROM_BYTES: usize = 8;

/// A block and where in it the kind of bytes changes: a compressor that
/// begins anew there (same window, new statistics) does better.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// The block.
    pub bytes: Vec<u8>,
    /// Rising offsets into `bytes`.
    pub cuts: Vec<usize>,
}

/// What of a header repeats from entry to entry.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    kind: u16,
    schema: u16,
    packed: u64,
    actor: usize,
    body: Body,
}

/// The records of one kind and schema that were taken apart.
#[derive(Default)]
struct Group<'a> {
    kind: u16,
    schema: u16,
    fields: Vec<Field>,
    records: Vec<Record<'a>>,
    columns: Vec<Column>,
}

struct Record<'a> {
    /// Its place in the block.
    at: usize,
    payload: &'a [u8],
    /// Where its fields end in the group's.
    until: usize,
}

struct Column {
    tag: u32,
    coder: Coder,
    /// Whose list of recent texts it uses.
    list: usize,
    texts: usize,
    text_bytes: usize,
    last_id: Option<RecordId>,
    last_place: [i64; 2],
    numbers: Vec<u8>,
    bytes: Vec<u8>,
}

/// The ids of a block: where each record stands, and the tails they share.
struct Ids {
    places: HashMap<RecordId, usize>,
    tails: Vec<[u8; 8]>,
    numbers: HashMap<[u8; 8], usize>,
}

impl Ids {
    fn tail(&mut self, tail: [u8; 8]) -> u64 {
        let Self { tails, numbers, .. } = self;
        let number = *numbers.entry(tail).or_insert_with(|| {
            tails.push(tail);
            tails.len() - 1
        });
        number as u64
    }
}

/// Encodes consecutive entries. `None` when there is nothing to encode, the
/// numbers are not consecutive, or a limit is exceeded.
#[must_use]
pub fn encode(entries: &[Entry]) -> Option<Encoded> {
    let first = entries.first()?.header.seq;
    let payload_bytes: usize = entries.iter().map(|entry| entry.size() - 64).sum();
    if entries.len() > ENTRIES_MAX || payload_bytes > PAYLOADS_BYTES_MAX {
        return None;
    }
    let places = entries.iter().enumerate().map(|(at, entry)| (entry.header.id, at)).collect();
    let mut ids = Ids { places, tails: Vec::new(), numbers: HashMap::new() };
    let actors = actor_table(entries);
    let mut shapes: Vec<Shape> = Vec::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut streams: Vec<Vec<u8>> = vec![Vec::new(); FIXED_STREAMS];
    let mut salts = Vec::with_capacity(entries.len() * 8);
    let (mut expected, mut time_ms, mut id) = (first, 0_i64, RecordId::default());
    for (at, entry) in entries.iter().enumerate() {
        let header = &entry.header;
        if header.seq != expected || header.actor.len() > ACTOR_BYTES_MAX {
            return None;
        }
        expected = expected.next();
        let body = body(entry, at, &mut groups, &mut streams, &mut salts)?;
        let shape = Shape {
            kind: header.kind.0,
            schema: header.schema,
            packed: header.operation as u64 | u64::from(header.source.0) << 2,
            actor: actors.iter().position(|name| **name == *header.actor)?,
            body,
        };
        let number = shapes.iter().rposition(|known| *known == shape).unwrap_or_else(|| {
            shapes.push(shape);
            shapes.len() - 1
        });
        write_u64(number as u64, &mut streams[SHAPES]);
        write_i64(header.time_ms.wrapping_sub(time_ms), &mut streams[TIMES]);
        time_ms = header.time_ms;
        let step = front(header.id).wrapping_sub(front(id)).cast_signed();
        write_i64(step, &mut streams[ID_STEPS]);
        write_u64(ids.tail(tail(header.id)), &mut streams[ID_TAILS]);
        id = header.id;
    }
    for group in &mut groups {
        group.find_columns();
        group.fill(entries, &mut ids);
    }
    let mut out = Vec::with_capacity(64 + payload_bytes);
    out.extend_from_slice(&MAGIC);
    write_u64(entries.len() as u64, &mut out);
    write_u64(first.0, &mut out);
    write_tables(&actors, &ids.tails, &shapes, &groups, &mut out);
    for column in groups.into_iter().flat_map(|group| group.columns) {
        streams.push(column.numbers);
        if column.coder.has_bytes() {
            streams.push(column.bytes);
        }
    }
    streams.push(salts);
    Some(assemble(out, &streams))
}

/// The tables, then the lengths, then the streams, cut between them.
fn assemble(mut bytes: Vec<u8>, streams: &[Vec<u8>]) -> Encoded {
    for stream in streams {
        write_u64(stream.len() as u64, &mut bytes);
    }
    let mut cuts = Vec::with_capacity(streams.len());
    for stream in streams {
        cuts.push(bytes.len());
        bytes.extend_from_slice(stream);
    }
    Encoded { bytes, cuts }
}

/// Files an entry's payload where it belongs. `None` when it is too large.
fn body<'a>(
    entry: &'a Entry,
    at: usize,
    groups: &mut Vec<Group<'a>>,
    streams: &mut [Vec<u8>],
    salts: &mut Vec<u8>,
) -> Option<Body> {
    let payload = match &entry.payload {
        Payload::Withheld { digest } => {
            salts.extend_from_slice(digest);
            return Some(Body::Withheld);
        }
        Payload::Present { salt, bytes } => {
            salts.extend_from_slice(&salt.0);
            bytes
        }
    };
    if payload.len() > PAYLOAD_BYTES_MAX {
        return None;
    }
    let (KindCode(kind), schema) = (entry.header.kind, entry.header.schema);
    let same = |group: &Group<'_>| group.kind == kind && group.schema == schema;
    let number = groups.iter().position(same).unwrap_or_else(|| {
        groups.push(Group { kind, schema, ..Group::default() });
        groups.len() - 1
    });
    let group = &mut groups[number];
    if !payload.is_empty() && split(payload, &mut group.fields) {
        group.records.push(Record { at, payload, until: group.fields.len() });
        return Some(Body::Fields);
    }
    write_u64(payload.len() as u64, &mut streams[OPAQUE_LENGTHS]);
    streams[OPAQUE_BYTES].extend_from_slice(payload);
    Some(Body::Opaque)
}

fn write_tables(
    actors: &[Arc<str>],
    tails: &[[u8; 8]],
    shapes: &[Shape],
    groups: &[Group<'_>],
    out: &mut Vec<u8>,
) {
    write_u64(actors.len() as u64, out);
    for actor in actors {
        write_u64(actor.len() as u64, out);
        out.extend_from_slice(actor.as_bytes());
    }
    write_u64(tails.len() as u64, out);
    out.extend(tails.iter().flatten());
    write_u64(shapes.len() as u64, out);
    for shape in shapes {
        write_u64(u64::from(shape.kind), out);
        write_u64(u64::from(shape.schema), out);
        write_u64(shape.packed, out);
        write_u64(shape.actor as u64, out);
        out.push(shape.body as u8);
    }
    write_u64(groups.len() as u64, out);
    for group in groups {
        write_u64(u64::from(group.kind), out);
        write_u64(u64::from(group.schema), out);
        write_u64(group.columns.len() as u64, out);
        for column in &group.columns {
            write_u64(u64::from(column.tag), out);
            out.push(column.coder as u8);
            if column.coder == Coder::Text {
                write_u64(column.list as u64, out);
            }
        }
    }
}

impl Group<'_> {
    /// Which columns there are, and how each is written.
    fn find_columns(&mut self) {
        let mut from = 0;
        for record in &self.records {
            let mut last = None;
            let mut at = 0;
            for field in &self.fields[from..record.until] {
                let number = loop {
                    match self.columns.get(at) {
                        Some(column) if column.tag < field.tag => at += 1,
                        Some(column) if column.tag == field.tag => break at,
                        _ => {
                            self.columns.insert(at, Column::new(field.tag));
                            break at;
                        }
                    }
                };
                let repeated = last == Some(field.tag);
                last = Some(field.tag);
                self.columns[number].suit(field, field.bytes(record.payload), repeated);
            }
            from = record.until;
        }
        self.share_lists();
    }

    /// Gives a text column another's list when that one's recent texts come
    /// again in it: a parent's name has just been a resident's.
    fn share_lists(&mut self) {
        for number in 0..self.columns.len() {
            self.columns[number].list = number;
            let long = |column: &Column| {
                column.coder == Coder::Text && column.text_bytes >= SHARED_FROM_BYTES * column.texts
            };
            if !long(&self.columns[number]) {
                continue;
            }
            let hits = |of| self.hits(number, of);
            let own = hits(number);
            let best = (0..number)
                .filter(|of| long(&self.columns[*of]) && self.columns[*of].list == *of)
                .map(|of| (hits(of), of))
                .max();
            if let Some((others, of)) = best
                && others > own
            {
                self.columns[number].list = of;
            }
        }
    }

    /// How often a text of column `number` is a recent one of column `of`,
    /// among the first records.
    fn hits(&self, number: usize, of: usize) -> usize {
        let mut recent = Recent::new();
        let mut hits = 0;
        let mut from = 0;
        for record in self.records.iter().take(LOOKED_AT) {
            let fields = &self.fields[from..record.until];
            from = record.until;
            let text = |column: usize| {
                let tag = self.columns[column].tag;
                let field = fields.iter().find(|field| field.tag == tag)?;
                Some(field.bytes(record.payload))
            };
            if number != of
                && let Some(text) = text(of)
            {
                recent.find(text);
            }
            if let Some(text) = text(number) {
                hits += usize::from(recent.find(text).is_some());
            }
        }
        hits
    }

    /// Writes every record's fields into the columns' streams.
    fn fill(&mut self, entries: &[Entry], ids: &mut Ids) {
        let mut lists: Vec<_> = self.columns.iter().map(|_| Recent::new()).collect();
        let mut from = 0;
        for record in &self.records {
            let mut fields = &self.fields[from..record.until];
            from = record.until;
            let own = entries[record.at].header.id;
            for column in &mut self.columns {
                let here = fields.iter().take_while(|field| field.tag == column.tag).count();
                let (values, rest) = fields.split_at(here);
                fields = rest;
                match values {
                    [] => column.numbers.push(0),
                    [field, ..] if column.coder != Coder::Rows => {
                        let bytes = field.bytes(record.payload);
                        match column.coder {
                            Coder::Number => write_u64(field.number, &mut column.numbers),
                            Coder::Id => column.write_id(bytes, record.at, own, ids),
                            Coder::Place => column.write_place(bytes),
                            _ => column.write_text(bytes, &mut lists),
                        }
                    }
                    rows => column.write_rows(rows, record.payload),
                }
            }
        }
    }
}

/// Whether bytes look like an id as villages mint them.
fn is_id(bytes: &[u8]) -> bool {
    bytes.len() == 16 && bytes[6] & 0xf0 == 0x80 && bytes[8] & 0xc0 == 0x80
}

impl Column {
    fn new(tag: u32) -> Self {
        let coder = match tag & 7 {
            VARINT => Coder::Number,
            BYTES => Coder::Id,
            _ => Coder::Rows,
        };
        Self {
            tag,
            coder,
            list: 0,
            texts: 0,
            text_bytes: 0,
            last_id: None,
            last_place: [0; 2],
            numbers: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// Falls back to the first coder that can hold this value too.
    fn suit(&mut self, field: &Field, bytes: &[u8], repeated: bool) {
        let first = self.texts == 0;
        self.texts += 1;
        self.text_bytes += bytes.len();
        let fits = |coder| match coder {
            Coder::Number => field.number != 0,
            Coder::Id => is_id(bytes),
            Coder::Place => place(bytes).is_some(),
            Coder::Text => !bytes.is_empty(),
            Coder::Rows => true,
        };
        if repeated || !fits(self.coder) {
            self.coder = match self.coder {
                _ if repeated => Coder::Rows,
                Coder::Id if first && fits(Coder::Place) => Coder::Place,
                Coder::Id | Coder::Place if fits(Coder::Text) => Coder::Text,
                _ => Coder::Rows,
            };
        }
    }

    fn write_id(&mut self, bytes: &[u8], at: usize, own: RecordId, ids: &mut Ids) {
        let Some(id) = RecordId::from_slice(bytes) else { return };
        if self.last_id == Some(id) {
            self.numbers.push(1);
        } else if let Some(place) = ids.places.get(&id) {
            let distance = *place as i64 - at as i64;
            write_u64(zigzag(distance) + 3, &mut self.numbers);
        } else {
            self.numbers.push(2);
            write_u64(ids.tail(tail(id)), &mut self.numbers);
            let step = front(id).wrapping_sub(front(own)).cast_signed();
            write_u64(zigzag(step), &mut self.numbers);
        }
        self.last_id = Some(id);
    }

    fn write_place(&mut self, bytes: &[u8]) {
        let Some(units) = place(bytes) else { return };
        write_u64(zigzag(units[0] - self.last_place[0]) + 1, &mut self.numbers);
        write_u64(zigzag(units[1] - self.last_place[1]), &mut self.numbers);
        self.last_place = units;
    }

    fn write_text<'a>(&mut self, text: &'a [u8], lists: &mut [Recent<'a>]) {
        match lists[self.list].find(text) {
            Some(back) => write_u64(back as u64, &mut self.numbers),
            None => {
                write_u64((text.len() + RECENT_MAX) as u64, &mut self.numbers);
                self.bytes.extend_from_slice(text);
            }
        }
    }

    fn write_rows(&mut self, rows: &[Field], payload: &[u8]) {
        write_u64(rows.len() as u64, &mut self.numbers);
        for field in rows {
            let bytes = field.bytes(payload);
            match self.tag & 7 {
                VARINT => write_u64(field.number, &mut self.numbers),
                BYTES => write_u64(bytes.len() as u64, &mut self.numbers),
                _ => {}
            }
            self.bytes.extend_from_slice(bytes);
        }
    }
}
