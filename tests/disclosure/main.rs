//! Selective disclosure, from a real trail to the checker's answer.

mod altered;
#[path = "../audit_support/mod.rs"]
mod audit_support;
mod live;
mod registered;
mod shown;
mod trusted;
mod world;
