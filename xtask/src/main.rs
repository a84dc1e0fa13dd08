//! The project's chores; run `cargo xtask help`.

fn main() {}
