//! The statements Ukehi proves and the gadgets they are made of: `seal/v1` over BN254.
//!
//! Every rule exists twice, as native code and as constraints, and the two are tested against each other.
//! Invariants: 1. no field element or point from outside enters without a canonical-form check;
//! 2. a circuit has exactly one public input, `x`; 3. secrets are zeroised on drop and have no `Debug`.
//! Knows nothing of provers, signatures, consensus, storage or the network.

pub mod cells;
pub mod cipher;
pub mod curve;
pub mod field;
pub mod gadget;
pub mod matrices;
pub mod open;
pub mod policy;
pub mod poseidon;
pub mod route;
pub mod seal;
pub mod shape;
pub mod slot;
pub mod tangent;
pub mod tree;

pub use curve::{Point, PointError, Scalar};
pub use field::{F, NonCanonical};
pub use matrices::{Assignment, Matrices};
pub use seal::{SealCircuit, SealStatement, SealWitness};
pub use shape::{CellUse, Class, Form, Shape};
