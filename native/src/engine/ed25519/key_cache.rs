use std::collections::HashMap;

use super::PublicKey;

/// Public keys by their bytes, so that a known issuer is not decompressed again, an eighth of a
/// verification.
///
/// Bounded: a key that is new when the cache is full takes the place of the one longest unused, so
/// that somebody who sends many keys can make it slower, but not bigger.
pub struct KeyCache {
    keys: HashMap<[u8; 32], Entry>,
    clock: u64,
    capacity: usize,
}

struct Entry {
    key: PublicKey,
    last_used: u64,
}

/// At about 300 bytes a key: 80 KiB. Finding the oldest is a walk over all, 0.3 µs.
const CAPACITY: usize = 256;

impl Default for KeyCache {
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

impl KeyCache {
    fn with_capacity(capacity: usize) -> Self {
        Self { keys: HashMap::new(), clock: 0, capacity }
    }

    /// Whether `signature` over `data` is by the key with these bytes. Bytes that are not a key never verify a
    /// signature.
    pub fn verify(&mut self, public_key: &[u8; 32], data: &[u8], signature: &[u8; 64]) -> bool {
        self.clock += 1;
        if let Some(entry) = self.keys.get_mut(public_key) {
            entry.last_used = self.clock;
            return entry.key.verify(data, signature);
        }
        let Some(key) = PublicKey::from_bytes(public_key) else {
            return false;
        };
        let valid = key.verify(data, signature);
        // A wrong signature does not push out a key that is in use.
        if valid {
            if self.keys.len() >= self.capacity {
                self.forget_oldest();
            }
            self.keys.insert(*public_key, Entry { key, last_used: self.clock });
        }
        valid
    }

    fn forget_oldest(&mut self) {
        let oldest = self.keys.iter().min_by_key(|(_, entry)| entry.last_used).map(|(bytes, _)| *bytes);
        if let Some(bytes) = oldest {
            self.keys.remove(&bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ed25519::{public_key, sign};

    fn pair(seed: u8) -> ([u8; 32], [u8; 64]) {
        let seed = [seed; 32];
        (public_key(&seed), sign(&seed, b"data"))
    }

    #[test]
    fn the_cache_keeps_its_bound_under_many_keys() {
        let mut cache = KeyCache::with_capacity(4);
        for round in 0..3 {
            for seed in 0..12 {
                let (key, signature) = pair(seed);
                for _ in 0..2 {
                    assert!(cache.verify(&key, b"data", &signature), "round {round}");
                    assert!(!cache.verify(&key, b"date", &signature), "round {round}");
                }
                assert!(cache.keys.len() <= 4);
            }
        }
    }

    #[test]
    fn a_key_in_use_outlives_the_ones_that_pass_by() {
        let mut cache = KeyCache::with_capacity(4);
        let (key, signature) = pair(0);
        for seed in 1..40 {
            cache.verify(&key, b"data", &signature);
            let (passing, signature) = pair(seed);
            cache.verify(&passing, b"data", &signature);
        }
        assert!(cache.keys.contains_key(&key));
    }

    #[test]
    fn wrong_signatures_and_wrong_keys_take_no_place() {
        let mut cache = KeyCache::default();
        let (key, signature) = pair(1);
        assert!(!cache.verify(&key, b"other", &signature));
        for byte in 0..=255 {
            assert!(!cache.verify(&[byte; 32], b"data", &signature));
        }
        assert!(cache.keys.is_empty());
    }
}
