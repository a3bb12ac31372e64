//! The permutation and the hash as constraints: three rows per S-box, none for anything linear.
//!
//! Layout. An S-box takes y to s = y⁵ by x2 = y·y, x4 = x2·x2, x4·y = s. The *inputs* of the next layer are variables
//! and s is written as a linear combination of them, not the other way round. So A and B hold single variables, and
//! the dense Poseidon matrices stand in C alone, which a Groth16 prover with the circom reduction never multiplies.
//!
//! Uniqueness. A full layer's next inputs are M·s + c with M invertible, so fixing every s by its row fixes them. In
//! the partial rounds, (lanes before, s₀..s_R) ↔ (y₀..y_R, lanes after) is a linear bijection: each sparse matrix is
//! invertible. Lanes before are fixed by the full layer, that fixes y₀, its row fixes s₀, that fixes y₁, and so on.
//! A lane of the first layer that is a constant costs nothing: its S-box is computed here.

use super::constants::{HALF, Sparse};
use super::matrix::Matrix;
use super::permutation::sbox;
use super::{Domain, RATE, width_for};
use crate::F;
use crate::gadget::{Builder, Num};
use ark_ff::{AdditiveGroup, Field};
use zeroize::Zeroizing;

/// An input lane. Whether a lane is constant is part of the circuit, so the caller says it.
#[derive(Clone)]
pub enum Lane {
    Constant(F),
    Num(Num),
}

impl From<&Num> for Lane {
    fn from(num: &Num) -> Self {
        Lane::Num(num.clone())
    }
}

/// Twin of [`super::hash`].
pub(crate) fn hash(builder: &mut Builder, domain: Domain, inputs: &[Lane]) -> Num {
    builder.note_hashed(domain, inputs);
    let width = width_for(inputs.len());
    let mut state = vec![Lane::Constant(F::ZERO); width];
    state[0] = Lane::Constant(domain.capacity(inputs.len()));
    for block in inputs.chunks(RATE) {
        for (lane, input) in state[1..].iter_mut().zip(block) {
            *lane = add(builder, lane, input);
        }
        state = permute(builder, &state)
            .into_iter()
            .map(Lane::Num)
            .collect();
    }
    match state.swap_remove(0) {
        Lane::Num(digest) => digest,
        Lane::Constant(_) => unreachable!("a hash in a circuit has inputs"),
    }
}

fn add(builder: &Builder, left: &Lane, right: &Lane) -> Lane {
    match (left, right) {
        (Lane::Constant(a), Lane::Constant(b)) => Lane::Constant(*a + b),
        (Lane::Num(num), Lane::Constant(constant)) | (Lane::Constant(constant), Lane::Num(num)) => {
            Lane::Num(num + &builder.constant(*constant))
        }
        (Lane::Num(a), Lane::Num(b)) => Lane::Num(a + b),
    }
}

/// Twin of [`super::permute`]; every output lane is a variable. At least one lane must not be constant.
pub(crate) fn permute(builder: &mut Builder, input: &[Lane]) -> Vec<Num> {
    let parameters = Sparse::of(input.len());
    let inverse = builder.is_recording().then(|| {
        parameters
            .mds
            .inverse()
            .expect("an MDS matrix is invertible")
    });
    let zeros = vec![F::ZERO; parameters.width];
    let next_constants =
        |rounds: &'static [Vec<F>], round: usize| rounds.get(round + 1).unwrap_or(&rounds[0]);

    let mut state = first_layer(builder, parameters, input);
    for round in 1..HALF - 1 {
        let layer = Layer::open(builder, &state);
        state = layer.next_inputs(
            builder,
            &parameters.mds,
            next_constants(&parameters.first, round),
        );
        layer.close(
            builder,
            inverse.as_ref(),
            &state,
            next_constants(&parameters.first, round),
        );
    }
    state = partial_rounds(builder, parameters, &state);
    for round in 0..HALF {
        let constants = if round == HALF - 1 {
            &zeros
        } else {
            next_constants(&parameters.last, round)
        };
        let layer = Layer::open(builder, &state);
        state = layer.next_inputs(builder, &parameters.mds, constants);
        layer.close(builder, inverse.as_ref(), &state, constants);
    }
    state
}

