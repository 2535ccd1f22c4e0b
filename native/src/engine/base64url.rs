//! Base64url without padding (RFC 4648, section 5), canonical: one text for one value.

use data_encoding::BASE64URL_NOPAD;

/// Characters of 32 bytes.
pub const MAC_CHARS: usize = 43;

/// The text of a MAC.
pub fn encode_mac(mac: &[u8; 32]) -> [u8; MAC_CHARS] {
    let mut text = [0; MAC_CHARS];
    BASE64URL_NOPAD.encode_mut(mac, &mut text);
    text
}

/// Decodes exactly `N` bytes. Returns `None` for another length, an invalid character, padding, or set bits after the
/// last byte.
pub fn decode<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if BASE64URL_NOPAD.decode_len(text.len()).ok()? != N {
        return None;
    }
    let mut bytes = [0; N];
    BASE64URL_NOPAD.decode_mut(text, &mut bytes).ok()?;
    Some(bytes)
}

/// Whether `text` is the one text of some bytes.
pub fn is_canonical(text: &[u8]) -> bool {
    // The unused trailing bits: 4 after two characters, 2 after three; a single character is invalid.
    let unused = match text.len() % 4 {
        0 => 0,
        2 => 0x0f,
        3 => 0x03,
        _ => return false,
    };
    let last = text.last().map_or(0, |&char| VALUES[usize::from(char)]);
    let seen = text.iter().fold(0, |seen, &char| seen | VALUES[usize::from(char)]);
    seen & FOREIGN == 0 && last & unused == 0
}

const FOREIGN: u8 = 0x80;
/// The six bits of a character, [`FOREIGN`] for a byte outside the alphabet.
const VALUES: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut values = [FOREIGN; 256];
    let mut value = 0;
    while value < 64 {
        values[alphabet[value] as usize] = value as u8;
        value += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_comes_back_from_its_text() {
        for seed in 0..=255 {
            let mac = [seed; 32];
            assert_eq!(decode::<32>(&encode_mac(&mac)), Some(mac));
        }
    }

    #[test]
    fn unused_bits_padding_and_foreign_characters_are_refused() {
        // RFC 4648, section 10: "f" is "Zg==", "fo" is "Zm8=".
        assert_eq!(decode::<1>(b"Zg"), Some(*b"f"));
        assert_eq!(decode::<1>(b"Zh"), None);
        assert_eq!(decode::<2>(b"Zm8"), Some(*b"fo"));
        assert_eq!(decode::<2>(b"Zm9"), None);
        assert_eq!(decode::<1>(b"Zg=="), None);
        assert_eq!(decode::<3>(b"Zm+v"), None);
        assert_eq!(decode::<3>(b"Zm 9"), None);
        assert_eq!(decode::<0>(b"A"), None);
        assert_eq!(decode::<2>(b"Zg"), None);
    }

    #[test]
    fn is_canonical_agrees_with_the_decoder_on_every_short_text() {
        for a in 0..=255_u8 {
            assert_eq!(is_canonical(&[a]), BASE64URL_NOPAD.decode(&[a]).is_ok());
            for b in 0..=255_u8 {
                assert_eq!(is_canonical(&[a, b]), BASE64URL_NOPAD.decode(&[a, b]).is_ok());
                assert_eq!(is_canonical(&[b'A', a, b]), BASE64URL_NOPAD.decode(&[b'A', a, b]).is_ok());
                assert_eq!(
                    is_canonical(&[a, b'-', b'_', b]),
                    BASE64URL_NOPAD.decode(&[a, b'-', b'_', b]).is_ok()
                );
            }
        }
        assert!(is_canonical(b""));
    }
}
