//! The district hub: pulls every village's changes and merges them into one
//! RT/RW and dasa wisma dataset.
//!
//! `uplink` reaches villages, `puller` follows one village each, `merge`
//! turns verified batches into rows, `dataset` keeps them. `recap`,
//! `findings`, `exports` and `console` only read.

pub mod dataset;
pub mod merge;
