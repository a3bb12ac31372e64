//! An instance as all of these provers take it.

use ark_bn254::{Bn254, Fr};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use ukehi_provers::R1cs;
use ukehi_provers::groth16::ProvingKey;
use ukehi_provers::iden3::{Zkey, read_r1cs, read_wtns};
use ukehi_suite::protocol::InstanceFiles;

pub struct Instance {
    pub key: ark_groth16::ProvingKey<Bn254>,
    pub r1cs: R1cs,
    pub assignment: Vec<Fr>,
}

impl Instance {
    pub fn load(files: &InstanceFiles) -> Result<Self, String> {
        let digest = hex::<32>(&files.zkey_digest).ok_or("DIGEST is 64 hex digits")?;
        let r1cs = read_r1cs(open(&files.r1cs)?).map_err(|e| e.to_string())?;
        let zkey = Zkey::read_known(open(&files.zkey)?, &digest).map_err(|e| e.to_string())?;
        let key = ProvingKey::from_zkey(zkey, &r1cs).map_err(|e| e.to_string())?;
        let assignment = read_wtns(open(&files.wtns)?).map_err(|e| e.to_string())?;
        if assignment.as_slice().len() != r1cs.variables() {
            return Err("the witness is not one of this circuit".into());
        }
        Ok(Self {
            key: key.points().clone(),
            assignment: assignment.as_slice().to_vec(),
            r1cs,
        })
    }

    /// The statement, without the constant.
    pub fn inputs(&self) -> &[Fr] {
        &self.assignment[1..self.r1cs.instance_variables()]
    }
}

fn open(path: &Path) -> Result<BufReader<File>, String> {
    let file = File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(BufReader::new(file))
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}
