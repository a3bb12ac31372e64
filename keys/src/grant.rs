//! Grants: an epoch's secret, and with it the route key, wrapped to one reader's subkey.
//!
//! HPKE (RFC 9180), base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305. Base
//! mode says nothing of the sender: whoever admits readers signs the log entry that carries the
//! payload's digest, and the payload names the granter.
//!
//! A payload, [`GRANT_BYTES`] long: granter 32 ‖ enc 32 ‖ ciphertext of (epoch secret 32 ‖ has
//! route key u8 ‖ route key 32, zero without) ‖ tag 16. The framed list of the domain
//! `ukehi/grant/v1` and (cluster, keyspace u32, epoch u32, PK, reader, granter) is HPKE's info.
//!
//! Invariants: 1. what is unwrapped is the secret of the epoch key it was asked for: sk·B8 = PK;
//! 2. a payload opens in one scope, for one reader. Whether the route key fits C_route is the
//! caller's to check. Knows nothing of logs or signatures.

use crate::epoch::{EpochPublicKey, EpochSecret};
use crate::frame::frame;
use crate::possession::EpochScope;
use crate::reader::{ReaderId, ReaderKey};
use crate::route::RouteKey;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::{Kem, X25519HkdfSha256};
use hpke::{Deserializable, OpModeR, OpModeS, Serializable};
use hpke::{single_shot_open, single_shot_seal};
use thiserror::Error;
use zeroize::Zeroizing;

/// How long a payload is. The registry's bound is 512.
pub const GRANT_BYTES: usize = 32 + 32 + SECRET_BYTES + 16;

const DOMAIN: &[u8] = b"ukehi/grant/v1";
/// Epoch secret, flag, route key.
const SECRET_BYTES: usize = 32 + 1 + 32;

type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
type EncappedKey = <X25519HkdfSha256 as Kem>::EncappedKey;

/// What a reader gets.
#[derive(Debug)]
pub struct Granted {
    pub secret: EpochSecret,
    /// Without it a reader opens entries, but cannot look up a key.
    pub route: Option<RouteKey>,
    /// The public key of who says to have granted it: to be compared with who signed the entry.
    pub granter: [u8; 32],
}

/// Why a grant was not made or not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum GrantError {
    #[error("the reader's public key is of small order: everybody could open the grant")]
    WeakReader,
    #[error("a grant has {GRANT_BYTES} bytes, this one {found}")]
    Length { found: usize },
    /// Another reader, cluster, keyspace, epoch or epoch key; or altered.
    #[error("the grant does not open with this reader key for this epoch")]
    Refused,
    #[error("the grant opens, but does not hold the secret of the epoch's key")]
    OtherSecret,
    #[error("the grant opens, but holds no route key where it says so")]
    Malformed,
}

/// Wraps an epoch's secret, and the route key if the reader shall look up keys, to a subkey.
///
/// # Errors
/// [`GrantError::WeakReader`].
///
/// # Panics
/// If the operating system gives no randomness.
pub fn wrap(
    secret: &EpochSecret,
    route: Option<&RouteKey>,
    scope: &EpochScope,
    reader: &ReaderId,
    granter: &[u8; 32],
) -> Result<Vec<u8>, GrantError> {
    let mut plain = Zeroizing::new([0; SECRET_BYTES]);
    plain[..32].copy_from_slice(secret.secret_bytes().as_ref());
    if let Some(route) = route {
        plain[32] = 1;
        plain[33..].copy_from_slice(route.secret_bytes().as_ref());
    }
    let info = info(scope, &secret.public(), reader, granter);
    let to = PublicKey::from_bytes(&reader.to_bytes()).map_err(|_| GrantError::WeakReader)?;
    let (enc, ciphertext) = single_shot_seal::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &to,
        &info,
        plain.as_ref(),
        b"",
    )
    .map_err(|_| GrantError::WeakReader)?;
    Ok([&granter[..], &enc.to_bytes(), &ciphertext].concat())
}

