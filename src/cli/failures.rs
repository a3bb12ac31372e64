//! What each room's errors mean at the command line: the exit code, and what to do next.
//!
//! Invariant: one error, one code; the table of codes is in `error.rs`.

use crate::audit::ExportError;
use crate::audit::disclosure::DiscloseError;
use crate::client::outbox::OutboxError;
use crate::client::remote::RemoteError;
use crate::client::{
    AnchorError, ClusterError, NextEpochError, ReadError, RegistryError, SealError,
};
use crate::error::{ExitCode, Failure};
use crate::log::ReceiptError;
use crate::params::CircuitError;
use ukehi_circuits::open;
use ukehi_keys::keystore::KeystoreError;
use ukehi_keys::{FileFault, KeyFault};

impl From<KeystoreError> for Failure {
    fn from(error: KeystoreError) -> Self {
        let next = match &error.fault {
            KeyFault::WrongPassphrase => {
                "give the key's own passphrase, at the prompt or in the file UKEHI_PASSPHRASE_FILE names"
            }
            KeyFault::File(FileFault::TooOpen { .. }) => "make it yours alone: chmod 600 FILE",
            KeyFault::File(FileFault::Exists) => "key files are never overwritten: name another",
            KeyFault::File(FileFault::Missing) => "check the path and --keys",
            KeyFault::Damaged { .. } | KeyFault::Mismatch => "restore the key file from its backup",
            _ => "check the path, and that this release made the file",
        };
        Failure::configuration(error, next)
    }
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        let next = match &error {
            SealError::UnknownAuthor { .. } => {
                "an admin registers it: `ukehi keys author register`; a revoked key needs a successor"
            }
            SealError::UnknownEpoch { .. } | SealError::WrongRouteKey { .. } => {
                "use the keys of this cluster (--keys)"
            }
            SealError::NoCircuit { .. } => "use the parameters of this cluster (--params)",
            _ => "",
        };
        let code = match &error {
            SealError::Command { .. } | SealError::Seal(_) => ExitCode::Refused,
            SealError::Witness { .. } | SealError::Prover(_) => ExitCode::Runtime,
            _ => ExitCode::Configuration,
        };
        Failure::new(code, error, next)
    }
}

impl From<OutboxError> for Failure {
    fn from(error: OutboxError) -> Self {
        let (code, next) = match &error {
            OutboxError::Jump { .. } => (ExitCode::Tampered, "do not trust this node; ask another"),
            OutboxError::Exhausted { .. } => (ExitCode::Refused, "write with another author key"),
            OutboxError::Io { .. } | OutboxError::Damaged { .. } => (
                ExitCode::Runtime,
                "free disk space, or move the named file away",
            ),
        };
        Failure::new(code, error, next)
    }
}

impl From<AnchorError> for Failure {
    fn from(error: AnchorError) -> Self {
        let (code, next) = match &error {
            AnchorError::Fork { .. } | AnchorError::NoConsistency { .. } => (
                ExitCode::Fork,
                "keep the file client/anchor as evidence and compare it with the other parties'",
            ),
            AnchorError::NoMajority => (ExitCode::Incomplete, "ask another node"),
            AnchorError::Moved { .. } => (
                ExitCode::Unavailable,
                "other programs use this client's directory all the time: try again",
            ),
            AnchorError::Io { .. } => (ExitCode::Runtime, "check the disk"),
            AnchorError::Damaged { .. } => (
                ExitCode::Configuration,
                "restore client/anchor from a backup; without it forks before now go unseen",
            ),
        };
        Failure::new(code, error, next)
    }
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        let (code, next) = match error {
            ClusterError::Remote(error) => return error.into(),
            ClusterError::Anchor(error) => return error.into(),
            ClusterError::Registry(error) => return error.into(),
            ClusterError::Read(error) => return error.into(),
            ClusterError::Keys(error) => return error.into(),
            ClusterError::Outbox(error) => return error.into(),
            ClusterError::Io { .. } => (ExitCode::Runtime, "free disk space, or check the path"),
            ClusterError::Unproven { .. } => (
                ExitCode::Unavailable,
                "try again; if it stays so, keep the file client/anchor as evidence: nodes that cannot prove it \
                 have lost or forked their log",
            ),
            ClusterError::NoCheckpoint { .. } => {
                (ExitCode::Unavailable, "check `ukehi status`, and try again")
            }
            ClusterError::NoReceipt { .. } => (
                ExitCode::NotFound,
                "the batch was never applied, or its sequence is below the remembered window",
            ),
            ClusterError::Checkpoint { .. }
            | ClusterError::Receipt { .. }
            | ClusterError::OtherReceipt { .. }
            | ClusterError::OtherCell { .. }
            | ClusterError::Row { .. } => {
                (ExitCode::Tampered, "do not trust this node; ask another")
            }
        };
        Failure::new(code, error, next)
    }
}

