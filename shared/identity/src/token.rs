//! Joining tokens: what a village is handed to join the district once.
//!
//! A token names the district's address, the hash of its authority, the
//! village and a secret. The node checks the authority before it sends the
//! secret, so a stranger in between learns nothing. Its text is Crockford
//! base 32 with a checksum: short enough for a QR code, and typing errors
//! are noticed before anything is sent.

use std::fmt;
use std::str::FromStr;

use lumbung_domain::region::VillageCode;

use crate::base32;

/// First bytes of a token: its version.
const VERSION: u8 = 1;
/// Bytes before the address: version, root, village, secret, issued.
const FIXED_BYTES: usize = 1 + 16 + 8 + 16 + 4;
const CHECKSUM_BYTES: usize = 4;
/// Longest address, bytes.
const ADDRESS_BYTES_MAX: usize = 255;
/// Letters between hyphens.
const GROUP: usize = 5;

/// The secret of a token. The hub keeps only its hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret(pub [u8; 16]);

impl Secret {
    /// Draws a new secret.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn draw() -> std::io::Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
        Ok(Self(bytes))
    }

    /// The secret as 16 bytes, or nothing when the slice has another length.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// What the hub keeps of it.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        blake3::derive_key("lumbung join token v1", &self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What a node signs to show that it holds the key it joins with.
#[must_use]
pub fn join_message(village: VillageCode, secret: &Secret) -> Vec<u8> {
    let mut message = b"lumbung join v1".to_vec();
    message.extend_from_slice(&village.as_u64().to_be_bytes());
    message.extend_from_slice(&secret.hash());
    message
}

/// A joining token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JoinToken {
    /// First half of the hash of the district's authority, see
    /// [`crate::Authority::root_hash`].
    pub root: [u8; 16],
    /// The village that may join with it.
    pub village: VillageCode,
    /// What the hub recognises it by, once.
    pub secret: Secret,
    /// When it was made, hub clock, Unix minutes: a clock that says less is
    /// wrong.
    pub issued_min: u32,
    /// Where the hub's uplink listens, `host:port`.
    pub address: String,
}

/// Why a text is not a token. Nothing was sent to anybody.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenError {
    /// Letters that no token has.
    #[error("the token holds letters that no token has")]
    Letters,
    /// The checksum does not match: mistyped or cut off.
    #[error("the token is mistyped or cut off")]
    Checksum,
    /// Made by a newer version.
    #[error("the token was made by a newer version")]
    Version,
    /// The content makes no sense.
    #[error("the token names no village or address")]
    Content,
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut sum = [0; CHECKSUM_BYTES];
    sum.copy_from_slice(&blake3::hash(bytes).as_bytes()[..CHECKSUM_BYTES]);
    sum
}

impl fmt::Display for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::with_capacity(FIXED_BYTES + self.address.len() + CHECKSUM_BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.root);
        bytes.extend_from_slice(&self.village.as_u64().to_be_bytes());
        bytes.extend_from_slice(&self.secret.0);
        bytes.extend_from_slice(&self.issued_min.to_be_bytes());
        bytes.extend_from_slice(self.address.as_bytes());
        bytes.extend_from_slice(&checksum(&bytes));
        let text = base32::encode(&bytes);
        for (at, letter) in text.chars().enumerate() {
            if at > 0 && at % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{letter}")?;
        }
        Ok(())
    }
}

impl FromStr for JoinToken {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let bytes = base32::decode(text.trim()).ok_or(TokenError::Letters)?;
        let split = bytes.len().checked_sub(CHECKSUM_BYTES).ok_or(TokenError::Checksum)?;
        let (bytes, sum) = bytes.split_at(split);
        if checksum(bytes) != sum {
            return Err(TokenError::Checksum);
        }
        match bytes.first() {
            Some(&VERSION) => {}
            Some(_) => return Err(TokenError::Version),
            None => return Err(TokenError::Content),
        }
        read(bytes).ok_or(TokenError::Content)
    }
}

fn read(bytes: &[u8]) -> Option<JoinToken> {
    let address = std::str::from_utf8(bytes.get(FIXED_BYTES..)?).ok()?;
    if address.is_empty() || address.len() > ADDRESS_BYTES_MAX {
        return None;
    }
    let village = u64::from_be_bytes(bytes.get(17..25)?.try_into().ok()?);
    Some(JoinToken {
        root: bytes.get(1..17)?.try_into().ok()?,
        village: VillageCode::from_u64(village)?,
        secret: Secret::from_slice(bytes.get(25..41)?)?,
        issued_min: u32::from_be_bytes(bytes.get(41..45)?.try_into().ok()?),
        address: address.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> JoinToken {
        JoinToken {
            root: [0xab; 16],
            village: VillageCode::from_u64(3_505_012_001).unwrap(),
            secret: Secret([7; 16]),
            issued_min: 29_900_000,
            address: "lumbung.blitarkab.go.id:8710".to_owned(),
        }
    }

    #[test]
    fn a_token_survives_being_read_out() {
        let text = token().to_string();
        assert_eq!(text.parse(), Ok(token()));
        let sloppy = text.to_lowercase().replace('-', " ").replace('1', "l").replace('0', "o");
        assert_eq!(sloppy.parse(), Ok(token()));
    }

    #[test]
    fn any_changed_or_missing_letter_is_noticed() {
        let text = token().to_string();
        for at in 0..text.len() {
            assert!(text[..at].parse::<JoinToken>().is_err(), "cut at {at}");
            let mut letters: Vec<char> = text.chars().collect();
            if letters[at] == '-' {
                continue;
            }
            letters[at] = if letters[at] == 'A' { 'B' } else { 'A' };
            let typed: String = letters.into_iter().collect();
            assert!(typed.parse::<JoinToken>().is_err(), "changed at {at}");
        }
        assert_eq!("tidak ada?".parse::<JoinToken>(), Err(TokenError::Letters));
    }
}
