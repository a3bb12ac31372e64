//! Replication and audit on real node processes: `ukehi bench quick` measures them; here its
//! figures are printed for criterion's user, who would otherwise miss them.

use std::process::Command;

fn main() {
    // `cargo test --benches` runs this with --test: nothing to check then.
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    let status = Command::new(env!("CARGO_BIN_EXE_ukehi"))
        .args(["bench", "quick"])
        .status()
        .expect("the binary was built for this bench");
    assert!(status.success(), "`ukehi bench quick` failed: {status}");
}
