//! The binary `lanai`.

fn main() {}