/// Opens a grant and checks that it holds the secret of `epoch_key`.
///
/// # Errors
/// [`GrantError`].
pub fn unwrap(
    payload: &[u8],
    key: &ReaderKey,
    scope: &EpochScope,
    epoch_key: &EpochPublicKey,
) -> Result<Granted, GrantError> {
    if payload.len() != GRANT_BYTES {
        return Err(GrantError::Length {
            found: payload.len(),
        });
    }
    let (granter, rest) = payload.split_at(32);
    let (enc, ciphertext) = rest.split_at(32);
    let granter: [u8; 32] = granter.try_into().expect("split at 32");
    let info = info(scope, epoch_key, &key.public(), &granter);
    let plain = hpke_open(key, enc, &info, b"", ciphertext)?;
    let bytes = |range: std::ops::Range<usize>| {
        let mut out = Zeroizing::new([0; 32]);
        out.copy_from_slice(&plain[range]);
        out
    };
    let secret =
        EpochSecret::from_secret_bytes(&bytes(0..32)).map_err(|_| GrantError::OtherSecret)?;
    if secret.public() != *epoch_key {
        return Err(GrantError::OtherSecret);
    }
    let route = match plain[32] {
        0 => None,
        1 => Some(RouteKey::from_secret_bytes(&bytes(33..65)).map_err(|_| GrantError::Malformed)?),
        _ => return Err(GrantError::Malformed),
    };
    Ok(Granted {
        secret,
        route,
        granter,
    })
}

fn hpke_open(
    key: &ReaderKey,
    enc: &[u8],
    info: &[u8],
    aad: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, GrantError> {
    let enc = EncappedKey::from_bytes(enc).map_err(|_| GrantError::Refused)?;
    single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &key.private(),
        &enc,
        info,
        ciphertext,
        aad,
    )
    .map(Zeroizing::new)
    .map_err(|_| GrantError::Refused)
}

