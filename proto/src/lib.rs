//! The wire contract of Lumbung: code generated from `lumbung/v1/*.proto`.
//!
//! Nothing else lives here but the codec they name. Field numbers are never
//! reused; a golden-bytes test in `tests/` keeps old messages readable.

pub mod codec;

/// Version 1 of the contract.
#[allow(missing_docs, reason = "generated code; the .proto files carry the documentation")]
#[allow(unreachable_pub, unused_qualifications, reason = "generated code")]
#[allow(clippy::all, reason = "generated code")]
pub mod v1 {
    tonic::include_proto!("lumbung.v1");
}
