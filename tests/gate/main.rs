//! The gate under attack: real Groth16 proofs over a dev set-up made once, and every way to show
//! one of them beside something it does not prove.

mod bytes;
mod cells;
mod fuzz;
mod good;
mod large;
mod mutants;
mod proofs;
mod registry;
mod world;
