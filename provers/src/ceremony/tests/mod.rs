//! Both directions against snarkjs 0.7.6, and every refusal.

mod agreement;
mod powers;
mod refusals;
mod snarkjs;

use std::io::Cursor;

use super::*;
use crate::R1cs;
use crate::iden3::{Ptau, Zkey, write_ptau};
use std::sync::LazyLock;

/// A prepared file of 2^7, made once.
static POWERS: LazyLock<Vec<u8>> = LazyLock::new(|| powers_of(7));

fn powers_of(power: u32) -> Vec<u8> {
    let content = insecure_dev_powers(power, &mut |_, _| {}).unwrap();
    write_ptau(&content, Cursor::new(Vec::new()))
        .unwrap()
        .into_inner()
}

fn open(powers: &[u8]) -> Ptau<Cursor<&[u8]>> {
    Ptau::open(Cursor::new(powers)).unwrap()
}

fn initial(circuit: &R1cs, powers: &[u8]) -> Zkey {
    initial_zkey(circuit, &mut open(powers), &mut |_, _| {}).unwrap()
}

fn bytes(zkey: &Zkey) -> Vec<u8> {
    zkey.write(Cursor::new(Vec::new())).unwrap().into_inner()
}

fn read(bytes: &[u8]) -> Zkey {
    Zkey::read(Cursor::new(bytes)).unwrap()
}

fn contributed(zkey: Zkey, name: &str) -> Zkey {
    let share = ToxicShare::draw(b"typed by the participant").unwrap();
    contribute(zkey, share, Some(name.into()), &mut |_, _| {}).unwrap()
}

fn closed(zkey: Zkey) -> Zkey {
    let value = hex::decode("00112233445566778899aabbccddeeff").unwrap();
    apply_beacon(zkey, value, 10, Some("beacon".into()), &mut |_, _| {}).unwrap()
}
