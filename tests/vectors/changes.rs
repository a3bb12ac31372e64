//! Vectors of registry changes, and of trails that hold some.

use crate::audit_support::{Trail, admin, author};
use crate::file::Vectors;
use crate::world::World;
use ukehi::ids::{EpochId, KeyspaceId, ShardId};
use ukehi::log::Outcome;
use ukehi::registry::{Change, EpochOpening, Operation, grant_payload_digest};
use ukehi_circuits::{F, field};
use ukehi_keys::{EpochScope, EpochSecret};
use zeroize::Zeroizing;

const KEYSPACE: KeyspaceId = KeyspaceId(1);

fn register(seed: u8) -> Operation {
    Operation::RegisterAuthor {
        keyspace: KEYSPACE,
        author: author(seed).public(),
    }
}

fn open_epoch(trail: &Trail, id: u32) -> Operation {
    let secret = EpochSecret::from_secret_bytes(&Zeroizing::new([6; 32])).unwrap();
    let scope = EpochScope {
        cluster: trail.genesis.cluster_id().0,
        keyspace: KEYSPACE.0,
        epoch: id,
    };
    Operation::OpenEpoch {
        keyspace: KEYSPACE,
        opening: EpochOpening {
            id: EpochId(id),
            key: secret.public(),
            route_commitment: field::encode(&F::from(9u64)),
            policy: "opaque".to_owned(),
            policy_digest: [0; 32],
            expires: Some(1_000),
            possession: secret.prove_possession(&scope).unwrap(),
        },
    }
}

fn grant() -> Operation {
    Operation::Grant {
        keyspace: KEYSPACE,
        epoch: EpochId(1),
        reader: [4; 32],
        payload_digest: grant_payload_digest(b"wrapped"),
    }
}

/// The world's trail with changes behind it, and a batch by an author revoked meanwhile.
pub fn write(world: &mut World) {
    write_changes(&world.trail);
    let push = |world: &mut World, operation| {
        let change = world.trail.change(operation);
        world.trail.push_change(&change)
    };
    assert_eq!(push(world, register(3)), Outcome::Applied);
    assert_eq!(push(world, register(3)), Outcome::AuthorExists);
    let opening = open_epoch(&world.trail, 2);
    assert_eq!(push(world, opening), Outcome::Applied);
    let revoke = Operation::RevokeAuthor {
        keyspace: KEYSPACE,
        author: author(1).public(),
    };
    assert_eq!(push(world, revoke), Outcome::Applied);
    let revoked = world.sealed(&[b"by nobody"], |header| header.author_seq = 5);
    world.trail.push(&revoked);
    let last = world.trail.entries.last().unwrap();
    assert_eq!(last.record.outcome, Outcome::AuthorRevoked);
    write_bundles(&world.trail);
}

