//! The rows of a group: routes, ciphertexts, and the leaf over them.

use super::witness::SlotSecret;
use crate::gadget::{Builder, Num};
use crate::poseidon::gadget::Lane;
use crate::shape::Shape;
use crate::{F, cipher, route, tree};

/// What all groups of a batch share.
pub(super) struct SlotSetting {
    pub shape: Shape,
    pub content_key: Num,
    pub k_route: Num,
}

/// Encrypts and routes the slots of group `g` and hashes its leaf. Slots from `active` on are inactive.
pub(super) fn group_leaf(
    builder: &mut Builder,
    setting: &SlotSetting,
    g: usize,
    slots: &[SlotSecret],
    active: usize,
) -> Num {
    let shape = setting.shape;
    let group = Lane::Constant(F::from(g as u64));
    let stream =
        cipher::constrain_keystream(builder, &setting.content_key, &group, shape.stream_len());
    let mut elements = Vec::with_capacity(slots.len() * (1 + shape.class().ct_elements()));
    for (i, secret) in slots.iter().enumerate() {
        let j = g * shape.group_slots() + i;
        let flag = (j > 0).then(|| builder.boolean(j < active));
        let key = secret.key.map(|element| builder.witness(element));
        let body: Vec<Num> = secret
            .body
            .iter()
            .map(|element| builder.witness(*element))
            .collect();
        let route = route::constrain_route(builder, &key, &setting.k_route);
        elements.push(gated(builder, flag.as_ref(), &route));
        let pad = &stream[shape.pad(i)];
        for (plain, pad) in key.iter().chain(&body).zip(pad) {
            elements.push(gated(builder, flag.as_ref(), &(plain + pad)));
        }
    }
    tree::constrain_leaf(builder, &elements)
}

/// `num`, or 0 in an inactive slot: one row, none in slot 0.
fn gated(builder: &mut Builder, flag: Option<&Num>, num: &Num) -> Num {
    match flag {
        Some(flag) => builder.product(flag, num),
        None => num.clone(),
    }
}
