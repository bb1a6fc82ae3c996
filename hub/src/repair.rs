//! Proving a village's rows against its log, and putting right what differs.
//!
//! Beside every catch-up's comparison of sums, once a day every row is hashed
//! again and compared, by RT, rumah tangga and record, with what the node's
//! log amounts to at the very same position. Only what differs is descended
//! into and fetched. Whoever is wrong is put right from the log: the hub's
//! rows and sums in one transaction, the node's sums by its own writer. A log
//! that does not prove itself is believed by nobody, and told. A village
//! without a link is proven by what its sticks tell of its log.
//!
//! Does not decide when a session may be held up: it asks for a turn of its
//! [`Agenda`], which gives one at a time.

mod agenda;
mod difference;
mod drill;
mod due;
mod names;
mod proof;
mod told;
mod words;

pub use agenda::Agenda;
pub(crate) use agenda::Turn;
pub use difference::{Difference, Differing};
pub use drill::{Contradiction, Drill};
pub(crate) use due::Due;
pub(crate) use proof::{Outcome, Proof, ProofError, same_place};
pub use told::ToldProof;
pub(crate) use told::{Latest, Told, ToldVillage};
pub(crate) use words::log_broken;
