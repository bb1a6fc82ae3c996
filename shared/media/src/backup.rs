//! A backup: a village's whole log from its first entry, as batches.
//!
//! Holds no keys, no counters and no witness: a restored village must notice
//! by itself that it may have gone back in time.
//!
//! The node signs what the backup holds and not how it is sealed, so that the
//! signature stays with a backup that is sealed anew. Backups of the first
//! versions carry none.

use std::io::{Read, Seek, Write};

use bytes::Bytes;
use lumbung_domain::region::VillageCode;
use lumbung_identity::{Key, PublicKey as IdentityKey};
use lumbung_ledger::{Epoch, Fingerprint, Position, Seq};
use lumbung_proto::v1;
use lumbung_wire::batch;
use prost::Message as _;

pub use lumbung_wire::batch::Verified;

use crate::frame::Tag;
use crate::key::SecretKey;
use crate::medium::{self, Keys, MediaError, MediumKind, Part, Protection, Sealing, Unsealing};

/// A backup being written.
pub struct BackupWriter<W: Write> {
    sealing: Sealing<W>,
    own: SecretKey,
    content: Content,
}

impl<W: Write + Seek> BackupWriter<W> {
    /// Begins a backup.
    ///
    /// # Errors
    /// [`MediaError`] when it can't be written.
    pub fn begin(
        out: W,
        header: &v1::BackupHeader,
        protection: &Protection,
    ) -> Result<Self, MediaError> {
        Self::begin_with(out, &header.encode_to_vec(), protection)
    }

    fn begin_with(out: W, header: &[u8], protection: &Protection) -> Result<Self, MediaError> {
        let own = SecretKey::generate();
        let mut sealing = medium::seal(MediumKind::Backup, out, protection, Some(&own))?;
        sealing.header_bytes(header)?;
        Ok(Self { sealing, own, content: Content::of(header) })
    }

    /// Adds the next batch.
    ///
    /// # Errors
    /// [`MediaError`] when it can't be written.
    pub fn batch(&mut self, batch: &v1::Batch) -> Result<(), MediaError> {
        self.batch_bytes(&batch.encode_to_vec(), u64::from(batch.count))
    }

    fn batch_bytes(&mut self, batch: &[u8], entries: u64) -> Result<(), MediaError> {
        self.content.cover(batch);
        self.sealing.content(Tag::Batch, batch, entries)
    }

    /// Ends the backup with the node's signature; not yet durable. The key
    /// given back opens this backup only, for the trial that must follow.
    ///
    /// # Errors
    /// [`MediaError`] when it can't be written.
    pub fn finish(mut self, node: &Key) -> Result<(W, SecretKey), MediaError> {
        self.sealing.close()?;
        self.sealing.sign(&self.content.signed_text(), node)?;
        Ok((self.sealing.finish()?, self.own))
    }

    /// Ends a backup of which there is a signature already, or none.
    pub(crate) fn finish_anew(
        mut self,
        signature: Option<&v1::MediumSignature>,
    ) -> Result<W, MediaError> {
        self.sealing.close()?;
        if let Some(signature) = signature {
            self.sealing.signature(signature)?;
        }
        self.sealing.finish()
    }
}

/// What a backup's signature covers: its header and batches, however sealed.
struct Content(blake3::Hasher);

impl Content {
    fn of(header: &[u8]) -> Self {
        let mut content = Self(blake3::Hasher::new_derive_key("lumbung backup content v1"));
        content.cover(header);
        content
    }

    fn cover(&mut self, part: &[u8]) {
        self.0.update(&(part.len() as u64).to_le_bytes()).update(part);
    }

    fn signed_text(&self) -> Vec<u8> {
        medium::signed_text(MediumKind::Backup, *self.0.finalize().as_bytes())
    }
}

/// A backup being read.
pub struct BackupReader<R: Read> {
    unsealing: Unsealing<R>,
    header: v1::BackupHeader,
    header_bytes: Bytes,
    content: Content,
    signature: Option<v1::MediumSignature>,
    village: VillageCode,
    head: Position,
    fingerprint: Fingerprint,
    reached: Position,
}

