use super::*;
use crate::ids::KeyspaceId;
use crate::registry::operation::MAX_CELL_AUTHORS;
use ukehi_keys::{AuthorKey, EpochSecret, PossessionProof};
use zeroize::Zeroizing;

const KEYSPACE: KeyspaceId = KeyspaceId(1);

fn set(route: u8, authors: &[AuthorId]) -> Operation {
    Operation::SetCellAuthors {
        keyspace: KEYSPACE,
        route: [route; 32],
        authors: authors.to_vec(),
    }
}

fn mint(route: u8, authors: &[AuthorId]) -> Operation {
    Operation::Mint {
        keyspace: KEYSPACE,
        family: "ledger".to_owned(),
        route: [route; 32],
        value: 1,
        blind: [0; 32],
        authors: authors.to_vec(),
    }
}

#[test]
fn the_lists_of_cells_authors_have_room_for_so_many_keys_and_replaced_ones_count() {
    let author = AuthorKey::from_secret_bytes(&Zeroizing::new([1; 32])).public();
    // Whether they are distinct is the reader's to say.
    let most = vec![author; MAX_CELL_AUTHORS];
    let mut keyspace = Keyspace::default();
    let mut next = 0;
    let mut operate = |keyspace: &mut Keyspace, operation: &Operation| {
        next += 1;
        keyspace.operate(next, operation, &[], false)
    };
    let family = Operation::RegisterFamily {
        keyspace: KEYSPACE,
        policy: "ledger".to_owned(),
        authors: vec![author],
    };
    assert_eq!(operate(&mut keyspace, &family), Ok(()));
    for _ in 1..MAX_LISTED_AUTHORS / MAX_CELL_AUTHORS {
        assert_eq!(operate(&mut keyspace, &set(1, &most)), Ok(()));
    }
    assert_eq!(operate(&mut keyspace, &mint(2, &most[1..])), Ok(()));
    let full = Err(Outcome::RegistryFull);
    assert_eq!(operate(&mut keyspace, &set(3, &most[..2])), full);
    assert_eq!(operate(&mut keyspace, &mint(3, &most[..2])), full);
    assert_eq!(operate(&mut keyspace, &set(3, &most[..1])), Ok(()));
    assert_eq!(operate(&mut keyspace, &set(4, &most[..1])), full);
    // What was refused took nothing; the family's list needs no room.
    assert_eq!(operate(&mut keyspace, &mint(3, &[])), Ok(()));
    assert_eq!(operate(&mut keyspace, &set(1, &[])), Ok(()));
}

#[test]
fn a_keyspace_has_room_for_so_many_authors_and_epochs() {
    let full = Err(Outcome::RegistryFull);
    let mut keyspace = Keyspace::default();
    let registered = |number: u32| {
        let mut seed = Zeroizing::new([1; 32]);
        seed[..4].copy_from_slice(&number.to_le_bytes());
        Operation::RegisterAuthor {
            keyspace: KEYSPACE,
            author: AuthorKey::from_secret_bytes(&seed).public(),
        }
    };
    for number in 0..MAX_REGISTERED_AUTHORS as u32 {
        let done = keyspace.operate(1, &registered(number), &[], false);
        assert_eq!(done, Ok(()));
    }
    let one_more = registered(u32::MAX);
    assert_eq!(keyspace.operate(2, &one_more, &[], false), full);
    let known = keyspace.operate(2, &registered(7), &[], false);
    assert_eq!(known, Err(Outcome::AuthorExists));

    let mut keyspace = Keyspace::default();
    let opened = |id: u32| {
        let mut seed = Zeroizing::new([0; 32]);
        seed[..4].copy_from_slice(&id.to_le_bytes());
        Operation::OpenEpoch {
            keyspace: KEYSPACE,
            opening: EpochOpening {
                id: EpochId(id),
                key: EpochSecret::from_secret_bytes(&seed).unwrap().public(),
                route_commitment: [0; 32],
                policy: "opaque".to_owned(),
                policy_digest: [0; 32],
                expires: None,
                possession: PossessionProof([0; 96]),
            },
        }
    };
    for id in 1..=MAX_REGISTERED_EPOCHS as u32 {
        assert_eq!(keyspace.operate(1, &opened(id), &[], false), Ok(()));
    }
    let one_more = opened(MAX_REGISTERED_EPOCHS as u32 + 1);
    assert_eq!(keyspace.operate(2, &one_more, &[], false), full);
}