/// An S-box opened: its input and x4 are known to the circuit, its output is not yet a linear combination.
struct SBox {
    input: Num,
    fourth_power: Num,
}

impl SBox {
    fn open(builder: &mut Builder, input: Num) -> Self {
        let square = builder.product(&input, &input);
        let fourth_power = builder.product(&square, &square);
        SBox {
            input,
            fourth_power,
        }
    }

    fn output_value(&self) -> F {
        self.fourth_power.value() * self.input.value()
    }

    fn close(&self, builder: &mut Builder, output: &Num) {
        builder.enforce(&self.fourth_power, &self.input, output);
    }
}

/// A full layer of S-boxes.
struct Layer(Vec<SBox>);

impl Layer {
    fn open(builder: &mut Builder, inputs: &[Num]) -> Self {
        Layer(
            inputs
                .iter()
                .map(|input| SBox::open(builder, input.clone()))
                .collect(),
        )
    }

    fn output_values(&self) -> Zeroizing<Vec<F>> {
        Zeroizing::new(self.0.iter().map(SBox::output_value).collect())
    }

    /// The inputs of the next layer, `matrix·s + constants`, as new variables.
    fn next_inputs(&self, builder: &mut Builder, matrix: &Matrix, constants: &[F]) -> Vec<Num> {
        let mixed = Zeroizing::new(matrix.apply(&self.output_values()));
        mixed
            .iter()
            .zip(constants)
            .map(|(lane, constant)| builder.witness(*lane + constant))
            .collect()
    }

    /// Writes each output as `inverse·(next − constants)` and closes the boxes.
    fn close(
        &self,
        builder: &mut Builder,
        inverse: Option<&Matrix>,
        next: &[Num],
        constants: &[F],
    ) {
        let Some(inverse) = inverse else { return };
        let mixed: Vec<Num> = next
            .iter()
            .zip(constants)
            .map(|(num, c)| num - &builder.constant(*c))
            .collect();
        for (i, sbox) in self.0.iter().enumerate() {
            let output = builder.sum(inverse.row(i).iter().copied().zip(&mixed));
            sbox.close(builder, &output);
        }
    }
}

/// The first layer. With k constant lanes only t − k of the next inputs are new variables; the other k are linear in
/// the t − k unknown outputs. The square submatrix in between is invertible because the matrix is Cauchy.
fn first_layer(builder: &mut Builder, parameters: &Sparse, input: &[Lane]) -> Vec<Num> {
    let (width, constants) = (parameters.width, &parameters.first[0]);
    let mut known = vec![F::ZERO; width];
    let mut unknown = Vec::new();
    let mut boxes = Vec::new();
    for (i, (lane, constant)) in input.iter().zip(constants).enumerate() {
        match lane {
            Lane::Constant(value) => known[i] = sbox(*value + constant),
            Lane::Num(num) => {
                unknown.push(i);
                let shifted = num + &builder.constant(*constant);
                boxes.push(SBox::open(builder, shifted));
            }
        }
    }
    assert!(
        !unknown.is_empty(),
        "a permutation of constants is computed natively"
    );

    // What the known lanes and the next constants contribute to each next input.
    let mut offset = parameters.mds.apply(&known);
    offset
        .iter_mut()
        .zip(&parameters.first[1])
        .for_each(|(lane, constant)| *lane += constant);
    let outputs: Zeroizing<Vec<F>> = Zeroizing::new(boxes.iter().map(SBox::output_value).collect());
    let value_of = |i: usize| {
        unknown
            .iter()
            .zip(outputs.iter())
            .map(|(&j, s)| parameters.mds.get(i, j) * s)
            .sum::<F>()
            + offset[i]
    };

    let first_variable = width - unknown.len();
    let variables: Vec<Num> = (first_variable..width)
        .map(|i| builder.witness(value_of(i)))
        .collect();
    if !builder.is_recording() {
        let derived = (0..first_variable).map(|i| builder.constant(value_of(i)));
        return derived.chain(variables.iter().cloned()).collect();
    }
    let between = Matrix::from_fn(unknown.len(), |i, j| {
        parameters.mds.get(first_variable + i, unknown[j])
    });
    let back = between
        .inverse()
        .expect("every square submatrix of a Cauchy matrix is invertible");
    let mixed: Vec<Num> = variables
        .iter()
        .enumerate()
        .map(|(i, num)| num - &builder.constant(offset[first_variable + i]))
        .collect();
    let outputs: Vec<Num> = (0..unknown.len())
        .map(|i| builder.sum(back.row(i).iter().copied().zip(&mixed)))
        .collect();
    boxes
        .iter()
        .zip(&outputs)
        .for_each(|(sbox, output)| sbox.close(builder, output));
    let derived = (0..first_variable).map(|i| {
        let linear = builder.sum(
            unknown
                .iter()
                .map(|&j| parameters.mds.get(i, j))
                .zip(&outputs),
        );
        &linear + &builder.constant(offset[i])
    });
    derived.chain(variables.iter().cloned()).collect()
}

