//! Where a passphrase comes from: a file named in the environment, a testnet's dev pass file, or
//! the prompt. Never an argument, which other users of the machine could read.

use crate::error::Failure;
use std::io::IsTerminal;
use std::path::Path;
use ukehi_keys::Passphrase;

const VARIABLE: &str = "UKEHI_PASSPHRASE_FILE";

/// `default_file` is a testnet's pass file, used where the environment names none.
pub fn obtain(default_file: Option<&Path>) -> Result<Passphrase, Failure> {
    if let Some(file) = std::env::var_os(VARIABLE) {
        return from_file(Path::new(&file));
    }
    match default_file {
        Some(file) if file.exists() => from_file(file),
        _ => prompt("Passphrase: "),
    }
}

/// For a new key file: asked twice at the prompt.
pub fn obtain_new() -> Result<Passphrase, Failure> {
    if std::env::var_os(VARIABLE).is_some() {
        return obtain(None);
    }
    let first = prompt("New passphrase: ")?;
    let second = prompt("Again: ")?;
    if first.expose() != second.expose() {
        return Err(Failure::usage("the two passphrases differ", "try again"));
    }
    Ok(first)
}

fn from_file(file: &Path) -> Result<Passphrase, Failure> {
    Passphrase::from_file(file).map_err(|e| {
        Failure::configuration(
            e,
            format!("put the passphrase into that file, or set {VARIABLE} to another"),
        )
    })
}

fn prompt(text: &str) -> Result<Passphrase, Failure> {
    let next = format!("set {VARIABLE} to a file that holds it");
    if !std::io::stdin().is_terminal() {
        return Err(Failure::configuration(
            "a passphrase is needed and there is no terminal to ask at",
            next,
        ));
    }
    let text = rpassword::prompt_password(text)
        .map_err(|e| Failure::configuration(format!("cannot read the passphrase: {e}"), &next))?;
    Passphrase::new(text).map_err(|e| Failure::configuration(e, next))
}
