//! What a participant adds to the system's randomness: a file, stdin, or something typed at the terminal.

use crate::ceremony::Entropy;
use crate::error::Failure;
use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::Path;
use zeroize::Zeroizing;

/// More adds nothing: the share has 32 bytes.
const MAX_ENTROPY_BYTES: u64 = 64 * 1024;

pub fn obtain(source: Option<&Path>) -> Result<Entropy, Failure> {
    match source {
        Some(path) if path == Path::new("-") => read(std::io::stdin().lock(), "stdin"),
        Some(path) => {
            let name = path.display().to_string();
            let file = File::open(path).map_err(|e| unreadable(&name, &e))?;
            read(file, &name)
        }
        None if std::io::stdin().is_terminal() => {
            let typed = rpassword::prompt_password("Type something nobody can guess: ")
                .map_err(|e| unreadable("the terminal", &e))?;
            Ok(Zeroizing::new(typed.into_bytes()))
        }
        None => {
            eprintln!("entropy: the operating system's alone (--entropy adds yours)");
            Ok(Zeroizing::new(Vec::new()))
        }
    }
}

fn read(source: impl Read, name: &str) -> Result<Entropy, Failure> {
    // In one piece: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_ENTROPY_BYTES as usize));
    source
        .take(MAX_ENTROPY_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|e| unreadable(name, &e))?;
    if bytes.is_empty() {
        return Err(Failure::usage(
            format!("{name} is empty"),
            "put something into it that nobody can guess",
        ));
    }
    Ok(bytes)
}

fn unreadable(name: &str, error: &std::io::Error) -> Failure {
    Failure::configuration(
        format!("{name}: {error}"),
        "give --entropy a file that can be read, or -",
    )
}