impl From<NextEpochError> for Failure {
    fn from(error: NextEpochError) -> Self {
        match error {
            NextEpochError::NoneLeft { .. } => {
                Failure::configuration(error, "check `ukehi keys registry show`")
            }
            NextEpochError::Key(error) => error.into(),
            NextEpochError::Randomness(_) => Failure::runtime(error),
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let code = match &error {
            ReadError::NoMajority { .. } => ExitCode::Incomplete,
            ReadError::Invalid { .. } => ExitCode::ProofInvalid,
            ReadError::NotJudged { .. }
            | ReadError::NotRegistered { .. }
            | ReadError::OtherEpoch { .. } => ExitCode::Untrusted,
            _ => ExitCode::Tampered,
        };
        let next = match &error {
            ReadError::OtherEpoch { .. } => {
                "ask an admin for a grant of that epoch, then `ukehi keys grants accept`"
            }
            _ => "do not trust this node; ask another",
        };
        Failure::new(code, error, next)
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Entry(error) => error.into(),
            RegistryError::Io { .. } => Failure::new(ExitCode::Runtime, error, "check the disk"),
            RegistryError::Damaged { .. } => Failure::configuration(
                error,
                "remove client/registry: it is fetched and verified again",
            ),
            _ => Failure::new(
                ExitCode::Tampered,
                error,
                "do not trust this node; ask another",
            ),
        }
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        Failure::new(ExitCode::Runtime, error, "export again, from another node")
    }
}

impl From<CircuitError> for Failure {
    fn from(error: CircuitError) -> Self {
        Failure::configuration(
            error,
            "make parameters with `ukehi keys setup --dev --dir NEW`, or restore the files",
        )
    }
}

impl From<DiscloseError> for Failure {
    fn from(error: DiscloseError) -> Self {
        let (code, next) = match error {
            DiscloseError::Bundle(error) => return (*error).into(),
            DiscloseError::Receipt(error) => return error.into(),
            DiscloseError::NotABatch { .. } | DiscloseError::NotApplied { .. } => (
                ExitCode::Refused,
                "choose an applied batch: `ukehi audit show` lists them",
            ),
            DiscloseError::Slot {
                source: open::DiscloseError::WrongSecret,
                ..
            } => (
                ExitCode::Configuration,
                "use the key of the epoch the batch was sealed to (--keys)",
            ),
            DiscloseError::Slot {
                source: open::DiscloseError::NoSlot { .. },
                ..
            } => (ExitCode::NotFound, "slots are counted from 0"),
            DiscloseError::TooManyChanges { .. } => (
                ExitCode::Refused,
                "give the whole trail instead: the registry is too long for a disclosure",
            ),
            DiscloseError::Audience { .. } => (ExitCode::Usage, "shorten --audience"),
            _ => (
                ExitCode::Tampered,
                "do not rely on this file: export the trail again",
            ),
        };
        Failure::new(code, error, next)
    }
}

impl From<ReceiptError> for Failure {
    fn from(error: ReceiptError) -> Self {
        let (code, next) = match &error {
            ReceiptError::Incomplete { .. } => (
                ExitCode::Incomplete,
                "fetch it again: `ukehi receipt get AUTHOR SEQ`",
            ),
            ReceiptError::Untrusted { .. } => (
                ExitCode::Untrusted,
                "use the trust root of the cluster the receipt is from",
            ),
            _ => (
                ExitCode::Tampered,
                "fetch it again: `ukehi receipt get AUTHOR SEQ`",
            ),
        };
        Failure::new(code, error, next)
    }
}

impl From<RemoteError> for Failure {
    fn from(error: RemoteError) -> Self {
        match error {
            RemoteError::Unavailable { .. } => Failure::new(
                ExitCode::Unavailable,
                error,
                "check `ukehi status`; a write under way is retried by the next `ukehi put`",
            ),
            RemoteError::Refused { .. } => {
                let next = "nothing was written to the log; mend the cause and try again";
                Failure::new(ExitCode::Refused, format!("refused: {error}"), next)
            }
            RemoteError::Protocol { .. } => Failure::new(
                ExitCode::Tampered,
                error,
                "do not trust this node; ask another",
            ),
        }
    }
}
