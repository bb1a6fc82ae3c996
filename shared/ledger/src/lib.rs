//! How a village's history is numbered, chained and proven.
//!
//! An [`Entry`] is one change of one record. A [`Position`] says where a
//! reader stands in one village's log; its [`ChainTag`] proves that everything
//! below is the same history, byte for byte. A [`Fingerprint`] proves the
//! same of the *content*, whatever the order it was written in. [`block`]
//! is the one binary form in which entries are stored and sent.
//!
//! Pure: no I/O, no clock, no randomness. Payloads are opaque bytes here.

pub mod block;
pub mod chain;
pub mod entry;
pub mod fingerprint;
pub mod forks;
pub mod line;
pub mod position;
pub mod seal;
mod varint;

pub use chain::ChainTag;
pub use entry::{Entry, Header, Operation, Payload, Salt, Source};
pub use fingerprint::Fingerprint;
pub use forks::Forks;
pub use position::{Epoch, LogId, Position, Seq};
pub use seal::Seal;
