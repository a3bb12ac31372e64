//! The commands of `ukehi keys ceremony` and their flags.

use clap::Subcommand;
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub enum CeremonyCommand {
    /// Announce a ceremony: check the powers of tau, make the initial key, name who takes part.
    #[command(
        after_help = "Example:\n  ukehi keys ceremony new --circuit seal-1-short-opaque --ptau pot14.ptau \\\n    --participants ada=PUBLIC,grace=PUBLIC --beacon-announce 'drand round 5000000' --dir ceremony\n\nPUBLIC is what `ukehi keys participant new` printed."
    )]
    New {
        /// A circuit of this release, by the name of its parameters.
        #[arg(long, required_unless_present = "r1cs", conflicts_with = "r1cs")]
        circuit: Option<String>,
        /// Any circuit with one public input, as a .r1cs file.
        #[arg(long)]
        r1cs: Option<PathBuf>,
        /// Powers of tau, prepared for phase 2.
        #[arg(long)]
        ptau: PathBuf,
        /// NAME=PUBLIC KEY, separated by commas.
        #[arg(long, value_delimiter = ',', required = true)]
        participants: Vec<String>,
        /// Which public randomness, not known to anybody yet, will close the ceremony.
        #[arg(long)]
        beacon_announce: String,
        /// log2 of how often the beacon is hashed.
        #[arg(long, default_value_t = 10)]
        beacon_iterations: u8,
        /// Where the ceremony's files go; made if missing.
        #[arg(long)]
        dir: PathBuf,
    },
    /// Take a participant's step, after verifying all before it; or import one made with snarkjs.
    #[command(
        after_help = "Examples:\n  ukehi keys ceremony contribute --dir ceremony --name ada --key ada.key\n  snarkjs zkey contribute ceremony/0001_ada.zkey mine.zkey --name=grace\n  ukehi keys ceremony contribute --dir ceremony --name grace --key grace.key --import mine.zkey"
    )]
    Contribute {
        #[arg(long)]
        dir: PathBuf,
        /// The participant's name in the announcement.
        #[arg(long)]
        name: String,
        /// The participant's key file.
        #[arg(long)]
        key: PathBuf,
        /// Where your own entropy comes from besides the system's: a file, or - for stdin. Asked for at a
        /// terminal without it.
        #[arg(long, conflicts_with = "import")]
        entropy: Option<PathBuf>,
        /// A .zkey that continues the newest one, contributed to elsewhere.
        #[arg(long)]
        import: Option<PathBuf>,
    },
    /// Close the ceremony with the announced randomness, once everybody has contributed.
    #[command(
        after_help = "Example:\n  ukehi keys ceremony beacon --dir ceremony --value 0102030405060708090a0b0c0d0e0f10"
    )]
    Beacon {
        #[arg(long)]
        dir: PathBuf,
        /// The announced randomness, in hex.
        #[arg(long)]
        value: String,
    },
    /// Verify a finished ceremony from the circuit and the powers of tau up.
    #[command(
        after_help = "Examples:\n  ukehi keys ceremony verify --dir ceremony\n  ukehi keys ceremony verify --zkey final.zkey --r1cs circuit.r1cs --ptau pot14.ptau\n\nWithout --dir nothing is said about who contributed."
    )]
    Verify {
        #[arg(long, required_unless_present = "zkey", conflicts_with = "zkey")]
        dir: Option<PathBuf>,
        #[arg(long, requires = "r1cs", requires = "ptau")]
        zkey: Option<PathBuf>,
        #[arg(long, requires = "zkey")]
        r1cs: Option<PathBuf>,
        #[arg(long, requires = "zkey")]
        ptau: Option<PathBuf>,
    },
    /// Verify a finished ceremony and write its proving parameters.
    #[command(after_help = "Example:\n  ukehi keys ceremony finish --dir ceremony --params params")]
    Finish {
        #[arg(long)]
        dir: PathBuf,
        /// A directory of proving parameters; made if missing, nothing in it is overwritten.
        #[arg(long)]
        params: PathBuf,
    },
    /// Make powers of tau alone, for development. INSECURE: whoever runs it could forge proofs.
    #[command(
        after_help = "Example:\n  ukehi keys ceremony ptau --power 13 --out dev13.ptau\n\nFor real circuits take the file of a public ceremony, or let others contribute with `snarkjs powersoftau`."
    )]
    Ptau {
        /// log2 of the largest domain.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=20))]
        power: u32,
        #[arg(long)]
        out: PathBuf,
    },
}
