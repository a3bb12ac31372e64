//! The commands and flags of `ukehi keys`.

use crate::cli::ceremony::{CeremonyCommand, ParticipantCommand};
use crate::cli::readers::args::{EraseArgs, GrantArgs, GrantsCommand, ReaderCommand};
use crate::cli::registry::args::{
    AdminCommand, AdminsCommand, AuthorCommand, ChangeCommand, CircuitCommand, EpochCommand,
    RegistryCommand,
};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub enum KeysCommand {
    /// Author keys: who writes.
    #[command(
        subcommand,
        after_help = "Example:\n  ukehi keys author new --out clinic.key"
    )]
    Author(AuthorCommand),
    /// Epoch keys: who reads.
    #[command(
        subcommand,
        after_help = "Example:\n  ukehi keys epoch new --out readers.key"
    )]
    Epoch(EpochCommand),
    /// Readers' subkeys: what an epoch's secret is wrapped to.
    #[command(
        subcommand,
        after_help = "Example:\n  ukehi keys reader new --out client/readers/1-2.key"
    )]
    Reader(ReaderCommand),
    /// Wrap an epoch's secret, and the route key, to a reader's subkey, as an entry of the log.
    #[command(
        after_help = "Examples:\n  ukehi keys grant --dir demo --reader PUB\n  ukehi keys grant --dir demo --reader PUB --from-epoch 1 --epoch 3\n\nThe first gives the newest epoch only, the second the past too. Dropping a reader:\n  ukehi keys epoch rotate --dir demo --grant PUB,PUB"
    )]
    Grant(GrantArgs),
    /// What was granted to a reader.
    #[command(
        subcommand,
        after_help = "Example:\n  ukehi keys grants accept --dir demo --keys me --reader-key me/readers/1-2.key"
    )]
    Grants(GrantsCommand),
    /// Destroy an epoch's secret and subkey in a directory of keys. Says what that cannot reach.
    #[command(after_help = "Example:\n  ukehi keys erase-epoch --keys demo/client --epoch 1 --yes")]
    EraseEpoch(EraseArgs),
    /// Admin keys: who changes the registry.
    #[command(
        subcommand,
        after_help = "Example:\n  ukehi keys admin new --out alice.key"
    )]
    Admin(AdminCommand),
    /// The set of admins and how many must agree.
    #[command(
        subcommand,
        after_help = "Example:\n  ukehi keys admins set --dir demo --key admin1 --threshold 1"
    )]
    Admins(AdminsCommand),
    /// Circuits: which proofs count.
    #[command(
        subcommand,
        after_help = "Example:\n  ukehi keys circuit activate --dir demo params/seal-8-short-opaque.json"
    )]
    Circuit(CircuitCommand),
    /// Changes that several admins sign, one after the other.
    #[command(
        subcommand,
        after_help = "Example:\n  ukehi keys change sign change.json --dir demo --admin admin2"
    )]
    Change(ChangeCommand),
    /// The registry in the log: authors, epochs, circuits, admins.
    #[command(
        subcommand,
        after_help = "Example:\n  ukehi keys registry show --dir demo"
    )]
    Registry(RegistryCommand),
    /// Participant keys: who contributes to a set-up ceremony.
    #[command(
        subcommand,
        after_help = "Example:\n  ukehi keys participant new --out ada.key"
    )]
    Participant(ParticipantCommand),
    /// Set up a circuit's keys with others: sound as long as one of them is honest.
    #[command(
        subcommand,
        after_help = "Example:\n  ukehi keys ceremony verify --dir ceremony"
    )]
    Ceremony(CeremonyCommand),
    /// List the key files of a directory; needs no passphrase.
    #[command(after_help = "Example:\n  ukehi keys list --dir demo/client")]
    List {
        #[arg(long)]
        dir: PathBuf,
    },
    /// Make Groth16 parameters.
    #[command(after_help = "Example:\n  ukehi keys setup --dev --dir params")]
    Setup {
        /// A one-party set-up. INSECURE: whoever runs it can forge proofs.
        #[arg(long, required = true)]
        dev: bool,
        #[arg(long)]
        dir: PathBuf,
        /// Names of `circuits list`, or `all`.
        #[arg(long, value_delimiter = ',', default_values_t = ["seal-1-short-opaque", "seal-8-short-opaque", "open-1-short-none"].map(String::from))]
        circuits: Vec<String>,
    },
    /// Write a contract that verifies one circuit's proofs on chains with the BN254 precompiles.
    #[command(
        after_help = "Examples:\n  ukehi keys solidity seal-1-short-opaque --trust trust.json --out Verifier.sol\n  ukehi keys solidity 81519732 --params demo/params\n\nIts verifyProof(a, b, c, [x]) takes what `snarkjs zkey export soliditycalldata` prints."
    )]
    Solidity(SolidityArgs),
}

#[derive(Args, Debug)]
pub struct SolidityArgs {
    /// The circuit: its id or the first 8 digits of it or more, or its file name, like seal-1-short-opaque.
    pub circuit: String,
    /// A directory of proving parameters.
    #[arg(long, required_unless_present = "trust", conflicts_with = "trust")]
    pub params: Option<PathBuf>,
    /// The trust root.
    #[arg(long)]
    pub trust: Option<PathBuf>,
    /// Write it here instead of to stdout; never overwritten.
    #[arg(long)]
    pub out: Option<PathBuf>,
}
