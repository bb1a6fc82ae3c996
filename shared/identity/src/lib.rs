//! Who is who in a district: keys, certificates, joining tokens.
//!
//! The district is its own certificate authority ([`Authority`]). A node makes
//! its [`Key`] on the spot and never gives it away; a [`JoinToken`] lets it
//! prove once, to the right district, that it may speak for its village; from
//! then on both ends know each other by certificate ([`tls`]). Which keys are
//! allowed is the hub's list, so a certificate alone opens nothing.
//!
//! An operator who is far away holds a certificate too ([`OperatorFile`]); it
//! names the account and no village.
//!
//! Clocks of villages can't be trusted: [`TrustedTime`] keeps the newest
//! moment the district has vouched for, and certificates are judged by it
//! where the machine's own clock says otherwise.

mod authority;
mod base32;
mod files;
mod key;
mod name;
mod operator;
pub mod tls;
mod token;
mod trusted_time;

pub use authority::{Authority, AuthorityError, Lifetime};
pub use files::write_private;
pub use key::{Key, KeyError, PublicKey};
pub use name::{Peer, PeerError, peer};
pub use operator::{OperatorFile, OperatorFileError, OperatorPeer, operator};
pub use token::{JoinToken, Secret, TokenError, join_message};
pub use trusted_time::TrustedTime;

/// A certificate in DER.
pub use rustls::pki_types::CertificateDer;
