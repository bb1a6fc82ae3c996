//! A backup: a village's whole log from its first entry, as batches.
//!
//! Holds no keys, no counters and no witness: a restored village must notice
//! by itself that it may have gone back in time.

use std::io::{Read, Seek, Write};

use bytes::Bytes;
use lumbung_domain::region::VillageCode;
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
        let own = SecretKey::generate();
        let mut sealing = medium::seal(MediumKind::Backup, out, protection, Some(&own))?;
        sealing.header(header)?;
        Ok(Self { sealing, own })
    }

    /// Adds the next batch.
    ///
    /// # Errors
    /// [`MediaError`] when it can't be written.
    pub fn batch(&mut self, batch: &v1::Batch) -> Result<(), MediaError> {
        self.sealing.content(Tag::Batch, &batch.encode_to_vec(), u64::from(batch.count))
    }

    /// Ends the backup; not yet durable. The key given back opens this backup
    /// only, for the trial that must follow.
    ///
    /// # Errors
    /// [`MediaError`] when it can't be written.
    pub fn finish(mut self) -> Result<(W, SecretKey), MediaError> {
        self.sealing.close()?;
        Ok((self.sealing.finish()?, self.own))
    }
}

/// A backup being read.
pub struct BackupReader<R: Read> {
    unsealing: Unsealing<R>,
    header: v1::BackupHeader,
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
        let header: v1::BackupHeader = unsealing.header()?;
        let bad = MediaError::Damaged("the header makes no sense");
        let head = header.head.as_ref().and_then(batch::position_from_wire);
        let village = VillageCode::from_u64(header.village);
        let fingerprint = Fingerprint::from_slice(&header.fingerprint);
        let (Some(head), Some(village), Some(fingerprint)) = (head, village, fingerprint) else {
            return Err(bad);
        };
        let reached = Position::origin(head.log_id);
        Ok(Self { unsealing, header, village, head, fingerprint, reached })
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
            Part::Content(Tag::Batch, content) => Ok(Some(content)),
            Part::Content(..) => Err(MediaError::Damaged("a frame out of place")),
            Part::Complete(_) => {
                self.unsealing.end()?;
                let reached = Position { epoch: self.head.epoch, ..self.reached };
                if reached != self.head {
                    return Err(MediaError::Damaged("the log does not arrive at its head"));
                }
                Ok(None)
            }
        }
    }
}

/// Seals the content of a backup anew, proving all of it on the way. Not yet
/// durable when it returns.
///
/// # Errors
/// [`MediaError`]; then what was written is of no use.
pub fn reseal<R: Read, W: Write + Seek>(
    mut backup: BackupReader<R>,
    out: W,
    protection: &Protection,
) -> Result<W, MediaError> {
    let mut anew = BackupWriter::begin(out, &backup.header, protection)?;
    while let Some(content) = backup.next_frame()? {
        let batch: v1::Batch = medium::decode(content)?;
        let verified = batch::verify(batch.clone(), backup.reached)?;
        backup.reached = verified.last;
        backup.unsealing.count_entries(verified.entries.len() as u64);
        anew.batch(&batch)?;
    }
    Ok(anew.finish()?.0)
}
