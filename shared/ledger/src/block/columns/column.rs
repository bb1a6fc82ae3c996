//! One field of all records of a group: how its values become one stream of
//! numbers and, for texts and rows, one of bytes.
//!
//! Every record has exactly one number first in the numbers stream; 0 means
//! that the field is absent.
//! * `Number`: the varint itself. protobuf never writes a zero.
//! * `Id`: 1 = as in the record before; 2 = by its halves: tail number, then
//!   step from the own id; from 3 on a record of this block, by distance.
//! * `Text`: 1 to [`RECENT_MAX`] = that far back in the column's list of
//!   recent texts; above, the length, and the text in the bytes stream.
//! * `Place`: a message of two doubles that are decimals of six places: each
//!   as its step from the place before.
//! * `Rows`: how many values, then each as it stands on the wire: what none
//!   of the others can hold.

use crate::block::BlockError;

/// How many recent texts a list remembers.
pub(super) const RECENT_MAX: usize = 24;

/// How the values of a column are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Coder {
    Number = 0,
    Id = 1,
    Text = 2,
    Place = 3,
    Rows = 4,
}

impl Coder {
    pub(super) const fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            0 => Self::Number,
            1 => Self::Id,
            2 => Self::Text,
            3 => Self::Place,
            4 => Self::Rows,
            _ => return None,
        })
    }

    /// Whether it has a stream of bytes beside the one of numbers.
    pub(super) const fn has_bytes(self) -> bool {
        matches!(self, Self::Text | Self::Rows)
    }
}

/// Texts that came lately, latest first, each once.
#[derive(Clone, Debug)]
pub(super) struct Recent<'a> {
    texts: Vec<&'a [u8]>,
}

impl<'a> Recent<'a> {
    pub(super) fn new() -> Self {
        Self { texts: Vec::with_capacity(RECENT_MAX + 1) }
    }

    /// How far back `text` is (1 = latest), if it is; it becomes the latest.
    pub(super) fn find(&mut self, text: &'a [u8]) -> Option<usize> {
        let found = self.texts.iter().rev().position(|known| *known == text);
        match found {
            Some(back) => {
                let at = self.texts.len() - 1 - back;
                self.texts[at..].rotate_left(1);
            }
            None => self.push(text),
        }
        found.map(|back| back + 1)
    }

    /// The text so far back; it becomes the latest.
    pub(super) fn take(&mut self, back: usize) -> Result<&'a [u8], BlockError> {
        let at = self.texts.len().checked_sub(back).ok_or(BlockError::Malformed)?;
        let text = *self.texts.get(at).ok_or(BlockError::Malformed)?;
        self.texts[at..].rotate_left(1);
        Ok(text)
    }

    /// A text that is not among them becomes the latest.
    pub(super) fn push(&mut self, text: &'a [u8]) {
        if self.texts.len() == RECENT_MAX {
            self.texts.remove(0);
        }
        self.texts.push(text);
    }
}

/// Units of a place's step.
const PER_DEGREE: f64 = 1e6;
/// Whole numbers up to here are exact in a double.
const UNITS_MAX: f64 = 4_503_599_627_370_496.0;

/// A place as millionths of a degree, if its bytes are what these give back.
pub(super) fn place(bytes: &[u8]) -> Option<[i64; 2]> {
    let double = |from: usize| {
        let bytes: [u8; 8] = bytes.get(from..from + 8)?.try_into().ok()?;
        let double = f64::from_le_bytes(bytes);
        let units = (double * PER_DEGREE).round();
        let exact = (units / PER_DEGREE).to_bits() == double.to_bits();
        (exact && units.abs() <= UNITS_MAX).then_some(units as i64)
    };
    let framed = bytes.len() == PLACE_BYTES && bytes[0] == FIRST && bytes[9] == SECOND;
    if framed { Some([double(1)?, double(10)?]) } else { None }
}

/// The bytes of a place.
pub(super) fn place_bytes(units: [i64; 2]) -> [u8; PLACE_BYTES] {
    let mut bytes = [0; PLACE_BYTES];
    bytes[0] = FIRST;
    bytes[1..9].copy_from_slice(&(units[0] as f64 / PER_DEGREE).to_le_bytes());
    bytes[9] = SECOND;
    bytes[10..].copy_from_slice(&(units[1] as f64 / PER_DEGREE).to_le_bytes());
    bytes
}

const PLACE_BYTES: usize = 18;
/// Tags of a message's first and second field as doubles.
const FIRST: u8 = 0x09;
const SECOND: u8 = 0x11;

pub(super) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

pub(super) const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}
