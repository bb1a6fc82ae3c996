//! A backup of the district's hub: whole files, one after another.
//!
//! The header names the files with size and hash; each travels in compressed
//! pieces. The hub signs the whole. What the files are is the hub's affair;
//! whoever reads the backup gets every file whole, or an error.

use std::io::{Read, Seek, Write};

use lumbung_identity::{Key, PublicKey as IdentityKey};
use lumbung_proto::v1;

use crate::frame::Tag;
use crate::key::SecretKey;
use crate::medium::{self, Keys, MediaError, MediumKind, Part, Protection, Sealing, Unsealing};

/// Bytes of a file in one piece, before compression.
const PIECE_BYTES: usize = 512 * 1024;

/// How hard pieces are compressed: the disk is the slower part below this.
const LEVEL: i32 = 3;

/// A backup of a hub being written.
pub struct HubBackupWriter<W: Write> {
    sealing: Sealing<W>,
    own: SecretKey,
}

impl<W: Write + Seek> HubBackupWriter<W> {
    /// Begins a backup; the header's files must follow in its order.
    ///
    /// # Errors
    /// [`MediaError`] when it can't be written.
    pub fn begin(
        out: W,
        header: &v1::HubBackupHeader,
        protection: &Protection,
    ) -> Result<Self, MediaError> {
        let own = SecretKey::generate();
        let mut sealing = medium::seal(MediumKind::HubBackup, out, protection, Some(&own))?;
        sealing.header(header)?;
        Ok(Self { sealing, own })
    }

    /// Adds the next file.
    ///
    /// # Errors
    /// [`MediaError`] when it can't be read or the backup can't be written.
    pub fn file(&mut self, mut input: impl Read) -> Result<(), MediaError> {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        loop {
            piece.clear();
            input.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut piece)?;
            if piece.is_empty() {
                return Ok(());
            }
            let packed = zstd::bulk::compress(&piece, LEVEL)?;
            self.sealing.content(Tag::Piece, &packed, 0)?;
        }
    }

    /// Ends the backup with the hub's signature; not yet durable. The key
    /// given back opens this backup only, for the trial that must follow.
    ///
    /// # Errors
    /// [`MediaError`] when it can't be written.
    pub fn finish(mut self, hub: &Key) -> Result<(W, SecretKey), MediaError> {
        let digest = self.sealing.close()?;
        self.sealing.sign(&medium::signed_text(MediumKind::HubBackup, digest), hub)?;
        Ok((self.sealing.finish()?, self.own))
    }
}

/// A backup of a hub being read.
pub struct HubBackupReader<R: Read> {
    unsealing: Unsealing<R>,
    header: v1::HubBackupHeader,
}

impl<R: Read> HubBackupReader<R> {
    /// Opens a backup of `length` bytes and reads its header.
    ///
    /// # Errors
    /// [`MediaError`] says why not.
    pub fn open(input: R, length: u64, keys: Keys<'_>) -> Result<Self, MediaError> {
        let mut unsealing = medium::open(MediumKind::HubBackup, input, length, keys)?;
        let header = unsealing.header()?;
        Ok(Self { unsealing, header })
    }

    /// What the backup says it holds; proven once [`Self::unpack`] is done.
    #[must_use]
    pub const fn header(&self) -> &v1::HubBackupHeader {
        &self.header
    }

    /// Writes every file to where `place` says, and proves all of it: sizes,
    /// hashes, the whole and its signature. Gives the key that signed.
    ///
    /// # Errors
    /// [`MediaError`]; then nothing that was written may be used.
    pub fn unpack<W: Write>(
        mut self,
        mut place: impl FnMut(&str) -> Result<W, MediaError>,
    ) -> Result<IdentityKey, MediaError> {
        let files = std::mem::take(&mut self.header.files);
        for file in &files {
            let mut out = place(&file.name)?;
            let mut hasher = blake3::Hasher::new();
            let mut left = file.bytes;
            while left > 0 {
                let Part::Content(Tag::Piece, packed) = self.unsealing.part()? else {
                    return Err(MediaError::Damaged("a frame out of place"));
                };
                let piece = zstd::bulk::decompress(&packed, PIECE_BYTES)
                    .map_err(|_| MediaError::Damaged("a piece can't be unpacked"))?;
                left = u64::try_from(piece.len())
                    .ok()
                    .filter(|bytes| *bytes > 0)
                    .and_then(|bytes| left.checked_sub(bytes))
                    .ok_or(MediaError::Damaged("a file is longer than it says"))?;
                hasher.update(&piece);
                out.write_all(&piece)?;
            }
            if hasher.finalize().as_bytes()[..] != file.hash[..] {
                return Err(MediaError::Damaged("a file is not what it was"));
            }
            out.flush()?;
        }
        let Part::Complete(digest) = self.unsealing.part()? else {
            return Err(MediaError::Damaged("a frame out of place"));
        };
        let signature = self.unsealing.signature()?;
        self.unsealing.end()?;
        let text = medium::signed_text(MediumKind::HubBackup, digest);
        if !medium::is_signed(&signature, &text) {
            return Err(MediaError::Damaged("the signature does not fit"));
        }
        IdentityKey::from_slice(&signature.key).ok_or(MediaError::Damaged("no signer"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn packed(files: &[(&str, Vec<u8>)]) -> (Vec<u8>, SecretKey, Key) {
        let told = files.iter().map(|(name, content)| v1::HubBackupFile {
            name: (*name).to_owned(),
            bytes: content.len() as u64,
            hash: blake3::hash(content).as_bytes().to_vec().into(),
        });
        let header = v1::HubBackupHeader { files: told.collect(), ..Default::default() };
        let to = SecretKey::generate();
        let protection = Protection { recipients: vec![to.public()], passphrase: None };
        let mut writer =
            HubBackupWriter::begin(Cursor::new(Vec::new()), &header, &protection).unwrap();
        for (_, content) in files {
            writer.file(&content[..]).unwrap();
        }
        let hub = Key::generate().unwrap();
        let (out, _) = writer.finish(&hub).unwrap();
        (out.into_inner(), to, hub)
    }

    fn unpacked(bytes: &[u8], key: &SecretKey) -> Result<(Vec<String>, IdentityKey), MediaError> {
        let length = bytes.len() as u64;
        let reader = HubBackupReader::open(bytes, length, Keys::Secret(key))?;
        let mut names = Vec::new();
        let signer = reader.unpack(|name| {
            names.push(name.to_owned());
            Ok(std::io::sink())
        })?;
        Ok((names, signer))
    }

    #[test]
    fn files_come_back_whole_and_signed_or_not_at_all() {
        let large: Vec<u8> = (0..PIECE_BYTES as u32 + 9).map(|n| (n % 251) as u8).collect();
        let (bytes, key, hub) =
            packed(&[("hub.db", large), ("kosong", Vec::new()), ("identity/a", vec![7])]);
        let (names, signer) = unpacked(&bytes, &key).unwrap();
        assert_eq!(names, ["hub.db", "kosong", "identity/a"]);
        assert_eq!(signer.0, hub.public().0);
        assert!(matches!(unpacked(&bytes, &SecretKey::generate()), Err(MediaError::OtherKey)));
        for cut in [bytes.len() - 1, bytes.len() / 2, 30] {
            assert!(matches!(unpacked(&bytes[..cut], &key), Err(MediaError::CutOff)));
        }
        for at in (0..bytes.len()).step_by(bytes.len() / 40) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(unpacked(&changed, &key).is_err(), "byte {at}");
        }
    }
}
