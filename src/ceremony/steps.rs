//! Announcing a ceremony and its steps: contributions made here or with snarkjs, and the beacon.

use super::announcement::AnnouncedBeacon;
use super::check::{check_key, check_powers, read_circuit, regenerate};
use super::error::CeremonyError;
use super::files::{
    self, ANNOUNCEMENT, BEACON, CIRCUIT, INITIAL, POWERS, StepFile, io_at, write_bytes, write_same,
    write_zkey,
};
use super::{Announcement, Ceremony, ListedParticipant, Report, Stage};
use crate::params::{CircuitName, constraints};
use std::path::Path;
use ukehi_keys::{Attestation, ParticipantKey};
use ukehi_provers::ceremony::{ToxicShare, apply_beacon, contribute, contribution_hash};
use ukehi_provers::iden3::{ContributionKind, Zkey, write_r1cs};
use zeroize::Zeroizing;

/// What the participant adds to the operating system's randomness. Zeroised on drop.
pub type Entropy = Zeroizing<Vec<u8>>;

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepMade {
    pub index: usize,
    pub file: String,
    /// What snarkjs prints for it, and what the participant signed.
    pub contribution: [u8; 64],
}

/// The circuit a ceremony is for.
#[derive(Debug, Clone, Copy)]
pub enum CircuitSource<'a> {
    /// One of this release, such as `seal-1-short-opaque`.
    Named(&'a str),
    /// Any `.r1cs` file.
    File(&'a Path),
}

impl Ceremony {
    /// Verifies the powers of τ, makes the initial key, and announces. The announcement is written last: a directory
    /// with one is complete.
    ///
    /// # Errors
    /// [`CeremonyError`]; an existing ceremony is left as it is.
    pub fn announce(
        directory: &Path,
        circuit: CircuitSource<'_>,
        ptau: &Path,
        participants: Vec<ListedParticipant>,
        beacon: AnnouncedBeacon,
        report: Report<'_>,
    ) -> Result<Self, CeremonyError> {
        let path = directory.join(ANNOUNCEMENT);
        if path.exists() {
            return Err(CeremonyError::Exists { path });
        }
        let name = match circuit {
            CircuitSource::Named(name) => Some(name.to_owned()),
            CircuitSource::File(_) => None,
        };
        // Before anything long: what can be wrong with the words.
        let draft = Announcement::new(name, participants, beacon);
        draft
            .check()
            .map_err(|reason| CeremonyError::Announcement {
                path: path.clone(),
                reason,
            })?;
        std::fs::create_dir_all(directory).map_err(io_at(directory))?;
        let circuit_path = directory.join(CIRCUIT);
        put_circuit(&circuit_path, circuit)?;
        let circuit = read_circuit(&circuit_path)?;
        let powers_path = directory.join(POWERS);
        copy(ptau, &powers_path)?;
        check_powers(&powers_path, report)?;
        let initial = regenerate(&circuit, &powers_path, report)?;
        let first = StepFile {
            index: 0,
            name: INITIAL.into(),
        };
        let first = first.zkey(directory);
        write_same(&first, |file| initial.write(file).map(|_| ()))?;
        let digests = (files::digest(&circuit_path)?, files::digest(&powers_path)?);
        let announcement = draft.with_digests(&digests.0, &digests.1);
        write_bytes(&path, &announcement.to_bytes())?;
        Self::open(directory)
    }

    /// Takes a participant's step from the newest key, which is verified first.
    ///
    /// # Errors
    /// [`CeremonyError`]; what was there before is as it was.
    pub fn contribute(
        &self,
        name: &str,
        key: &ParticipantKey,
        entropy: Entropy,
        report: Report<'_>,
    ) -> Result<StepMade, CeremonyError> {
        self.check_turn(name, key)?;
        let (zkey, _) = self.verified_newest(report)?;
        let share = ToxicShare::draw(&entropy)?;
        drop(entropy);
        let mut report = |done, total| report(Stage::Contributing, done, total);
        let zkey = contribute(zkey, share, Some(name.into()), &mut report)?;
        self.keep(name, Some(key), &zkey)
    }

    /// Takes a step made elsewhere, with snarkjs say: verifies that it continues the newest key by one contribution
    /// of this name, and attests it.
    ///
    /// # Errors
    /// [`CeremonyError`].
    pub fn import(
        &self,
        name: &str,
        key: &ParticipantKey,
        file: &Path,
        report: Report<'_>,
    ) -> Result<StepMade, CeremonyError> {
        self.check_turn(name, key)?;
        let refused = |reason: &str| CeremonyError::Import {
            path: file.to_owned(),
            reason: reason.into(),
        };
        let zkey = files::read_zkey(file)?;
        let (newest, initial) = self.verified_newest(report)?;
        let (before, after) = (
            &newest.phase_two.contributions,
            &zkey.phase_two.contributions,
        );
        if after.len() != before.len() + 1 || after[..before.len()] != before[..] {
            return Err(refused(
                "it is not the newest key with one contribution more",
            ));
        }
        let added = &after[before.len()];
        if added.kind != ContributionKind::Participant {
            return Err(refused("what it adds is a beacon"));
        }
        if added.name.as_deref() != Some(name) {
            return Err(refused(&format!(
                "its contribution must bear the name: snarkjs zkey contribute … --name={name}"
            )));
        }
        check_key(file, &zkey, &initial, report)?;
        self.keep(name, Some(key), &zkey)
    }

    /// Closes the ceremony with the announced randomness, once everybody has contributed.
    ///
    /// # Errors
    /// [`CeremonyError`].
    pub fn beacon(&self, value: Vec<u8>, report: Report<'_>) -> Result<StepMade, CeremonyError> {
        let (zkey, _) = self.verified_newest(report)?;
        let contributions = &zkey.phase_two.contributions;
        let closed = |kind: &ContributionKind| *kind != ContributionKind::Participant;
        if contributions.iter().any(|c| closed(&c.kind)) {
            return Err(CeremonyError::Closed);
        }
        let missing = self.announcement.participants.iter().filter(|p| {
            let theirs = Some(p.name.as_str());
            !contributions.iter().any(|c| c.name.as_deref() == theirs)
        });
        let missing: Vec<&str> = missing.map(|p| p.name.as_str()).collect();
        if !missing.is_empty() {
            return Err(CeremonyError::Waiting {
                names: missing.join(", "),
            });
        }
        let iterations = self.announcement.beacon.iterations_log2;
        let mut report = |done, total| report(Stage::Contributing, done, total);
        let zkey = apply_beacon(zkey, value, iterations, Some(BEACON.into()), &mut report)?;
        self.keep(BEACON, None, &zkey)
    }

    /// Whether this participant may take a step now; told before anything long begins.
    fn check_turn(&self, name: &str, key: &ParticipantKey) -> Result<(), CeremonyError> {
        let listed = self.announcement.participant(name);
        let listed = listed.ok_or_else(|| CeremonyError::NotAParticipant { name: name.into() })?;
        if listed.key != key.public() {
            return Err(CeremonyError::WrongKey {
                name: name.into(),
                expected: listed.key.to_string(),
                found: key.public().to_string(),
            });
        }
        let steps = files::steps(&self.directory)?;
        if steps.iter().any(|s| s.name == name) {
            return Err(CeremonyError::AlreadyContributed { name: name.into() });
        }
        match steps.iter().any(|s| s.name == BEACON) {
            true => Err(CeremonyError::Closed),
            false => Ok(()),
        }
    }

    /// The attestation first, the key last: a crash between the two leaves a signature for a contribution that is in
    /// no key, and the step can be taken again.
    fn keep(
        &self,
        name: &str,
        key: Option<&ParticipantKey>,
        zkey: &Zkey,
    ) -> Result<StepMade, CeremonyError> {
        let contributions = &zkey.phase_two.contributions;
        let index = contributions.len();
        let contribution = contribution_hash(contributions.last().expect("a step was taken"));
        let step = StepFile {
            index,
            name: name.into(),
        };
        if let Some(key) = key {
            let number = u32::try_from(index).expect("contributions are bounded");
            let attestation = Attestation::sign(key, name, &self.digest, number, contribution);
            let mut bytes =
                serde_json::to_vec_pretty(&attestation).expect("strings and numbers only");
            bytes.push(b'\n');
            let path = step.attestation(&self.directory);
            remove_orphan(&path)?;
            write_bytes(&path, &bytes)?;
        }
        let path = step.zkey(&self.directory);
        write_zkey(&path, zkey)?;
        Ok(StepMade {
            index,
            file: path.display().to_string(),
            contribution,
        })
    }
}

fn put_circuit(path: &Path, circuit: CircuitSource<'_>) -> Result<(), CeremonyError> {
    match circuit {
        CircuitSource::File(source) => {
            read_circuit(source)?;
            copy(source, path)
        }
        CircuitSource::Named(name) => {
            let (circuit, _) = constraints(&name.parse::<CircuitName>()?);
            write_same(path, |file| write_r1cs(&circuit, file).map(|_| ()))
        }
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), CeremonyError> {
    let mut source = std::fs::File::open(from).map_err(io_at(from))?;
    write_same(to, |file| {
        std::io::copy(&mut source, file)?;
        Ok(())
    })
}

/// An attestation whose key an interrupted run did not come to write: it counts for nothing.
fn remove_orphan(path: &Path) -> Result<(), CeremonyError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(io_at(path)(e)),
        _ => Ok(()),
    }
}
