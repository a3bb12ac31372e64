//! What a follower does with proofs: decoding, one by one, in batches; arkworks' own verifier beside it.

use super::{InProcess, Work, milliseconds};
use crate::cell::{Cell, Metric, Suite};
use crate::instance::Family;
use crate::ours::SUBJECT;
use ark_bn254::Bn254;
use ark_serialize::CanonicalDeserialize;
use std::hint::black_box;
use std::rc::Rc;
use ukehi_provers::Fr;
use ukehi_provers::batch_verify::{BatchItem, verify_batch};
use ukehi_provers::groth16::reference::prove;
use ukehi_provers::groth16::{
    Groth16Proof, PreparedVerifyingKey, VerifyingKey, insecure_dev_setup, verify as verify_one,
};

/// What is not ours here.
const ARK: &str = "ark-groth16";
const BATCHES: [usize; 3] = [8, 64, 256];
/// Distinct proofs; larger batches repeat them.
const PROOFS: usize = 8;

struct Proven {
    verifying_key: VerifyingKey,
    key: PreparedVerifyingKey,
    inputs: Vec<Fr>,
    proofs: Vec<Groth16Proof>,
}

/// Makes a small circuit's key and proofs first: how large the circuit is does not matter to a verifier. `more` are
/// cells of ours that are measured with these.
pub fn verify(more: Vec<(Cell, Work<'static>)>) -> Result<Vec<InProcess<'static>>, String> {
    let instance = Family::Sparse.instance(10);
    let (key, verifying_key) =
        insecure_dev_setup(&instance.r1cs, |_| {}).map_err(|e| e.to_string())?;
    let one =
        |_| prove(&key, &instance.r1cs, instance.assignment.as_slice()).map_err(|e| e.to_string());
    let proven = Rc::new(Proven {
        key: PreparedVerifyingKey::new(&verifying_key),
        verifying_key,
        inputs: instance.inputs().to_vec(),
        proofs: (0..PROOFS).map(one).collect::<Result<_, _>>()?,
    });
    let mut ours = vec![decode(proven.clone()), single(proven.clone())];
    for size in BATCHES {
        ours.extend([decode_many(&proven, size), batch(proven.clone(), size)]);
    }
    ours.extend(more);
    Ok(vec![
        InProcess::new(SUBJECT, ours),
        InProcess::new(ARK, vec![ark(&proven)?]),
    ])
}

fn cell(instance: &str, subject: &str, metric: Metric) -> Cell {
    Cell::new(Suite::Verify, instance, subject, metric, 1)
}

fn decode(proven: Rc<Proven>) -> (Cell, Work<'static>) {
    let work: Work<'static> = Box::new(move |repeats| {
        let bytes = proven.proofs[0].to_bytes();
        milliseconds(repeats, || {
            let proof = Groth16Proof::from_bytes(black_box(&bytes));
            proof.map(drop).map_err(|e| e.to_string())
        })
    });
    (cell("one by one", SUBJECT, Metric::Decode), work)
}

fn decode_many(proven: &Proven, size: usize) -> (Cell, Work<'static>) {
    let encoded: Vec<_> = proven
        .proofs
        .iter()
        .cycle()
        .take(size)
        .map(Groth16Proof::to_bytes)
        .collect();
    let work: Work<'static> = Box::new(move |repeats| {
        let encoded: Vec<&[u8]> = encoded.iter().map(<[u8; 128]>::as_slice).collect();
        let whole = milliseconds(repeats, || {
            let decoded = Groth16Proof::from_bytes_many(black_box(&encoded));
            if decoded.iter().all(Result::is_ok) {
                Ok(())
            } else {
                Err("a good proof was refused".into())
            }
        })?;
        Ok(whole / size as f64)
    });
    (
        cell(&format!("batch of {size}"), SUBJECT, Metric::Decode),
        work,
    )
}

fn single(proven: Rc<Proven>) -> (Cell, Work<'static>) {
    let work: Work<'static> = Box::new(move |repeats| {
        milliseconds(repeats, || {
            verify_one(&proven.key, &proven.inputs, black_box(&proven.proofs[0]))
                .map_err(|e| e.to_string())
        })
    });
    (cell("one by one", SUBJECT, Metric::Verify), work)
}

fn batch(proven: Rc<Proven>, size: usize) -> (Cell, Work<'static>) {
    let work: Work<'static> = Box::new(move |repeats| {
        let item = |proof| BatchItem {
            key: 0,
            inputs: &proven.inputs,
            proof,
        };
        let items: Vec<BatchItem<'_>> = proven.proofs.iter().cycle().take(size).map(item).collect();
        let whole = milliseconds(repeats, || {
            let verdict =
                verify_batch(&[&proven.key], black_box(&items)).map_err(|e| e.to_string())?;
            if verdict.bad.is_empty() {
                Ok(())
            } else {
                Err("a good proof was refused".into())
            }
        })?;
        Ok(whole / size as f64)
    });
    (
        cell(&format!("batch of {size}"), SUBJECT, Metric::Verify),
        work,
    )
}

fn ark(proven: &Proven) -> Result<(Cell, Work<'static>), String> {
    let key = ark_groth16::prepare_verifying_key(proven.verifying_key.points());
    let bytes = proven.proofs[0].to_bytes();
    let proof = ark_groth16::Proof::<Bn254>::deserialize_compressed(bytes.as_slice())
        .map_err(|e| e.to_string())?;
    let inputs = proven.inputs.clone();
    let work: Work<'static> = Box::new(move |repeats| {
        milliseconds(
            repeats,
            || match ark_groth16::Groth16::<Bn254>::verify_proof(&key, black_box(&proof), &inputs) {
                Ok(true) => Ok(()),
                _ => Err("a good proof was refused".into()),
            },
        )
    });
    Ok((cell("one by one", ARK, Metric::Verify), work))
}
