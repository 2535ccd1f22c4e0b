//! Base58 with the Bitcoin alphabet.
//!
//! The textbook way divides the whole number by 58 for every character. Here a number is a row of
//! limbs of 58^5 (five characters) on one side and of 32-bit words on the other, and a table holds
//! what each limb of one side is worth in limbs of the other. Up to [`TABLE_BYTES`] bytes the
//! conversion is then a sum of independent products. Longer inputs go limb by limb.

/// Longest input of [`encode`], in bytes. Base conversion is quadratic, so it needs a bound; this one
/// takes a few milliseconds.
pub const MAX_BYTES: usize = 4_096;
/// Longest input of [`decode`], in characters: what [`MAX_BYTES`] bytes can need.
pub const MAX_CHARS: usize = 5_594;

/// Longest number that the tables hold.
const TABLE_BYTES: usize = 64;
const TABLE_WORDS: usize = TABLE_BYTES / 4;
/// 58^90 > 2^512: 64 bytes never need more than 18 limbs of five characters.
const TABLE_LIMBS: usize = 18;
const TABLE_CHARS: usize = TABLE_LIMBS * LIMB_CHARS;
/// 18 limbs of 58^5 are below 2^529: one word more than 64 bytes.
const DECODE_WORDS: usize = TABLE_WORDS + 1;

const LIMB_CHARS: usize = 5;
/// 58^5, a little below 2^29.36.
const LIMB: u64 = 58 * 58 * 58 * 58 * 58;
/// A product is below 2^61.36, so five of them and a carried rest fit in 64 bits.
const PRODUCTS_BEFORE_CARRY: usize = 5;

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

/// Row k: 2^(32 k) in limbs of 58^5, lowest first.
const WORD_IN_LIMBS: [[u32; TABLE_LIMBS]; TABLE_WORDS] = {
    let mut rows = [[0; TABLE_LIMBS]; TABLE_WORDS];
    rows[0][0] = 1;
    let mut k = 1;
    while k < TABLE_WORDS {
        let mut carry = 0;
        let mut j = 0;
        while j < TABLE_LIMBS {
            let value = ((rows[k - 1][j] as u64) << 32) + carry;
            rows[k][j] = (value % LIMB) as u32;
            carry = value / LIMB;
            j += 1;
        }
        assert!(carry == 0);
        k += 1;
    }
    rows
};

/// Row k: 58^(5 k) in words of 32 bits, lowest first.
const LIMB_IN_WORDS: [[u32; DECODE_WORDS]; TABLE_LIMBS] = {
    let mut rows = [[0; DECODE_WORDS]; TABLE_LIMBS];
    rows[0][0] = 1;
    let mut k = 1;
    while k < TABLE_LIMBS {
        let mut carry = 0;
        let mut j = 0;
        while j < DECODE_WORDS {
            let value = rows[k - 1][j] as u64 * LIMB + carry;
            rows[k][j] = value as u32;
            carry = value >> 32;
            j += 1;
        }
        assert!(carry == 0);
        k += 1;
    }
    rows
};

/// Why a text is no Base58, or an input was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base58Error {
    /// The byte of the UTF-8 text at this offset is none of the 58 characters.
    InvalidCharacter { offset: usize },
    /// Longer than [`MAX_BYTES`] or [`MAX_CHARS`].
    TooLong { length: usize, limit: usize },
}

/// Appends the Base58 text of `bytes` to `out`, as ASCII.
///
/// Every leading zero byte is a leading `1`, as in Bitcoin. 32 bytes take about 100 ns.
pub fn encode(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Base58Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Base58Error::TooLong {
            length: bytes.len(),
            limit: MAX_BYTES,
        });
    }
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    let number = &bytes[zeros..];
    out.resize(out.len() + zeros, b'1');
    // The sizes that matter have code of their own: a key, a key with its multicodec, a signature.
    match number.len() {
        0..=16 => encode_by_table::<4, 5>(number, out),
        17..=32 => encode_by_table::<8, 9>(number, out),
        33..=36 => encode_by_table::<9, 10>(number, out),
        37..=TABLE_BYTES => encode_by_table::<TABLE_WORDS, TABLE_LIMBS>(number, out),
        _ => encode_by_division(number, out),
    }
    Ok(())
}

