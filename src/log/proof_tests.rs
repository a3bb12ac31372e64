//! Proofs without a tree: edges, encodings, bounds.

use super::*;

#[test]
fn empty_and_equal_trees_leave_no_root_unchecked() {
    let proof = |from, to| ConsistencyProof {
        from,
        to,
        path: vec![],
    };
    let (empty, some, other) = (empty_root(), [1; 32], [2; 32]);
    assert_eq!(verify_consistency(&proof(0, 0), &empty, &empty), Ok(()));
    assert!(verify_consistency(&proof(0, 0), &empty, &some).is_err());
    assert!(verify_consistency(&proof(0, 0), &some, &some).is_err());
    assert_eq!(verify_consistency(&proof(0, 9), &empty, &some), Ok(()));
    assert!(verify_consistency(&proof(0, 9), &other, &some).is_err());
    assert_eq!(verify_consistency(&proof(9, 9), &some, &some), Ok(()));
    assert!(verify_consistency(&proof(9, 9), &some, &other).is_err());
    assert_eq!(
        verify_consistency(&proof(9, 8), &some, &some),
        Err(ProofError::SizesReversed { from: 9, to: 8 })
    );
    let padded = ConsistencyProof {
        from: 9,
        to: 9,
        path: vec![[0; 32]],
    };
    assert!(verify_consistency(&padded, &some, &some).is_err());
}

#[test]
fn proofs_survive_wire_and_json_and_an_endless_path_is_refused() {
    let path: Vec<Hash> = (0..7).map(|byte| [byte; 32]).collect();
    let inclusion = InclusionProof {
        index: 61,
        size: 100,
        path: path.clone(),
    };
    let consistency = ConsistencyProof {
        from: 61,
        to: 100,
        path,
    };
    assert_eq!(
        InclusionProof::from_bytes(&inclusion.to_bytes()),
        Ok(inclusion.clone())
    );
    assert_eq!(
        ConsistencyProof::from_bytes(&consistency.to_bytes()),
        Ok(consistency.clone())
    );
    let json = serde_json::to_string(&inclusion).unwrap();
    assert_eq!(
        serde_json::from_str::<InclusionProof>(&json).unwrap(),
        inclusion
    );
    let json = serde_json::to_string(&consistency).unwrap();
    assert_eq!(
        serde_json::from_str::<ConsistencyProof>(&json).unwrap(),
        consistency
    );

    let endless = InclusionProof {
        path: vec![[0; 32]; MAX_PATH + 1],
        ..inclusion
    };
    assert!(InclusionProof::from_bytes(&endless.to_bytes()).is_err());
    let json = serde_json::to_string(&endless).unwrap();
    assert!(serde_json::from_str::<InclusionProof>(&json).is_err());
}

#[test]
fn proofs_of_the_largest_sizes_are_refused_without_overflow() {
    for (index, size) in [
        (u64::MAX - 1, u64::MAX),
        (0, u64::MAX),
        (u64::MAX, u64::MAX),
        (1 << 63, u64::MAX),
    ] {
        let proof = InclusionProof {
            index,
            size,
            path: vec![[0; 32]; MAX_PATH],
        };
        assert!(verify_inclusion(&proof, &[1; 32], &[2; 32]).is_err());
        let proof = ConsistencyProof {
            from: index,
            to: size,
            path: vec![[0; 32]; MAX_PATH],
        };
        assert!(verify_consistency(&proof, &[1; 32], &[2; 32]).is_err());
        let range = root_from_range(&[[0; 32]; 3], index, &[[0; 32]; 3], &[[0; 32]; 3], size);
        assert!(range.is_err());
    }
}
