//! The frames inside a medium: tag (1 byte), length (4 bytes, little-endian),
//! content. A running digest covers every frame and the preamble.

use std::io::{self, Read, Write};

use bytes::Bytes;
use lumbung_wire::batch;

use crate::medium::MediaError;

/// Largest frame: the largest batch and what stands around it.
const FRAME_BYTES_MAX: usize = batch::RAW_BYTES_MAX + 64 * 1024;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    Header = 1,
    Batch = 2,
    CaughtUp = 3,
    Parcel = 4,
    Trailer = 5,
    Signature = 6,
    /// A piece of a file, compressed.
    Piece = 7,
    /// What became of what an answer handed back.
    Receipt = 8,
}

impl Tag {
    const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Header,
            2 => Self::Batch,
            3 => Self::CaughtUp,
            4 => Self::Parcel,
            5 => Self::Trailer,
            6 => Self::Signature,
            7 => Self::Piece,
            8 => Self::Receipt,
            _ => return None,
        })
    }
}

/// Writes frames into the sealed stream.
pub(crate) struct Frames<S> {
    pub(crate) stream: S,
    digest: blake3::Hasher,
}

impl<S> Frames<S> {
    /// Frames in `stream`; the digest begins with what it must cover besides.
    pub(crate) fn new(stream: S, covered: &[u8]) -> Self {
        let mut digest = blake3::Hasher::new_derive_key("lumbung medium v1");
        digest.update(covered);
        Self { stream, digest }
    }

    /// The digest over everything so far.
    pub(crate) fn digest(&self) -> [u8; 32] {
        *self.digest.finalize().as_bytes()
    }

    fn cover(&mut self, tag: u8, content: &[u8]) {
        let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
        self.digest.update(&[tag]).update(&length.to_le_bytes()).update(content);
    }
}

impl<S: Write> Frames<S> {
    pub(crate) fn write(&mut self, tag: Tag, content: &[u8]) -> Result<(), MediaError> {
        if content.len() > FRAME_BYTES_MAX {
            return Err(MediaError::TooLarge);
        }
        let length = u32::try_from(content.len()).map_err(|_| MediaError::TooLarge)?;
        self.stream.write_all(&[tag as u8])?;
        self.stream.write_all(&length.to_le_bytes())?;
        self.stream.write_all(content)?;
        self.cover(tag as u8, content);
        Ok(())
    }
}

impl<S: Read> Frames<S> {
    /// The next frame; a stream that ends here was cut off.
    pub(crate) fn read(&mut self) -> Result<(Tag, Bytes), MediaError> {
        let mut tag = [0];
        self.stream.read_exact(&mut tag)?;
        self.read_tagged(tag[0])
    }

    /// The next frame, or nothing when the stream ends here.
    pub(crate) fn read_or_end(&mut self) -> Result<Option<(Tag, Bytes)>, MediaError> {
        let mut tag = [0];
        match self.stream.read(&mut tag) {
            Ok(0) => Ok(None),
            Ok(_) => self.read_tagged(tag[0]).map(Some),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.read_or_end(),
            Err(error) => Err(error.into()),
        }
    }

    fn read_tagged(&mut self, tag: u8) -> Result<(Tag, Bytes), MediaError> {
        let mut head = [tag, 0, 0, 0, 0];
        self.stream.read_exact(&mut head[1..])?;
        // Every byte is authenticated: nothing but a later version wrote it.
        let tag = Tag::from_number(head[0]).ok_or(MediaError::NewerVersion)?;
        let [_, length @ ..] = head;
        let length = u32::from_le_bytes(length) as usize;
        if length > FRAME_BYTES_MAX {
            return Err(MediaError::TooLarge);
        }
        let mut content = Vec::new();
        // Memory grows with what really comes, not with what is claimed.
        self.stream.by_ref().take(length as u64).read_to_end(&mut content)?;
        if content.len() < length {
            return Err(MediaError::CutOff);
        }
        self.cover(head[0], &content);
        Ok((tag, content.into()))
    }

    /// The stream must end here.
    pub(crate) fn end(&mut self) -> Result<(), MediaError> {
        match self.stream.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(MediaError::Damaged("something after the end")),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.end(),
            Err(error) => Err(error.into()),
        }
    }
}
