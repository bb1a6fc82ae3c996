//! Verified batches on their way into the dataset.
//!
//! `decode` turns entries into typed changes; [`MergeWriter`] is the one
//! writer: it takes every batch that waits, of whichever villages, into one
//! transaction, then answers each. So 248 trickles cost a few commits, not
//! 248.

pub mod decode;
mod writer;

pub use writer::{MergeError, MergeWriter, Pending, WriterWatch};
