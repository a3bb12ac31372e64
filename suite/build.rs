//! Leaves the compiler's version for the machine facts: a result without it cannot be compared.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC");
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc).arg("--version").output();
    let version = version.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned());
    let version = version.unwrap_or_default();
    println!("cargo::rustc-env=UKEHI_SUITE_RUSTC={version}");
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    println!(
        "cargo::rustc-env=UKEHI_SUITE_RUSTFLAGS={}",
        flags.replace('\u{1f}', " ")
    );
}
