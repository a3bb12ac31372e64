//! The process side of [`crate::protocol`]: a prover behind a line protocol, for our prover and the peers alike.

use crate::protocol::{MAX_LINE_BYTES, MAX_PROOFS, Reply, Request};
use std::io::{self, BufRead, Read, Write};
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

/// One proof in its 128 bytes, and where its time went.
pub struct Proven {
    pub proof: [u8; 128],
    pub stages: Vec<(String, f64)>,
}

/// A prover with its instance loaded.
pub trait Warm: Sync {
    /// Name and version.
    fn name(&self) -> String;

    /// One proof on `threads` threads, randomised, by all it takes to hand it out.
    fn prove(&self, threads: usize) -> Result<Proven, String>;

    /// Most threads that one proof can use.
    fn threads_per_proof(&self) -> usize {
        usize::MAX
    }
}

impl<W: Warm + ?Sized> Warm for Box<W> {
    fn name(&self) -> String {
        (**self).name()
    }

    fn prove(&self, threads: usize) -> Result<Proven, String> {
        (**self).prove(threads)
    }

    fn threads_per_proof(&self) -> usize {
        (**self).threads_per_proof()
    }
}

/// Loads a prover and answers requests until `input` ends.
pub fn serve<W: Warm>(
    load: impl FnOnce() -> Result<W, String>,
    input: impl BufRead,
    mut output: impl Write,
) -> Result<(), String> {
    let started = Instant::now();
    let prover = load()?;
    let load_ms = milliseconds(started);
    let ready = Reply::Ready {
        prover: prover.name(),
        load_ms,
    };
    say(&mut output, &ready)?;
    let mut input = input;
    while let Some(line) = next_line(&mut input).map_err(|e| e.to_string())? {
        let request = serde_json::from_str(&line).map_err(|e| format!("not a request: {e}"))?;
        say(&mut output, &answer(&prover, request)?)?;
    }
    Ok(())
}

/// A line of bounded length, without its end; `None` at the end.
pub(crate) fn next_line(input: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = input
        .take(MAX_LINE_BYTES as u64)
        .read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(None);
    }
    if line.pop() != Some(b'\n') {
        let what = format!("a line without an end within {MAX_LINE_BYTES} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    let text = String::from_utf8(line);
    text.map(Some)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8"))
}

fn say(output: &mut impl Write, reply: &Reply) -> Result<(), String> {
    let mut line = serde_json::to_vec(reply).expect("plain data");
    line.push(b'\n');
    let sent = output.write_all(&line).and_then(|()| output.flush());
    sent.map_err(|e| format!("cannot answer: {e}"))
}

fn answer(prover: &impl Warm, request: Request) -> Result<Reply, String> {
    let refused = |why: String| Ok(Reply::Refused { why });
    match request {
        Request::Latency { threads, repeats } | Request::Throughput { threads, repeats }
            if threads == 0 || repeats == 0 || threads.saturating_mul(repeats) > MAX_PROOFS =>
        {
            refused(format!("{threads} threads, {repeats} repeats"))
        }
        Request::Latency { threads, .. } if threads > prover.threads_per_proof() => {
            refused(format!(
                "one proof takes {} threads at most",
                prover.threads_per_proof()
            ))
        }
        Request::Latency { threads, repeats } => {
            let started = Instant::now();
            let proven = (0..repeats).map(|_| prover.prove(threads));
            let proven: Vec<Proven> = proven.collect::<Result<_, _>>()?;
            Ok(proofs(milliseconds(started), proven))
        }
        Request::Throughput { threads, repeats } => at_once(prover, threads, repeats),
        Request::ForgetPeak => match std::fs::write("/proc/self/clear_refs", "5") {
            Ok(()) => Ok(Reply::Forgotten),
            Err(e) => refused(e.to_string()),
        },
    }
}

/// `threads` threads that start together and make `repeats` proofs each.
fn at_once(prover: &impl Warm, threads: usize, repeats: usize) -> Result<Reply, String> {
    let barrier = Barrier::new(threads + 1);
    let lane = || -> Result<Vec<Proven>, String> {
        barrier.wait();
        (0..repeats).map(|_| prover.prove(1)).collect()
    };
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..threads).map(|_| scope.spawn(lane)).collect();
        barrier.wait();
        let started = Instant::now();
        let mut proven = Vec::new();
        for lane in lanes {
            proven.extend(lane.join().map_err(|_| "a lane panicked".to_owned())??);
        }
        Ok(proofs(milliseconds(started), proven))
    })
}

fn proofs(ms: f64, proven: Vec<Proven>) -> Reply {
    let count = proven.len() as f64;
    let mut stages: Vec<(String, f64)> = Vec::new();
    for (name, ms) in proven.iter().flat_map(|p| &p.stages) {
        match stages.iter_mut().find(|(other, _)| other == name) {
            Some((_, sum)) => *sum += ms / count,
            None => stages.push((name.clone(), ms / count)),
        }
    }
    Reply::Proofs {
        ms,
        proofs: proven.iter().map(|p| hex::encode(p.proof)).collect(),
        stages,
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;

    impl Warm for Counting {
        fn name(&self) -> String {
            "counting 1".into()
        }

        fn prove(&self, threads: usize) -> Result<Proven, String> {
            let stages = vec![("count".to_owned(), threads as f64)];
            Ok(Proven {
                proof: [threads as u8; 128],
                stages,
            })
        }

        fn threads_per_proof(&self) -> usize {
            2
        }
    }

    fn replies(input: &str) -> Result<Vec<Reply>, String> {
        let mut output = Vec::new();
        serve(|| Ok(Counting), input.as_bytes(), &mut output)?;
        let lines = output.split(|b| *b == b'\n').filter(|l| !l.is_empty());
        Ok(lines.map(|l| serde_json::from_slice(l).unwrap()).collect())
    }

    #[test]
    fn requests_are_answered_in_order_and_with_as_many_proofs_as_asked_for() {
        let answered = replies(
            "{\"op\":\"latency\",\"threads\":2,\"repeats\":3}\n\
             {\"op\":\"throughput\",\"threads\":4,\"repeats\":2}\n\
             {\"op\":\"latency\",\"threads\":3,\"repeats\":1}\n\
             {\"op\":\"throughput\",\"threads\":0,\"repeats\":1}\n",
        )
        .unwrap();
        let [
            Reply::Ready { prover, .. },
            alone,
            together,
            Reply::Refused { why },
            Reply::Refused { .. },
        ] = &answered[..]
        else {
            panic!("{answered:?}");
        };
        assert_eq!(prover, "counting 1");
        assert!(why.contains("2 threads at most"), "{why}");
        for (reply, count, threads) in [(alone, 3, 2u8), (together, 8, 1)] {
            let Reply::Proofs { proofs, stages, .. } = reply else {
                panic!("{reply:?}");
            };
            assert_eq!(*proofs, vec![hex::encode([threads; 128]); count]);
            // The mean a proof, not the sum.
            assert_eq!(*stages, [("count".to_owned(), f64::from(threads))]);
        }
    }

    #[test]
    fn garbage_ends_the_process_and_an_endless_line_is_not_read_into_memory() {
        assert!(
            replies("prove, please\n")
                .unwrap_err()
                .contains("not a request")
        );
        let endless = "x".repeat(MAX_LINE_BYTES + 1);
        assert!(replies(&endless).unwrap_err().contains("without an end"));
    }
}
