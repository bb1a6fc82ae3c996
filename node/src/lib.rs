//! The village node: keeps one village's data and serves its changes.
//!
//! `barn` stores, `village` knows the domain's rules, `import` and `export`
//! speak the sheets' languages, `serving` answers over gRPC, `cli` is the
//! command. Edges point inward only: cli, serving, import → village → barn.

pub mod barn;
pub mod cli;
pub mod config;
pub mod export;
pub mod import;
pub mod kept;
pub mod serving;
pub mod village;
