//! The flags of the commands about readers.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub enum ReaderCommand {
    /// Make a reader's subkey for one epoch: an epoch's secret is wrapped to its public part.
    #[command(
        after_help = "Example:\n  ukehi keys reader new --out client/readers/1-2.key\n\nMake one for each epoch: destroying it then makes the grants to it useless, and no others.\nGive the public key it prints to an admin; the file never leaves this machine."
    )]
    New {
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Args, Debug)]
pub struct EraseArgs {
    /// A directory laid out like a testnet's `client/`.
    #[arg(long)]
    pub keys: PathBuf,
    #[arg(long)]
    pub epoch: u32,
    #[arg(long, default_value_t = 1)]
    pub keyspace: u32,
    /// Needed: what is destroyed here does not come back.
    #[arg(long)]
    pub yes: bool,
}
