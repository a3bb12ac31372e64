//! What a ceremony's errors mean at the command line.

use crate::ceremony::CeremonyError;
use crate::error::{ExitCode, Failure};

impl From<CeremonyError> for Failure {
    fn from(error: CeremonyError) -> Self {
        use CeremonyError as E;
        let (code, next) = match &error {
            E::Io { .. } | E::Randomness(_) => (
                ExitCode::Runtime,
                "check the path and the disk; what was there before is as it was",
            ),
            E::Exists { .. } => (ExitCode::Configuration, "take another directory or name"),
            E::File { .. } => (
                ExitCode::Tampered,
                "fetch the file again and compare its digest",
            ),
            E::Announcement { .. } => (ExitCode::Configuration, "correct what it says"),
            E::NotAnnounced { .. } => (
                ExitCode::Tampered,
                "fetch the announced file; do not contribute to another",
            ),
            E::PublicInputs { .. } | E::UnknownCircuit(_) => (
                ExitCode::Refused,
                "name a circuit of this release with --circuit",
            ),
            E::OtherCircuit { .. } => (
                ExitCode::Refused,
                "use the release the ceremony was announced with",
            ),
            E::Nameless => (
                ExitCode::Refused,
                "announce a ceremony with --circuit; for a policy of your own, finish it in your program \
                 (`Ceremony::finish_for`, docs/policies.md)",
            ),
            E::DevelopmentPowers => (
                ExitCode::Untrusted,
                "hold the ceremony on the powers of a public one; --dev makes INSECURE parameters",
            ),
            E::NotAParticipant { .. } | E::WrongKey { .. } => (
                ExitCode::Untrusted,
                "use the name and the key the announcement lists (ceremony.json)",
            ),
            E::AlreadyContributed { .. } | E::Closed => (
                ExitCode::Refused,
                "nothing is left to do here: see `ukehi keys ceremony verify`",
            ),
            E::Waiting { .. } => (
                ExitCode::Incomplete,
                "wait for them, or announce another ceremony without them",
            ),
            E::NoBeacon => (
                ExitCode::Incomplete,
                "close it: `ukehi keys ceremony beacon --dir DIR --value HEX`",
            ),
            E::Forked { .. } | E::Gap { .. } => (
                ExitCode::Tampered,
                "fetch the directory again from its coordinator",
            ),
            E::Attestation { .. }
            | E::NotInitial { .. }
            | E::Key { .. }
            | E::OtherBeacon { .. } => (ExitCode::Tampered, "do not use or continue this ceremony"),
            E::Import { .. } => (
                ExitCode::Refused,
                "contribute to the newest NNNN_name.zkey of the directory, under your announced name",
            ),
            E::Powers { .. } => (
                ExitCode::Tampered,
                "take the powers of tau of a public ceremony, prepared for phase 2",
            ),
            E::Initial(_) => (ExitCode::Refused, "take a larger .ptau file"),
            E::Contribute(_) => (ExitCode::Refused, "correct the step"),
            E::Params(_) => (ExitCode::Configuration, "take another --params directory"),
            E::Unusable(_) => (ExitCode::Tampered, "do not use this ceremony"),
        };
        Failure::new(code, error, next)
    }
}
