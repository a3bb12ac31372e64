//! Why a ceremony cannot go on, or does not stand.

use crate::params::UnknownCircuitName;
use std::io;
use std::path::PathBuf;
use thiserror::Error;
use ukehi_keys::params::ParamsError;
use ukehi_provers::RandomnessUnavailable;
use ukehi_provers::ceremony::{ContributeError, InitialError, PowersError, ZkeyVerifyError};
use ukehi_provers::groth16::KeyError;
use ukehi_provers::iden3::FileError;

#[derive(Debug, Error)]
pub enum CeremonyError {
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: FileError },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: there is one already; nothing was changed", path.display())]
    Exists { path: PathBuf },
    #[error("{}: {reason}", path.display())]
    Announcement { path: PathBuf, reason: String },
    #[error("{}: it is not the announced one: its digest is {found}, announced is {expected}", path.display())]
    NotAnnounced {
        path: PathBuf,
        expected: String,
        found: String,
    },
    #[error("the circuit has {found} public inputs; this system's circuits have one")]
    PublicInputs { found: usize },
    #[error(transparent)]
    UnknownCircuit(#[from] UnknownCircuitName),
    #[error("the announced circuit {name} has other constraints in this release")]
    OtherCircuit { name: String },
    #[error("the ceremony was announced for a file: which circuit's parameters shall they be?")]
    Nameless,
    #[error(
        "the powers of tau are one party's development powers: whoever made them could forge proofs"
    )]
    DevelopmentPowers,
    #[error("{name} is not an announced participant")]
    NotAParticipant { name: String },
    #[error("the key is {found}, announced for {name} is {expected}")]
    WrongKey {
        name: String,
        expected: String,
        found: String,
    },
    #[error("{name} has contributed already")]
    AlreadyContributed { name: String },
    #[error("{names} have not contributed yet")]
    Waiting { names: String },
    #[error("the beacon has not been applied yet")]
    NoBeacon,
    #[error("the ceremony is closed: its beacon was applied")]
    Closed,
    #[error("the beacon's iterations are 2^{found}, announced were 2^{announced}")]
    OtherBeacon { announced: u8, found: u8 },
    #[error(
        "two files claim to be step {index}: {first} and {second}; keep the one its contributors agree on"
    )]
    Forked {
        index: usize,
        first: String,
        second: String,
    },
    #[error("step {index} is missing: the newest file holds {found} contributions")]
    Gap { index: usize, found: usize },
    #[error("contribution {index} is not attested: {reason}")]
    Attestation { index: usize, reason: String },
    #[error("{}: it does not continue the ceremony: {reason}", path.display())]
    Import { path: PathBuf, reason: String },
    #[error("{}: it is not the key of the circuit and the powers of tau before any contribution", path.display())]
    NotInitial { path: PathBuf },
    #[error("{}: {source}", path.display())]
    Powers { path: PathBuf, source: PowersError },
    #[error(transparent)]
    Initial(#[from] InitialError),
    #[error("{}: {source}", path.display())]
    Key {
        path: PathBuf,
        source: ZkeyVerifyError,
    },
    #[error(transparent)]
    Contribute(#[from] ContributeError),
    #[error(transparent)]
    Params(#[from] ParamsError),
    #[error("the finished key cannot be used: {0}")]
    Unusable(#[from] KeyError),
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
}
