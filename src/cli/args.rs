//! The commands and their flags, each with an example in its help.

use super::bench::args::BenchCommand;
use super::cells::args::CellsCommand;
use super::circuits::CircuitsCommand;
use super::disclose::{CheckArgs, DiscloseArgs};
use super::keys::args::KeysCommand;
use super::prove::ProveArgs;
use super::verify::VerifyArgs;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes:
  0 ok              4 not found                       11 proof invalid
  1 runtime error   5 unavailable or outcome unknown  12 fork
  2 usage           6 refused (with its reason)       13 incomplete
  3 configuration   10 tampered                       14 untrusted key or circuit

Example, from nothing to an audited trail:
  ukehi testnet up --dir demo --detach
  ukehi put --dir demo --author clinic patient/17 'chart opened by dr-osei'
  ukehi get --dir demo patient/17
  ukehi audit export --dir demo --out trail.ukehi
  ukehi audit verify trail.ukehi --trust demo/trust.json --allow-insecure-setup
  ukehi testnet down --dir demo";

/// A verifiable log of encrypted commands, replicated by organisations that do not fully trust
/// one another: every replica proves each entry valid before it acknowledges it, none can read it.
#[derive(Parser, Debug)]
#[command(name = "ukehi", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub struct Cli {
    /// How results are printed; JSON carries a `schema` field.
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    pub output: Format,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Table,
    Json,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Start or stop a local cluster of real node processes.
    #[command(
        subcommand,
        after_help = "Example:\n  ukehi testnet up --dir demo --detach"
    )]
    Testnet(TestnetCommand),
    /// Run one node in the foreground.
    #[command(
        subcommand,
        after_help = "Example:\n  ukehi node run --config demo/node1/config.toml"
    )]
    Node(NodeCommand),
    /// Examine a stopped node's disk: every checksum, entry, proof, hash and checkpoint.
    #[command(
        after_help = "Examples:\n  ukehi doctor --dir demo/node1\n  ukehi doctor --dir demo --output json\n\nDIR holds a node's config.toml, or is a testnet's directory: then every node's disk is examined. Nothing is\nwritten, and no key is needed. Exits with 10 if anything is damaged."
    )]
    Doctor(DoctorArgs),
    /// Write what the nodes hold against each other as files that anybody with the trust root can check.
    #[command(
        after_help = "Example:\n  ukehi evidence --dir demo --out evidence\n  ukehi audit evidence evidence/fork-node2.json --trust demo/trust.json"
    )]
    Evidence(EvidenceArgs),
    /// Who leads, how far each node is, who is quarantined, against whom there is evidence.
    #[command(after_help = "Example:\n  ukehi status --dir demo --output json")]
    Status(StatusArgs),
    /// Seal, prove and write one value, or the lines of a file.
    #[command(
        after_help = "Examples:\n  ukehi put --dir demo --author clinic patient/17 'chart opened'\n  ukehi put --dir demo --author lab scan/17 --value-file mri.dcm\n  ukehi put --dir demo --file accesses.jsonl\n  ukehi put --dir demo --author clinic order/7 approved --guard clinic/budget=250\n\nEach line of the file is {\"author\": ..., \"key\": ..., \"value\": ...}.\nA value too long for a slot goes to the nodes as an encrypted bulk value; the log holds its key and digest."
    )]
    Put(PutArgs),
    /// Read and decrypt the newest value of a key. Proves inclusion, not that nothing newer exists.
    #[command(
        after_help = "Examples:\n  ukehi get --dir demo patient/17\n  ukehi get --dir demo scan/17 --out mri.dcm"
    )]
    Get(GetArgs),
    /// Read and decrypt all keys, in tag order (the order of their route tags, not of the keys).
    #[command(after_help = "Example:\n  ukehi scan --dir demo --limit 20")]
    Scan(ScanArgs),
    /// Values kept beside the log: give the nodes what they lack.
    #[command(
        subcommand,
        after_help = "Example:\n  ukehi bulk repair --dir demo --author lab"
    )]
    Bulk(BulkCommand),
    /// Export a trail and verify it offline.
    #[command(
        subcommand,
        after_help = "Example:\n  ukehi audit verify trail.ukehi --trust trust.json"
    )]
    Audit(AuditCommand),
    /// Fetch and verify the receipt of a write.
    #[command(
        subcommand,
        after_help = "Example:\n  ukehi receipt get --dir demo clinic 1 --out receipt.json"
    )]
    Receipt(ReceiptCommand),
    /// Numbers under keys whose sum is kept: mint, transfer, read, reseal.
    #[command(
        subcommand,
        after_help = "Example:\n  ukehi cells transfer --dir demo --author clinic --from bank/reserve --to clinic/budget 250"
    )]
    Cells(CellsCommand),
    /// Make and list keys and proving parameters.
    #[command(
        subcommand,
        after_help = "Example:\n  ukehi keys list --dir demo/client"
    )]
    Keys(KeysCommand),
    /// The circuits of this release, and their constraints for outside tools.
    #[command(
        subcommand,
        after_help = "Example:\n  ukehi circuits export seal-1-short-opaque --r1cs seal.r1cs"
    )]
    Circuits(CircuitsCommand),
    /// Prove any circom circuit from its key and a witness, as rapidsnark does.
    #[command(
        after_help = "Examples:\n  ukehi prove circuit.zkey witness.wtns proof.json public.json\n  ukehi prove circuit.zkey witness.wtns proof.json public.json --r1cs circuit.r1cs\n\nThe proof is verified before it is written. Without --r1cs a bad witness and a wrong key are one error.\nFrom a circuit to a checked proof: docs/any-circuit.md"
    )]
    Prove(ProveArgs),
    /// Verify such a proof, or one of snarkjs or rapidsnark.
    #[command(
        after_help = "Example:\n  ukehi verify verification_key.json public.json proof.json\n\nThe key must come from somebody you trust to have held a set-up, not from the prover alone."
    )]
    Verify(VerifyArgs),
    /// Measure this machine.
    #[command(subcommand, after_help = "Example:\n  ukehi bench quick --output json")]
    Bench(BenchCommand),
}

