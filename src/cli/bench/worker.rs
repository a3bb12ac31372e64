//! Our prover as a process that the suite starts and asks, like every peer.

use crate::error::Failure;
use std::io;
use ukehi_suite::ours::Ours;
use ukehi_suite::protocol::InstanceFiles;
use ukehi_suite::worker::serve;

pub fn run(words: &[String]) -> Result<(), Failure> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ["serve", r1cs, zkey, digest, wtns] = words[..] else {
        return Err(Failure::usage(
            "not what the suite says to a worker",
            "serve R1CS ZKEY DIGEST WTNS",
        ));
    };
    let files = InstanceFiles {
        r1cs: r1cs.into(),
        zkey: zkey.into(),
        zkey_digest: digest.to_owned(),
        wtns: wtns.into(),
    };
    serve(
        || Ours::load(&files),
        io::stdin().lock(),
        io::stdout().lock(),
    )
    .map_err(Failure::runtime)
}
