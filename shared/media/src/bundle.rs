//! Bundles: a village's changes on their way to the district where no link
//! reaches, and the district's answers.
//!
//! A bundle holds the same batches as the network carries, from one position
//! to another, and at the end what everything sums up to. It is sealed to
//! the district and signed by the node; an answer is sealed to the node and
//! signed by the district. Whoever reads one gets it whole, proven complete;
//! whether the signer is the right one is the reader's next question.

use std::io::{Read, Seek, Write};

use bytes::Bytes;
use lumbung_domain::region::VillageCode;
use lumbung_identity::{Key, PublicKey as IdentityKey};
use lumbung_ledger::{Epoch, Fingerprint, Position, Seq};
use lumbung_proto::v1;
use lumbung_wire::batch;
use prost::Message as _;

use crate::frame::Tag;
use crate::key::{PublicKey, SecretKey};
use crate::medium::{self, Keys, MediaError, MediumKind, Part, Protection, Sealing};

/// Largest bundle or answer, bytes: read whole before anything is merged. A
/// village's whole log takes a few megabytes.
const BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A bundle being written.
pub struct BundleWriter<W: Write> {
    sealing: Sealing<W>,
}

impl<W: Write + Seek> BundleWriter<W> {
    /// Begins a bundle for whoever holds the secret of `to`.
    ///
    /// # Errors
    /// [`MediaError`] when it can't be written.
    pub fn begin(out: W, header: &v1::BundleHeader, to: PublicKey) -> Result<Self, MediaError> {
        let protection = Protection { recipients: vec![to], passphrase: None };
        let mut sealing = medium::seal(MediumKind::Bundle, out, &protection, None)?;
        sealing.header(header)?;
        Ok(Self { sealing })
    }

    /// Adds the next batch.
    ///
    /// # Errors
    /// [`MediaError`] when it can't be written.
    pub fn batch(&mut self, batch: &v1::Batch) -> Result<(), MediaError> {
        self.sealing.content(Tag::Batch, &batch.encode_to_vec(), u64::from(batch.count))
    }

    /// Tells what became of versions that an answer handed back, after the last
    /// batch.
    ///
    /// # Errors
    /// [`MediaError`] when it can't be written.
    pub fn receipt(&mut self, receipt: &v1::ReturnedReceipt) -> Result<(), MediaError> {
        self.sealing.content(Tag::Receipt, &receipt.encode_to_vec(), 0)
    }

    /// Ends the bundle with the node's signature; not yet durable.
    ///
    /// # Errors
    /// [`MediaError`] when it can't be written.
    pub fn finish(mut self, end: &v1::BundleEnd, node: &Key) -> Result<W, MediaError> {
        self.sealing.content(Tag::CaughtUp, &end.encode_to_vec(), 0)?;
        let digest = self.sealing.close()?;
        self.sealing.sign(&medium::signed_text(MediumKind::Bundle, digest), node)?;
        self.sealing.finish()
    }
}

/// A bundle, complete and consistent in itself.
pub struct Bundle {
    /// Whose changes, as the bundle says: the signature decides.
    pub village: VillageCode,
    /// The position before its first entry.
    pub from: Position,
    /// The position after its last.
    pub to: Position,
    /// Sum over the living records at `to`.
    pub fingerprint: Fingerprint,
    /// Their number.
    pub records: u64,
    /// The header as it came.
    pub header: v1::BundleHeader,
    /// What its batches arrive at, as it came; consistent with the header.
    pub end: v1::BundleEnd,
    /// The batches in order; each is still to be proven.
    pub batches: Vec<v1::Batch>,
    /// What became of versions that an answer handed back, at `to`.
    pub returned: Vec<v1::Returned>,
    signature: v1::MediumSignature,
    signed: Vec<u8>,
}

