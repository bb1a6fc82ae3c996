//! Resident sheets in and out: what they promise to a clerk.

mod fictitious;
mod hostile;
mod known;
mod layouts;
mod refusals;
mod rejects;
mod round_trip;
