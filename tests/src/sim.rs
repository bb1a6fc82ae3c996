//! A district in one simulated world: a hub and many nodes on one thread, on
//! simulated time and a simulated network, all of it decided by one seed.
//!
//! The villages, the sync service, the sessions, the merge and the hub's
//! SQLite are the real ones. Simulated are the sockets ([`mod@line`]), the nodes'
//! disks ([`crate::faulty_store`]), their wall clocks, time and randomness.
//! [`schedule`] draws faults, [`world`] lets them happen and checks at the end
//! that nothing was lost, nothing invented, and everything converged.
//!
//! The hub's wall clock is the world's time: it numbers contacts by it.

pub mod book;
mod hub;
pub mod line;
mod node;
pub mod pair;
mod parting;
pub mod quiet;
pub mod schedule;
pub mod world;

use std::path::Path;

use tempfile::TempDir;

/// A folder for the hub's file, in memory where the system offers that: in
/// simulated worlds only what is simulated fails, and waiting for a real disk
/// proves nothing.
///
/// # Errors
/// When no folder can be made.
pub fn folder() -> std::io::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
}
