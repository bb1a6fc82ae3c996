//! The demo district.
fn main() {}
