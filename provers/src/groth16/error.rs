//! Why there is no proof.

use crate::randomness::RandomnessUnavailable;

/// Why there is no proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProveError {
    #[error("the assignment has {actual} values, the circuit has {expected} variables")]
    AssignmentLength { expected: usize, actual: usize },
    #[error("the assignment does not start with the constant one")]
    NoConstant,
    #[error("the proving key was made for another circuit")]
    KeyOfAnotherCircuit { key: [u8; 32], circuit: [u8; 32] },
    #[error("the assignment does not satisfy constraint {constraint}")]
    Unsatisfied { constraint: usize },
    /// The assignment satisfies the circuit: the key's content is wrong.
    #[error(
        "the proof does not verify although the assignment is right: the proving key is damaged"
    )]
    SelfCheckFailed,
    /// Without the matrix C nobody can say which.
    #[error(
        "the proof does not verify: the assignment breaks a constraint or the proving key is wrong"
    )]
    ProofRejected,
    /// Happens by chance with probability 1/r; else the key was made to make it happen.
    #[error("this assignment's proof cannot be blinded: its element A is the identity")]
    Unblindable,
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
}
