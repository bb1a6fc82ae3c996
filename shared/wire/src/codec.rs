//! zstd frames as runs carry them: without the magic number, which says
//! nothing here, and with the size before compression, which bounds what a
//! hostile frame can make a reader allocate.

use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use zstd::bulk::{Compressor, Decompressor};
use zstd::stream::raw::{CParameter, Encoder, InBuffer, Operation, OutBuffer};
use zstd::zstd_safe;

use crate::batch::{BatchError, RAW_BYTES_MAX};
use crate::dictionary::Dictionary;

/// What every zstd frame begins with.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Columns this long get statistics of their own: about where a table of
/// them costs less than it saves.
const CUT_FROM_BYTES: usize = 1_000;

/// Columns up to this size travel over slow links, where a byte costs more
/// than a microsecond.
const SLOW_UPTO_BYTES: usize = 64 * 1024;

/// Levels for slow and for fast links. In columns, level 1 leaves as little
/// as level 3; rows are for links where a byte costs next to nothing.
const LEVEL_SLOW: i32 = 9;
const LEVEL_FAST: i32 = 1;

/// A stretch of equal bytes is compressed and flushed at once, at most about
/// three bytes more than without.
const FLUSH_BYTES: usize = 16;

// A compressor is megabytes of tables: made once, not once a batch, and kept
// once, not once a thread. A node rarely packs two batches at the same time.
static SMALL: Mutex<Option<(u32, Compressor<'static>)>> = Mutex::new(None);
static LARGE: Mutex<Option<(i32, Encoder<'static>)>> = Mutex::new(None);
static ROWS: Mutex<Option<Compressor<'static>>> = Mutex::new(None);

/// What is kept, for whoever takes it first.
fn take<T>(kept: &Mutex<Option<T>>) -> Option<T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn keep<T>(kept: &Mutex<Option<T>>, made: T) {
    *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
}

// A decompressor is small, and a hub uses several at the same time.
thread_local! {
    static INFLATE: RefCell<Option<Inflate>> = const { RefCell::new(None) };
}

struct Inflate {
    dictionary: Option<u32>,
    decompressor: Decompressor<'static>,
}

/// Compresses a small block with a dictionary. `None` when it does not shrink.
pub(crate) fn deflate_small(block: &[u8], dictionary: &'static Dictionary) -> Option<Bytes> {
    let kept = take(&SMALL).filter(|(id, _)| *id == dictionary.id());
    let mut compressor = match kept {
        Some((_, compressor)) => compressor,
        None => {
            let mut made = Compressor::with_prepared_dictionary(dictionary.encoder()).ok()?;
            // The run names it.
            made.set_parameter(CParameter::DictIdFlag(false)).ok()?;
            made
        }
    };
    let frame = compressor.compress(block).ok()?;
    keep(&SMALL, (dictionary.id(), compressor));
    without_magic(frame, block)
}

/// Compresses a block of columns; at each of `cuts` the statistics may begin
/// anew. `None` when it does not shrink.
pub(crate) fn deflate_columns(block: &[u8], cuts: &[usize]) -> Option<Bytes> {
    let level = if block.len() <= SLOW_UPTO_BYTES { LEVEL_SLOW } else { LEVEL_FAST };
    deflate_large(level, block, cuts)
}

/// Compresses a block of rows, quickly and in one piece: unlike the stream that
/// columns need, that copies nothing into a window of its own. `None` when it
/// does not shrink.
pub(crate) fn deflate_rows(block: &[u8]) -> Option<Bytes> {
    let mut compressor = match take(&ROWS) {
        Some(compressor) => compressor,
        None => Compressor::new(LEVEL_FAST).ok()?,
    };
    let frame = compressor.compress(block).ok()?;
    keep(&ROWS, compressor);
    without_magic(frame, block)
}

fn deflate_large(level: i32, block: &[u8], cuts: &[usize]) -> Option<Bytes> {
    let mut encoder = match take(&LARGE).filter(|(made, _)| *made == level) {
        Some((_, encoder)) => encoder,
        None => Encoder::new(level).ok()?,
    };
    // Whatever state a failure leaves behind is not carried on.
    let frame = cut(&mut encoder, block, cuts)?;
    keep(&LARGE, (level, encoder));
    without_magic(frame, block)
}

fn cut(encoder: &mut Encoder<'static>, block: &[u8], cuts: &[usize]) -> Option<Vec<u8>> {
    encoder.reinit().ok()?;
    encoder.set_pledged_src_size(Some(block.len() as u64)).ok()?;
    let room = zstd_safe::compress_bound(block.len()) + FLUSH_BYTES * (cuts.len() + 1);
    let mut out: Vec<u8> = Vec::with_capacity(room);
    let mut buffer = OutBuffer::around(&mut out);
    let mut from = 0;
    for to in cuts.iter().copied().chain([block.len()]) {
        // Short columns share a stretch with their neighbours.
        let last = to == block.len();
        if to.checked_sub(from)? < CUT_FROM_BYTES && !last {
            continue;
        }
        let mut input = InBuffer::around(block.get(from..to)?);
        while input.pos() < to - from {
            encoder.run(&mut input, &mut buffer).ok()?;
        }
        if !last && encoder.flush(&mut buffer).ok()? > 0 {
            return None;
        }
        from = to;
    }
    if encoder.finish(&mut buffer, false).ok()? > 0 {
        return None;
    }
    Some(out)
}

fn without_magic(frame: Vec<u8>, block: &[u8]) -> Option<Bytes> {
    let shrunk = frame.starts_with(&MAGIC) && frame.len() - MAGIC.len() < block.len();
    shrunk.then(|| Bytes::from(frame).slice(MAGIC.len()..))
}

/// The block behind a frame, which was made with `dictionary` or without one.
pub(crate) fn inflate(
    payload: &[u8],
    dictionary: Option<&'static Dictionary>,
) -> Result<Bytes, BatchError> {
    let mut frame = Vec::with_capacity(MAGIC.len() + payload.len());
    frame.extend_from_slice(&MAGIC);
    frame.extend_from_slice(payload);
    let size = zstd_safe::get_frame_content_size(&frame).map_err(|_| BatchError::Damaged)?;
    let size = size.and_then(|size| usize::try_from(size).ok()).ok_or(BatchError::Damaged)?;
    if size > RAW_BYTES_MAX {
        return Err(BatchError::TooLarge);
    }
    let id = dictionary.map(Dictionary::id);
    INFLATE.with_borrow_mut(|kept| {
        let inflate = match kept {
            Some(inflate) if inflate.dictionary == id => inflate,
            _ => {
                let made = match dictionary {
                    Some(known) => Decompressor::with_prepared_dictionary(known.decoder()),
                    None => Decompressor::new(),
                };
                let decompressor = made.map_err(|_| BatchError::Damaged)?;
                kept.insert(Inflate { dictionary: id, decompressor })
            }
        };
        let block = inflate.decompressor.decompress(&frame, size);
        let block = block.map_err(|_| BatchError::Damaged)?;
        if block.len() == size { Ok(block.into()) } else { Err(BatchError::Damaged) }
    })
}