#[derive(Subcommand, Debug)]
pub enum TestnetCommand {
    /// Write a cluster's keys and configuration if DIR has none, then start its nodes.
    #[command(
        after_help = "Examples:\n  ukehi testnet up --dir demo --detach\n  ukehi testnet up --dir real --detach --production\n\nA cluster made with --production takes no INSECURE circuit, and starts with none: activate those of a\nceremony, `ukehi keys circuit activate`, and write with --params."
    )]
    Up {
        /// Where the cluster lives; made if missing.
        #[arg(long)]
        dir: PathBuf,
        /// How many nodes a new cluster gets.
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=9))]
        nodes: u64,
        /// Return once a leader is elected; without it, Ctrl-C stops the nodes.
        #[arg(long)]
        detach: bool,
        /// Node 1 listens on BASE (peers) and BASE+1 (clients), node 2 on the next two, and so on; on
        /// free ports without it.
        #[arg(long)]
        base_port: Option<u16>,
        /// The authors a new cluster registers; may be repeated.
        #[arg(long = "author", default_values_t = ["clinic", "lab", "pharmacy", "billing"].map(String::from))]
        authors: Vec<String>,
        /// How many admin keys a new cluster gets: who may change its registry.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
        admins: u8,
        /// How many of them must sign a change.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
        threshold: u8,
        /// The circuits a new cluster accepts: names of `circuits list`, or `all`; one of 64 takes
        /// a while to set up.
        #[arg(long, value_delimiter = ',', default_values_t = ["seal-1-short-opaque", "seal-8-short-opaque", "seal-1-long-opaque", "seal_cells-8-short-ledger", "open-1-short-none"].map(String::from))]
        circuits: Vec<String>,
        /// Set up no circuit, and refuse those of development set-ups for ever; --circuits then says
        /// which policies get an epoch.
        #[arg(long)]
        production: bool,
    },
    /// Stop the nodes; their data stays.
    #[command(after_help = "Example:\n  ukehi testnet down --dir demo")]
    Down {
        #[arg(long)]
        dir: PathBuf,
    },
}

#[derive(Subcommand, Debug)]
pub enum NodeCommand {
    /// Run until SIGTERM or Ctrl-C.
    #[command(after_help = "Example:\n  ukehi node run --config demo/node1/config.toml")]
    Run {
        #[arg(long)]
        config: PathBuf,
    },
}

