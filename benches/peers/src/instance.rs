//! An instance as all of these provers take it.

use ark_bn254::{Bn254, Fr};
use ukehi_provers::R1cs;
use ukehi_provers::groth16::ProvingKey;
use ukehi_suite::instance::files::{Loaded, load};
use ukehi_suite::protocol::InstanceFiles;

pub struct Instance {
    pub key: ark_groth16::ProvingKey<Bn254>,
    pub r1cs: R1cs,
    pub assignment: Vec<Fr>,
}

impl Instance {
    pub fn load(files: &InstanceFiles) -> Result<Self, String> {
        let Loaded {
            zkey,
            r1cs,
            assignment,
        } = load(files)?;
        let key = ProvingKey::from_zkey(zkey, &r1cs).map_err(|e| e.to_string())?;
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
