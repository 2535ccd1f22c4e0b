//! Ed25519 (RFC 8032) with strict verification, and a bounded cache of public keys.

mod key_cache;

pub use key_cache::KeyCache;

use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::{EdwardsPoint, Scalar};
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha512};

/// The public key of a seed.
pub fn public_key(seed: &[u8; 32]) -> [u8; 32] {
    // The signing key is zeroized on drop.
    SigningKey::from_bytes(seed).verifying_key().to_bytes()
}

/// The signature of `data` by a seed; deterministic, as the RFC says.
pub fn sign(seed: &[u8; 32], data: &[u8]) -> [u8; 64] {
    SigningKey::from_bytes(seed).sign(data).to_bytes()
}

/// A public key, decompressed once.
///
/// It accepts the same signatures as `verify_strict` of ed25519-dalek: s below the order of the group, neither the key
/// nor R of small order, the equation without cofactor. On top of that the key must be in the one canonical form (RFC
/// 8032, 5.1.3). So a signature has only one encoding, and no key is valid for every message. It is not `verify_strict`
/// itself because that decompresses R, a seventh of its time, only to ask for its order; see `check`. The tests hold
/// the two against each other.
pub struct PublicKey {
    bytes: [u8; 32],
    negated: EdwardsPoint,
}

impl PublicKey {
    /// Returns `None` when `bytes` are not a point, not in canonical form, or a point of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        if !is_canonical(bytes) {
            return None;
        }
        let point = CompressedEdwardsY(*bytes).decompress()?;
        (!point.is_small_order()).then(|| Self { bytes: *bytes, negated: -point })
    }

    /// Whether `signature` is this key's over `data`. Not in constant time: all of it is public.
    pub fn verify(&self, data: &[u8], signature: &[u8; 64]) -> bool {
        self.check(data, signature).unwrap_or(false)
    }

    /// R must be, byte for byte, the compressed form of s·B − k·A. So it is never decompressed, and
    /// that point is asked for its order in R's place.
    fn check(&self, data: &[u8], signature: &[u8; 64]) -> Option<bool> {
        let (r, s) = signature.split_first_chunk::<32>()?;
        let s: Option<Scalar> = Scalar::from_canonical_bytes(s.try_into().ok()?).into();
        let hash = Sha512::new().chain_update(r).chain_update(self.bytes).chain_update(data);
        let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, &self.negated, &s?);
        Some(expected.compress().as_bytes() == r && !expected.is_small_order())
    }
}

/// Whether the y in `bytes` is below 2^255 − 19. (x = 0 with its sign bit set is left to the check of
/// the order: both such points are of small order.)
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = bytes;
    !(high & 0x7f == 0x7f && middle.iter().all(|&byte| byte == 0xff) && *low >= 0xed)
}

#[cfg(test)]
mod tests;
