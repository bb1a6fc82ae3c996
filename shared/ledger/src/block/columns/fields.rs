//! A payload taken apart into its fields, by protobuf's wire format alone.

use crate::varint::write_u64;

/// Wire types of protobuf.
pub(super) const VARINT: u32 = 0;
pub(super) const FIXED64: u32 = 1;
pub(super) const BYTES: u32 = 2;
pub(super) const FIXED32: u32 = 5;

/// One field as it stands in a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Field number and wire type, as on the wire.
    pub(super) tag: u32,
    /// The value of a varint; 0 otherwise.
    pub(super) number: u64,
    /// Where the value's bytes lie in the payload (empty for a varint).
    pub(super) from: u32,
    pub(super) to: u32,
}

impl Field {
    pub(super) fn bytes<'a>(&self, payload: &'a [u8]) -> &'a [u8] {
        payload.get(self.from as usize..self.to as usize).unwrap_or_default()
    }
}

/// Takes `payload` apart. False, and `fields` unchanged, when putting the
/// fields together in this order would not give the same bytes back: the
/// payload is not such a message, fields are out of order, or a number is
/// written longer than needed.
pub(super) fn split(payload: &[u8], fields: &mut Vec<Field>) -> bool {
    let kept = fields.len();
    let mut at = 0;
    let mut last = 0;
    while at < payload.len() {
        match next(payload, &mut at) {
            Some(field) if field.tag >= last => {
                last = field.tag;
                fields.push(field);
            }
            _ => {
                fields.truncate(kept);
                return false;
            }
        }
    }
    true
}

fn next(payload: &[u8], at: &mut usize) -> Option<Field> {
    let tag = u32::try_from(varint(payload, at)?).ok()?;
    let mut field = Field { tag, number: 0, from: 0, to: 0 };
    let length = match tag & 7 {
        VARINT => {
            field.number = varint(payload, at)?;
            return Some(field);
        }
        FIXED64 => 8,
        FIXED32 => 4,
        BYTES => usize::try_from(varint(payload, at)?).ok()?,
        _ => return None,
    };
    let to = at.checked_add(length).filter(|to| *to <= payload.len())?;
    field.from = u32::try_from(*at).ok()?;
    field.to = u32::try_from(to).ok()?;
    *at = to;
    Some(field)
}

/// A number in its shortest form; nothing for any other.
fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return (bits != 0 || shift == 0).then_some(value);
        }
    }
    None
}

/// Puts one field back.
pub(super) fn join(tag: u32, number: u64, bytes: &[u8], out: &mut Vec<u8>) {
    write_u64(u64::from(tag), out);
    match tag & 7 {
        VARINT => write_u64(number, out),
        BYTES => {
            write_u64(bytes.len() as u64, out);
            out.extend_from_slice(bytes);
        }
        _ => out.extend_from_slice(bytes),
    }
}
