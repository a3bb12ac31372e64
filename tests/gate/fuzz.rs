//! Decoders fed with noise and with damaged messages: none panics, and whatever decodes encodes to
//! the very bytes it was read from. A failure names the seed that replays it.

use crate::world::WORLD;
use proptest::prelude::*;
use std::sync::LazyLock;
use ukehi::api::{Denial, ProvenEntry, Reply, Request};
use ukehi::batch::SealedBatch;
use ukehi::log::{Outcome, Record};
use ukehi::wire::WireError;

/// Inputs made from each seed. 320 seeds × 3 decoders × 128 inputs is above 10^5.
const INPUTS: usize = 128;
const SEEDS: u32 = 320;

/// SplitMix64: enough to scatter damage, and a seed replays it.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }

    /// One to four cuts, flips, overwrites, insertions or repetitions.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..1 + self.below(4) {
            let at = self.below(bytes.len());
            let len = self.below(9).min(bytes.len() - at);
            match self.below(7) {
                0 => bytes.truncate(at),
                1 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                2 if at < bytes.len() => bytes[at] = self.next() as u8,
                3 => bytes[at..at + len].fill(0xff),
                4 => drop(bytes.drain(at..at + len)),
                5 => {
                    let noise = self.bytes(len);
                    drop(bytes.splice(at..at, noise));
                }
                _ => {
                    let copy = bytes[at..at + len].to_vec();
                    bytes.extend(copy);
                }
            }
        }
    }

    /// Noise with a likely first byte, or a damaged message.
    fn input(&mut self, messages: &[Vec<u8>]) -> Vec<u8> {
        if self.below(4) == 0 {
            let len = self.below(600);
            let mut bytes = self.bytes(len);
            if let Some(first) = bytes.first_mut() {
                *first %= 11;
            }
            return bytes;
        }
        let mut bytes = messages[self.below(messages.len())].clone();
        self.damage(&mut bytes);
        bytes
    }
}

fn batches() -> Vec<Vec<u8>> {
    vec![WORLD.one.to_bytes(), WORLD.three.to_bytes()]
}

fn requests() -> Vec<Vec<u8>> {
    let author = WORLD.one.header.author;
    let requests = [
        Request::Submit {
            deadline_ms: 1000,
            batch: WORLD.one.to_bytes(),
        },
        Request::Get {
            deadline_ms: 1,
            route: [3; 32],
        },
        Request::Scan {
            deadline_ms: 5,
            after: Some([4; 32]),
            limit: 256,
        },
        Request::Scan {
            deadline_ms: 5,
            after: None,
            limit: 0,
        },
        Request::Receipt {
            deadline_ms: 120_000,
            author,
            seq: u64::MAX,
        },
        Request::Export { from: 0, to: None },
        Request::Export {
            from: 3,
            to: Some(9),
        },
        Request::Head {
            author: Some(author),
        },
        Request::Head { author: None },
        Request::Status,
    ];
    requests.iter().map(Request::to_bytes).collect()
}

fn replies() -> Vec<Vec<u8>> {
    let record = Record::no_op(7);
    let entry = ProvenEntry {
        record,
        payload: WORLD.one.to_bytes(),
        inclusion: vec![1; 100],
        note: "ukehi/x/0\n1\nAAAA\n\n— x\n".into(),
    };
    let replies = [
        Reply::Decided {
            index: 1,
            outcome: Outcome::Expired,
        },
        Reply::Entry { entry, slot: 2 },
        Reply::NotFound { applied: 9 },
        Reply::ExportStart {
            from: 1,
            to: 2,
            size: 3,
            left: vec![[1; 32]; 3],
            right: vec![[2; 32]],
            note: "note".into(),
        },
        Reply::ExportEntry {
            record,
            payload: vec![1, 2, 3],
        },
        Reply::Head {
            note: Some("note".into()),
            applied: 3,
            highest_seq: Some(4),
        },
        Reply::Status { json: "{}".into() },
        Reply::End,
        Reply::denied(Denial::Invalid, "no"),
    ];
    replies.iter().map(Reply::to_bytes).collect()
}

/// Feeds one seed's inputs to a decoder.
fn feed<T>(
    seed: u64,
    messages: &[Vec<u8>],
    decode: impl Fn(&[u8]) -> Result<T, WireError>,
    encode: impl Fn(&T) -> Vec<u8>,
) {
    let mut noise = Noise(seed);
    for message in messages {
        let decoded = decode(message).expect("the messages themselves decode");
        assert_eq!(encode(&decoded), *message);
    }
    for round in 0..INPUTS {
        let input = noise.input(messages);
        if let Ok(decoded) = decode(&input) {
            assert_eq!(encode(&decoded), input, "seed {seed}, input {round}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: SEEDS,
        max_shrink_iters: 0,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_batch_decodes_to_what_encodes_back_or_not_at_all(seed: u64) {
        static MESSAGES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(batches);
        feed(seed, &MESSAGES, SealedBatch::from_bytes, SealedBatch::to_bytes);
    }

    #[test]
    fn a_request_decodes_to_what_encodes_back_or_not_at_all(seed: u64) {
        static MESSAGES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(requests);
        feed(seed, &MESSAGES, Request::from_bytes, Request::to_bytes);
    }

    #[test]
    fn a_reply_decodes_to_what_encodes_back_or_not_at_all(seed: u64) {
        static MESSAGES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(replies);
        feed(seed, &MESSAGES, Reply::from_bytes, Reply::to_bytes);
    }
}