/// Appends the bytes that `text` stands for to `out`; every leading `1` is a zero byte.
///
/// When it fails, what `out` got is of no use.
pub fn decode(text: &[u8], out: &mut Vec<u8>) -> Result<(), Base58Error> {
    if text.len() > MAX_CHARS {
        return Err(Base58Error::TooLong {
            length: text.len(),
            limit: MAX_CHARS,
        });
    }
    let ones = text.iter().take_while(|&&char| char == b'1').count();
    let number = &text[ones..];
    out.resize(out.len() + ones, 0);
    let valid = match number.len() {
        0..=25 => decode_by_table::<5, 5>(number, out),
        26..=45 => decode_by_table::<9, 9>(number, out),
        46..=50 => decode_by_table::<10, 10>(number, out),
        51..=TABLE_CHARS => decode_by_table::<TABLE_LIMBS, DECODE_WORDS>(number, out),
        _ => decode_by_multiplication(number, out),
    };
    if valid {
        return Ok(());
    }
    let bad = text.iter().position(|&char| DIGITS[usize::from(char)] == INVALID);
    Err(Base58Error::InvalidCharacter {
        offset: bad.unwrap_or(0),
    })
}

/// For numbers of at most `WORDS` words; `LIMBS` limbs must be able to hold them.
fn encode_by_table<const WORDS: usize, const LIMBS: usize>(number: &[u8], out: &mut Vec<u8>) {
    let mut padded = [0; TABLE_BYTES];
    padded[WORDS * 4 - number.len()..WORDS * 4].copy_from_slice(number);
    let mut limbs = [0; LIMBS];
    let words = padded[..WORDS * 4].as_chunks::<4>().0;
    for (index, (word, row)) in words.iter().zip(WORD_IN_LIMBS[..WORDS].iter().rev()).enumerate() {
        let word = u64::from(u32::from_be_bytes(*word));
        for (limb, &share) in limbs.iter_mut().zip(row) {
            *limb += word * u64::from(share);
        }
        if index % PRODUCTS_BEFORE_CARRY == PRODUCTS_BEFORE_CARRY - 1 {
            loosen_limbs(&mut limbs);
        }
    }
    carry_limbs(&mut limbs);

    let mut chars = [0; TABLE_CHARS];
    write_digits(&limbs, &mut chars);
    let chars = &chars[..LIMBS * LIMB_CHARS];
    out.extend_from_slice(&chars[count_leading(chars, b'1')..]);
}

/// Moves what is too much for a limb one limb up, all at once: no division waits for another. A limb
/// then is below 2^35, which leaves room for five more products.
fn loosen_limbs(limbs: &mut [u64]) {
    for index in (1..limbs.len()).rev() {
        limbs[index] += limbs[index - 1] / LIMB;
        limbs[index - 1] %= LIMB;
    }
}

fn carry_limbs(limbs: &mut [u64]) {
    let mut carry = 0;
    for limb in limbs {
        let value = *limb + carry;
        carry = value / LIMB;
        *limb = value % LIMB;
    }
    debug_assert_eq!(carry, 0);
}

fn encode_by_division(number: &[u8], out: &mut Vec<u8>) {
    let mut limbs: Vec<u64> = Vec::with_capacity(number.len() * 8 / 29 + 2);
    let (head, words) = number.split_at(number.len() % 4);
    let head = head.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
    let words = words
        .as_chunks::<4>()
        .0
        .iter()
        .map(|word| u64::from(u32::from_be_bytes(*word)));
    for word in std::iter::once(head).chain(words) {
        let mut carry = word;
        for limb in &mut limbs {
            let value = (*limb << 32) + carry;
            carry = value / LIMB;
            *limb = value % LIMB;
        }
        while carry > 0 {
            limbs.push(carry % LIMB);
            carry /= LIMB;
        }
    }
    let start = out.len();
    out.resize(start + limbs.len() * LIMB_CHARS, b'1');
    write_digits(&limbs, &mut out[start..]);
    let padding = count_leading(&out[start..], b'1');
    out.drain(start..start + padding);
}

