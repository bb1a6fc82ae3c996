//! Who may see and do what at the district.
//!
//! Promises: a read or an act of a person takes an [`Operator`], and an
//! operator comes from here only: from a session that the gate has just
//! looked up, or from the machine's own socket. A changed role, a blocked
//! account or an ended session counts from the next request on. Passwords,
//! session secrets and recovery codes are kept as hashes.
//!
//! What was seen of a person and what was decided is noted in a chained log
//! ([`audit`]) before it happens; if it can't be noted, it doesn't happen.

pub mod account;
mod attempts;
pub mod audit;
pub mod certificate;
mod codes;
pub mod gate;
mod operator;
mod password;
mod proofs;
mod role;
pub(crate) mod scope;
pub mod witness;

pub use account::{Account, AccountChange, Accounts, End, FirstUse, NewAccount, Session};
pub use gate::{Gate, SignInRefused};
pub use operator::{Operator, Refused};
pub use password::WeakPassword;
pub use role::{Right, Role};
