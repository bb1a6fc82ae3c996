//! Resident sheets in and out: what they promise to a clerk.

#![expect(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod fictitious;
mod hostile;
mod known;
mod layouts;
mod mutated;
mod refusals;
mod rejects;
mod repeated;
mod round_trip;
mod sample;
