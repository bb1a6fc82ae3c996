//! The parts of the district demo that stand on their own.

pub mod district;
pub mod population;
pub mod ports;
