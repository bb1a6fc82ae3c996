//! The outside of every medium: a readable preamble, then the sealed stream.
//!
//! Preamble: magic (7 bytes), kind (1), version (2), size of the whole file
//! (8), size of the locked key (4), locked key; numbers little-endian. The
//! size is written last and tells a copy that was cut off from one that was
//! changed; the rest is covered by the digest inside.

use std::io::{self, Read, Seek, SeekFrom, Write};

use age::stream::{StreamReader, StreamWriter};
use age::{DecryptError, Decryptor, Encryptor};
use lumbung_identity::{Key, PublicKey as IdentityKey};
use lumbung_proto::v1;
use lumbung_wire::batch::BatchError;
use prost::Message;

use crate::frame::{Frames, Tag};
use crate::key::{Passphrase, PublicKey, SecretKey};

const MAGIC: &[u8; 7] = b"LUMBUNG";
const VERSION: u16 = 1;

/// Magic, kind, version.
const NAME_BYTES: usize = 10;

/// Largest locked key: an age file with one short line takes about 400.
const LOCKED_BYTES_MAX: usize = 4 * 1024;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediumKind {
    /// A village's whole log.
    Backup = 1,
    /// Changes on their way to the district.
    Bundle = 2,
    /// The district's answer.
    Answer = 3,
    /// Everything a hub keeps.
    HubBackup = 4,
}

/// Why a medium can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// Not such a file.
    #[error("not a file of this kind")]
    OtherKind,
    /// Written by a newer version.
    #[error("written by a newer version")]
    NewerVersion,
    /// Shorter than it says: the copy was cut off.
    #[error("the file is cut off")]
    CutOff,
    /// Bytes have changed.
    #[error("the file is damaged: {0}")]
    Damaged(&'static str),
    /// Sealed to somebody else.
    #[error("the file is sealed to another key")]
    OtherKey,
    /// The passphrase is another one, or the locked key has changed.
    #[error("the passphrase does not open the file")]
    WrongPassphrase,
    /// The file was written without a passphrase.
    #[error("the file has no passphrase")]
    NoPassphrase,
    /// A frame is larger than allowed.
    #[error("a part of the file is larger than allowed")]
    TooLarge,
    /// A batch does not prove itself.
    #[error("a batch in the file is refused")]
    Batch(#[from] BatchError),
    /// The signing key fails.
    #[error("the file can't be signed")]
    Unsigned(#[source] lumbung_identity::KeyError),
    /// Reading or writing failed.
    #[error("the file can't be read or written")]
    Io(#[source] io::Error),
}

impl From<io::Error> for MediaError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::CutOff,
            // What age says of a chunk that does not authenticate.
            io::ErrorKind::InvalidData => Self::Damaged("a part does not authenticate"),
            _ => Self::Io(error),
        }
    }
}

impl From<DecryptError> for MediaError {
    fn from(error: DecryptError) -> Self {
        match error {
            DecryptError::NoMatchingKeys => Self::OtherKey,
            DecryptError::Io(error) => error.into(),
            _ => Self::Damaged("the seal is broken"),
        }
    }
}

/// Whom a new medium is for.
#[derive(Clone, Debug, Default)]
pub struct Protection {
    /// Whoever holds one of these keys can open it.
    pub recipients: Vec<PublicKey>,
    /// Whoever knows this can, too.
    pub passphrase: Option<Passphrase>,
}

