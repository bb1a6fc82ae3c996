//! Verified batches on their way into the dataset.

pub mod decode;
