//! Vectors of registry changes, and of trails that hold some.

use crate::audit_support::{Trail, admin, author};
use crate::file::Vectors;
use crate::ledger::mint;
use crate::operations::{KEYSPACE, grant, opening, register, sorted};
use crate::world::{World, route_secret};
use ukehi::ids::{EpochId, ShardId};
use ukehi::log::Outcome;
use ukehi::registry::{Change, Operation};
use ukehi_circuits::{F, field};
use ukehi_keys::{AuthorId, AuthorKey};
use zeroize::Zeroizing;

fn open_epoch(trail: &Trail, id: u32) -> Operation {
    Operation::OpenEpoch {
        keyspace: KEYSPACE,
        opening: opening(trail, id, "opaque", &route_secret()),
    }
}

/// The world's trail with changes behind it, and a batch by an author revoked meanwhile.
pub fn write(world: &mut World) {
    write_changes(world);
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

fn write_changes(world: &World) {
    let trail = &world.trail;
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
    let mut granted = trail.change(grant(1));
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
    write_operations(&mut vectors, world);
    vectors.save("change.json");
}

/// The operations not among the first, each once, and what each must not hold.
fn write_operations(vectors: &mut Vectors, world: &World) {
    let trail = &world.trail;
    let bytes = |operation| trail.change(operation).to_bytes();
    let (keyspace, epoch) = (KEYSPACE, EpochId(1));
    let author = author(1).public();
    let revoke = Operation::RevokeAuthor { keyspace, author };
    vectors.accept("revoke an author", bytes(revoke));
    let rotate = |opening| Operation::RotateEpoch {
        keyspace,
        opening,
        old: epoch,
        old_expires: 90,
    };
    let next = || opening(trail, 2, "ledger", &route_secret());
    vectors.accept("rotate an epoch", bytes(rotate(next())));
    vectors.refuse(
        "a rotation to an epoch of another id",
        "its possession is bound to the id",
        {
            let mut other = next();
            other.id = EpochId(3);
            bytes(rotate(other))
        },
    );
    vectors.accept(
        "revoke an epoch",
        bytes(Operation::RevokeEpoch { keyspace, epoch }),
    );
    vectors.accept(
        "erase an epoch",
        bytes(Operation::EraseEpoch { keyspace, epoch }),
    );
    let manifest = world.ledger.to_json();
    let text = String::from_utf8(manifest.clone()).unwrap();
    vectors.accept(
        "activate a circuit",
        bytes(Operation::ActivateCircuit { manifest }),
    );
    let (id, other) = (
        world.ledger.circuit_id(),
        world.trust.circuits[0].circuit_id(),
    );
    let manifest = text
        .replacen(&id.to_string(), &other.to_string(), 1)
        .into_bytes();
    vectors.refuse(
        "a manifest with another circuit's id",
        "the id is that of its content",
        bytes(Operation::ActivateCircuit { manifest }),
    );
    vectors.accept(
        "retire a circuit",
        bytes(Operation::RetireCircuit { circuit: id }),
    );
    write_cell_operations(vectors, trail);
}

fn write_cell_operations(vectors: &mut Vectors, trail: &Trail) {
    let bytes = |operation| trail.change(operation).to_bytes();
    let keyspace = KEYSPACE;
    let family = |policy: &str, authors: Vec<AuthorId>| {
        let policy = policy.to_owned();
        bytes(Operation::RegisterFamily {
            keyspace,
            policy,
            authors,
        })
    };
    vectors.accept("register a family", family("ledger", sorted(&[1, 2])));
    vectors.refuse(
        "a family without a name",
        "a name has 1 to 32 characters",
        family("", sorted(&[1])),
    );
    vectors.refuse(
        "a family in capitals",
        "names are in lower case",
        family("Ledger", sorted(&[1])),
    );
    vectors.refuse(
        "a family without authors",
        "at least one",
        family("ledger", Vec::new()),
    );
    let mut descending = sorted(&[1, 2]);
    descending.reverse();
    vectors.refuse(
        "a family's authors that descend",
        "there is one order",
        family("ledger", descending),
    );
    let twice = vec![author(1).public(); 2];
    vectors.refuse(
        "a family's author twice",
        "strictly ascending",
        family("ledger", twice),
    );
    vectors.accept("mint a cell", bytes(mint(b"alice", 100)));
    let edited = |with: [Option<[u8; 32]>; 2], own: Vec<AuthorId>| {
        let mut operation = mint(b"alice", 100);
        if let Operation::Mint {
            route,
            blind,
            authors,
            ..
        } = &mut operation
        {
            *route = with[0].unwrap_or(*route);
            *blind = with[1].unwrap_or(*blind);
            *authors = own;
        }
        bytes(operation)
    };
    let with_own = edited([None, None], sorted(&[1, 2]));
    vectors.accept("mint a cell with authors of its own", with_own);
    let reason = "a field element is below p";
    let too_large = Some([0xff; 32]);
    let route = edited([too_large, None], Vec::new());
    vectors.refuse("a mint's route of p or more", reason, route);
    let blind = edited([None, too_large], Vec::new());
    vectors.refuse("a mint's blinding of p or more", reason, blind);
    let set = |route, authors| {
        bytes(Operation::SetCellAuthors {
            keyspace,
            route,
            authors,
        })
    };
    let route = field::encode(&F::from(3u64));
    vectors.accept("set a cell's authors", set(route, sorted(&[1, 2])));
    vectors.accept(
        "set a cell's authors to its family's",
        set(route, Vec::new()),
    );
    vectors.refuse(
        "a cell's route of p or more",
        reason,
        set([0xff; 32], Vec::new()),
    );
    let many: Vec<u8> = (1..=255).collect();
    let mut many = sorted(&many);
    many.extend([another_author(1), another_author(2)]);
    many.sort();
    vectors.refuse(
        "a cell with 257 authors",
        "at most 256",
        set(route, many.clone()),
    );
    many.pop();
    vectors.accept("a cell with 256 authors", set(route, many));
}

/// An author beside the 255 that one byte seeds.
fn another_author(last: u8) -> AuthorId {
    let mut seed = [1; 32];
    seed[31] = last + 1;
    AuthorKey::from_secret_bytes(&Zeroizing::new(seed)).public()
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
