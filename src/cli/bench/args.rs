//! The flags of `ukehi bench`.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use ukehi_suite::cell::Suite;
use ukehi_suite::template::Template;

#[derive(Subcommand, Debug)]
pub enum BenchCommand {
    /// The figures of the README on this machine, in about two minutes.
    #[command(after_help = "Example:\n  ukehi bench quick --output json")]
    Quick,
    /// Measure thoroughly, beside other provers, into DIR/results.json and DIR/report.html.
    #[command(
        after_help = "Examples:\n  ukehi bench run --suite prover --sizes 12,14 --out runs/today\n  ukehi bench run --suite full --out runs/full --peer 'rapidsnark={zkey} {wtns} {proof} {public}'\n  ukehi bench run --resume --out runs/full\n\nCtrl-C ends the run after the sample under way; what is finished is kept and reported.\nThe peers are a program of their own, ukehi-peers: make peers"
    )]
    Run(Box<RunArgs>),
    /// Show what differs between two results beyond noise; exits with 1 on a regression over the bound.
    #[command(
        after_help = "Example:\n  ukehi bench compare before/results.json after/results.json --bound 5"
    )]
    Compare(CompareArgs),
    /// Hold results of `bench run` against what Ukehi is meant to reach: a table in Markdown.
    #[command(
        after_help = "Example:\n  ukehi bench gates runs/provers/results.json runs/rest/results.json"
    )]
    Gates {
        /// Files of `bench run`, of one machine.
        #[arg(required = true)]
        results: Vec<PathBuf>,
    },
    /// Our prover as the process that `bench run` measures.
    #[command(
        hide = true,
        after_help = "Example:\n  ukehi bench worker serve R1CS ZKEY DIGEST WTNS"
    )]
    Worker {
        /// `serve R1CS ZKEY DIGEST WTNS`.
        #[arg(required = true)]
        words: Vec<String>,
    },
}

/// A suite, or all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SuiteName {
    Prover,
    Verify,
    Hash,
    Seal,
    Pool,
    Replicate,
    Audit,
    Full,
}

impl SuiteName {
    pub fn suites(self) -> Vec<Suite> {
        match self {
            SuiteName::Prover => vec![Suite::Prover],
            SuiteName::Verify => vec![Suite::Verify],
            SuiteName::Hash => vec![Suite::Hash],
            SuiteName::Seal => vec![Suite::Seal],
            SuiteName::Pool => vec![Suite::Pool],
            SuiteName::Replicate => vec![Suite::Replicate],
            SuiteName::Audit => vec![Suite::Audit],
            SuiteName::Full => Suite::ALL.to_vec(),
        }
    }
}

#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// What is measured.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        required_unless_present = "resume"
    )]
    pub suite: Vec<SuiteName>,
    /// Where the run is kept; made if missing.
    #[arg(long)]
    pub out: PathBuf,
    /// Continue the run in DIR, with the flags it was begun with; flags given again must be the same.
    #[arg(long)]
    pub resume: bool,
    /// An external prover, run once per proof: NAME=ARGUMENTS with {zkey} {wtns} {proof} {public}, and {r1cs}
    /// {threads} if it wants them. NAME is the program, unless the arguments begin with !PROGRAM.
    #[arg(long = "peer", value_name = "NAME=ARGUMENTS")]
    pub peers: Vec<Template>,
    /// The peers' binary; without it, it is looked for beside this one.
    #[arg(long, value_name = "PATH")]
    pub peers_bin: Option<PathBuf>,
    /// Provers to leave out, by name: some are slow.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub without: Vec<String>,
    /// Sizes of the synthetic circuits, as log2 of their rows, 10 to 20 [default: 10,12,14,16].
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(10..=20))]
    pub sizes: Option<Vec<u32>>,
    /// Kinds of synthetic circuits: poseidon, sha, sparse, or none [default: all three].
    #[arg(long, value_delimiter = ',')]
    pub families: Option<Vec<String>>,
    /// Batches' circuits as names of `circuits list`, `all` or `none` [default: the two short ones; all in a full run].
    #[arg(long, value_delimiter = ',')]
    pub shapes: Option<Vec<String>>,
    /// Counts of threads [default: 1, 2, 4 ... up to the cores].
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u64).range(1..=256))]
    pub threads: Option<Vec<u64>>,
    /// Samples of every cell; six or more give intervals of 95 % [default: 11].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rounds: Option<u32>,
    /// Seconds that one request to a prover may take [default: 900].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub deadline: Option<u64>,
    /// Where circuits, keys and witnesses are kept [default: OUT/instances]; some GiB at the largest sizes.
    #[arg(long)]
    pub instances: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct CompareArgs {
    /// The earlier results.json.
    pub before: PathBuf,
    /// The later one.
    pub after: PathBuf,
    /// How much slower, in percent, something may become beyond noise.
    #[arg(long, default_value_t = 5.0, value_name = "PERCENT")]
    pub bound: f64,
    /// Compare results of different machines, too.
    #[arg(long)]
    pub any_machine: bool,
}