/// The last full layer of the first half, then the partial rounds; returns the inputs of the second half.
fn partial_rounds(builder: &mut Builder, parameters: &Sparse, input: &[Num]) -> Vec<Num> {
    let layer = Layer::open(builder, input);
    let mut lanes = Zeroizing::new(parameters.pre_sparse.apply(&layer.output_values()));
    let last = &parameters.last[0];
    let mut boxes = Vec::with_capacity(parameters.partial.len());
    let mut first = builder.witness(lanes[0] + parameters.partial[0].constant);
    for (round, partial) in parameters.partial.iter().enumerate() {
        let opened = SBox::open(builder, first);
        lanes[0] = opened.output_value();
        let mixed = super::lazy::dot(&partial.row, &lanes);
        let boxed = lanes[0];
        lanes[1..]
            .iter_mut()
            .zip(&partial.column)
            .for_each(|(lane, coefficient)| *lane += boxed * coefficient);
        boxes.push(opened);
        let constant = parameters
            .partial
            .get(round + 1)
            .map_or(last[0], |next| next.constant);
        first = builder.witness(mixed + constant);
    }
    let mut state = vec![first];
    state.extend(
        lanes[1..]
            .iter()
            .zip(&last[1..])
            .map(|(lane, constant)| builder.witness(*lane + constant)),
    );
    if builder.is_recording() {
        close_partial_rounds(builder, parameters, &layer, &boxes, &state);
    }
    state
}

/// Walks the partial rounds backwards: what each box puts out, and the lanes before it, as linear combinations of the
/// first lanes of every round and the lanes at the end.
fn close_partial_rounds(
    builder: &mut Builder,
    parameters: &Sparse,
    layer: &Layer,
    boxes: &[SBox],
    state: &[Num],
) {
    let without = |builder: &Builder, num: &Num, constant: F| num - &builder.constant(constant);
    let mut lanes: Vec<Num> = state
        .iter()
        .zip(&parameters.last[0])
        .map(|(num, constant)| without(builder, num, *constant))
        .collect();
    for (opened, round) in boxes.iter().zip(&parameters.partial).rev() {
        // mixed = row₀·s + Σ rowᵢ·(afterᵢ − columnᵢ·s), solved for s.
        let crossed: F = round.row[1..]
            .iter()
            .zip(&round.column)
            .map(|(row, column)| *row * column)
            .sum();
        let scale = (round.row[0] - crossed)
            .inverse()
            .expect("each sparse matrix is invertible");
        let terms = round.row[1..]
            .iter()
            .map(|row| -*row * scale)
            .zip(&lanes[1..]);
        let output = builder.sum(terms.chain([(scale, &lanes[0])]));
        opened.close(builder, &output);
        for (lane, column) in lanes[1..].iter_mut().zip(&round.column) {
            *lane = &*lane - &(&output * *column);
        }
        lanes[0] = without(builder, &opened.input, round.constant);
    }
    let inverse = parameters
        .pre_sparse
        .inverse()
        .expect("a product of invertible matrices is invertible");
    layer.close(builder, Some(&inverse), &lanes, &vec![F::ZERO; lanes.len()]);
}

#[cfg(test)]
mod tests;
