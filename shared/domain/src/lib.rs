//! What a village records and counts.
//!
//! Regions, identity numbers, record kinds, official code lists, validation,
//! indicators, the recap of the PKK books, and notices of the district. Everything here is pure: no
//! I/O, no clock, no randomness, no wire format. Whoever needs "today" passes
//! it in.

pub mod code_list;
pub mod id;
pub mod identity;
pub mod indicator;
pub mod informasi;
pub mod recap;
pub mod record;
pub mod region;
pub mod validation;
