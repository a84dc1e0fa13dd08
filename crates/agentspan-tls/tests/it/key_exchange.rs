//! What is no public key is refused before a secret is derived from it.

use agentspan_tls::crypto_provider;
use rustls::crypto::SupportedKxGroup;
use rustls::{Error, NamedGroup, PeerMisbehaved};

fn complete(group: &dyn SupportedKxGroup, key: &[u8]) -> Result<(), Error> {
    group.start().unwrap().complete(key).map(drop)
}

#[test]
fn both_sides_get_the_same_secret() {
    for group in crypto_provider().unwrap().kx_groups.iter() {
        let (one, other) = (group.start().unwrap(), group.start().unwrap());
        let (key_of_one, key_of_other) = (one.pub_key().to_vec(), other.pub_key().to_vec());
        assert_ne!(key_of_one, key_of_other);
        assert_eq!(one.group(), group.name());
        let of_one = one.complete(&key_of_other).unwrap();
        let of_other = other.complete(&key_of_one).unwrap();
        assert_eq!(of_one.secret_bytes(), of_other.secret_bytes());
    }
}

#[test]
fn a_key_that_is_none_is_refused() {
    for group in crypto_provider().unwrap().kx_groups.iter() {
        let right = group.start().unwrap().pub_key().to_vec();
        complete(*group, &right).unwrap();
        let mut wrong = vec![
            Vec::new(),
            vec![0],
            vec![4],
            // The point at infinity, and one of small order.
            vec![0; right.len()],
            [right.as_slice(), &[0]].concat(),
            right.split_last().unwrap().1.to_vec(),
        ];
        if group.name() != NamedGroup::X25519 {
            let (_, coordinates) = right.split_first().unwrap();
            let (x, _) = coordinates.split_at(coordinates.len() / 2);
            // Right points, but compressed or with both encodings, as TLS forbids.
            wrong.extend([2, 3, 6, 7].map(|form| [&[form], coordinates].concat()));
            wrong.extend([2, 3].map(|form| [&[form], x].concat()));
            // Not on the curve.
            wrong.push([&[4], vec![1; coordinates.len()].as_slice()].concat());
        }
        for key in wrong {
            let error = complete(*group, &key).unwrap_err();
            let expected = PeerMisbehaved::InvalidKeyShare;
            assert_eq!(error, expected.into(), "{:?} {key:?}", group.name());
        }
    }
}
