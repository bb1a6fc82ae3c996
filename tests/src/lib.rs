//! What the whole-system tests share: real processes on loopback
//! ([`district`]), the comparison of a village's log with the hub's rows
//! ([`fold`]), made-up villages ([`fictitious`]), lying ones ([`liar`]) and a
//! bad link between them ([`proxy`]).
//!
//! Nothing here stands in for a part of the system: nodes and the hub are the
//! real programs, with real sockets and real disks.

pub mod district;
pub mod fictitious;
pub mod fold;
pub mod liar;
mod process;
pub mod proxy;
