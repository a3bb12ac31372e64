//! Rows and values as a generator makes them: variable 0 is the constant one, variable 1 the public input.

use super::Instance;
use ark_ff::{AdditiveGroup, Field};
use ukehi_provers::groth16::Assignment;
use ukehi_provers::{Fr, R1cs};
use zeroize::Zeroizing;

/// Σ coefficient · variable, by increasing variable, no zero coefficient.
pub type Row = Vec<(Fr, usize)>;

const PUBLIC: usize = 1;

pub struct Builder {
    rows: [Vec<Row>; 3],
    values: Zeroizing<Vec<Fr>>,
}

impl Builder {
    /// For a circuit of up to so many rows.
    pub fn new(rows: usize) -> Self {
        let mut values = Vec::with_capacity(2 * rows + 2);
        values.extend([Fr::ONE, Fr::ZERO]);
        Self {
            rows: Default::default(),
            values: Zeroizing::new(values),
        }
    }

    pub fn constant(value: Fr) -> Row {
        if value == Fr::ZERO {
            Row::new()
        } else {
            vec![(value, 0)]
        }
    }

    /// A new witness variable.
    pub fn witness(&mut self, value: Fr) -> Row {
        self.values.push(value);
        vec![(Fr::ONE, self.values.len() - 1)]
    }

    pub fn value(&self, row: &[(Fr, usize)]) -> Fr {
        row.iter()
            .map(|(c, variable)| *c * self.values[*variable])
            .sum()
    }

    /// The row `a · b = c`.
    pub fn enforce(&mut self, a: Row, b: Row, c: Row) {
        for (rows, row) in self.rows.iter_mut().zip([a, b, c]) {
            rows.push(row);
        }
    }

    /// A new variable that is `a · b`.
    pub fn product(&mut self, a: &Row, b: &Row) -> Row {
        let product = self.witness(self.value(a) * self.value(b));
        self.enforce(a.clone(), b.clone(), product.clone());
        product
    }

    /// Makes `row`'s value the public input: the last row.
    pub fn publish(&mut self, row: &Row) {
        self.values[PUBLIC] = self.value(row);
        let public = vec![(Fr::ONE, PUBLIC)];
        self.enforce(row.clone(), Self::constant(Fr::ONE), public);
    }

    pub fn finish(self) -> Instance {
        let [a, b, c] = self.rows;
        let variables = self.values.len();
        let r1cs = R1cs::new(a, b, c, 2, variables - 2);
        Instance {
            r1cs: r1cs.expect("generators name only variables they made"),
            assignment: Assignment::new(self.values.to_vec()),
        }
    }
}

/// Σ factorᵢ · rowᵢ.
pub fn sum<'a>(terms: impl IntoIterator<Item = (Fr, &'a Row)>) -> Row {
    let mut merged = Row::new();
    for (factor, row) in terms {
        merged.extend(row.iter().map(|(c, variable)| (*c * factor, *variable)));
    }
    merged.sort_unstable_by_key(|(_, variable)| *variable);
    merged.dedup_by(|next, kept| {
        let same = next.1 == kept.1;
        if same {
            kept.0 += next.0;
        }
        same
    });
    merged.retain(|(c, _)| *c != Fr::ZERO);
    merged
}
