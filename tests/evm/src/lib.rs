//! Nothing but tests/verifier.rs.
