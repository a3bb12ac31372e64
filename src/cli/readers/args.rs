//! The flags of the commands about readers.

use crate::cli::args::Target;
use crate::cli::registry::args::SignArgs;
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

#[derive(Args, Debug)]
pub struct GrantArgs {
    #[command(flatten)]
    pub sign: SignArgs,
    /// The reader's public subkey, 64 hex digits.
    #[arg(long)]
    pub reader: String,
    /// The epoch it may read; the newest without it.
    #[arg(long)]
    pub epoch: Option<u32>,
    /// And all epochs from this one on: the past too.
    #[arg(long)]
    pub from_epoch: Option<u32>,
}

#[derive(Subcommand, Debug)]
pub enum GrantsCommand {
    /// Find the grants to a subkey in the log, open them, and keep the secrets they give.
    #[command(
        after_help = "Example:\n  ukehi keys grants accept --dir demo --keys me --reader-key me/readers/1-2.key\n\nSecrets go to epochs/K-E.key below --keys, the route key to route.key if there is none."
    )]
    Accept(AcceptArgs),
}

#[derive(Args, Debug)]
pub struct AcceptArgs {
    #[command(flatten)]
    pub target: Target,
    /// The reader's subkey file.
    #[arg(long)]
    pub reader_key: PathBuf,
}
