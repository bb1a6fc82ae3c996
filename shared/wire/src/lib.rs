//! The mapping between what Lumbung reasons about and the bytes that travel.
//!
//! [`record`]: domain records ↔ protobuf payloads. [`batch`]: runs of ledger
//! entries ↔ compressed batches with their positions, checked on the way in.
//! [`informasi`]: notices of the district. [`pages`]: records on their way back.
//! [`authors`]: whom the reader of a stream knows. [`tree`]: a village's records as sums by RT, rumah tangga and record.
//! Pure: no I/O; whoever stores or forwards a payload keeps its bytes.

pub mod authors;
pub mod batch;
mod codec;
pub mod date;
pub mod dictionary;
pub mod forms;
pub mod informasi;
pub mod pages;
pub mod record;
pub mod run;
pub mod tree;