/// Writes limbs (lowest first) as characters, with leading zeros.
fn write_digits(limbs: &[u64], chars: &mut [u8]) {
    for (chars, &limb) in chars
        .as_chunks_mut::<LIMB_CHARS>()
        .0
        .iter_mut()
        .zip(limbs.iter().rev())
    {
        // Below 58^5 < 2^30: 32-bit arithmetic, and two halves that do not wait for each other.
        let limb = limb as u32;
        let (high, low) = (limb / (58 * 58), limb % (58 * 58));
        let (top, middle) = (high / 58, high % 58);
        *chars = [top / 58, top % 58, middle, low / 58, low % 58].map(|digit| CHARS[(digit & 63) as usize]);
    }
}

fn count_leading(bytes: &[u8], wanted: u8) -> usize {
    bytes.iter().take_while(|&&byte| byte == wanted).count()
}

/// The limb of five characters; [`FOREIGN_LIMB`] is set when one of them is foreign.
fn limb_of(group: &[u8; LIMB_CHARS]) -> u64 {
    let [a, b, c, d, e] = group.map(|char| DIGITS[usize::from(char)]);
    let high = (u64::from(a) * 58 + u64::from(b)) * (58 * 58 * 58);
    let limb = high + u64::from(c) * (58 * 58) + (u64::from(d) * 58 + u64::from(e));
    if (a | b | c | d | e) & FOREIGN_DIGIT != 0 {
        limb | FOREIGN_LIMB
    } else {
        limb
    }
}

/// No digit has this bit, [`INVALID`] has.
const FOREIGN_DIGIT: u8 = 0x80;
/// Above every limb, and above what five wrong digits make.
const FOREIGN_LIMB: u64 = 1 << 63;

/// For at most `LIMBS` limbs; `WORDS` words must be able to hold them. False when a character is foreign.
fn decode_by_table<const LIMBS: usize, const WORDS: usize>(number: &[u8], out: &mut Vec<u8>) -> bool {
    let mut padded = [b'1'; TABLE_CHARS];
    padded[LIMBS * LIMB_CHARS - number.len()..LIMBS * LIMB_CHARS].copy_from_slice(number);
    let mut words = [0; WORDS];
    let groups = padded[..LIMBS * LIMB_CHARS].as_chunks::<LIMB_CHARS>().0;
    for (index, (group, row)) in groups.iter().zip(LIMB_IN_WORDS[..LIMBS].iter().rev()).enumerate() {
        let limb = limb_of(group);
        if limb & FOREIGN_LIMB != 0 {
            return false;
        }
        for (word, &share) in words.iter_mut().zip(row) {
            *word += limb * u64::from(share);
        }
        if index % PRODUCTS_BEFORE_CARRY == PRODUCTS_BEFORE_CARRY - 1 {
            carry_words(&mut words);
        }
    }
    carry_words(&mut words);

    let mut bytes = [0; DECODE_WORDS * 4];
    for (bytes, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(words.iter().rev()) {
        *bytes = (*word as u32).to_be_bytes();
    }
    let bytes = &bytes[..WORDS * 4];
    out.extend_from_slice(&bytes[count_leading(bytes, 0)..]);
    true
}

fn carry_words(words: &mut [u64]) {
    let mut carry = 0;
    for word in words {
        let value = *word + carry;
        carry = value >> 32;
        *word = value & 0xffff_ffff;
    }
    debug_assert_eq!(carry, 0);
}

fn decode_by_multiplication(number: &[u8], out: &mut Vec<u8>) -> bool {
    let mut words: Vec<u64> = Vec::with_capacity(number.len() / LIMB_CHARS + 1);
    let (head, groups) = number.split_at(number.len() % LIMB_CHARS);
    let mut first = [b'1'; LIMB_CHARS];
    first[LIMB_CHARS - head.len()..].copy_from_slice(head);
    for group in std::iter::once(&first).chain(groups.as_chunks::<LIMB_CHARS>().0) {
        let mut carry = limb_of(group);
        if carry & FOREIGN_LIMB != 0 {
            return false;
        }
        for word in &mut words {
            let value = *word * LIMB + carry;
            *word = value & 0xffff_ffff;
            carry = value >> 32;
        }
        if carry > 0 {
            words.push(carry);
        }
    }
    let start = out.len();
    out.extend(words.iter().rev().flat_map(|word| (*word as u32).to_be_bytes()));
    let padding = count_leading(&out[start..], 0);
    out.drain(start..start + padding);
    true
}

#[cfg(test)]
mod tests;
