//! `open/v1`, selective disclosure: slot j of a batch decrypts to exactly this plaintext, shown to one audience, and
//! nothing else of the batch is revealed.
//!
//! ```text
//!     x_o  = H(ctx, E.x, E.y, PK.x, PK.y, j, meta_j, ct_j…, pt_j…, audience)       the one public input
//!     PK   = sk·B8,  S = sk·E,  K = H(S, ctx),  pt_j = ct_j − pad_j                sk is the secret
//! ```
//!
//! S and K stay secret: either would open the whole batch. What ties (ctx, E, PK, meta, ct) to a log entry is the
//! checker's to verify, as is that E and PK are points of the prime-order subgroup. One circuit per size class: slot
//! numbers and keystreams do not depend on the batch's shape.
//!
//! Four types, as in [`crate::seal`]: [`OpenStatement`] public, [`OpenWitness`] secret, the rows in `circuit`, and
//! [`OpenWitness::check`] the same relation natively. [`disclose`] makes the first two.
//! Knows nothing of headers, logs or proofs.

mod circuit;
mod statement;
#[cfg(test)]
mod tests;
mod witness;

pub use circuit::{assignment, circuit_matrices};
pub use statement::{MAX_SLOTS, OpenParts, OpenStatement, OpenStatementError, audience};
pub use witness::{DiscloseError, OpenWitness, OpenWitnessError, disclose};
