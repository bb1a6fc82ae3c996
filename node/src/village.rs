//! The village's records under the domain's rules.

pub mod census;
