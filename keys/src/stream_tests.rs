use super::*;
use proptest::prelude::*;

fn value(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 % 251) as u8).collect()
}

fn sealed(plain: &[u8]) -> (SealedStream, Vec<u8>) {
    let mut ciphertext = Vec::new();
    let sealed = seal(&mut &plain[..], &mut ciphertext).unwrap();
    (sealed, ciphertext)
}

/// Opens whatever bytes, as if the slot named their own digest: only STREAM guards.
fn opened(sealed: &SealedStream, ciphertext: &[u8]) -> Result<Vec<u8>, StreamError> {
    opened_as(&sealed.key, sealed.plaintext_bytes, ciphertext)
}

fn opened_as(key: &ContentKey, len: u64, ciphertext: &[u8]) -> Result<Vec<u8>, StreamError> {
    let mut plain = Vec::new();
    let digest = blake3::hash(ciphertext);
    open(
        key,
        digest.as_bytes(),
        len,
        &mut &ciphertext[..],
        &mut plain,
    )
    .map(|()| plain)
}

/// A ciphertext's chunks, tags included.
fn chunk_list(ciphertext: &[u8]) -> Vec<Vec<u8>> {
    let chunks = ciphertext[COMMITMENT_BYTES..].chunks(CHUNK_BYTES + TAG_BYTES);
    chunks.map(<[u8]>::to_vec).collect()
}

fn joined(ciphertext: &[u8], chunks: &[Vec<u8>]) -> Vec<u8> {
    [&ciphertext[..COMMITMENT_BYTES], &chunks.concat()].concat()
}

#[test]
fn values_of_every_kind_of_length_come_back_and_have_the_length_foretold() {
    let chunk = CHUNK_BYTES;
    for len in [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 17] {
        let plain = value(len);
        let (made, ciphertext) = sealed(&plain);
        assert_eq!(made.plaintext_bytes, len as u64);
        assert_eq!(made.ciphertext_bytes, ciphertext.len() as u64);
        assert_eq!(made.ciphertext_bytes, ciphertext_bytes(len as u64));
        assert_eq!(made.digest, *blake3::hash(&ciphertext).as_bytes());
        assert!(opened(&made, &ciphertext).unwrap() == plain, "{len} bytes");
    }
}

#[test]
fn the_longest_value_passes_and_one_byte_more_is_refused() {
    let longest = value(MAX_PLAINTEXT_BYTES as usize);
    let (made, ciphertext) = sealed(&longest);
    assert_eq!(made.ciphertext_bytes, MAX_CIPHERTEXT_BYTES);
    assert!(opened(&made, &ciphertext).unwrap() == longest);
    let longer = value(MAX_PLAINTEXT_BYTES as usize + 1);
    assert!(matches!(
        seal(&mut &longer[..], &mut io::sink()),
        Err(StreamError::TooLong { .. })
    ));
    assert!(matches!(
        opened_as(&made.key, MAX_PLAINTEXT_BYTES + 1, &ciphertext),
        Err(StreamError::TooLong { .. })
    ));
}

