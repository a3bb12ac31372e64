//! A reader's side of grants: which of those in the log open with its subkey, and what they give.
//!
//! Invariant: what is accepted is the secret of the epoch key the registry shows, and a route key
//! that fits its commitment, from a granter who was an admin then. Knows nothing of how a
//! grant's entry was shown to stand in the log, or of files.

use crate::ids::{ClusterId, EpochId, Hash, KeyspaceId};
use crate::params::route_commitment;
use thiserror::Error;
use ukehi_keys::grant::{self, GrantError};
use ukehi_keys::{EpochPublicKey, EpochScope, EpochSecret, ReaderId, ReaderKey, RouteKey};

/// A grant as the registry shows it, with what the registry says of its epoch.
#[derive(Debug, Clone)]
pub struct ShownGrant {
    pub keyspace: KeyspaceId,
    pub epoch: EpochId,
    pub epoch_key: EpochPublicKey,
    /// C_route, canonical little-endian.
    pub route_commitment: Hash,
    pub reader: ReaderId,
    /// Empty where it was pruned.
    pub payload: Vec<u8>,
    /// The public keys of those who were admins when the entry was applied.
    pub admins: Vec<[u8; 32]>,
}

/// An epoch that can be read now.
#[derive(Debug)]
pub struct Accepted {
    pub keyspace: KeyspaceId,
    pub epoch: EpochId,
    pub secret: EpochSecret,
    /// Without it entries open, but no key can be looked up.
    pub route: Option<RouteKey>,
}

/// Why a grant to this reader gives nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GrantRefused {
    #[error("its payload was pruned from the log: ask an admin for a new grant")]
    Pruned,
    #[error(transparent)]
    Grant(#[from] GrantError),
    #[error("its route key is not the one the epoch commits to")]
    RouteKey,
    #[error("it names a granter who was no admin when it was applied")]
    Granter,
}

/// Opens the grants to `key`; those to others are passed over.
#[must_use]
pub fn accept(
    cluster: ClusterId,
    key: &ReaderKey,
    shown: &[ShownGrant],
) -> Vec<(KeyspaceId, EpochId, Result<Accepted, GrantRefused>)> {
    let ours = key.public();
    shown
        .iter()
        .filter(|grant| grant.reader == ours)
        .map(|grant| (grant.keyspace, grant.epoch, open(cluster, key, grant)))
        .collect()
}

fn open(cluster: ClusterId, key: &ReaderKey, shown: &ShownGrant) -> Result<Accepted, GrantRefused> {
    if shown.payload.is_empty() {
        return Err(GrantRefused::Pruned);
    }
    let scope = EpochScope {
        cluster: cluster.0,
        keyspace: shown.keyspace.0,
        epoch: shown.epoch.0,
    };
    let granted = grant::unwrap(&shown.payload, key, &scope, &shown.epoch_key)?;
    if !shown.admins.contains(&granted.granter) {
        return Err(GrantRefused::Granter);
    }
    let fits = |route: &RouteKey| route_commitment(route) == shown.route_commitment;
    if granted.route.as_ref().is_some_and(|route| !fits(route)) {
        return Err(GrantRefused::RouteKey);
    }
    Ok(Accepted {
        keyspace: shown.keyspace,
        epoch: shown.epoch,
        secret: granted.secret,
        route: granted.route,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLUSTER: ClusterId = ClusterId([7; 32]);
    const ADMIN: [u8; 32] = [9; 32];

    struct Epochs {
        secrets: Vec<EpochSecret>,
        route: RouteKey,
    }

    impl Epochs {
        fn new(count: usize) -> Self {
            Self {
                secrets: (0..count)
                    .map(|_| EpochSecret::generate().unwrap())
                    .collect(),
                route: RouteKey::generate().unwrap(),
            }
        }

        fn grant(&self, epoch: u32, reader: &ReaderKey, route: &RouteKey) -> ShownGrant {
            let secret = &self.secrets[epoch as usize - 1];
            let scope = EpochScope {
                cluster: CLUSTER.0,
                keyspace: 1,
                epoch,
            };
            let reader = reader.public();
            ShownGrant {
                keyspace: KeyspaceId(1),
                epoch: EpochId(epoch),
                epoch_key: secret.public(),
                route_commitment: route_commitment(&self.route),
                reader,
                payload: grant::wrap(secret, Some(route), &scope, &reader, &ADMIN).unwrap(),
                admins: vec![[1; 32], ADMIN],
            }
        }
    }

    #[test]
    fn a_reader_given_only_the_future_opens_the_future_and_not_the_past() {
        let epochs = Epochs::new(3);
        let (old, new) = (
            ReaderKey::generate().unwrap(),
            ReaderKey::generate().unwrap(),
        );
        let log = [
            epochs.grant(1, &old, &epochs.route),
            epochs.grant(2, &old, &epochs.route),
            epochs.grant(3, &new, &epochs.route),
        ];
        let got = accept(CLUSTER, &new, &log);
        assert_eq!(got.len(), 1);
        let accepted = got[0].2.as_ref().unwrap();
        assert_eq!(accepted.epoch, EpochId(3));
        assert_eq!(accepted.secret.public(), epochs.secrets[2].public());
        assert!(accepted.route.is_some());
        // The old grants do not open with the new subkey, even shown as if they were for it.
        for past in &log[..2] {
            let mut stolen = past.clone();
            stolen.reader = new.public();
            let got = accept(CLUSTER, &new, &[stolen]);
            assert!(matches!(
                got[0].2,
                Err(GrantRefused::Grant(GrantError::Refused))
            ));
        }
        assert_eq!(accept(CLUSTER, &old, &log).len(), 2);
    }

    #[test]
    fn grants_that_are_pruned_forged_or_of_another_route_key_give_nothing() {
        let epochs = Epochs::new(1);
        let reader = ReaderKey::generate().unwrap();
        let good = epochs.grant(1, &reader, &epochs.route);
        let refusal = |grant: ShownGrant| {
            let mut got = accept(CLUSTER, &reader, &[grant]);
            got.remove(0).2.err()
        };
        assert_eq!(refusal(good.clone()), None);
        let mut pruned = good.clone();
        pruned.payload.clear();
        assert_eq!(refusal(pruned), Some(GrantRefused::Pruned));
        let mut foreign = good;
        foreign.admins.pop();
        assert_eq!(refusal(foreign), Some(GrantRefused::Granter));
        let wrong = epochs.grant(1, &reader, &RouteKey::generate().unwrap());
        assert_eq!(refusal(wrong), Some(GrantRefused::RouteKey));
    }
}
