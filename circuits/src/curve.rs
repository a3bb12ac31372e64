//! BabyJubJub in circomlib's form (EIP-2494): points and secret scalars as the rest of the crate may hold them.
//!
//! Invariants: 1. a [`Point`] is on the curve, in the prime-order subgroup, and not the identity; 2. a [`Scalar`] is
//! not zero, is zeroised on drop and never printed. Knows nothing of what is encrypted to a point.

use crate::field::{self, F, NonCanonical};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{AdditiveGroup, PrimeField};
use taceo_ark_babyjubjub::{EdwardsAffine, EdwardsProjective};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub(crate) use taceo_ark_babyjubjub::Fr;

/// Bytes of an encoded point: x, then y.
pub const POINT_LEN: usize = 2 * field::ENCODED_LEN;

/// A point of the prime-order subgroup other than the identity.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Point(EdwardsAffine);

/// Why 64 bytes are not a usable point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PointError {
    #[error("a coordinate is not a canonical field element")]
    NonCanonical,
    #[error("the point is not on BabyJubJub")]
    NotOnCurve,
    #[error("the point is not in the prime-order subgroup")]
    NotInSubgroup,
    #[error("the point is the identity")]
    Identity,
}

impl From<NonCanonical> for PointError {
    fn from(_: NonCanonical) -> Self {
        PointError::NonCanonical
    }
}

impl Point {
    /// Decodes x then y, each 32 little-endian bytes below the modulus, and checks what a `Point` promises.
    pub fn from_xy_bytes(bytes: &[u8; POINT_LEN]) -> Result<Self, PointError> {
        let half =
            |from: usize| -> &[u8; 32] { bytes[from..from + 32].try_into().expect("32 bytes") };
        Self::from_xy(field::decode(half(0))?, field::decode(half(32))?)
    }

    /// Checks coordinates: on the curve, not the identity, in the prime-order subgroup.
    pub fn from_xy(x: F, y: F) -> Result<Self, PointError> {
        // Unchecked only until the next lines: ark's checked form panics instead of saying why.
        let point = EdwardsAffine::new_unchecked(x, y);
        if !point.is_on_curve() {
            return Err(PointError::NotOnCurve);
        }
        if point.is_zero() {
            return Err(PointError::Identity);
        }
        if !point.is_in_correct_subgroup_assuming_on_curve() {
            return Err(PointError::NotInSubgroup);
        }
        Ok(Point(point))
    }

    /// B8, circomlib's base point, of prime order l.
    pub fn base() -> Self {
        Point(EdwardsAffine::generator())
    }

    /// x then y, 32 little-endian bytes each.
    pub fn to_bytes(&self) -> [u8; POINT_LEN] {
        let mut bytes = [0u8; POINT_LEN];
        bytes[..32].copy_from_slice(&field::encode(&self.0.x));
        bytes[32..].copy_from_slice(&field::encode(&self.0.y));
        bytes
    }

    pub fn x(&self) -> F {
        self.0.x
    }

    pub fn y(&self) -> F {
        self.0.y
    }

    pub(crate) fn affine(&self) -> &EdwardsAffine {
        &self.0
    }

    /// `scalar · self`: never the identity, because the order is prime and neither factor is zero.
    pub fn multiply(&self, scalar: &Scalar) -> Point {
        Point((self.0 * scalar.0).into_affine())
    }
}

/// A secret scalar, 0 < s < l. An epoch's reading key, or the ephemeral of one seal.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Scalar(pub(crate) Fr);

/// Why 32 bytes are not a secret scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScalarError {
    #[error("the scalar is not below the order of the subgroup")]
    NonCanonical,
    #[error("the scalar is zero")]
    Zero,
}

