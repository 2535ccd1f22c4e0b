use super::*;
use data_encoding::HEXLOWER;

fn encoded(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    encode(bytes, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn decoded(text: &str) -> Result<Vec<u8>, Base58Error> {
    let mut out = Vec::new();
    decode(text.as_bytes(), &mut out).map(|()| out)
}

/// `src/test/data/base58_encode_decode.json` of Bitcoin Core.
const BITCOIN_CORE: &[(&str, &str)] = &[
    ("", ""),
    ("61", "2g"),
    ("626262", "a3gV"),
    ("636363", "aPEr"),
    ("73696d706c792061206c6f6e6720737472696e67", "2cFupjhnEsSn59qHXstmK2ffpLv2"),
    ("00eb15231dfceb60925886b67d065299925915aeb172c06647", "1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L"),
    ("516b6fcd0f", "ABnLTmg"),
    ("bf4f89001e670274dd", "3SEo3LWLoPntC"),
    ("572e4794", "3EFU7m"),
    ("ecac89cad93923c02321", "EJDM8drfXA6uyA"),
    ("10c8511e", "Rt5zm"),
    ("00000000000000000000", "1111111111"),
    (
        "000111d38e5fc9071ffcd20b4a763cc9ae4f252bb4e48fd66a835e252ada93ff480d6dd43dc62a641155a5",
        "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
    ),
    (
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f\
         303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f\
         606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f\
         909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf\
         c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef\
         f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
        "1cWB5HCBdLjAuqGGReWE3R3CguuwSjw6RHn39s2yuDRTS5NsBgNiFpWgAnEx6VQi8csexkgYw3mdYrMHr8x9i7aEwP8kZ7vccX\
         WqKDvGv3u1GxFKPuAkn8JCPPGDMf3vMMnbzm6Nh9zh1gcNsMvH3ZNLmP5fSG6DGbbi2tuwMWPthr4boWwCxf7ewSgNQeacyozh\
         KDDQQ1qL5fQFUW52QKUZDZ5fw3KXNQJMcNTcaB723LchjeKun7MuGW5qyCBZYzA1KjofN1gYBV3NqyhQJ3Ns746GNuf9N2pQPm\
         Hz4xpnSrrfCvy6TVVz5d4PdrjeshsWQwpZsZGzvbdAdN8MKV5QsBDY",
    ),
];

#[test]
fn the_cases_of_bitcoin_core_hold() {
    for (hex, text) in BITCOIN_CORE {
        let bytes = HEXLOWER.decode(hex.as_bytes()).unwrap();
        assert_eq!(encoded(&bytes), *text);
        assert_eq!(decoded(text).unwrap(), bytes);
    }
}

/// Long division, one character at a time: slow, and hard to get wrong.
fn by_long_division(bytes: &[u8]) -> String {
    let mut number = bytes.to_vec();
    let mut digits = Vec::new();
    while number.iter().any(|&byte| byte != 0) {
        let rest = number.iter_mut().fold(0_u32, |rest, byte| {
            let value = rest << 8 | u32::from(*byte);
            *byte = (value / 58) as u8;
            value % 58
        });
        digits.push(ALPHABET[rest as usize]);
    }
    digits.extend(bytes.iter().take_while(|&&byte| byte == 0).map(|_| b'1'));
    digits.reverse();
    String::from_utf8(digits).unwrap()
}

/// Numbers that look random and are the same in every run.
fn noise(seed: u64) -> impl FnMut() -> u8 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    }
}

#[test]
fn every_length_over_both_ways_of_converting_fits_long_division() {
    for length in 0..200 {
        for seed in 0..20 {
            let mut next = noise(seed * 1000 + length + 1);
            let zeros = if seed % 4 == 0 { usize::from(next() % 8) } else { 0 };
            let mut bytes: Vec<u8> = (0..length).map(|_| next()).collect();
            bytes.iter_mut().take(zeros).for_each(|byte| *byte = 0);
            let text = by_long_division(&bytes);
            assert_eq!(encoded(&bytes), text);
            assert_eq!(decoded(&text).unwrap(), bytes);
        }
    }
}

#[test]
fn the_greatest_and_the_least_number_of_every_length_come_back() {
    for length in 0..=140 {
        for bytes in [vec![0xff; length], vec![0; length], [vec![1], vec![0; length]].concat()] {
            let text = by_long_division(&bytes);
            assert_eq!(encoded(&bytes), text);
            assert_eq!(decoded(&text).unwrap(), bytes);
        }
        let text = "z".repeat(length);
        assert_eq!(encoded(&decoded(&text).unwrap()), text);
    }
}

#[test]
fn a_foreign_character_is_named_by_its_place_wherever_it_stands() {
    for length in [1, 2, 5, 25, 26, 44, 45, 47, 50, 51, 90, 91, 200] {
        for offset in 0..length {
            for foreign in [b'0', b'O', b'I', b'l', b' ', b'\n', b'+', 0, 0x7f, 0x80, 0xff] {
                for filler in *b"1z" {
                    let mut text = vec![filler; length];
                    text[offset] = foreign;
                    let mut out = Vec::new();
                    assert_eq!(decode(&text, &mut out), Err(Base58Error::InvalidCharacter { offset }));
                }
            }
        }
    }
}

#[test]
fn inputs_are_bounded() {
    assert!(encode(&[1; MAX_BYTES], &mut Vec::new()).is_ok());
    assert_eq!(
        encode(&[1; MAX_BYTES + 1], &mut Vec::new()),
        Err(Base58Error::TooLong { length: MAX_BYTES + 1, limit: MAX_BYTES })
    );
    let longest = encoded(&[0xff; MAX_BYTES]);
    assert!(longest.len() <= MAX_CHARS);
    assert_eq!(decoded(&longest).unwrap(), [0xff; MAX_BYTES]);
    assert!(decode(&[b'z'; MAX_CHARS + 1], &mut Vec::new()).is_err());
}

#[test]
fn what_stands_in_the_output_stays() {
    let mut out = b"did:key:z".to_vec();
    encode(&[0, 0x61], &mut out).unwrap();
    assert_eq!(out, b"did:key:z12g");
    let mut out = vec![9];
    decode(b"12g", &mut out).unwrap();
    assert_eq!(out, [9, 0, 0x61]);
}

#[test]
fn dividing_by_the_reciprocal_is_dividing() {
    let mut next = noise(7);
    let mut word = || u64::from_be_bytes(std::array::from_fn(|_| next()));
    let edges = [0, 1, 2, 1 << 32, GROUP - 1, GROUP, GROUP + 1, 1 << 63, u64::MAX - 1, u64::MAX];
    let check = |quotient: u64, remainder: u64| {
        let dividend = u128::from(quotient) * u128::from(GROUP) + u128::from(remainder);
        assert_eq!(divide((dividend >> 64) as u64, dividend as u64), (quotient, remainder));
    };
    for quotient in edges.into_iter().chain((0..20_000).map(|_| word())) {
        for remainder in [0, 1, 2, GROUP / 2, GROUP - 2, GROUP - 1] {
            check(quotient, remainder);
        }
        check(quotient, quotient % GROUP);
    }
}
