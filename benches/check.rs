//! Speed and memory by stage.
fn main() {}
