//! The flags of the commands that change or show the registry.

use crate::cli::args::Target;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Which admins sign, and whether the change is sent.
#[derive(Args, Debug, Clone)]
pub struct SignArgs {
    #[command(flatten)]
    pub target: Target,
    /// An admin key of client/admins that signs; may be repeated. Without it, as many of those
    /// there as the threshold asks for.
    #[arg(long = "admin")]
    pub admins: Vec<String>,
    /// Write the signed change to --out instead of sending it, for other admins to sign.
    #[arg(long, requires = "out")]
    pub sign_only: bool,
    #[arg(long, requires = "sign_only")]
    pub out: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub enum AuthorCommand {
    /// Make a key file, encrypted under a passphrase, mode 0600.
    #[command(after_help = "Example:\n  ukehi keys author new --out clinic.key")]
    New {
        #[arg(long)]
        out: PathBuf,
    },
    /// Let an author write from now on.
    #[command(
        after_help = "Example:\n  ukehi keys author register --dir demo radiology\n\nAUTHOR is a key's name in client/authors or 64 hex digits."
    )]
    Register {
        #[command(flatten)]
        sign: SignArgs,
        author: String,
    },
    /// End an author's right to write, for ever; what it wrote stays valid.
    #[command(after_help = "Example:\n  ukehi keys author revoke --dir demo radiology")]
    Revoke {
        #[command(flatten)]
        sign: SignArgs,
        author: String,
    },
}

#[derive(Subcommand, Debug)]
pub enum EpochCommand {
    /// Make a key file, encrypted under a passphrase, mode 0600.
    #[command(after_help = "Example:\n  ukehi keys epoch new --out readers.key")]
    New {
        #[arg(long)]
        out: PathBuf,
    },
    /// Make the next epoch's secret in client/epochs and open the epoch.
    #[command(after_help = "Example:\n  ukehi keys epoch open --dir demo")]
    Open {
        #[command(flatten)]
        sign: SignArgs,
        /// What batches sealed to it must satisfy.
        #[arg(long, default_value = "opaque")]
        policy: String,
        /// The last entry at which a batch may be applied under it; open without it.
        #[arg(long)]
        expires: Option<u64>,
    },
    /// Open the next epoch and let another expire, in one change.
    #[command(
        after_help = "Example:\n  ukehi keys epoch rotate --dir demo --grace 1000\n\nReaders of the old epoch read on until then; what they could read they can read for ever."
    )]
    Rotate {
        #[command(flatten)]
        sign: SignArgs,
        /// The epoch that expires, whose policy the new one has; the newest opaque one without it.
        #[arg(long)]
        old: Option<u32>,
        /// For how many entries from now the old epoch still takes batches.
        #[arg(long, default_value_t = 1000)]
        grace: u64,
        /// The last entry at which a batch may be applied under the new one.
        #[arg(long)]
        expires: Option<u64>,
        /// Readers of the new epoch: their public subkeys, separated by commas. Who is left out is
        /// dropped.
        #[arg(long, value_delimiter = ',', conflicts_with = "sign_only")]
        grant: Vec<String>,
    },
    /// Let an epoch end at an entry to come.
    #[command(after_help = "Example:\n  ukehi keys epoch expire --dir demo 1 --at 5000")]
    Expire {
        #[command(flatten)]
        sign: SignArgs,
        epoch: u32,
        /// The last entry at which a batch may be applied under it.
        #[arg(long)]
        at: u64,
    },
    /// End an epoch now.
    #[command(after_help = "Example:\n  ukehi keys epoch revoke --dir demo 1")]
    Revoke {
        #[command(flatten)]
        sign: SignArgs,
        epoch: u32,
    },
    /// Record that an epoch's secret was destroyed. Destroys no file, and proves nothing.
    #[command(
        after_help = "Example:\n  ukehi keys epoch erase --dir demo 1\n\nDestroy every copy of the secret, every reader's subkey and every retained grant first: the\nrecord says you did, and nobody can check it. A copy a reader kept still reads."
    )]
    Erase {
        #[command(flatten)]
        sign: SignArgs,
        epoch: u32,
        /// Even if cells are sealed to it: nobody can change them afterwards.
        #[arg(long)]
        freeze_cells: bool,
    },
}

#[derive(Subcommand, Debug)]
pub enum CircuitCommand {
    /// Accept proofs of a circuit from now on; its manifest goes into the log.
    #[command(
        after_help = "Example:\n  ukehi keys circuit activate --dir demo params/seal-8-short-opaque.json"
    )]
    Activate {
        #[command(flatten)]
        sign: SignArgs,
        /// The circuit's manifest.
        manifest: PathBuf,
    },
    /// Accept no more proofs of a circuit, for ever; old entries stay valid.
    #[command(
        after_help = "Examples:\n  ukehi keys circuit retire --dir demo 6f1cfe02\n  ukehi keys circuit retire --dir demo seal-8-short-opaque"
    )]
    Retire {
        #[command(flatten)]
        sign: SignArgs,
        /// Its id or the first 8 digits of it or more, or its file name.
        circuit: String,
    },
}

#[derive(Subcommand, Debug)]
pub enum AdminCommand {
    /// Make a key file, encrypted under a passphrase, mode 0600.
    #[command(after_help = "Example:\n  ukehi keys admin new --out alice.key")]
    New {
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Subcommand, Debug)]
pub enum AdminsCommand {
    /// Name all who may change the registry from now on, and how many must agree.
    #[command(
        after_help = "Example:\n  ukehi keys admins set --dir demo --key admin1 --key bob --threshold 2\n\nKEY is a key's name in client/admins or 64 hex digits."
    )]
    Set {
        #[command(flatten)]
        sign: SignArgs,
        #[arg(long = "key", required = true)]
        members: Vec<String>,
        #[arg(long)]
        threshold: u8,
    },
}

#[derive(Subcommand, Debug)]
pub enum RegistryCommand {
    /// Authors, epochs, circuits and admins, verified against the trust root.
    #[command(after_help = "Example:\n  ukehi keys registry show --dir demo --output json")]
    Show {
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Subcommand, Debug)]
pub enum ChangeCommand {
    /// Add an admin's signature to a change, in its file.
    #[command(
        after_help = "Example:\n  ukehi keys change sign change.json --dir demo --admin admin2"
    )]
    Sign {
        file: PathBuf,
        #[command(flatten)]
        target: Target,
        #[arg(long)]
        admin: String,
    },
    /// Send a change that enough admins have signed.
    #[command(after_help = "Example:\n  ukehi keys change submit change.json --dir demo")]
    Submit {
        file: PathBuf,
        #[command(flatten)]
        target: Target,
    },
}
