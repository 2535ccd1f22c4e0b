//! Base58 with the Bitcoin alphabet.
//!
//! The textbook way divides or multiplies the whole number once for every character, byte by byte.
//! Here both directions take ten characters at a time, as 58^10 fits in a word of 64 bits, and 64 bits
//! of the number at a time. Encoding divides by 58^10 with its reciprocal, three multiplications
//! instead of a division.

/// Longest input of [`encode`], in bytes. Base conversion is quadratic, so it needs a bound; this one
/// takes a few milliseconds.
pub const MAX_BYTES: usize = 4_096;
/// Longest input of [`decode`], in characters: the longest encoding of [`MAX_BYTES`] bytes.
pub const MAX_CHARS: usize = 5_594;

/// Characters that are converted at once, a group.
const GROUP_CHARS: usize = 10;
/// 58^10, about 2^58.6: the value of a group is less than this.
const GROUP: u64 = 58_u64.pow(GROUP_CHARS as u32);

/// Numbers of up to 64 bytes, such as keys and signatures, are converted without allocating: 88 characters.
const SHORT_BYTES: usize = 64;
const SHORT_GROUPS: usize = 9;

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// The alphabet in a table of a power of two, so that a masked digit needs no check.
const CHARS: [u8; 64] = {
    let mut chars = [0; 64];
    let mut value = 0;
    while value < 58 {
        chars[value] = ALPHABET[value];
        value += 1;
    }
    chars
};
const INVALID: u8 = 0xff;
const DIGITS: [u8; 256] = {
    let mut digits = [INVALID; 256];
    let mut value = 0;
    while value < 58 {
        digits[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

/// No digit has this bit, [`INVALID`] has.
const FOREIGN_DIGIT: u8 = 0x80;

/// The reason why a text is not Base58, or an input was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base58Error {
    /// The byte of the UTF-8 text at this offset is not in the alphabet.
    InvalidCharacter { offset: usize },
    /// Longer than [`MAX_BYTES`] or [`MAX_CHARS`].
    TooLong { length: usize, limit: usize },
}

/// Appends the Base58 text of `bytes` to `out`, as ASCII.
///
/// Every leading zero byte is a leading `1`, as in Bitcoin. 32 bytes take about 100 ns.
pub fn encode(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Base58Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Base58Error::TooLong { length: bytes.len(), limit: MAX_BYTES });
    }
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    let number = &bytes[zeros..];
    out.resize(out.len() + zeros, b'1');
    if number.len() <= SHORT_BYTES {
        encode_into(number, &mut [0; SHORT_GROUPS], out);
    } else {
        // A group is worth more than seven bytes.
        encode_into(number, &mut vec![0; number.len() / 7 + 1], out);
    }
    Ok(())
}

/// Decodes `text` and appends the bytes to `out`; every leading `1` is a zero byte.
///
/// When it fails, the content of `out` is undefined.
pub fn decode(text: &[u8], out: &mut Vec<u8>) -> Result<(), Base58Error> {
    if text.len() > MAX_CHARS {
        return Err(Base58Error::TooLong { length: text.len(), limit: MAX_CHARS });
    }
    let ones = text.iter().take_while(|&&char| char == b'1').count();
    let number = &text[ones..];
    out.resize(out.len() + ones, 0);
    let valid = if number.len() <= SHORT_GROUPS * GROUP_CHARS {
        decode_into(number, &mut [0; SHORT_GROUPS + 1], out)
    } else {
        // A word is worth more than ten characters.
        decode_into(number, &mut vec![0; number.len() / GROUP_CHARS + 1], out)
    };
    if valid {
        return Ok(());
    }
    let bad = text.iter().position(|&char| DIGITS[usize::from(char)] == INVALID);
    Err(Base58Error::InvalidCharacter { offset: bad.unwrap_or(0) })
}

/// Reads `number` into `groups`, lowest first, of which there are enough. Then appends their characters
/// without leading zeros.
fn encode_into(number: &[u8], groups: &mut [u64], out: &mut Vec<u8>) {
    let (head, words) = number.split_at(number.len() % 8);
    let head = head.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
    let words = words.as_chunks::<8>().0.iter().map(|word| u64::from_be_bytes(*word));
    let mut used = 0;
    for word in std::iter::once(head).chain(words) {
        let mut carry = word;
        for group in &mut groups[..used] {
            (carry, *group) = divide(*group, carry);
        }
        while carry > 0 {
            groups[used] = carry % GROUP;
            carry /= GROUP;
            used += 1;
        }
    }
    let Some((top, rest)) = groups[..used].split_last() else {
        return;
    };
    let chars = chars_of(*top);
    let zeros = chars.iter().take_while(|&&char| char == b'1').count();
    out.extend_from_slice(&chars[zeros..]);
    let start = out.len();
    out.resize(start + rest.len() * GROUP_CHARS, 0);
    for (chars, group) in out[start..].as_chunks_mut().0.iter_mut().zip(rest.iter().rev()) {
        *chars = chars_of(*group);
    }
}

