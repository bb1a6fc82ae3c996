//! What a workbook unpacks to, looked at before its reader sees it.
//!
//! An XLSX is a ZIP of XML files. A few kilobytes of it can unpack to
//! gigabytes, and a number in its head can make a reader ask for more memory
//! than there is, which ends the process. Both are found here, by unpacking
//! every part once into nothing.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::limits::{PARTS_MAX, SHARED_TEXTS_MAX, UNPACKED_BYTES_MAX};
use super::refused::SheetRefused;

/// Refuses a workbook that is damaged or unpacks to too much.
pub(super) fn check(content: &[u8]) -> Result<(), SheetRefused> {
    let mut archive = ZipArchive::new(Cursor::new(content)).map_err(|_| SheetRefused::Damaged)?;
    if archive.len() > PARTS_MAX {
        return Err(SheetRefused::TooManyBytes);
    }
    let declared = archive.decompressed_size().unwrap_or(0);
    if declared > u128::from(UNPACKED_BYTES_MAX) {
        return Err(SheetRefused::TooManyBytes);
    }
    let mut left = UNPACKED_BYTES_MAX;
    for at in 0..archive.len() {
        let mut part = archive.by_index(at).map_err(|_| SheetRefused::Damaged)?;
        unpack(&mut part, &mut left)?;
    }
    Ok(())
}

fn unpack(part: &mut impl Read, left: &mut u64) -> Result<(), SheetRefused> {
    let mut window = [0_u8; OVERLAP + CHUNK];
    let mut kept = 0;
    loop {
        let read = part.read(&mut window[kept..kept + CHUNK]).map_err(|_| SheetRefused::Damaged)?;
        if read == 0 {
            return Ok(());
        }
        *left = left.checked_sub(read as u64).ok_or(SheetRefused::TooManyBytes)?;
        let seen = &window[..kept + read];
        if announces_too_many_texts(seen) {
            return Err(SheetRefused::TooManyBytes);
        }
        let keep = seen.len().min(OVERLAP);
        let from = seen.len() - keep;
        window.copy_within(from..from + keep, 0);
        kept = keep;
    }
}

const CHUNK: usize = 32 << 10;

/// Longer than the attribute's name, its number and some spaces, so that one
/// cut in two by a chunk's end is still seen whole.
const OVERLAP: usize = 128;

/// Whether `uniqueCount="..."`, by which the reader makes room, is beyond
/// anything a real sheet holds.
fn announces_too_many_texts(xml: &[u8]) -> bool {
    const NAME: &[u8] = b"uniqueCount";
    xml.windows(NAME.len()).enumerate().filter(|(_, window)| *window == NAME).any(|(at, _)| {
        let after = xml[at + NAME.len()..].iter().take(OVERLAP - NAME.len());
        let digits = after
            .copied()
            .skip_while(|byte| {
                matches!(byte, b'=' | b'"' | b'\'' | b' ' | b'\t' | b'\r' | b'\n' | b'+')
            })
            .take_while(u8::is_ascii_digit);
        let count = digits.fold(0_u64, |count, digit| {
            count.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
        });
        count > SHARED_TEXTS_MAX
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_as_they_unpack() {
        let mut left = 100_000;
        let part = vec![b' '; 90_000];
        assert_eq!(unpack(&mut part.as_slice(), &mut left), Ok(()));
        assert_eq!(left, 10_000);
        assert_eq!(unpack(&mut part.as_slice(), &mut left), Err(SheetRefused::TooManyBytes));
    }

    #[test]
    fn a_promise_is_seen_wherever_a_chunk_ends() {
        let promise = br#"<sst count="3" uniqueCount = "99999999999">"#;
        for before in (CHUNK - 60)..(CHUNK + 20) {
            let mut part = vec![b' '; before];
            part.extend(promise);
            part.extend(vec![b' '; CHUNK]);
            let seen = unpack(&mut part.as_slice(), &mut { UNPACKED_BYTES_MAX });
            assert_eq!(seen, Err(SheetRefused::TooManyBytes), "{before} bytes before");
        }
        let honest = br#"<sst count="3" uniqueCount="8000000">"#;
        assert_eq!(unpack(&mut honest.as_slice(), &mut { UNPACKED_BYTES_MAX }), Ok(()));
    }
}
