//! `did:key` of Ed25519: `did:key:z` + base58btc(0xed 0x01 + 32 bytes).

use super::base58;

const PREFIX: &[u8] = b"did:key:z";
/// The multicodec of an Ed25519 public key, as a varint.
const ED25519_PUBLIC_KEY: [u8; 2] = [0xed, 0x01];
/// The Base58 text of 34 bytes that begin with 0xed is always this long.
const KEY_CHARS: usize = 47;

/// Returns the public key in `did`, or `None`. Base58 has one text for one value, so a DID is canonical by itself.
pub fn public_key(did: &[u8]) -> Option<[u8; 32]> {
    let text = did.strip_prefix(PREFIX)?;
    if text.len() != KEY_CHARS {
        return None;
    }
    let mut bytes = Vec::with_capacity(34);
    base58::decode(text, &mut bytes).ok()?;
    bytes.strip_prefix(&ED25519_PUBLIC_KEY)?.try_into().ok()
}

/// The DID of `public_key`.
pub fn of_public_key(public_key: &[u8; 32]) -> String {
    let mut bytes = [0; 34];
    bytes[..2].copy_from_slice(&ED25519_PUBLIC_KEY);
    bytes[2..].copy_from_slice(public_key);
    let mut text = PREFIX.to_vec();
    // 34 bytes are below every limit, and the alphabet is ASCII.
    let _ = base58::encode(&bytes, &mut text);
    text.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Ed25519 example of the did:key specification (W3C CCG, "did:key Method", section 2).
    const EXAMPLE: &str = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";

    #[test]
    fn a_did_comes_back_from_its_key() {
        let key = public_key(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(of_public_key(&key), EXAMPLE);
        for byte in 0..=255 {
            let key = [byte; 32];
            assert_eq!(public_key(of_public_key(&key).as_bytes()), Some(key));
        }
    }

    #[test]
    fn what_is_no_ed25519_did_key_is_refused() {
        assert_eq!(public_key(b""), None);
        assert_eq!(public_key(b"did:key:z"), None);
        assert_eq!(public_key(&EXAMPLE.as_bytes()[..EXAMPLE.len() - 1]), None);
        assert_eq!(public_key(EXAMPLE.replace("did:key", "did:web").as_bytes()), None);
        assert_eq!(public_key(EXAMPLE.replace("z6Mk", "z6M0").as_bytes()), None);
        assert_eq!(public_key(EXAMPLE.replace("z6Mk", "z1Mk").as_bytes()), None);
        assert_eq!(public_key(format!("{EXAMPLE}1").as_bytes()), None);
        // X25519 (0xec) in the same clothes.
        assert_eq!(public_key(b"did:key:z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F"), None);
    }
}
