//! Each field of a batch altered: by a stranger, who cannot sign, and by the author, who can, with
//! x recomputed. The second is the adversarial mutant of statement.md: a valid proof shown with a
//! changed statement.

use crate::world::{WORLD, Word, World, author, judge, judge_all, word};
use ukehi::batch::{BulkReference, SealedBatch};
use ukehi::ids::{ClusterId, EpochId, KeyspaceId, ShardId};
use ukehi_circuits::F;
use ukehi_circuits::curve::Scalar;
use ukehi_circuits::slot::{Meta, Op};
use ukehi_keys::CircuitId;

const REFERENCE: BulkReference = BulkReference {
    digest: [7; 32],
    length: 70_000,
};

struct Mutant {
    name: String,
    batch: SealedBatch,
    /// The verdict when nobody signs anew, and when the author does.
    unsigned: Word,
    signed: Word,
}

struct Mutants<'a> {
    original: &'a SealedBatch,
    list: Vec<Mutant>,
}

impl Mutants<'_> {
    /// A field only the proof and the signature guard.
    fn bound(&mut self, name: impl Into<String>, change: impl FnOnce(&mut SealedBatch)) {
        self.add(name, Word::Signature, Word::Proof, change);
    }

    /// A field with a fault of its own, found before any signature is looked at.
    fn typed(&mut self, name: &str, fault: Word, change: impl FnOnce(&mut SealedBatch)) {
        self.add(name, fault, fault, change);
    }

    fn add(
        &mut self,
        name: impl Into<String>,
        unsigned: Word,
        signed: Word,
        change: impl FnOnce(&mut SealedBatch),
    ) {
        let mut batch = self.original.clone();
        change(&mut batch);
        let name = name.into();
        assert!(batch != *self.original, "{name} changes nothing");
        self.list.push(Mutant {
            name,
            batch,
            unsigned,
            signed,
        });
    }
}

fn mutants(world: &World, original: &SealedBatch) -> Vec<Mutant> {
    let mut m = Mutants {
        original,
        list: Vec::new(),
    };
    header_mutants(world, &mut m);
    slot_mutants(world, &mut m);
    m.list
}

fn header_mutants(world: &World, m: &mut Mutants<'_>) {
    let point = Scalar::random().unwrap().public_point();
    m.typed("cluster", Word::Cluster, |b| {
        b.header.cluster = ClusterId([7; 32]);
    });
    m.typed("shard", Word::Shard, |b| b.header.shard = ShardId(1));
    m.bound("keyspace", |b| b.header.keyspace = KeyspaceId(2));
    m.typed("an unknown circuit", Word::Circuit, |b| {
        b.header.circuit = CircuitId([3; 32]);
    });
    // One command fits the eight-slot circuit, three do not fit the one-slot circuit.
    let (unsigned, signed) = match m.original.slots.len() {
        1 => (Word::Signature, Word::Proof),
        _ => (Word::Statement, Word::Statement),
    };
    m.add("the other circuit", unsigned, signed, |b| {
        b.header.circuit = world.other_circuit(b.header.circuit);
    });
    m.bound("epoch", |b| b.header.epoch = EpochId(2));
    m.bound("epoch_key", |b| b.header.epoch_key = point);
    m.bound("route_commitment", |b| {
        b.header.route_commitment += F::from(1u64);
    });
    m.bound("policy_digest", |b| {
        b.header.policy_digest = F::from(1u64);
    });
    m.bound("author, another registered one", |b| {
        b.header.author = author(2).public();
    });
    m.bound("author, not registered", |b| {
        b.header.author = author(3).public();
    });
    m.bound("author_seq", |b| b.header.author_seq += 1);
    m.bound("valid_until", |b| b.header.valid_until += 1);
    m.bound("anchor size", |b| b.header.anchor.size += 1);
    m.bound("anchor root", |b| b.header.anchor.root[31] ^= 1);
    m.typed("slot list", Word::SlotList, |b| {
        b.header.slot_list[0] ^= 1;
    });
    m.bound("ephemeral", |b| b.ephemeral = point);
    m.add("proof", Word::Proof, Word::Proof, |b| {
        b.proof = world.again.proof;
        if *b == world.again {
            b.proof = world.one.proof;
        }
    });
    m.add("proof of no point", Word::Proof, Word::Proof, |b| {
        b.proof = [0xff; 128];
    });
    m.add("proof of zeros", Word::Proof, Word::Proof, |b| {
        b.proof = [0; 128];
    });
    m.add("signature", Word::Signature, Word::Valid, |b| {
        b.signature[40] ^= 1;
    });
}

