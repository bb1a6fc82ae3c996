//! The village node: keeps one village's data and serves its changes.
//!
//! `barn` stores, `village` knows the domain's rules, `import` and `export`
//! speak the sheets' languages, `serving` answers over gRPC, `cli` is the
//! command. `backup` and `bundle` carry the log where no link does, `recovery`
//! brings back what the district holds when the store is damaged. Edges point
//! inward only: cli, serving, import, recovery, backup, bundle → village → barn.

pub mod backup;
pub mod barn;
pub mod bundle;
pub mod cli;
pub mod config;
pub mod export;
pub mod identity;
pub mod import;
pub mod kept;
pub mod petugas;
pub mod recovery;
pub mod serving;
mod slots;
pub mod stretch;
pub mod uplink;
pub mod village;
