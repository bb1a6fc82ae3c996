//! What a village is handed to join the district once: a token, as text and
//! as a QR code.
//!
//! The token's secret is kept as a hash only; what is made here is the one
//! time that it can be shown.

use std::path::Path;
use std::time::Duration;

use fast_qr::QRBuilder;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::convert::{Builder as _, Shape};
use lumbung_domain::region::Desa;
use lumbung_identity::{Authority, AuthorityError, JoinToken, Secret, write_private};

use crate::dataset::DatasetError;
use crate::registry::Registry;
use crate::words::Words;

/// How long a token is worth something unless told otherwise, days.
pub const DAYS: u32 = 7;

/// Why there is no invitation. Nothing was made.
#[derive(Debug, thiserror::Error)]
pub enum InvitationError {
    /// Nobody has said yet where villages reach the hub.
    #[error(
        "Alamat umum hub belum diketahui. Tidak ada yang dibuat. Sebutkan sekali dengan \
         lumbung-hub join-token create --address nama:porta"
    )]
    NoAddress,
    /// That is no address.
    #[error(
        "Alamat harus berbentuk nama:porta, misalnya lumbung.blitarkab.go.id:8710. Tidak ada yang \
         dibuat."
    )]
    BadAddress,
    /// The address can't be kept.
    #[error("Alamat tidak bisa disimpan. Tidak ada yang dibuat.")]
    Address(#[source] std::io::Error),
    /// The village has a machine, and this one is to replace none.
    #[error(
        "{0} sudah punya komputer yang terdaftar. Tidak ada yang dibuat. Bila komputer itu rusak \
         atau hilang, buat token pengganti."
    )]
    Occupied(String),
    /// The district's keys can't be opened.
    #[error("Kunci kabupaten tidak bisa dibuka. Tidak ada yang dibuat.")]
    Authority(#[from] AuthorityError),
    /// The system gives no randomness.
    #[error("Sistem tidak memberi angka acak. Tidak ada yang dibuat.")]
    Random(#[source] std::io::Error),
    /// The store failed.
    #[error("Daftar token tidak bisa ditulis. Tidak ada yang dibuat.")]
    Store(#[from] DatasetError),
}

impl InvitationError {
    /// Why, in both languages.
    #[must_use]
    pub fn words(&self) -> Words {
        let english = match self {
            Self::NoAddress => {
                "Nobody has said where villages reach the hub. Nothing was made. Say it once with \
                 lumbung-hub join-token create --address name:port"
            }
            Self::BadAddress => {
                "An address looks like lumbung.blitarkab.go.id:8710. Nothing was made."
            }
            Self::Address(_) => "The address can't be kept. Nothing was made.",
            Self::Occupied(name) => {
                let english = format!(
                    "{name} has a machine that has joined. Nothing was made. If that machine is \
                     broken or lost, make a token that replaces it."
                );
                return Words::new(self.to_string(), english);
            }
            Self::Authority(_) => "The district's keys can't be opened. Nothing was made.",
            Self::Random(_) => "The system gives no random numbers. Nothing was made.",
            Self::Store(_) => "The list of tokens can't be written. Nothing was made.",
        };
        Words::new(self.to_string(), english)
    }
}

/// A token that was just made.
#[derive(Clone)]
pub struct Invitation {
    /// For which village.
    pub desa: &'static Desa,
    /// The token, as it is typed.
    pub text: String,
    /// Worth nothing after, hub clock, Unix milliseconds.
    pub expires_ms: i64,
    /// Its machine replaces the one that is allowed now.
    pub replaces: bool,
}

impl std::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invitation").field("desa", &self.desa.code).finish_non_exhaustive()
    }
}

impl Invitation {
    /// Makes a token for a village that reaches the hub at `address`; see
    /// [`kept_address`].
    ///
    /// # Errors
    /// [`InvitationError`].
    pub fn make(
        registry: &dyn Registry,
        identity: &Path,
        desa: &'static Desa,
        (address, replaces, days): (String, bool, u32),
        now_ms: i64,
    ) -> Result<Self, InvitationError> {
        let occupied = registry.allowed_keys()?.iter().any(|key| key.village == desa.code);
        if occupied && !replaces {
            return Err(InvitationError::Occupied(desa.full_name()));
        }
        let authority = Authority::open(identity, now_ms)?;
        let secret = Secret::draw().map_err(InvitationError::Random)?;
        let life = Duration::from_secs(24 * 60 * 60) * days;
        let expires_ms = now_ms.saturating_add(i64::try_from(life.as_millis()).unwrap_or(i64::MAX));
        let token = JoinToken {
            root: authority.root_hash(),
            village: desa.code,
            secret,
            issued_min: u32::try_from(now_ms / 60_000).unwrap_or(0),
            address,
        };
        registry.add_token(secret.hash(), desa.code, replaces, now_ms, expires_ms)?;
        Ok(Self { desa, text: token.to_string(), expires_ms, replaces })
    }

    /// The token as a QR code that a terminal can show; `None` when it is too
    /// long for one.
    #[must_use]
    pub fn qr_text(&self) -> Option<String> {
        QRBuilder::new(self.text.as_str()).build().ok().map(|code| code.to_str())
    }

    /// The token as a QR code, SVG; `None` when it is too long for one.
    #[must_use]
    pub fn qr_svg(&self) -> Option<String> {
        let code = QRBuilder::new(self.text.as_str()).build().ok()?;
        Some(SvgBuilder::default().shape(Shape::Square).margin(2).to_str(&code))
    }
}

/// Where villages reach the hub, as it was last told; kept in the folder of
/// the district's authority.
///
/// # Errors
/// [`InvitationError::NoAddress`].
pub fn kept_address(identity: &Path) -> Result<String, InvitationError> {
    let kept = std::fs::read_to_string(identity.join("address"));
    let kept = kept.map(|text| text.trim().to_owned()).ok().filter(|text| !text.is_empty());
    kept.ok_or(InvitationError::NoAddress)
}

/// Keeps where villages reach the hub, for this token and the ones to come.
///
/// # Errors
/// [`InvitationError::BadAddress`], [`InvitationError::Address`].
pub fn keep_address(identity: &Path, address: &str) -> Result<(), InvitationError> {
    /// A token that people type holds no more.
    const ADDRESS_MAX: usize = 200;
    if !is_address(address) || address.len() > ADDRESS_MAX {
        return Err(InvitationError::BadAddress);
    }
    write_private(&identity.join("address"), address.as_bytes()).map_err(InvitationError::Address)
}

/// Whether a dialler could make sense of it: a host and a port.
#[must_use]
pub fn is_address(address: &str) -> bool {
    let port = |text: &str| text.parse::<u16>().is_ok_and(|port| port != 0);
    address
        .rsplit_once(':')
        .is_some_and(|(host, end)| !host.is_empty() && port(end) && !host.contains(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_host_and_a_port() {
        for address in ["10.1.2.3:8701", "node.desa:1", "[::1]:8701"] {
            assert!(is_address(address), "{address}");
        }
        for address in ["", "10.1.2.3", ":8701", "10.1.2.3:", "10.1.2.3:70000", "a b:1", "a:0"] {
            assert!(!is_address(address), "{address}");
        }
    }
}
