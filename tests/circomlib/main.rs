//! `ukehi prove` and `ukehi verify` in place of rapidsnark and snarkjs: circuits of circomlib, compiled by circom,
//! their witnesses by circom's calculator, their keys by snarkjs and by our own ceremony. Needs node and the packages
//! of scripts/npm (`make test-tools`).

mod corpus;
mod proofs;
mod refusals;
mod tools;
