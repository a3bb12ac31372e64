//! Bugs that others shipped, put back on purpose: what a test suite must be able to find.
//!
//! Invariants: 1. without the `mutants` feature [`is`] is `false` at compile time, so the shipped
//! program holds none of them; 2. with it one mutant at most is active, in the thread that chose it.
//! The numbers are those of docs/simulator.md. Knows nothing of where a mutant acts.

/// One bug each, named after what goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutant {
    /// 1: a vote leaves before it is on disk.
    VoteBeforeDurable,
    /// 1: the term is written, the vote is not.
    TermWithoutVote,
    /// 2: an acknowledgement leaves before the entries are on disk.
    AckBeforeDurable,
    /// 2: writes are handed to the disk and never synced.
    SyncForgotten,
    /// 3: the applied index is written one batch after the state.
    AppliedIndexLags,
    /// 4: a leader commits an older term's entry by counting copies (Raft §5.4.2, figure 8).
    OlderTermByCounting,
    /// 6: a follower whose log does not match acknowledges its own instead of saying so.
    AckOfOwnSuffix,
    /// 7: an append that brings nothing new truncates what lies behind it.
    LateAppendTruncates,
    /// 8: an acknowledgement names one entry more than was received.
    AckBeyondReceived,
    /// 11: a leader answers a read without asking its quorum.
    ReadWithoutQuorum,
    /// 15: a leader of an older term is not told so; with pre-vote and check-quorum nobody is.
    LowerTermIgnored,
    /// 16: whatever follows a bad record of the write-ahead log is dropped when the store opens.
    DamageTakenForTorn,
    /// 17: a failed sync is taken for a success.
    FailedSyncIgnored,
    /// 18: a stored value is used whatever its checksum says.
    ChecksumIgnored,
    /// 21: apply does not look whether a sequence was used.
    RetryAppliedTwice,
    /// 22: a batch sealed for another cluster passes the gate.
    OtherClusterAccepted,
    /// 22: a batch sealed for another shard passes the gate.
    OtherShardAccepted,
    /// 22: the author's signature is not looked at.
    SignatureIgnored,
    /// 23: a node of a production cluster takes circuits of an insecure set-up.
    InsecureSetupAccepted,
    /// 24: an odd last leaf is hashed with itself.
    LastLeafDoubled,
    /// Ours: a follower acknowledges a batch without having verified it.
    GateSkipped,
    /// Ours: a refused entry does not quarantine its leader.
    QuarantineForgotten,
}

impl Mutant {
    pub const ALL: [Mutant; 22] = [
        Mutant::VoteBeforeDurable,
        Mutant::TermWithoutVote,
        Mutant::AckBeforeDurable,
        Mutant::SyncForgotten,
        Mutant::AppliedIndexLags,
        Mutant::OlderTermByCounting,
        Mutant::AckOfOwnSuffix,
        Mutant::LateAppendTruncates,
        Mutant::AckBeyondReceived,
        Mutant::ReadWithoutQuorum,
        Mutant::LowerTermIgnored,
        Mutant::DamageTakenForTorn,
        Mutant::FailedSyncIgnored,
        Mutant::ChecksumIgnored,
        Mutant::RetryAppliedTwice,
        Mutant::OtherClusterAccepted,
        Mutant::OtherShardAccepted,
        Mutant::SignatureIgnored,
        Mutant::InsecureSetupAccepted,
        Mutant::LastLeafDoubled,
        Mutant::GateSkipped,
        Mutant::QuarantineForgotten,
    ];
}

#[cfg(feature = "mutants")]
mod chosen {
    use super::Mutant;
    use std::cell::Cell;

    thread_local! {
        static CHOSEN: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// Chooses the mutant of this thread; `None` is the program as it is shipped.
    pub fn choose(mutant: Option<Mutant>) {
        CHOSEN.set(mutant);
    }

    /// Whether this thread runs the mutant.
    #[must_use]
    pub fn is(mutant: Mutant) -> bool {
        CHOSEN.get() == Some(mutant)
    }
}

#[cfg(feature = "mutants")]
pub use chosen::{choose, is};

/// Whether this thread runs the mutant: never, in this build.
#[cfg(not(feature = "mutants"))]
#[must_use]
pub const fn is(_: Mutant) -> bool {
    false
}

// What is shipped holds no mutant, decided where it is compiled.
#[cfg(not(feature = "mutants"))]
const _: () = assert!(!is(Mutant::GateSkipped));