impl Bundle {
    /// Reads a whole bundle of `length` bytes.
    ///
    /// # Errors
    /// [`MediaError`] says why it is of no use.
    pub fn read(input: impl Read, length: u64, key: &SecretKey) -> Result<Self, MediaError> {
        if length > BYTES_MAX {
            return Err(MediaError::TooLarge);
        }
        let mut unsealing = medium::open(MediumKind::Bundle, input, length, Keys::Secret(key))?;
        let header: v1::BundleHeader = unsealing.header()?;
        let mut batches: Vec<v1::Batch> = Vec::new();
        let mut returned = Vec::new();
        let mut end: Option<v1::BundleEnd> = None;
        let digest = loop {
            match unsealing.part()? {
                Part::Content(Tag::Batch, content) if end.is_none() => {
                    let batch: v1::Batch = medium::decode(content)?;
                    unsealing.count_entries(u64::from(batch.count));
                    batches.push(batch);
                }
                Part::Content(Tag::Receipt, content) if end.is_none() => {
                    returned.extend(medium::decode::<v1::ReturnedReceipt>(content)?.returned);
                }
                Part::Content(Tag::CaughtUp, content) if end.is_none() => {
                    end = Some(medium::decode(content)?);
                }
                Part::Content(..) => return Err(MediaError::Damaged("a frame out of place")),
                Part::Complete(digest) => break digest,
            }
        };
        let signature = unsealing.signature()?;
        unsealing.end()?;
        let sense = MediaError::Damaged("the header makes no sense");
        let position =
            |wire: &Option<v1::Position>| wire.as_ref().and_then(batch::position_from_wire);
        let village = VillageCode::from_u64(header.village);
        let fingerprint = Fingerprint::from_slice(&header.fingerprint);
        let (Some(village), Some(from), Some(to), Some(fingerprint)) =
            (village, position(&header.from), position(&header.to), fingerprint)
        else {
            return Err(sense);
        };
        let end = end.filter(|told| {
            told.position == header.to
                && told.fingerprint == header.fingerprint
                && told.records == header.records
        });
        let (Some(end), true) = (end, from.log_id == to.log_id && from.seq <= to.seq) else {
            return Err(sense);
        };
        let signed = medium::signed_text(MediumKind::Bundle, digest);
        let records = header.records;
        Ok(Self {
            village,
            from,
            to,
            fingerprint,
            records,
            header,
            end,
            batches,
            returned,
            signature,
            signed,
        })
    }

    /// The key it claims to be signed with; [`Bundle::is_signed_by`] decides.
    #[must_use]
    pub fn signer(&self) -> Option<IdentityKey> {
        IdentityKey::from_slice(&self.signature.key)
    }

    /// Whether the bundle comes from the node with this key.
    #[must_use]
    pub fn is_signed_by(&self, node: &IdentityKey) -> bool {
        is_signed_by(&self.signature, &self.signed, node)
    }

    /// Where each epoch after the first began: its number and the entry
    /// before.
    #[must_use]
    pub fn epochs(&self) -> Vec<(Epoch, Seq)> {
        let epochs = self.header.epochs.iter();
        epochs.map(|start| (Epoch(start.epoch), Seq(start.after))).collect()
    }
}

/// Writes an answer for whoever holds the secret of `to`; not yet durable.
///
/// # Errors
/// [`MediaError`] when it can't be written.
pub fn write_answer<W: Write + Seek>(
    out: W,
    header: &v1::AnswerHeader,
    parcels: &[Bytes],
    to: PublicKey,
    hub: &Key,
) -> Result<W, MediaError> {
    let protection = Protection { recipients: vec![to], passphrase: None };
    let mut sealing = medium::seal(MediumKind::Answer, out, &protection, None)?;
    sealing.header(header)?;
    for parcel in parcels {
        sealing.content(Tag::Parcel, parcel, 0)?;
    }
    let digest = sealing.close()?;
    sealing.sign(&medium::signed_text(MediumKind::Answer, digest), hub)?;
    sealing.finish()
}

/// An answer, complete and consistent in itself.
pub struct Answer {
    /// Which village it is for.
    pub village: VillageCode,
    /// The last position the hub has made durable.
    pub merged: Option<Position>,
    /// The header as it came.
    pub header: v1::AnswerHeader,
    /// What the district hands over, in order, each a message of its own.
    pub parcels: Vec<Bytes>,
    signature: v1::MediumSignature,
    signed: Vec<u8>,
}

impl Answer {
    /// Reads a whole answer of `length` bytes.
    ///
    /// # Errors
    /// [`MediaError`] says why it is of no use.
    pub fn read(input: impl Read, length: u64, key: &SecretKey) -> Result<Self, MediaError> {
        if length > BYTES_MAX {
            return Err(MediaError::TooLarge);
        }
        let mut unsealing = medium::open(MediumKind::Answer, input, length, Keys::Secret(key))?;
        let header: v1::AnswerHeader = unsealing.header()?;
        let mut parcels = Vec::new();
        let digest = loop {
            match unsealing.part()? {
                Part::Content(Tag::Parcel, content) => parcels.push(content),
                Part::Content(..) => return Err(MediaError::Damaged("a frame out of place")),
                Part::Complete(digest) => break digest,
            }
        };
        let signature = unsealing.signature()?;
        unsealing.end()?;
        let merged = header.merged.as_ref().map(batch::position_from_wire);
        let (Some(village), Some(merged)) =
            (VillageCode::from_u64(header.village), merged.map_or(Some(None), |it| it.map(Some)))
        else {
            return Err(MediaError::Damaged("the header makes no sense"));
        };
        let signed = medium::signed_text(MediumKind::Answer, digest);
        Ok(Self { village, merged, header, parcels, signature, signed })
    }

    /// Whether the answer comes from the hub with this key.
    #[must_use]
    pub fn is_signed_by(&self, hub: &IdentityKey) -> bool {
        is_signed_by(&self.signature, &self.signed, hub)
    }
}

fn is_signed_by(by: &v1::MediumSignature, text: &[u8], key: &IdentityKey) -> bool {
    by.key == key.0.as_slice() && medium::is_signed(by, text)
}