fn slot_mutants(world: &World, m: &mut Mutants<'_>) {
    let n = m.original.slots.len();
    // n itself: the header and the slots must agree, or the bytes do not decode.
    m.typed("slots: one more, none there", Word::Undecodable, |b| {
        b.header.slots += 1;
    });
    m.typed("slots: none", Word::Undecodable, |b| {
        b.header.slots = 0;
    });
    let (unsigned, signed) = match n {
        1 => (Word::Statement, Word::Statement),
        _ => (Word::Signature, Word::Proof),
    };
    m.add("slots: a stranger's slot appended", unsigned, signed, |b| {
        let mut slot = world.others.slots[0].clone();
        slot.route += F::from(5u64);
        b.slots.push(slot);
        b.bulk.push(None);
        b.header.slots += 1;
        b.header.slot_list = b.slot_list();
    });
    if n > 1 {
        m.bound("slots: the last dropped", |b| {
            b.slots.pop();
            b.bulk.pop();
            b.header.slots -= 1;
            b.header.slot_list = b.slot_list();
        });
        m.typed("two slots of one route", Word::Statement, |b| {
            b.slots[2].route = b.slots[0].route;
        });
    }
    for a in 0..n {
        for z in a + 1..n {
            m.bound(format!("slots {a} and {z} swapped"), |b| b.slots.swap(a, z));
            m.bound(format!("the routes of {a} and {z} swapped"), |b| {
                let route = b.slots[a].route;
                b.slots[a].route = b.slots[z].route;
                b.slots[z].route = route;
            });
            m.bound(format!("the ciphertexts of {a} and {z} swapped"), |b| {
                let ct = std::mem::take(&mut b.slots[a].ct);
                b.slots[a].ct = std::mem::replace(&mut b.slots[z].ct, ct);
            });
        }
    }
    for j in 0..n {
        let unlisted =
            |change: fn(&mut Meta)| move |b: &mut SealedBatch| change(&mut b.slots[j].meta);
        let meta = |change: fn(&mut Meta)| {
            move |b: &mut SealedBatch| {
                change(&mut b.slots[j].meta);
                b.header.slot_list = b.slot_list();
            }
        };
        m.typed(
            &format!("slot {j}: shorter body, the list left as it was"),
            Word::SlotList,
            unlisted(|m| m.body_len -= 1),
        );
        m.typed(
            &format!("slot {j}: a bulk put without a reference"),
            Word::BulkReference,
            meta(|m| m.op = Op::PutBulk),
        );
        m.typed(
            &format!("slot {j}: a reference beside a plain put"),
            Word::BulkReference,
            |b| {
                b.bulk[j] = Some(REFERENCE);
                b.header.slot_list = b.slot_list();
            },
        );
        m.typed(
            &format!("slot {j}: a bulk put, the list left as it was"),
            Word::SlotList,
            |b| {
                b.slots[j].meta.op = Op::PutBulk;
                b.bulk[j] = Some(REFERENCE);
            },
        );
        m.bound(format!("slot {j}: a bulk put out of a plain one"), |b| {
            b.slots[j].meta.op = Op::PutBulk;
            b.bulk[j] = Some(REFERENCE);
            b.header.slot_list = b.slot_list();
        });
        m.bound(format!("slot {j}: shorter body"), meta(|m| m.body_len -= 1));
        m.bound(
            format!("slot {j}: longest body"),
            meta(|m| m.body_len = 155),
        );
        m.typed(
            &format!("slot {j}: body over its class"),
            Word::Statement,
            meta(|m| m.body_len = 156),
        );
        m.typed(
            &format!("slot {j}: a cell under opaque"),
            Word::Statement,
            meta(|m| m.cell_count = 1),
        );
        m.bound(format!("slot {j}: route"), |b| {
            b.slots[j].route += F::from(1u64);
        });
        for i in 0..m.original.slots[j].ct.len() {
            m.bound(format!("slot {j}: ct {i}"), |b| {
                b.slots[j].ct[i] += F::from(1u64);
            });
        }
        m.typed(
            &format!("slot {j}: a ciphertext too short"),
            Word::Statement,
            |b| b.slots[j].ct.truncate(6),
        );
        m.typed(
            &format!("slot {j}: a ciphertext too long"),
            Word::Statement,
            |b| b.slots[j].ct.push(F::from(0u64)),
        );
    }
}

#[test]
fn a_field_altered_by_a_stranger_is_refused() {
    let world = &*WORLD;
    for (shape, original) in world.subjects() {
        let mutants = mutants(world, original);
        let batches: Vec<SealedBatch> = mutants.iter().map(|m| m.batch.clone()).collect();
        for (mutant, found) in mutants.iter().zip(judge_all(&batches)) {
            assert_eq!(found, mutant.unsigned, "{shape}, {}", mutant.name);
        }
    }
}

#[test]
fn a_field_altered_and_signed_anew_by_its_author_is_refused_all_the_same() {
    let world = &*WORLD;
    for (shape, original) in world.subjects() {
        let mutants = mutants(world, original);
        let resigned = mutants.iter().map(|m| {
            let mut batch = m.batch.clone();
            world.resign(&mut batch);
            batch
        });
        let batches: Vec<SealedBatch> = resigned.collect();
        for (mutant, found) in mutants.iter().zip(judge_all(&batches)) {
            assert_eq!(found, mutant.signed, "{shape}, {}", mutant.name);
        }
    }
}

#[test]
fn a_signature_of_another_batch_or_author_does_not_carry_over() {
    let world = &*WORLD;
    for (batch, donor) in [
        (&world.one, &world.again),
        (&world.three, &world.others),
        (&world.one, &world.three),
    ] {
        let mut batch = batch.clone();
        batch.signature = donor.signature;
        assert_eq!(word(&judge(&batch)), Word::Signature);
        // Nor does a valid proof together with the signature that came with it.
        batch.proof = donor.proof;
        assert_eq!(word(&judge(&batch)), Word::Signature);
        // Nor under the header they came with: the signature holds x too.
        batch.header = donor.header.clone();
        if batch.slots.len() == usize::from(batch.header.slots) {
            assert_eq!(word(&judge(&batch)), Word::Signature);
        }
    }
}

#[test]
fn an_author_who_signs_anothers_sealed_batch_as_his_own_is_refused() {
    let world = &*WORLD;
    for (shape, original) in world.subjects() {
        let mut stolen = original.clone();
        stolen.header.author = author(2).public();
        stolen.header.author_seq = 77;
        world.resign(&mut stolen);
        assert_eq!(word(&judge(&stolen)), Word::Proof, "{shape}");
    }
}
