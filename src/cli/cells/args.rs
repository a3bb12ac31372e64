//! The flags of `ukehi cells`.

use crate::cli::args::Target;
use crate::cli::registry::args::SignArgs;
use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub enum CellsCommand {
    /// Let the keyspace have cells of a policy, as an admin. A new testnet has those of its circuits.
    #[command(
        after_help = "Examples:\n  ukehi cells family --dir demo ledger\n  ukehi cells family --dir demo ledger --author clinic --author lab\n\nAUTHOR is a key's name in client/authors or 64 hex digits. Who may write to cells without a list of\ntheir own is said here once; later changes are each cell's: `cells authors`. Writing also takes an open\nepoch of the policy (`keys epoch open --policy ledger`) and a circuit (`keys circuit activate`)."
    )]
    Family {
        #[command(flatten)]
        sign: SignArgs,
        /// The policy's name.
        policy: String,
        /// Who may make and change its cells; may be repeated. All authors registered now without it.
        #[arg(long = "author")]
        authors: Vec<String>,
    },
    /// Make a cell with a value from outside, as an admin: the only way supply enters.
    #[command(
        after_help = "Example:\n  ukehi cells mint --dir demo bank/reserve --value 1000\n\nThe value is public, and so is that the cell exists; its key is not. AUTHOR is a key's name in\nclient/authors or 64 hex digits."
    )]
    Mint {
        #[command(flatten)]
        sign: SignArgs,
        /// At most 61 bytes.
        key: String,
        /// Below 2^64.
        #[arg(long)]
        value: u64,
        /// Whose rules its changes must follow: the family's name.
        #[arg(long, default_value = "ledger")]
        family: String,
        /// Who may write to the cell; may be repeated. All authors of the ledger without it.
        #[arg(long = "author")]
        authors: Vec<String>,
    },
    /// Move an amount from one cell to another, which is created if there is none.
    #[command(
        after_help = "Examples:\n  ukehi cells transfer --dir demo --author clinic --from bank/reserve --to clinic/budget 250\n  ukehi cells transfer --dir demo --author clinic --from bank/reserve --to clinic/budget 250 --guard lab/budget=100\n\nThe second is applied only while lab/budget holds 100. Where another batch changed a cell in between, it is read again and sealed anew, 5 times at most."
    )]
    Transfer(TransferArgs),
    /// Read a cell. Proves that it held this, not that nothing newer exists.
    #[command(after_help = "Example:\n  ukehi cells get --dir demo clinic/budget")]
    Get {
        #[command(flatten)]
        target: Target,
        key: String,
    },
    /// All cells, in tag order, with the values that can be read here.
    #[command(after_help = "Example:\n  ukehi cells list --dir demo --output json")]
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Say who may write to a cell, as an admin.
    #[command(
        after_help = "Example:\n  ukehi cells authors --dir demo clinic/budget clinic,lab\n\nAUTHOR is a key's name in client/authors or 64 hex digits; `all` gives the cell back to all authors\nof the ledger."
    )]
    Authors {
        #[command(flatten)]
        sign: SignArgs,
        key: String,
        #[arg(value_delimiter = ',', required = true)]
        authors: Vec<String>,
    },
    /// Write the cells of an ending epoch anew under another, before its secret is destroyed.
    #[command(
        after_help = "Example:\n  ukehi cells reseal --dir demo --author clinic --from-epoch 2 --to-epoch 3"
    )]
    Reseal(ResealArgs),
}

#[derive(Args, Debug)]
pub struct TransferArgs {
    #[command(flatten)]
    pub target: Target,
    /// Which of the author keys signs; needed where there are several.
    #[arg(long)]
    pub author: Option<String>,
    #[arg(long)]
    pub from: String,
    #[arg(long)]
    pub to: String,
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub amount: u64,
    /// Only while this cell holds this value; may be repeated.
    #[arg(long = "guard", value_name = "KEY=VALUE")]
    pub guards: Vec<String>,
}

#[derive(Args, Debug)]
pub struct ResealArgs {
    #[command(flatten)]
    pub target: Target,
    /// Which of the author keys signs; needed where there are several.
    #[arg(long)]
    pub author: Option<String>,
    #[arg(long)]
    pub from_epoch: u32,
    #[arg(long)]
    pub to_epoch: u32,
}
