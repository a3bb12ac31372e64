//! The command line: parses, calls the rooms below, prints, and picks the exit code.
//!
//! Invariants: 1. results go to stdout, progress and errors to stderr; 2. the commands, their
//! flags and exit codes are an interface people script (README, "Exit codes").

mod args;
mod audit;
mod bench;
mod cells;
mod ceremony;
mod circuits;
mod connect;
mod data;
mod disclose;
mod doctor;
mod evidence;
mod failures;
mod keys;
mod node;
mod output;
mod passphrase;
mod progress;
mod prove;
mod readers;
mod receipt;
mod registry;
mod set_up;
mod snarkjs;
mod solidity;
mod status;
mod testnet;
mod verify;

pub use args::Cli;

use crate::error::{ExitCode, Failure};
use args::Command;
use clap::Parser;
use output::Output;
use std::ffi::OsString;

/// Runs `ukehi` with the process's arguments; the caller exits with the code.
#[must_use]
pub fn main() -> ExitCode {
    execute(std::env::args_os())
}

/// Runs one command of `ukehi` within a program of one's own; the first word is the program's name.
#[must_use]
pub fn execute(words: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> ExitCode {
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => {
            // clap prints help and version to stdout and usage errors to stderr itself.
            let _ = error.print();
            return match error.kind() {
                clap::error::ErrorKind::DisplayHelp | clap::error::ErrorKind::DisplayVersion => {
                    ExitCode::Ok
                }
                _ => ExitCode::Usage,
            };
        }
    };
    let output = Output::new(cli.output);
    match run(cli.command, &output) {
        Ok(()) => ExitCode::Ok,
        Err(failure) => {
            output.failure(&failure);
            failure.code
        }
    }
}

fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Testnet(command) => testnet::run(command, output),
        Command::Node(command) => node::run(command),
        Command::Doctor(args) => doctor::run(&args, output),
        Command::Evidence(args) => evidence::export(&args, output),
        Command::Status(args) => status::run(&args, output),
        Command::Put(args) => data::put(&args, output),
        Command::Get(args) => data::get(&args, output),
        Command::Scan(args) => data::scan(&args, output),
        Command::Bulk(command) => data::bulk(command, output),
        Command::Audit(command) => audit::run(command, output),
        Command::Receipt(command) => receipt::run(command, output),
        Command::Cells(command) => cells::run(command, output),
        Command::Keys(command) => keys::run(command, output),
        Command::Circuits(command) => circuits::run(command, output),
        Command::Prove(args) => prove::run(&args, output),
        Command::Verify(args) => verify::run(&args, output),
        Command::Bench(command) => bench::run(command, output),
    }
}