/// Where a command finds the cluster: a testnet's directory, or a node, keys and the trust root.
#[derive(Args, Debug, Clone)]
pub struct Target {
    /// A testnet's directory.
    #[arg(long, required_unless_present = "node", conflicts_with = "node")]
    pub dir: Option<PathBuf>,
    /// A node's client address; needs --keys and --trust.
    #[arg(long, requires = "trust")]
    pub node: Option<SocketAddr>,
    /// A directory laid out like a testnet's `client/`.
    #[arg(long)]
    pub keys: Option<PathBuf>,
    /// The trust root.
    #[arg(long)]
    pub trust: Option<PathBuf>,
    /// Proving parameters, for put (with --dir: DIR/params).
    #[arg(long)]
    pub params: Option<PathBuf>,
    /// Memory for the provers' tables in MiB, for put; a quarter of this machine's by default, 0 for none.
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(..=1 << 24))]
    pub table_memory: Option<u64>,
    /// How long to keep trying, in seconds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
}

impl Target {
    /// A testnet's directory, everything else at its default.
    pub fn of_dir(dir: &std::path::Path) -> Self {
        Self {
            dir: Some(dir.to_owned()),
            node: None,
            keys: None,
            trust: None,
            params: None,
            table_memory: None,
            timeout: 30,
        }
    }
}

#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// A stopped node's directory, or a testnet's whose nodes are stopped.
    #[arg(long)]
    pub dir: PathBuf,
}

#[derive(Args, Debug)]
pub struct EvidenceArgs {
    #[command(flatten)]
    pub target: Target,
    /// A directory, made if missing; files in it are never overwritten.
    #[arg(long)]
    pub out: PathBuf,
}

#[derive(Args, Debug)]
pub struct StatusArgs {
    /// A testnet's directory: asks every node.
    #[arg(long, required_unless_present = "node", conflicts_with = "node")]
    pub dir: Option<PathBuf>,
    /// One node's client address; needs --trust.
    #[arg(long, requires = "trust")]
    pub node: Option<SocketAddr>,
    #[arg(long)]
    pub trust: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct PutArgs {
    #[command(flatten)]
    pub target: Target,
    /// At most 61 bytes.
    #[arg(required_unless_present = "file")]
    pub key: Option<String>,
    /// Up to 155 bytes stand in the slot itself; a longer one is kept as a bulk value.
    #[arg(requires = "key")]
    pub value: Option<String>,
    /// The value is this file's content, at most 16 MiB; `-` is standard input.
    #[arg(long, value_name = "PATH", conflicts_with = "value", requires = "key")]
    pub value_file: Option<PathBuf>,
    /// Lines of {"author", "key", "value"}, sealed in batches of up to 8 per author.
    #[arg(long, conflicts_with_all = ["key", "value", "value_file", "author"])]
    pub file: Option<PathBuf>,
    /// Which of the author keys signs; needed where there are several.
    #[arg(long)]
    pub author: Option<String>,
    /// Only while this cell holds this value; may be repeated. The value then goes into the ledger's epoch.
    #[arg(long = "guard", value_name = "KEY=VALUE", requires = "value")]
    pub guards: Vec<String>,
}

#[derive(Args, Debug)]
pub struct GetArgs {
    #[command(flatten)]
    pub target: Target,
    pub key: String,
    /// Write the value here instead of to stdout; needed for bulk values.
    #[arg(long)]
    pub out: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct ScanArgs {
    #[command(flatten)]
    pub target: Target,
    /// At most so many rows; all of them without it.
    #[arg(long)]
    pub limit: Option<usize>,
}

#[derive(Subcommand, Debug)]
pub enum BulkCommand {
    /// Give nodes that were down during an upload the ciphertexts that keys refer to now.
    #[command(
        after_help = "Example:\n  ukehi bulk repair --dir demo --author lab\n\nAny author may: the log says which ciphertext belongs where. Needs the addresses of all nodes (--dir)."
    )]
    Repair {
        #[command(flatten)]
        target: Target,
        /// Which of the author keys signs the uploads; needed where there are several.
        #[arg(long)]
        author: Option<String>,
    },
}

