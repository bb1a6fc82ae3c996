//! The village node: keeps one village's data and serves its changes.
//!
//! `barn` stores, `village` knows the domain's rules, `import` and `export`
//! speak the sheets' languages, `serving` answers over gRPC. Edges point
//! inward only: serving, import → village → barn.

pub mod barn;
pub mod export;
pub mod import;
pub mod village;
