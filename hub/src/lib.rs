//! The district hub: pulls every village's changes and merges them into one
//! RT/RW and dasa wisma dataset.
//!
//! `uplink` reaches villages, `puller` follows one village each, `merge`
//! turns verified batches into rows, `dataset` keeps them. `rhythm` says how
//! fresh a village is by its own habits, `outlook` looks at all of them,
//! `reason` says what is wrong and what to do. `access` knows the operators,
//! `desk` is what they see and do. `notices` are what the district tells
//! villages. `recap` and `exports` count and write files; `console` shows,
//! `admin` answers commands. `serve` puts the parts together, `spans` is
//! what traces say of them, `cli` is the hub's own command, `ctl` the operators'.

pub mod access;
pub mod admin;
pub mod alerting;
mod allowance;
pub mod backup;
pub mod bundle;
pub mod cli;
pub mod console;
pub mod ctl;
pub mod dataset;
pub mod desk;
mod enrolment;
pub mod exports;
pub mod invitation;
pub mod live;
pub mod merge;
pub mod metrics;
pub mod notices;
pub mod outlook;
pub mod puller;
pub mod reason;
pub mod recap;
pub mod registry;
pub mod repair;
pub mod rhythm;
pub mod serve;
mod spans;
pub mod uplink;
pub mod words;