fn write_changes(trail: &Trail) {
    let mut vectors = Vectors::new("change");
    let bytes = |operation| trail.change(operation).to_bytes();
    let good = bytes(register(3));
    vectors.accept("register an author", good.clone());
    vectors.accept("open an epoch", bytes(open_epoch(trail, 2)));
    let expire = Operation::ExpireEpoch {
        keyspace: KEYSPACE,
        epoch: EpochId(1),
        at: 70,
    };
    vectors.accept("expire an epoch", bytes(expire));
    let mut keys = vec![admin(1).public(), admin(2).public()];
    keys.sort();
    let admins = Operation::SetAdmins { keys, threshold: 2 };
    let set = bytes(admins);
    vectors.accept("set admins", set.clone());
    let mut granted = trail.change(grant());
    vectors.accept("a grant, pruned", granted.to_bytes());
    granted.payload = b"wrapped".to_vec();
    vectors.accept("a grant", granted.to_bytes());
    let signed = |edit: &dyn Fn(&mut Change)| {
        let mut change = trail.change(register(3));
        edit(&mut change);
        change.signatures.clear();
        change.sign(&admin(1));
        change.to_bytes()
    };
    let mut two = trail.change(register(3));
    two.sign(&admin(2));
    vectors.accept("two signatures", two.to_bytes());
    two.signatures.swap(0, 1);
    vectors.refuse(
        "signatures that descend",
        "there is one order",
        two.to_bytes(),
    );
    vectors.refuse("nobody's signature", "admins sign", {
        let mut change = trail.change(register(3));
        change.signatures.clear();
        change.to_bytes()
    });
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    vectors.refuse(
        "another number",
        "the signature is of the body",
        flipped(37),
    );
    vectors.refuse(
        "a flipped bit in the signature",
        "it does not verify",
        flipped(good.len() - 40),
    );
    vectors.refuse("version 0", "this is version 1", flipped(0));
    vectors.refuse(
        "another cluster",
        "the trust root's only",
        signed(&|c| c.content.cluster.0[0] ^= 1),
    );
    vectors.refuse(
        "another shard",
        "shard 0 only",
        signed(&|c| c.content.shard = ShardId(1)),
    );
    vectors.refuse("an unknown operation", "1 to 14", {
        let mut bytes = good.clone();
        bytes[45] = 15;
        bytes
    });
    vectors.refuse(
        "a byte short",
        "it does not decode",
        good[..good.len() - 1].to_vec(),
    );
    vectors.refuse(
        "a byte long",
        "it does not decode",
        [&good[..], &[0]].concat(),
    );
    vectors.refuse(
        "a possession proof of another epoch",
        "it is bound to the epoch's id",
        {
            let Operation::OpenEpoch {
                keyspace,
                mut opening,
            } = open_epoch(trail, 2)
            else {
                unreachable!("it opens one")
            };
            opening.id = EpochId(3);
            bytes(Operation::OpenEpoch { keyspace, opening })
        },
    );
    granted.payload = b"another".to_vec();
    vectors.refuse(
        "another payload",
        "its digest is signed",
        granted.to_bytes(),
    );
    let manifest = Operation::ActivateCircuit {
        manifest: b"{}".to_vec(),
    };
    vectors.refuse(
        "a circuit without a manifest",
        "a circuit is its manifest",
        bytes(manifest),
    );
    vectors.refuse("a threshold of 0", "somebody must sign", {
        let mut bytes = set.clone();
        bytes[46] = 0;
        bytes
    });
    vectors.refuse("a threshold of 3 of 2", "all at most", {
        let mut bytes = set.clone();
        bytes[46] = 3;
        bytes
    });
    vectors.save("change.json");
}

fn write_bundles(trail: &Trail) {
    let mut vectors = Vectors::new("bundle");
    let size = trail.size();
    vectors.accept("with registry changes, from genesis", trail.bundle());
    vectors.accept(
        "a range behind registry changes",
        trail.range(size - 2, size),
    );
    let mut attack = |name: &str, reason: &str, edit: &dyn Fn(&mut Trail)| {
        let mut forged = trail.clone();
        edit(&mut forged);
        vectors.refuse(name, reason, forged.bundle());
    };
    attack(
        "a refused change called applied",
        "it is decided again",
        &|t| {
            t.entries[7].record.outcome = Outcome::Applied;
        },
    );
    attack(
        "an applied change called refused",
        "it is decided again",
        &|t| {
            t.entries[6].record.outcome = Outcome::WrongNumber;
        },
    );
    attack(
        "a revoked author's batch called applied",
        "it is decided again",
        &|t| {
            t.entries[10].record.outcome = Outcome::Applied;
        },
    );
    attack(
        "another change digest",
        "it is computed from the body",
        &|t| {
            t.entries[6].record.header_digest[0] ^= 1;
        },
    );
    attack("a change with an x", "it has none", &|t| {
        t.entries[6].record.x[0] = 1
    });
    attack(
        "a change signed by a stranger",
        "no admin at any entry before",
        &|t| {
            let mut change = Change::from_bytes(&t.entries[6].payload).unwrap();
            change.signatures.clear();
            change.sign(&admin(9));
            t.entries[6].payload = change.to_bytes();
        },
    );
    let mut start = trail.start(size - 2, size);
    start.registry[0].inclusion[20] ^= 1;
    vectors.refuse(
        "another path of a change before a range",
        "it leads to another root",
        trail.bundle_with(&start, &trail.note()),
    );
    let mut start = trail.start(size - 2, size);
    start.registry.swap(0, 1);
    vectors.refuse(
        "changes before a range exchanged",
        "their indexes ascend",
        trail.bundle_with(&start, &trail.note()),
    );
    let mut start = trail.start(size - 2, size);
    start.registry.remove(0);
    vectors.refuse(
        "the first change before a range left out",
        "the second then has a number too high",
        trail.bundle_with(&start, &trail.note()),
    );
    vectors.save("bundle-registry.json");
}
