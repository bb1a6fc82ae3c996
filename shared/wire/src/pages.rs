//! Pages of records on their way back to a village, compressed as runs are.

use bytes::Bytes;
use lumbung_proto::v1;
use prost::Message as _;

use crate::batch::{BatchError, RAW_BYTES_MAX};
use crate::codec;

/// Packs a page.
#[must_use]
pub fn pack(records: &v1::RestoreRecords) -> v1::RestorePage {
    let raw = records.encode_to_vec();
    match codec::deflate_columns(&raw, &[]) {
        Some(payload) => v1::RestorePage { payload, compressed: true },
        None => v1::RestorePage { payload: Bytes::from(raw), compressed: false },
    }
}

/// The records on a page.
///
/// # Errors
/// [`BatchError`] when it is damaged or too large.
pub fn unpack(page: &v1::RestorePage) -> Result<Vec<v1::RestoreRecord>, BatchError> {
    let raw = match page.compressed {
        true => codec::inflate(&page.payload, None)?,
        false if page.payload.len() > RAW_BYTES_MAX => return Err(BatchError::TooLarge),
        false => page.payload.clone(),
    };
    let records = v1::RestoreRecords::decode(raw).map_err(|_| BatchError::Damaged)?;
    Ok(records.records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shrinks_and_comes_back_whole_and_a_damaged_one_does_not() {
        let record = |seq| v1::RestoreRecord {
            id: Bytes::copy_from_slice(&[7; 16]),
            seq,
            actor: "uji".to_owned(),
            payload: Bytes::from_static(b"isi yang berulang, isi yang berulang"),
            ..v1::RestoreRecord::default()
        };
        let records = v1::RestoreRecords { records: (1..=300).map(record).collect() };
        let page = pack(&records);
        assert!(page.compressed && page.payload.len() < records.encoded_len() / 5);
        assert_eq!(unpack(&page), Ok(records.records));
        let cut = page.payload.slice(..page.payload.len() / 2);
        let cut = v1::RestorePage { payload: cut, ..page };
        assert_eq!(unpack(&cut), Err(BatchError::Damaged));
        let empty = v1::RestoreRecords::default();
        assert_eq!(unpack(&pack(&empty)), Ok(Vec::new()));
    }
}