#[test]
fn a_value_without_its_last_chunk_or_last_byte_is_truncated() {
    let (made, ciphertext) = sealed(&value(3 * CHUNK_BYTES));
    let chunks = chunk_list(&ciphertext);
    let cuts = [
        joined(&ciphertext, &chunks[..2]),
        ciphertext[..ciphertext.len() - 1].to_vec(),
        ciphertext[..COMMITMENT_BYTES].to_vec(),
        ciphertext[..10].to_vec(),
        Vec::new(),
    ];
    for cut in cuts {
        let outcome = opened(&made, &cut);
        assert!(
            matches!(outcome, Err(StreamError::Truncated)),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_value_cut_at_a_chunk_under_a_shorter_length_does_not_open() {
    let (made, ciphertext) = sealed(&value(3 * CHUNK_BYTES));
    let chunks = chunk_list(&ciphertext);
    let cut = joined(&ciphertext, &chunks[..2]);
    // The second chunk was no last one: its flag is in the nonce.
    let outcome = opened_as(&made.key, 2 * CHUNK_BYTES as u64, &cut);
    assert!(matches!(outcome, Err(StreamError::Altered { chunk: 1 })));
}

#[test]
fn chunks_swapped_repeated_or_dropped_are_noticed_at_the_first_one_out_of_place() {
    let (made, ciphertext) = sealed(&value(4 * CHUNK_BYTES));
    let chunks = chunk_list(&ciphertext);
    let pick = |order: [usize; 4]| {
        let picked: Vec<Vec<u8>> = order.iter().map(|i| chunks[*i].clone()).collect();
        joined(&ciphertext, &picked)
    };
    for (order, first) in [
        ([1, 0, 2, 3], 0),
        ([0, 2, 1, 3], 1),
        ([0, 1, 3, 2], 2),
        ([0, 0, 2, 3], 1),
        ([0, 1, 2, 2], 3),
        ([3, 1, 2, 0], 0),
    ] {
        match opened(&made, &pick(order)) {
            Err(StreamError::Altered { chunk }) => assert_eq!(chunk, first, "{order:?}"),
            other => panic!("{order:?}: {other:?}"),
        }
    }
}

#[test]
fn a_value_with_anything_behind_it_is_refused() {
    let (made, ciphertext) = sealed(&value(CHUNK_BYTES));
    let chunks = chunk_list(&ciphertext);
    let again = joined(&ciphertext, &[chunks[0].clone(), chunks[0].clone()]);
    let byte = [&ciphertext[..], &[0]].concat();
    for longer in [again, byte] {
        let outcome = opened(&made, &longer);
        assert!(matches!(outcome, Err(StreamError::Trailing)), "{outcome:?}");
    }
}

#[test]
fn a_chunk_of_another_value_does_not_fit_even_in_its_own_place() {
    let (made, ciphertext) = sealed(&value(2 * CHUNK_BYTES));
    let (_, other) = sealed(&value(2 * CHUNK_BYTES));
    let mixed = [
        chunk_list(&ciphertext)[0].clone(),
        chunk_list(&other)[1].clone(),
    ];
    assert!(matches!(
        opened(&made, &joined(&ciphertext, &mixed)),
        Err(StreamError::Altered { chunk: 1 })
    ));
}

#[test]
fn another_key_is_told_from_an_altered_value() {
    let (made, ciphertext) = sealed(&value(100));
    let (other, _) = sealed(&value(100));
    assert!(matches!(
        opened_as(&other.key, 100, &ciphertext),
        Err(StreamError::WrongKey)
    ));
    let mut flipped = ciphertext.clone();
    flipped[COMMITMENT_BYTES] ^= 1;
    assert!(matches!(
        opened(&made, &flipped),
        Err(StreamError::Altered { chunk: 0 })
    ));
}

/// Chunks that verify under a second key as well are what a commitment is there for: here they do,
/// and only the commitment refuses.
#[test]
fn a_ciphertext_made_to_open_under_a_second_key_is_refused_by_the_commitment() {
    let (first, _) = sealed(b"harmless");
    let (second, forged) = sealed(b"harmful!");
    let mut ciphertext = first.key.commitment().as_bytes().to_vec();
    ciphertext.extend_from_slice(&forged[COMMITMENT_BYTES..]);
    assert!(matches!(
        opened_as(&second.key, 8, &ciphertext),
        Err(StreamError::WrongKey)
    ));
    // Under the key it commits to, the tag does not fit.
    assert!(matches!(
        opened_as(&first.key, 8, &ciphertext),
        Err(StreamError::Altered { chunk: 0 })
    ));
}

#[test]
fn a_true_stream_under_another_digest_is_refused() {
    let (made, ciphertext) = sealed(&value(70_000));
    let mut digest = made.digest;
    digest[0] ^= 1;
    let outcome = open(
        &made.key,
        &digest,
        made.plaintext_bytes,
        &mut &ciphertext[..],
        &mut io::sink(),
    );
    assert!(matches!(outcome, Err(StreamError::OtherDigest)));
}

#[test]
fn two_seals_of_one_value_share_nothing() {
    let plain = value(1000);
    let (first, a) = sealed(&plain);
    let (second, b) = sealed(&plain);
    assert_ne!(first.key.secret_bytes(), second.key.secret_bytes());
    assert_ne!(first.digest, second.digest);
    assert_ne!(a[..COMMITMENT_BYTES], b[..COMMITMENT_BYTES]);
    assert_ne!(a[COMMITMENT_BYTES..], b[COMMITMENT_BYTES..]);
}

/// Gives a few bytes at a time, as a pipe does.
struct Dripping<'a>(&'a [u8]);

impl Read for Dripping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(4099);
        self.0.read(&mut buffer[..len])
    }
}

#[test]
fn short_reads_do_not_make_short_chunks() {
    let plain = value(2 * CHUNK_BYTES + 5);
    let mut ciphertext = Vec::new();
    let made = seal(&mut Dripping(&plain), &mut ciphertext).unwrap();
    assert_eq!(
        ciphertext.len() as u64,
        ciphertext_bytes(plain.len() as u64)
    );
    let mut back = Vec::new();
    open(
        &made.key,
        &made.digest,
        made.plaintext_bytes,
        &mut Dripping(&ciphertext),
        &mut back,
    )
    .unwrap();
    assert!(back == plain);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_flipped_bit_is_noticed(len in 0usize..200_000, at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let (made, mut ciphertext) = sealed(&value(len));
        let at = at.index(ciphertext.len());
        ciphertext[at] ^= 1 << bit;
        match opened(&made, &ciphertext) {
            Err(StreamError::WrongKey) => prop_assert!(at < COMMITMENT_BYTES),
            Err(StreamError::Altered { chunk }) => {
                let expected = (at - COMMITMENT_BYTES) / (CHUNK_BYTES + TAG_BYTES);
                prop_assert_eq!(chunk, expected as u64);
            }
            other => prop_assert!(false, "{:?}", other.map(|p| p.len())),
        }
    }
}