impl Scalar {
    /// A uniform scalar from the operating system's randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut wide = Zeroizing::new([0u8; 64]);
        loop {
            getrandom::fill(wide.as_mut())?;
            if let Some(scalar) = Self::from_wide(&wide) {
                return Ok(scalar);
            }
        }
    }

    /// Reduces 64 uniform bytes mod l; `None` in the case of chance 2^-251 that the result is zero. Not for wire data.
    pub(crate) fn from_wide(bytes: &[u8; 64]) -> Option<Self> {
        let scalar = Fr::from_le_bytes_mod_order(bytes);
        (scalar != Fr::ZERO).then_some(Scalar(scalar))
    }

    /// Decodes 32 little-endian bytes, strictly between 0 and l.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, ScalarError> {
        let scalar: Fr = field::decode_below(bytes).map_err(|_| ScalarError::NonCanonical)?;
        if scalar == Fr::ZERO {
            Err(ScalarError::Zero)
        } else {
            Ok(Scalar(scalar))
        }
    }

    /// 32 little-endian bytes.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(field::encode_integer(&self.0))
    }

    /// `self · B8`.
    pub fn public_point(&self) -> Point {
        Point((EdwardsProjective::generator() * self.0).into_affine())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{Field, MontFp};

    fn affine(x: F, y: F) -> EdwardsAffine {
        let point = EdwardsAffine::new_unchecked(x, y);
        assert!(point.is_on_curve());
        point
    }

    // The vectors of EIP-2494, "Test vectors".
    const P: (F, F) = (
        MontFp!("17777552123799933955779906779655732241715742912184938656739573121738514868268"),
        MontFp!("2626589144620713026669568689430873010625803728049924121243784502389097019475"),
    );

    #[test]
    fn eip_2494_addition_doubling_and_multiplication() {
        let p = affine(P.0, P.1);
        let q = affine(
            MontFp!(
                "16540640123574156134436876038791482806971768689494387082833631921987005038935"
            ),
            MontFp!(
                "20819045374670962167435360035096875258406992893633759881276124905556507972311"
            ),
        );
        let sum = affine(
            MontFp!("7916061937171219682591368294088513039687205273691143098332585753343424131937"),
            MontFp!(
                "14035240266687799601661095864649209771790948434046947201833777492504781204499"
            ),
        );
        assert_eq!((p + q).into_affine(), sum);
        let doubled = affine(
            MontFp!("6890855772600357754907169075114257697580319025794532037257385534741338397365"),
            MontFp!("4338620300185947561074059802482547481416142213883829469920100239455078257889"),
        );
        assert_eq!((p + p).into_affine(), doubled);
        assert_eq!(p.into_group().double().into_affine(), doubled);
        let thrice = affine(
            MontFp!(
                "19372461775513343691590086534037741906533799473648040012278229434133483800898"
            ),
            MontFp!("9458658722007214007257525444427903161243386465067105737478306991484593958249"),
        );
        assert_eq!((p * Fr::from(3u8)).into_affine(), thrice);
        let scalar: Fr = MontFp!(
            "14035240266687799601661095864649209771790948434046947201833777492504781204499"
        );
        let product = affine(
            MontFp!(
                "17070357974431721403481313912716834497662307308519659060910483826664480189605"
            ),
            MontFp!("4014745322800118607127020275658861516666525056516280575712425373174125159339"),
        );
        assert_eq!((p * scalar).into_affine(), product);
    }

    #[test]
    fn eip_2494_base_point_has_order_l_and_is_eight_times_the_generator() {
        let base = Point::base();
        assert_eq!(
            base.x(),
            MontFp!("5299619240641551281634865583518297030282874472190772894086521144482721001553")
        );
        assert_eq!(
            base.y(),
            MontFp!(
                "16950150798460657717958625567821834550301663161624707787222815936182638968203"
            )
        );
        assert!(
            base.affine()
                .mul_bigint(Fr::MODULUS)
                .into_affine()
                .is_zero()
        );
        let generator = affine(
            MontFp!("995203441582195749578291179787384436505546430278305826713579947235728471134"),
            MontFp!("5472060717959818805561601436314318772137091100104008585924551046643952123905"),
        );
        assert_eq!(generator.mul_bigint([8u64]).into_affine(), *base.affine());
        assert_eq!(
            Point::from_xy(generator.x, generator.y),
            Err(PointError::NotInSubgroup)
        );
    }

    #[test]
    fn identity_low_order_and_foreign_points_are_refused() {
        assert_eq!(Point::from_xy(F::ZERO, F::ONE), Err(PointError::Identity));
        // Order 2, and the points of order 4 with y = 0.
        assert_eq!(
            Point::from_xy(F::ZERO, -F::ONE),
            Err(PointError::NotInSubgroup)
        );
        let x = F::from(168_700u32).inverse().unwrap().sqrt().unwrap();
        assert_eq!(Point::from_xy(x, F::ZERO), Err(PointError::NotInSubgroup));
        // A point of the subgroup moved by one of order 2: (−x, −y).
        let base = Point::base();
        assert_eq!(
            Point::from_xy(-base.x(), -base.y()),
            Err(PointError::NotInSubgroup)
        );
        assert_eq!(
            Point::from_xy(base.x(), base.y() + F::ONE),
            Err(PointError::NotOnCurve)
        );
    }

    #[test]
    fn only_the_canonical_encoding_of_a_point_is_read() {
        let point = Scalar::random().unwrap().public_point();
        assert_eq!(Point::from_xy_bytes(&point.to_bytes()), Ok(point));
        // The same point with the modulus added to a coordinate, wherever that fits 32 bytes.
        use ark_ff::BigInteger;
        let mut x = point.x().into_bigint();
        if !x.add_with_carry(&F::MODULUS) {
            let mut bytes = point.to_bytes();
            bytes[..32].copy_from_slice(&x.to_bytes_le());
            assert_eq!(Point::from_xy_bytes(&bytes), Err(PointError::NonCanonical));
        }
    }

    #[test]
    fn scalars_at_zero_and_at_the_order_are_refused() {
        let mut order = field::encode_integer(&-Fr::ONE);
        assert!(Scalar::from_bytes(&order).is_ok());
        order[0] += 1;
        assert!(matches!(
            Scalar::from_bytes(&order),
            Err(ScalarError::NonCanonical)
        ));
        assert!(matches!(
            Scalar::from_bytes(&[0; 32]),
            Err(ScalarError::Zero)
        ));
        let scalar = Scalar::random().unwrap();
        assert!(Scalar::from_bytes(&scalar.to_bytes()).unwrap().0 == scalar.0);
    }
}