fn info(
    scope: &EpochScope,
    epoch_key: &EpochPublicKey,
    reader: &ReaderId,
    granter: &[u8; 32],
) -> Vec<u8> {
    frame(
        DOMAIN,
        &[
            &scope.cluster,
            &scope.keyspace.to_le_bytes(),
            &scope.epoch.to_le_bytes(),
            &epoch_key.to_bytes(),
            &reader.to_bytes(),
            granter,
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: EpochScope = EpochScope {
        cluster: [7; 32],
        keyspace: 1,
        epoch: 2,
    };
    const GRANTER: [u8; 32] = [9; 32];

    struct Case {
        secret: EpochSecret,
        route: RouteKey,
        reader: ReaderKey,
        payload: Vec<u8>,
    }

    fn case() -> Case {
        let secret = EpochSecret::generate().unwrap();
        let route = RouteKey::generate().unwrap();
        let reader = ReaderKey::generate().unwrap();
        let payload = wrap(&secret, Some(&route), &SCOPE, &reader.public(), &GRANTER).unwrap();
        Case {
            secret,
            route,
            reader,
            payload,
        }
    }

    impl Case {
        fn open(&self, payload: &[u8]) -> Result<Granted, GrantError> {
            unwrap(payload, &self.reader, &SCOPE, &self.secret.public())
        }
    }

    fn bytes32(text: &str) -> Zeroizing<[u8; 32]> {
        let mut out = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text, out.as_mut()).unwrap();
        out
    }

    /// RFC 9180, A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode,
    /// sequence number 0.
    #[test]
    fn the_suite_is_that_of_rfc_9180_a_2_1() {
        let reader = ReaderKey::from_secret_bytes(&bytes32(
            "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb",
        ));
        assert_eq!(
            reader.public().to_string(),
            "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a"
        );
        let enc = bytes32("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a");
        let ciphertext = hex::decode(
            "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28",
        )
        .unwrap();
        let plain = hpke_open(
            &reader,
            enc.as_ref(),
            b"Ode on a Grecian Urn",
            b"Count-0",
            &ciphertext,
        )
        .unwrap();
        assert_eq!(plain.as_slice(), b"Beauty is truth, truth beauty");
    }

    #[test]
    fn a_grant_gives_the_epochs_secret_and_the_route_key_to_its_reader() {
        let case = case();
        assert_eq!(case.payload.len(), GRANT_BYTES);
        let granted = case.open(&case.payload).unwrap();
        assert_eq!(granted.secret.public(), case.secret.public());
        let route = granted.route.map(|r| r.fingerprint());
        assert_eq!(route, Some(case.route.fingerprint()));
        assert_eq!(granted.granter, GRANTER);

        let without = wrap(&case.secret, None, &SCOPE, &case.reader.public(), &GRANTER).unwrap();
        assert_eq!(without.len(), GRANT_BYTES);
        assert!(case.open(&without).unwrap().route.is_none());
    }

    #[test]
    fn a_grant_opens_for_no_other_reader_cluster_keyspace_epoch_or_epoch_key() {
        let case = case();
        let public = case.secret.public();
        let stranger = ReaderKey::generate().unwrap();
        let other_key = EpochSecret::generate().unwrap().public();
        let scopes = [
            EpochScope {
                cluster: [8; 32],
                ..SCOPE
            },
            EpochScope {
                keyspace: 2,
                ..SCOPE
            },
            EpochScope { epoch: 3, ..SCOPE },
            EpochScope {
                keyspace: 2,
                epoch: 1,
                ..SCOPE
            },
        ];
        for scope in &scopes {
            let outcome = unwrap(&case.payload, &case.reader, scope, &public);
            assert_eq!(outcome.err(), Some(GrantError::Refused), "{scope:?}");
        }
        let stolen = unwrap(&case.payload, &stranger, &SCOPE, &public);
        assert_eq!(stolen.err(), Some(GrantError::Refused));
        let moved = unwrap(&case.payload, &case.reader, &SCOPE, &other_key);
        assert_eq!(moved.err(), Some(GrantError::Refused));
    }

    #[test]
    fn a_grant_with_any_byte_changed_does_not_open() {
        let case = case();
        for at in 0..GRANT_BYTES {
            let mut payload = case.payload.clone();
            payload[at] ^= 1;
            let outcome = case.open(&payload);
            assert_eq!(outcome.err(), Some(GrantError::Refused), "byte {at}");
        }
        for len in [0, GRANT_BYTES - 1] {
            let outcome = case.open(&case.payload[..len]);
            assert_eq!(outcome.err(), Some(GrantError::Length { found: len }));
        }
    }

    /// A granter who wraps something else cannot pass it off as the epoch's secret.
    #[test]
    fn a_grant_of_another_epochs_secret_is_refused_even_under_the_right_info() {
        let case = case();
        let wrong = EpochSecret::generate().unwrap();
        let info = info(
            &SCOPE,
            &case.secret.public(),
            &case.reader.public(),
            &GRANTER,
        );
        let to = PublicKey::from_bytes(&case.reader.public().to_bytes()).unwrap();
        for (plain, expected) in [
            (
                [wrong.secret_bytes().as_ref(), &[0; 33]].concat(),
                GrantError::OtherSecret,
            ),
            (vec![0; SECRET_BYTES], GrantError::OtherSecret),
            (
                [case.secret.secret_bytes().as_ref(), &[1], &[0; 32]].concat(),
                GrantError::Malformed,
            ),
            (
                [case.secret.secret_bytes().as_ref(), &[2], &[1; 32]].concat(),
                GrantError::Malformed,
            ),
        ] {
            let (enc, ciphertext) = single_shot_seal::<
                ChaCha20Poly1305,
                HkdfSha256,
                X25519HkdfSha256,
            >(&OpModeS::Base, &to, &info, &plain, b"")
            .unwrap();
            let payload = [&GRANTER[..], &enc.to_bytes(), &ciphertext].concat();
            assert_eq!(case.open(&payload).err(), Some(expected));
        }
    }

    #[test]
    fn nothing_is_wrapped_to_a_point_of_small_order() {
        let secret = EpochSecret::generate().unwrap();
        let mut one = [0; 32];
        one[0] = 1;
        for weak in [[0; 32], one] {
            let outcome = wrap(&secret, None, &SCOPE, &ReaderId::from_bytes(weak), &GRANTER);
            assert_eq!(outcome, Err(GrantError::WeakReader));
        }
    }

    #[test]
    fn debug_shows_nothing_secret() {
        let case = case();
        let granted = case.open(&case.payload).unwrap();
        let shown = format!("{granted:?} {:?}", case.reader);
        for secret in [
            case.secret.secret_bytes(),
            case.route.secret_bytes(),
            case.reader.secret_bytes(),
        ] {
            assert!(!shown.contains(&hex::encode(secret.as_ref())));
        }
    }
}
