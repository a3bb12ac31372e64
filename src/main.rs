//! The `ukehi` binary.

fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(ukehi::cli::main() as u8)
}