/// What a medium is opened with.
#[derive(Clone, Copy, Debug)]
pub enum Keys<'a> {
    /// A key it was sealed to.
    Secret(&'a SecretKey),
    /// The passphrase that locks its own key.
    Passphrase(&'a Passphrase),
}

/// A medium being written.
pub(crate) struct Sealing<W: Write> {
    frames: Frames<StreamWriter<W>>,
    start: u64,
    pub(crate) trailer: v1::MediumTrailer,
}

/// Begins a medium at the writer's place. `own` is a fresh key that opens
/// this medium only.
pub(crate) fn seal<W: Write + Seek>(
    kind: MediumKind,
    mut out: W,
    protection: &Protection,
    own: Option<&SecretKey>,
) -> Result<Sealing<W>, MediaError> {
    let start = out.stream_position()?;
    let locked = match (&protection.passphrase, own) {
        (Some(passphrase), Some(own)) => own.lock(passphrase)?,
        _ => Vec::new(),
    };
    let length = u32::try_from(locked.len()).map_err(|_| MediaError::TooLarge)?;
    let name = name(kind);
    out.write_all(&name)?;
    out.write_all(&[0; 8])?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(&locked)?;
    let own = own.map(SecretKey::public);
    let recipients = protection.recipients.iter().chain(&own);
    let recipients = recipients.map(|key| &key.0 as &dyn age::Recipient);
    let encryptor = Encryptor::with_recipients(recipients)
        .map_err(|error| MediaError::Io(io::Error::other(error)))?;
    let stream = encryptor.wrap_output(out)?;
    let frames = Frames::new(stream, &covered(&name, &locked));
    Ok(Sealing { frames, start, trailer: v1::MediumTrailer::default() })
}

impl<W: Write + Seek> Sealing<W> {
    pub(crate) fn header(&mut self, header: &impl Message) -> Result<(), MediaError> {
        self.header_bytes(&header.encode_to_vec())
    }

    pub(crate) fn header_bytes(&mut self, header: &[u8]) -> Result<(), MediaError> {
        self.frames.write(Tag::Header, header)
    }

    /// Adds content that stands for `entries` entries of the log.
    pub(crate) fn content(
        &mut self,
        tag: Tag,
        content: &[u8],
        entries: u64,
    ) -> Result<(), MediaError> {
        self.trailer.frames += 1;
        self.trailer.entries += entries;
        self.frames.write(tag, content)
    }

    /// Writes the trailer; gives what a signature must cover.
    pub(crate) fn close(&mut self) -> Result<[u8; 32], MediaError> {
        self.trailer.digest = self.frames.digest().to_vec().into();
        self.frames.write(Tag::Trailer, &self.trailer.encode_to_vec())?;
        Ok(self.frames.digest())
    }

    /// Adds a signature over `text`.
    pub(crate) fn sign(&mut self, text: &[u8], key: &Key) -> Result<(), MediaError> {
        let signature = key.sign(text).map_err(MediaError::Unsigned)?;
        let signature = v1::MediumSignature {
            key: key.public().0.to_vec().into(),
            signature: signature.into(),
        };
        self.signature(&signature)
    }

    /// Adds a signature that was made before.
    pub(crate) fn signature(&mut self, signature: &v1::MediumSignature) -> Result<(), MediaError> {
        self.frames.write(Tag::Signature, &signature.encode_to_vec())
    }

    /// Ends the file and says its size in the preamble. Not yet durable.
    pub(crate) fn finish(self) -> Result<W, MediaError> {
        let mut out = self.frames.stream.finish()?;
        let end = out.stream_position()?;
        out.seek(SeekFrom::Start(self.start + NAME_BYTES as u64))?;
        out.write_all(&(end - self.start).to_le_bytes())?;
        out.seek(SeekFrom::Start(end))?;
        out.flush()?;
        Ok(out)
    }
}

/// A medium being read.
pub(crate) struct Unsealing<R: Read> {
    frames: Frames<StreamReader<R>>,
    counted: v1::MediumTrailer,
}

/// What follows in a medium.
pub(crate) enum Part {
    Content(Tag, bytes::Bytes),
    /// The trailer came and all is complete; a signature must cover this.
    Complete([u8; 32]),
}

/// Opens a medium of `length` bytes.
pub(crate) fn open<R: Read>(
    kind: MediumKind,
    mut input: R,
    length: u64,
    keys: Keys<'_>,
) -> Result<Unsealing<R>, MediaError> {
    let mut name_found = [0; NAME_BYTES];
    input.read_exact(&mut name_found)?;
    if name_found[..8] != name(kind)[..8] {
        return Err(MediaError::OtherKind);
    }
    if u16::from_le_bytes([name_found[8], name_found[9]]) != VERSION {
        return Err(MediaError::NewerVersion);
    }
    let mut number = [0; 8];
    input.read_exact(&mut number)?;
    match u64::from_le_bytes(number) {
        told if told > length => return Err(MediaError::CutOff),
        told if told < length => return Err(MediaError::Damaged("longer than it says")),
        _ => {}
    }
    let mut number = [0; 4];
    input.read_exact(&mut number)?;
    let locked_bytes = u32::from_le_bytes(number) as usize;
    if locked_bytes > LOCKED_BYTES_MAX {
        return Err(MediaError::TooLarge);
    }
    let mut locked = vec![0; locked_bytes];
    input.read_exact(&mut locked)?;
    let key = match keys {
        Keys::Secret(key) => key.clone(),
        Keys::Passphrase(_) if locked.is_empty() => return Err(MediaError::NoPassphrase),
        Keys::Passphrase(passphrase) => {
            SecretKey::unlock(&locked, passphrase).ok_or(MediaError::WrongPassphrase)?
        }
    };
    let stream = Decryptor::new(input)?.decrypt(std::iter::once(&key.0 as _))?;
    let frames = Frames::new(stream, &covered(&name_found, &locked));
    Ok(Unsealing { frames, counted: v1::MediumTrailer::default() })
}

impl<R: Read> Unsealing<R> {
    pub(crate) fn header<M: Message + Default>(&mut self) -> Result<M, MediaError> {
        decode(self.header_bytes()?)
    }

    pub(crate) fn header_bytes(&mut self) -> Result<bytes::Bytes, MediaError> {
        match self.frames.read()? {
            (Tag::Header, content) => Ok(content),
            _ => Err(MediaError::Damaged("no header")),
        }
    }

    /// Notes entries that a content frame turned out to hold.
    pub(crate) fn count_entries(&mut self, entries: u64) {
        self.counted.entries += entries;
    }

    pub(crate) fn part(&mut self) -> Result<Part, MediaError> {
        let digest = self.frames.digest();
        match self.frames.read()? {
            (
                tag @ (Tag::Batch | Tag::CaughtUp | Tag::Parcel | Tag::Piece | Tag::Receipt),
                content,
            ) => {
                self.counted.frames += 1;
                Ok(Part::Content(tag, content))
            }
            (Tag::Trailer, content) => {
                let trailer: v1::MediumTrailer = decode(content)?;
                self.counted.digest = digest.to_vec().into();
                if trailer != self.counted {
                    return Err(MediaError::Damaged("the trailer says otherwise"));
                }
                Ok(Part::Complete(self.frames.digest()))
            }
            _ => Err(MediaError::Damaged("a frame out of place")),
        }
    }

    pub(crate) fn signature(&mut self) -> Result<v1::MediumSignature, MediaError> {
        match self.frames.read()? {
            (Tag::Signature, content) => decode(content),
            _ => Err(MediaError::Damaged("no signature")),
        }
    }

    /// A signature, or nothing when the medium ends without one.
    pub(crate) fn signature_or_end(&mut self) -> Result<Option<v1::MediumSignature>, MediaError> {
        match self.frames.read_or_end()? {
            None => Ok(None),
            Some((Tag::Signature, content)) => {
                self.frames.end()?;
                decode(content).map(Some)
            }
            Some(_) => Err(MediaError::Damaged("a frame out of place")),
        }
    }

    /// Nothing may follow.
    pub(crate) fn end(&mut self) -> Result<(), MediaError> {
        self.frames.end()
    }
}

pub(crate) fn decode<M: Message + Default>(content: bytes::Bytes) -> Result<M, MediaError> {
    M::decode(content).map_err(|_| MediaError::Damaged("a message can't be read"))
}

fn name(kind: MediumKind) -> [u8; NAME_BYTES] {
    let mut name = [0; NAME_BYTES];
    name[..7].copy_from_slice(MAGIC);
    name[7] = kind as u8;
    name[8..].copy_from_slice(&VERSION.to_le_bytes());
    name
}

/// What of the preamble the digest covers.
fn covered(name: &[u8; NAME_BYTES], locked: &[u8]) -> Vec<u8> {
    [name, locked].concat()
}

/// Whether the key that is named has signed the text.
pub(crate) fn is_signed(by: &v1::MediumSignature, text: &[u8]) -> bool {
    IdentityKey::from_slice(&by.key).is_some_and(|key| key.verifies(text, &by.signature))
}

/// What is signed: never mistaken for anything else that the key signs.
pub(crate) fn signed_text(kind: MediumKind, digest: [u8; 32]) -> Vec<u8> {
    let mut text = b"lumbung-medium-v1".to_vec();
    text.push(kind as u8);
    text.extend_from_slice(&digest);
    text
}
