use super::*;
use crate::groth16::insecure_dev_setup;
use crate::testing::random_circuit;
use ark_ec::{AffineRepr, CurveGroup};

fn points() -> Vec<G1Affine> {
    (0..5u64)
        .map(|i| (G1Affine::generator() * ark_bn254::Fr::from(i)).into_affine())
        .collect()
}

fn cached() -> (tempfile::TempDir, TableCache, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let cache = TableCache::new(directory.path().join("made/by/the/cache"));
    cache.store(&random_circuit().key, &points()).unwrap();
    let mut files = fs::read_dir(cache.directory()).unwrap();
    let path = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none(), "an unfinished file was left");
    (directory, cache, path)
}

#[test]
fn what_was_stored_comes_back_and_only_for_its_key_and_count() {
    let (_directory, cache, _) = cached();
    let circuit = random_circuit();
    assert_eq!(cache.load(&circuit.key, 5), Some(points()));
    assert_eq!(cache.load(&circuit.key, 4), None);
    let (other, _) = insecure_dev_setup(&circuit.r1cs, |_| {}).unwrap();
    assert_eq!(cache.load(&other, 5), None);
}

#[test]
fn another_keys_file_under_this_keys_name_is_none() {
    let (_directory, cache, path) = cached();
    let (other, _) = insecure_dev_setup(&random_circuit().r1cs, |_| {}).unwrap();
    cache.store(&other, &points()).unwrap();
    fs::copy(cache.path(&header(&other, 5)), &path).unwrap();
    assert_eq!(cache.load(&random_circuit().key, 5), None);
}

#[test]
fn a_file_with_any_byte_changed_cut_short_or_grown_is_none() {
    let (_directory, cache, path) = cached();
    let whole = fs::read(&path).unwrap();
    let loads = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        cache.load(&random_circuit().key, 5).is_some()
    };
    for place in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[place] ^= 1;
        assert!(!loads(&flipped), "byte {place}");
    }
    for length in [0, 1, HEADER, whole.len() - 1] {
        assert!(!loads(&whole[..length]), "{length} bytes");
    }
    assert!(!loads(&[&whole[..], &[0]].concat()));
    assert!(loads(&whole));
}

#[test]
fn a_point_off_the_curve_is_none_even_with_a_right_checksum() {
    let (_directory, cache, path) = cached();
    let mut bytes = fs::read(&path).unwrap();
    bytes[HEADER + 2 * POINT] ^= 1;
    let body = bytes.len() - CHECKSUM;
    let checksum = blake3::hash(&bytes[..body]);
    bytes[body..].copy_from_slice(checksum.as_bytes());
    fs::write(&path, bytes).unwrap();
    assert_eq!(cache.load(&random_circuit().key, 5), None);
}
