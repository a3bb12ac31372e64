//! `ukehi keys ceremony`: a multi-party set-up, with either tool.

mod args;
mod entropy;
mod failures;
mod show;

pub use args::CeremonyCommand;

use super::output::Output;
use super::passphrase;
use super::progress::Progress;
use crate::ceremony::{
    AnnouncedBeacon, Ceremony, CeremonyError, CircuitSource, ListedParticipant, Stage, StepMade,
    verify_files, write_powers,
};
use crate::error::Failure;
use std::path::{Path, PathBuf};
use ukehi_keys::{ParticipantId, ParticipantKey, keystore};

pub fn run(command: CeremonyCommand, output: &Output) -> Result<(), Failure> {
    match command {
        CeremonyCommand::New {
            circuit,
            r1cs,
            ptau,
            participants,
            beacon_announce,
            beacon_iterations,
            dir,
        } => {
            let participants: Result<Vec<_>, Failure> =
                participants.iter().map(|p| participant(p)).collect();
            let beacon = AnnouncedBeacon {
                source: beacon_announce,
                iterations_log2: beacon_iterations,
            };
            let circuit = match (&circuit, &r1cs) {
                (Some(name), _) => CircuitSource::Named(name),
                (None, file) => CircuitSource::File(file.as_deref().unwrap_or(Path::new(""))),
            };
            let participants = participants?;
            let announced = with_progress(|report| {
                Ceremony::announce(&dir, circuit, &ptau, participants, beacon, report)
            })?;
            show::announced(&announced, output);
        }
        CeremonyCommand::Contribute {
            dir,
            name,
            key,
            entropy,
            import,
        } => {
            let step = contribute(&dir, &name, &key, entropy.as_deref(), import.as_deref())?;
            show::step(&step, Some(&name), output);
        }
        CeremonyCommand::Beacon { dir, value } => {
            let value = hex::decode(&value).map_err(|_| {
                Failure::usage(
                    "the beacon's value is not hex",
                    "give --value in hex digits",
                )
            })?;
            let ceremony = Ceremony::open(&dir)?;
            let step = with_progress(|report| ceremony.beacon(value, report))?;
            show::step(&step, None, output);
        }
        CeremonyCommand::Verify {
            dir,
            zkey,
            r1cs,
            ptau,
        } => verify(dir, [zkey, r1cs, ptau], output)?,
        CeremonyCommand::Finish { dir, params } => {
            let ceremony = Ceremony::open(&dir)?;
            let manifest = with_progress(|report| ceremony.finish(&params, report))?;
            show::finished(&manifest, &params, output);
        }
        CeremonyCommand::Ptau { power, out } => {
            with_progress(|report| write_powers(&out, power, report))?;
            show::powers(power, &out, output);
        }
    }
    Ok(())
}

fn contribute(
    dir: &Path,
    name: &str,
    key: &Path,
    entropy: Option<&Path>,
    import: Option<&Path>,
) -> Result<StepMade, Failure> {
    let ceremony = Ceremony::open(dir)?;
    let key: ParticipantKey = keystore::load(key, &passphrase::obtain(None)?)?;
    match import {
        Some(file) => with_progress(|report| ceremony.import(name, &key, file, report)),
        None => {
            let entropy = entropy::obtain(entropy)?;
            with_progress(|report| ceremony.contribute(name, &key, entropy, report))
        }
    }
}

fn verify(
    dir: Option<PathBuf>,
    files: [Option<PathBuf>; 3],
    output: &Output,
) -> Result<(), Failure> {
    match (dir, files) {
        (Some(dir), _) => {
            let ceremony = Ceremony::open(&dir)?;
            let verified = with_progress(|report| ceremony.verify(report))?;
            show::verified(&ceremony, &verified, output);
        }
        (None, [Some(zkey), Some(r1cs), Some(ptau)]) => {
            let checked = with_progress(|report| verify_files(&zkey, &r1cs, &ptau, report))?;
            show::checked(&checked, output);
        }
        _ => unreachable!("clap requires --dir, or all three files"),
    }
    Ok(())
}

fn participant(text: &str) -> Result<ListedParticipant, Failure> {
    let refused = |why: String| {
        Failure::usage(
            format!("participant {text:?}: {why}"),
            "give NAME=PUBLIC, where PUBLIC is what `ukehi keys participant new` printed",
        )
    };
    let (name, key) = text
        .split_once('=')
        .ok_or_else(|| refused("there is no `=`".into()))?;
    let mut bytes = [0; 32];
    hex::decode_to_slice(key, &mut bytes)
        .map_err(|_| refused("the key is not 64 hex digits".into()))?;
    let key = ParticipantId::from_bytes(&bytes).map_err(|e| refused(e.to_string()))?;
    Ok(ListedParticipant {
        name: name.to_owned(),
        key,
    })
}

/// A bar for each stage, one after the other.
fn with_progress<T>(
    work: impl FnOnce(&mut dyn FnMut(Stage, u64, u64)) -> Result<T, CeremonyError>,
) -> Result<T, Failure> {
    let mut shown: Option<(Stage, Progress)> = None;
    let outcome = work(&mut |stage, done, total| {
        if shown.as_ref().is_none_or(|(before, _)| *before != stage) {
            if let Some((_, bar)) = shown.take() {
                bar.finish();
            }
            shown = Some((stage, Progress::new(stage.name(), total)));
        }
        if let Some((_, bar)) = &mut shown {
            bar.set_total(total);
            bar.set(done);
        }
    });
    // After a failure the bar stays where it was, above the error.
    if let (Some((_, bar)), Ok(_)) = (shown, &outcome) {
        bar.finish();
    }
    Ok(outcome?)
}
