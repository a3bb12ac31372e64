//! `ukehi bench gates`.

use super::compare::load;
use crate::error::Failure;
use std::path::PathBuf;
use ukehi_suite::gates::markdown;

pub fn run(files: &[PathBuf]) -> Result<(), Failure> {
    let results = files.iter().map(|file| load(file));
    let results: Vec<_> = results.collect::<Result<_, _>>()?;
    print!("{}", markdown(&results));
    Ok(())
}
