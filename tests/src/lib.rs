//! What the whole-system tests share: real processes on loopback
//! ([`district`]), an operator at the console ([`browser`],
//! in a real browser [`chromium`]), the comparison of a village's log with the hub's rows
//! ([`fold`]), made-up villages ([`fictitious`]), lying ones ([`liar`]), a
//! bad link between them ([`proxy`]), a web server before the hub ([`front`]), certificates of another authority
//! ([`certificates`]), sticks ([`sticks`]) and one village to
//! which things happen ([`scene`]).
//!
//! In those nothing stands in for a part of the system: nodes and the hub are
//! the real programs, with real sockets and real disks. [`sim`] runs the same
//! code in a simulated world, on disks that fail ([`faulty_store`]), [`rewinding`] one
//! village's in one process, without a network.

pub mod browser;
pub mod certificates;
pub mod chromium;
pub mod collector;
pub mod district;
pub mod faulty_store;
pub mod fictitious;
pub mod fold;
pub mod front;
pub mod liar;
mod process;
pub mod proxy;
pub mod receivers;
pub mod rewinding;
pub mod scene;
pub mod sim;
pub mod sticks;
