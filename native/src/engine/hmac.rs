//! HMAC-SHA256 (RFC 2104, FIPS 198-1) over key states that are computed once.

mod key_table;

pub use key_table::{KeyTable, KeyTableError, MAX_KEYS};

use sha2::block_api::compress256;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::base64url;

const BLOCK_BYTES: usize = 64;
/// A message ends with 0x80 and its length in bits as eight bytes.
const TRAILER_BYTES: usize = 9;

/// An HMAC-SHA256 value.
pub type Mac = [u8; 32];

/// A key, stored as the two states of SHA-256 after its padded block; zeroized on drop.
///
/// With them a MAC over n bytes costs ⌈(n + 9) / 64⌉ + 1 compressions instead of two more.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct HmacKey {
    inner: [u32; 8],
    outer: [u32; 8],
}

/// FIPS 180-4, 5.3.3.
const SHA256_START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

impl HmacKey {
    /// Accepts a key of any length; a key longer than 64 bytes is hashed first, as the RFC says.
    pub fn new(key: &[u8]) -> Self {
        let mut block = [0; BLOCK_BYTES];
        if key.len() > BLOCK_BYTES {
            block[..32].copy_from_slice(&Sha256::digest(key));
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let mut states = Self { inner: SHA256_START, outer: SHA256_START };
        for byte in &mut block {
            *byte ^= 0x36;
        }
        compress256(&mut states.inner, &[block]);
        for byte in &mut block {
            *byte ^= 0x36 ^ 0x5c;
        }
        compress256(&mut states.outer, &[block]);
        block.zeroize();
        states
    }

    /// The MAC of `data`.
    pub fn mac(&self, data: &[u8]) -> Mac {
        let mut state = self.inner;
        let (blocks, rest) = data.as_chunks::<BLOCK_BYTES>();
        compress256(&mut state, blocks);
        let bits = (BLOCK_BYTES as u64 + data.len() as u64) * 8;
        let mut last = [[0; BLOCK_BYTES]; 2];
        let tail = last.as_flattened_mut();
        tail[..rest.len()].copy_from_slice(rest);
        tail[rest.len()] = 0x80;
        let used = if rest.len() + TRAILER_BYTES <= BLOCK_BYTES { 1 } else { 2 };
        tail[used * BLOCK_BYTES - 8..used * BLOCK_BYTES].copy_from_slice(&bits.to_be_bytes());
        compress256(&mut state, &last[..used]);

        let mut block = [0; BLOCK_BYTES];
        write_state(&state, &mut block);
        block[32] = 0x80;
        block[BLOCK_BYTES - 8..].copy_from_slice(&((BLOCK_BYTES as u64 + 32) * 8).to_be_bytes());
        let mut state = self.outer;
        compress256(&mut state, &[block]);
        let mut mac = [0; 32];
        write_state(&state, &mut mac);
        mac
    }

    /// Compares in constant time. A MAC of another length than 32 bytes never fits.
    pub fn verify(&self, data: &[u8], mac: &[u8]) -> bool {
        self.mac(data).as_slice().ct_eq(mac).into()
    }

    /// Does the same for a MAC as base64url. A text that is not the canonical one of 32 bytes never fits.
    pub fn verify_base64url(&self, data: &[u8], mac: &[u8]) -> bool {
        base64url::decode::<32>(mac).is_some_and(|mac| self.verify(data, &mac))
    }
}

fn write_state(state: &[u32; 8], out: &mut [u8]) {
    for (bytes, word) in out.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
}

#[cfg(test)]
mod tests;