impl<R: Read> BackupReader<R> {
    /// Opens a backup of `length` bytes and reads its header.
    ///
    /// # Errors
    /// [`MediaError`] says why not.
    pub fn open(input: R, length: u64, keys: Keys<'_>) -> Result<Self, MediaError> {
        let mut unsealing = medium::open(MediumKind::Backup, input, length, keys)?;
        let header_bytes = unsealing.header_bytes()?;
        let header: v1::BackupHeader = medium::decode(header_bytes.clone())?;
        let content = Content::of(&header_bytes);
        let bad = MediaError::Damaged("the header makes no sense");
        let head = header.head.as_ref().and_then(batch::position_from_wire);
        let village = VillageCode::from_u64(header.village);
        let fingerprint = Fingerprint::from_slice(&header.fingerprint);
        let (Some(head), Some(village), Some(fingerprint)) = (head, village, fingerprint) else {
            return Err(bad);
        };
        let reached = Position::origin(head.log_id);
        Ok(Self {
            unsealing,
            header,
            header_bytes,
            content,
            signature: None,
            village,
            head,
            fingerprint,
            reached,
        })
    }

    /// Whose log it is.
    #[must_use]
    pub const fn village(&self) -> VillageCode {
        self.village
    }

    /// Where the log ends.
    #[must_use]
    pub const fn head(&self) -> Position {
        self.head
    }

    /// Sum over the living records at the head, and their number.
    #[must_use]
    pub const fn content(&self) -> (Fingerprint, u64) {
        (self.fingerprint, self.header.records)
    }

    /// The key that signed it, which is proven; to be asked once all batches
    /// were read. `None`: nobody did.
    #[must_use]
    pub fn signer(&self) -> Option<IdentityKey> {
        self.signature.as_ref().and_then(|by| IdentityKey::from_slice(&by.key))
    }

    /// When it was made: the node's wall clock, Unix milliseconds.
    #[must_use]
    pub const fn time_ms(&self) -> i64 {
        self.header.time_ms
    }

    /// Where each epoch after the first began: its number and the entry
    /// before.
    #[must_use]
    pub fn epochs(&self) -> Vec<(Epoch, Seq)> {
        let epochs = self.header.epochs.iter();
        epochs.map(|start| (Epoch(start.epoch), Seq(start.after))).collect()
    }

    /// The next batch, proven to continue the one before; `None` once the
    /// backup is complete and ends where its header says.
    ///
    /// # Errors
    /// [`MediaError`] says what is wrong; then nothing of the backup may be
    /// used.
    pub fn next_batch(&mut self) -> Result<Option<Verified>, MediaError> {
        let Some(content) = self.next_frame()? else { return Ok(None) };
        let verified = batch::verify(medium::decode(content)?, self.reached)?;
        self.reached = verified.last;
        self.unsealing.count_entries(verified.entries.len() as u64);
        Ok(Some(verified))
    }

    fn next_frame(&mut self) -> Result<Option<Bytes>, MediaError> {
        match self.unsealing.part()? {
            Part::Content(Tag::Batch, content) => {
                self.content.cover(&content);
                Ok(Some(content))
            }
            Part::Content(..) => Err(MediaError::Damaged("a frame out of place")),
            Part::Complete(_) => {
                let signature = self.unsealing.signature_or_end()?;
                let text = self.content.signed_text();
                if signature.as_ref().is_some_and(|by| !medium::is_signed(by, &text)) {
                    return Err(MediaError::Damaged("the signature does not fit"));
                }
                self.signature = signature;
                let reached = Position { epoch: self.head.epoch, ..self.reached };
                if reached != self.head {
                    return Err(MediaError::Damaged("the log does not arrive at its head"));
                }
                Ok(None)
            }
        }
    }
}

/// Seals the content of a backup anew, proving all of it on the way; whoever
/// signed it stays its signer. Not yet durable when it returns.
///
/// # Errors
/// [`MediaError`]; then what was written is of no use.
pub fn reseal<R: Read, W: Write + Seek>(
    mut backup: BackupReader<R>,
    out: W,
    protection: &Protection,
) -> Result<W, MediaError> {
    let mut anew = BackupWriter::begin_with(out, &backup.header_bytes, protection)?;
    while let Some(content) = backup.next_frame()? {
        let verified = batch::verify(medium::decode(content.clone())?, backup.reached)?;
        backup.reached = verified.last;
        let entries = verified.entries.len() as u64;
        backup.unsealing.count_entries(entries);
        anew.batch_bytes(&content, entries)?;
    }
    anew.finish_anew(backup.signature.as_ref())
}
