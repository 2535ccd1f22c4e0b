//! The signature of a compact JWT (RFC 7515) by the key of a `did:key`.

use super::base64url;
use super::did_key;
use super::ed25519::KeyCache;

/// Longest token, in bytes of its text.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Returns whether `jwt` has three parts of canonical base64url, of which the last is the signature, by the key of
/// `did`, over the first two.
///
/// The parts are not read: whoever asks has checked header and claims. Returns `false` for any other text or DID.
pub fn verify(jwt: &[u8], did: &[u8], keys: &mut KeyCache) -> bool {
    verify_parts(jwt, did, keys).unwrap_or(false)
}

fn verify_parts(jwt: &[u8], did: &[u8], keys: &mut KeyCache) -> Option<bool> {
    if jwt.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let signed_until = jwt.iter().rposition(|&char| char == b'.')?;
    let (signed, signature) = (&jwt[..signed_until], &jwt[signed_until + 1..]);
    let header_until = signed.iter().position(|&char| char == b'.')?;
    let (header, claims) = (&signed[..header_until], &signed[header_until + 1..]);
    if header.is_empty() || claims.is_empty() {
        return None;
    }
    // Another dot in the claims is not base64url either.
    if !base64url::is_canonical(header) || !base64url::is_canonical(claims) {
        return None;
    }
    let signature = base64url::decode::<64>(signature)?;
    let public_key = did_key::public_key(did)?;
    Some(keys.verify(&public_key, signed, &signature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ed25519;
    use data_encoding::BASE64URL_NOPAD;

    fn token(seed: &[u8; 32]) -> (String, String) {
        let signed = format!(
            "{}.{}",
            BASE64URL_NOPAD.encode(br#"{"alg":"EdDSA","typ":"JWT","ucv":"0.9.1"}"#),
            BASE64URL_NOPAD.encode(br#"{"iss":"did:key:z6Mk"}"#)
        );
        let signature = BASE64URL_NOPAD.encode(&ed25519::sign(seed, signed.as_bytes()));
        (format!("{signed}.{signature}"), did_key::of_public_key(&ed25519::public_key(seed)))
    }

    #[test]
    fn a_token_fits_its_issuer_and_nobody_else() {
        let mut keys = KeyCache::default();
        let (jwt, did) = token(&[7; 32]);
        let (_, other) = token(&[8; 32]);
        assert!(verify(jwt.as_bytes(), did.as_bytes(), &mut keys));
        assert!(!verify(jwt.as_bytes(), other.as_bytes(), &mut keys));
        assert!(!verify(jwt.as_bytes(), b"did:key:zwrong", &mut keys));
    }

    #[test]
    fn a_token_with_any_character_changed_is_refused() {
        let mut keys = KeyCache::default();
        let (jwt, did) = token(&[7; 32]);
        for index in 0..jwt.len() {
            for replacement in [b'A', b'.', b'=', b'~', 0xc3] {
                let mut changed = jwt.clone().into_bytes();
                if changed[index] != replacement {
                    changed[index] = replacement;
                    assert!(!verify(&changed, did.as_bytes(), &mut keys), "at {index}");
                }
            }
        }
    }

    #[test]
    fn what_has_not_three_full_parts_is_refused() {
        let mut keys = KeyCache::default();
        let (jwt, did) = token(&[7; 32]);
        let parts: Vec<&str> = jwt.split('.').collect();
        for wrong in [
            String::new(),
            ".".into(),
            "..".into(),
            parts[0].into(),
            format!("{}.{}", parts[0], parts[1]),
            format!("{}..{}", parts[0], parts[2]),
            format!(".{}.{}", parts[1], parts[2]),
            format!("{jwt}."),
            format!(".{jwt}"),
            format!("{jwt}.{}", parts[2]),
            format!("{jwt}="),
            format!("{jwt}\n"),
            format!(" {jwt}"),
            "A".repeat(MAX_TOKEN_BYTES + 1),
        ] {
            assert!(!verify(wrong.as_bytes(), did.as_bytes(), &mut keys), "{wrong}");
        }
    }

    #[test]
    fn a_signature_with_unused_bits_set_is_refused() {
        let mut keys = KeyCache::default();
        let (jwt, did) = token(&[7; 32]);
        let mut changed = jwt.into_bytes();
        // 64 bytes leave four unused bits in the last character.
        let last = changed.last_mut().unwrap();
        *last = match *last {
            b'A' => b'B',
            b'Q' => b'R',
            b'g' => b'h',
            _ => b'x',
        };
        assert!(!verify(&changed, did.as_bytes(), &mut keys));
    }
}