/// Bits that [`GROUP`] leaves free in a word.
const SHIFT: u32 = GROUP.leading_zeros();
const DIVISOR: u64 = GROUP << SHIFT;
/// ⌊(2^128 − 1) / divisor⌋ − 2^64.
const RECIPROCAL: u64 = (u128::MAX / DIVISOR as u128 - (1 << 64)) as u64;

/// Quotient and remainder of `high` · 2^64 + `low` by [`GROUP`], for a `high` below it. This is
/// algorithm 4 of Möller and Granlund, "Improved division by invariant integers", 2011. (Its last step is
/// here for the algorithm's sake: with this divisor the remainder before it is at most 0.85 of it.)
fn divide(high: u64, low: u64) -> (u64, u64) {
    let dividend = (u128::from(high) << 64 | u128::from(low)) << SHIFT;
    let estimate = u128::from(RECIPROCAL) * (dividend >> 64) + dividend;
    let mut quotient = ((estimate >> 64) as u64).wrapping_add(1);
    let mut remainder = (dividend as u64).wrapping_sub(quotient.wrapping_mul(DIVISOR));
    if remainder > estimate as u64 {
        quotient = quotient.wrapping_sub(1);
        remainder = remainder.wrapping_add(DIVISOR);
    }
    if remainder >= DIVISOR {
        quotient = quotient.wrapping_add(1);
        remainder -= DIVISOR;
    }
    (quotient, remainder >> SHIFT)
}

/// The ten characters of a group, with leading zeros.
fn chars_of(group: u64) -> [u8; GROUP_CHARS] {
    // Two halves below 58^5 < 2^30 do not wait for each other, and 32 bits are enough for them.
    const HALF: u64 = 58_u64.pow(5);
    let mut chars = [0; GROUP_CHARS];
    let halves = [group / HALF, group % HALF];
    for (chars, half) in chars.as_chunks_mut::<5>().0.iter_mut().zip(halves) {
        let half = half as u32;
        let (high, low) = (half / (58 * 58), half % (58 * 58));
        let (top, middle) = (high / 58, high % 58);
        *chars = [top / 58, top % 58, middle, low / 58, low % 58].map(|digit| CHARS[(digit & 63) as usize]);
    }
    chars
}

/// The value of ten characters, or `None` when one of them is not in the alphabet.
fn value_of(group: &[u8; GROUP_CHARS]) -> Option<u64> {
    let digits = group.map(|char| u64::from(DIGITS[usize::from(char)]));
    // With an invalid character the value is discarded.
    let value = digits.iter().fold(0, |value, digit| value * 58 + digit);
    let seen = digits.iter().fold(0, |seen, digit| seen | digit);
    (seen & u64::from(FOREIGN_DIGIT) == 0).then_some(value)
}

/// Reads `number` into `words`, lowest first; `words` must have one element for each group. Then appends them as
/// big-endian bytes without leading zeros. False when a character is foreign.
fn decode_into(number: &[u8], words: &mut [u64], out: &mut Vec<u8>) -> bool {
    let (head, groups) = number.split_at(number.len() % GROUP_CHARS);
    let mut first = [ALPHABET[0]; GROUP_CHARS];
    first[GROUP_CHARS - head.len()..].copy_from_slice(head);
    let mut used = 0;
    for group in std::iter::once(&first).chain(groups.as_chunks().0) {
        let Some(mut carry) = value_of(group) else { return false };
        for word in &mut words[..used] {
            let product = u128::from(*word) * u128::from(GROUP) + u128::from(carry);
            *word = product as u64;
            carry = (product >> 64) as u64;
        }
        if carry > 0 {
            words[used] = carry;
            used += 1;
        }
    }
    if let Some((top, rest)) = words[..used].split_last() {
        out.extend_from_slice(&top.to_be_bytes()[top.leading_zeros() as usize / 8..]);
        let start = out.len();
        out.resize(start + rest.len() * 8, 0);
        for (bytes, word) in out[start..].as_chunks_mut::<8>().0.iter_mut().zip(rest.iter().rev()) {
            *bytes = word.to_be_bytes();
        }
    }
    true
}

#[cfg(test)]
mod tests;
