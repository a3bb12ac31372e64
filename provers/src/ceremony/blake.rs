//! BLAKE2b-512 (RFC 7693) whose state can be taken out and put back: a `.ptau` file keeps a hasher's state for each
//! contribution, so that its response hash can be finished. Everything else hashes with the `blake2` crate.

use crate::iden3::{PARTIAL_HASH_BYTES, TRANSCRIPT_BYTES};

const BLOCK: usize = 128;

const IV: [u64; 8] = [
    0x6a09e667f3bcc908,
    0xbb67ae8584caa73b,
    0x3c6ef372fe94f82b,
    0xa54ff53a5f1d36f1,
    0x510e527fade682d1,
    0x9b05688c2b3e6c1f,
    0x1f83d9abfb41bd6b,
    0x5be0cd19137e2179,
];

const SIGMA: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

#[derive(Clone)]
pub(super) struct ResumableBlake2b {
    state: [u64; 8],
    /// Bytes already compressed.
    compressed: u64,
    block: [u8; BLOCK],
    /// Bytes waiting in `block`; a full block waits until more comes, for the last one is compressed otherwise.
    waiting: usize,
}

impl ResumableBlake2b {
    pub(super) fn new() -> Self {
        let mut state = IV;
        // Parameter block: 64 bytes of digest, no key, fan-out and depth 1.
        state[0] ^= 0x0101_0040;
        Self {
            state,
            compressed: 0,
            block: [0; BLOCK],
            waiting: 0,
        }
    }

    /// snarkjs's `fromPartialHash`: block, state, bytes compressed, bytes waiting.
    pub(super) fn resume(partial: &[u8; PARTIAL_HASH_BYTES]) -> Option<Self> {
        let (block, words) = partial.split_at(BLOCK);
        let word = |i: usize| {
            let bytes = words[8 * i..8 * i + 8].try_into();
            u64::from_le_bytes(bytes.expect("eight bytes"))
        };
        let waiting = usize::try_from(word(9)).ok().filter(|n| *n <= BLOCK)?;
        Some(Self {
            state: [0, 1, 2, 3, 4, 5, 6, 7].map(word),
            compressed: word(8),
            block: block.try_into().expect("one block"),
            waiting,
        })
    }

    pub(super) fn partial(&self) -> [u8; PARTIAL_HASH_BYTES] {
        let mut partial = [0; PARTIAL_HASH_BYTES];
        partial[..BLOCK].copy_from_slice(&self.block);
        let counters = [self.compressed, self.waiting as u64];
        let words = self.state.iter().chain(&counters);
        for (slot, word) in partial[BLOCK..].chunks_exact_mut(8).zip(words) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        partial
    }

    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.waiting == BLOCK {
                self.compressed = self.compressed.wrapping_add(BLOCK as u64);
                self.compress(false);
                self.waiting = 0;
            }
            let (now, rest) = bytes.split_at(bytes.len().min(BLOCK - self.waiting));
            self.block[self.waiting..self.waiting + now.len()].copy_from_slice(now);
            self.waiting += now.len();
            bytes = rest;
        }
    }

    pub(super) fn finish(mut self) -> [u8; TRANSCRIPT_BYTES] {
        self.compressed = self.compressed.wrapping_add(self.waiting as u64);
        self.block[self.waiting..].fill(0);
        self.compress(true);
        let mut digest = [0; TRANSCRIPT_BYTES];
        for (slot, word) in digest.chunks_exact_mut(8).zip(self.state) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        digest
    }

    fn compress(&mut self, last: bool) {
        let (words, _) = self.block.as_chunks::<8>();
        let m: [u64; 16] = std::array::from_fn(|i| u64::from_le_bytes(words[i]));
        let mut v = [0; 16];
        v[..8].copy_from_slice(&self.state);
        v[8..].copy_from_slice(&IV);
        v[12] ^= self.compressed;
        if last {
            v[14] = !v[14];
        }
        for round in 0..12 {
            let s = &SIGMA[round % 10];
            for i in 0..4 {
                mix(
                    &mut v,
                    [i, 4 + i, 8 + i, 12 + i],
                    m[s[2 * i]],
                    m[s[2 * i + 1]],
                );
            }
            for i in 0..4 {
                let diagonal = [i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4];
                mix(&mut v, diagonal, m[s[8 + 2 * i]], m[s[9 + 2 * i]]);
            }
        }
        for (i, word) in self.state.iter_mut().enumerate() {
            *word ^= v[i] ^ v[i + 8];
        }
    }
}

fn mix(v: &mut [u64; 16], [a, b, c, d]: [usize; 4], x: u64, y: u64) {
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
    v[d] = (v[d] ^ v[a]).rotate_right(32);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(24);
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
    v[d] = (v[d] ^ v[a]).rotate_right(16);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(63);
}

#[cfg(test)]
mod tests {
    use super::*;
    use blake2::{Blake2b512, Digest};

    #[test]
    fn it_is_blake2b_however_the_input_is_cut_and_resumed() {
        let input: Vec<u8> = (0..700u32).map(|i| (i * 7) as u8).collect();
        for length in [0, 1, 127, 128, 129, 255, 256, 257, 700] {
            for cut in [0, 1, 64, 127, 128, 129, 256, 300] {
                let (head, tail) = input[..length].split_at(cut.min(length));
                let mut hasher = ResumableBlake2b::new();
                hasher.update(head);
                let mut hasher = ResumableBlake2b::resume(&hasher.partial()).unwrap();
                hasher.update(tail);
                let expected: [u8; 64] = Blake2b512::digest(&input[..length]).into();
                assert_eq!(hasher.finish(), expected, "{length} bytes cut at {cut}");
            }
        }
    }

    #[test]
    fn a_state_with_more_than_a_block_waiting_is_refused() {
        let mut partial = ResumableBlake2b::new().partial();
        partial[200] = 129;
        assert!(ResumableBlake2b::resume(&partial).is_none());
    }
}
