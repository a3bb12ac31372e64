//! The rows of a group: routes, ciphertexts, cells, and the leaf over them.

use super::cell::{self, CellSetting};
use super::witness::SlotSecret;
use crate::gadget::{Builder, Num};
use crate::policy::SlotNums;
use crate::poseidon::gadget::Lane;
use crate::shape::Shape;
use crate::{F, cipher, route, tree};
use ark_ff::Field;

/// What all groups of a batch share.
pub(super) struct BatchSetting {
    pub shape: Shape,
    /// The family of the policy's cells, if it has any.
    pub family: Option<F>,
    pub content_key: Num,
    pub k_route: Num,
    /// Slots from here on are inactive.
    pub active: usize,
}

/// Encrypts and routes the slots of group `g`; returns its leaf and what a policy sees of its slots.
pub(super) fn group_rows(
    builder: &mut Builder,
    setting: &BatchSetting,
    g: usize,
    slots: &[SlotSecret],
) -> (Num, Vec<SlotNums>) {
    let shape = setting.shape;
    let group = Lane::Constant(F::from(g as u64));
    let stream =
        cipher::constrain_keystream(builder, &setting.content_key, &group, shape.stream_len());
    let mut elements = Vec::with_capacity(slots.len() * (1 + shape.class().ct_elements()));
    let mut cells = Vec::with_capacity(slots.len());
    let mut views = Vec::with_capacity(slots.len());
    for (i, secret) in slots.iter().enumerate() {
        let j = g * shape.group_slots() + i;
        let flag = (j > 0).then(|| builder.boolean(j < setting.active));
        let key = secret.key.map(|element| builder.input(element));
        let body: Vec<Num> = secret
            .body
            .iter()
            .map(|element| builder.input(*element))
            .collect();
        let route = route::constrain_route(builder, &key, &setting.k_route);
        let route = gated(builder, flag.as_ref(), &route);
        elements.push(route.clone());
        let pad = &stream[shape.pad(i)];
        for (plain, pad) in key.iter().chain(&body).zip(pad) {
            elements.push(gated(builder, flag.as_ref(), &(plain + pad)));
        }
        let active = flag.unwrap_or_else(|| builder.constant(F::ONE));
        let cell = setting.family.map(|family| {
            let setting = CellSetting {
                family,
                route,
                first: body[0].clone(),
                next_blind: stream[shape.blind(i)].clone(),
            };
            let (view, leaf) = cell::constrain(builder, &active, secret.op, &secret.cell, &setting);
            cells.push(leaf);
            view
        });
        views.push(SlotNums { active, cell, body });
    }
    let mut leaf = tree::constrain_leaf(builder, &elements);
    if setting.family.is_some() {
        leaf = tree::constrain_cell_leaf(builder, &leaf, &cells);
    }
    (leaf, views)
}

/// `num`, or 0 in an inactive slot: one row, none in slot 0.
fn gated(builder: &mut Builder, flag: Option<&Num>, num: &Num) -> Num {
    match flag {
        Some(flag) => builder.product(flag, num),
        None => num.clone(),
    }
}