#[derive(Subcommand, Debug)]
pub enum AuditCommand {
    /// Write the trail, or a range of it, into one self-contained file.
    #[command(
        after_help = "Examples:\n  ukehi audit export --dir demo --out trail.ukehi\n  ukehi audit export --dir demo --out for-strangers.ukehi --prune-grants"
    )]
    Export {
        #[command(flatten)]
        target: Target,
        #[arg(long)]
        out: PathBuf,
        /// First entry; 0, genesis, without it.
        #[arg(long, requires = "to")]
        from: Option<u64>,
        /// One past the last entry.
        #[arg(long, requires = "from")]
        to: Option<u64>,
        /// Leave out what grants wrap to readers: an audit needs their digests only.
        #[arg(long)]
        prune_grants: bool,
    },
    /// Verify every hash, signature, checkpoint and proof; needs no node and no decryption key.
    #[command(
        after_help = "Example:\n  ukehi audit verify trail.ukehi --trust trust.json\n  ukehi audit verify trail.ukehi --trust trust.json --keys demo/client\n\nA dev cluster's proofs rest on an INSECURE set-up; --allow-insecure-setup accepts it."
    )]
    Verify {
        bundle: PathBuf,
        #[arg(long)]
        trust: PathBuf,
        #[arg(long)]
        allow_insecure_setup: bool,
        /// A directory of keys: says which entries nobody with these keys can open.
        #[arg(long)]
        keys: Option<PathBuf>,
        /// A signed checkpoint obtained elsewhere, to compare with: shows forks.
        #[arg(long)]
        checkpoint: Option<PathBuf>,
    },
    /// List a bundle's entries, or show one whole, without judging them.
    #[command(after_help = "Example:\n  ukehi audit show trail.ukehi --entry 5")]
    Show {
        bundle: PathBuf,
        #[arg(long)]
        entry: Option<u64>,
    },
    /// Write one batch's verifying key, proof and public input as the files snarkjs verifies.
    #[command(
        after_help = "Example:\n  ukehi audit snarkjs trail.ukehi --entry 5 --out files\n  snarkjs groth16 verify files/verification_key.json files/public.json files/proof.json\n\nThat checks the proof alone; `ukehi audit verify` checks what its public input stands for."
    )]
    Snarkjs {
        bundle: PathBuf,
        #[arg(long)]
        entry: u64,
        /// A directory, made if missing; files in it are never overwritten.
        #[arg(long)]
        out: PathBuf,
        /// The trust root; without it, the trust.json beside the bundle.
        #[arg(long)]
        trust: Option<PathBuf>,
    },
    /// Verify a directory of such files, from whatever tool, and name the circuit whose key it is.
    #[command(
        after_help = "Example:\n  ukehi audit check-snarkjs files --trust trust.json\n\nWithout --trust the proof is checked under the key beside it, which says nothing of whose key that is."
    )]
    CheckSnarkjs {
        dir: PathBuf,
        /// Exit with 14 if the key is not that of one of its circuits.
        #[arg(long)]
        trust: Option<PathBuf>,
    },
    /// Show one decrypted command to somebody else, with a proof that the log holds exactly it.
    #[command(
        after_help = "Example:\n  ukehi audit disclose trail.ukehi --entry 5 --slot 0 --keys demo/client --params demo/params \\\n      --audience 'court of Basel, case 17' --out disclosure.json\n\nThe file reveals that one command, in clear, and nothing else of its batch. It cannot be taken back."
    )]
    Disclose(DiscloseArgs),
    /// Check a file of evidence against a node: what it shows, if anything.
    #[command(
        after_help = "Example:\n  ukehi audit evidence evidence/fork-node2.json --trust trust.json\n\nNeeds no node. An entry refused only for what stood before it in the log cannot be judged so."
    )]
    Evidence {
        file: PathBuf,
        #[arg(long)]
        trust: PathBuf,
    },
    /// Check a disclosure; needs no node and no decryption key.
    #[command(
        after_help = "Example:\n  ukehi audit check-disclosure disclosure.json --trust trust.json\n\nA dev cluster's proofs rest on an INSECURE set-up; --allow-insecure-setup accepts it."
    )]
    CheckDisclosure(CheckArgs),
}

#[derive(Subcommand, Debug)]
pub enum ReceiptCommand {
    /// Fetch the receipt of an author's sequence, from any node.
    #[command(
        after_help = "Example:\n  ukehi receipt get --dir demo clinic 1 --out receipt.json\n\nAUTHOR is a key's name in client/authors or 64 hex digits."
    )]
    Get {
        #[command(flatten)]
        target: Target,
        author: String,
        seq: u64,
        /// Write it here instead of to stdout.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Verify a receipt offline.
    #[command(after_help = "Example:\n  ukehi receipt verify receipt.json --trust demo/trust.json")]
    Verify {
        receipt: PathBuf,
        #[arg(long)]
        trust: PathBuf,
    },
}
