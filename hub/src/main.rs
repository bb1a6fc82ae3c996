//! The `lumbung-hub` command.

fn main() {}
