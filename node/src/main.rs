//! The `lumbung-node` command.

fn main() {}
