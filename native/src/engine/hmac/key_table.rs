use std::collections::BTreeMap;

use super::HmacKey;

/// Most keys at a time: with more, somebody forgets to release them.
pub const MAX_KEYS: usize = 65_536;

/// HMAC keys behind numbers, so that a key crosses a border once and not at every use.
#[derive(Default)]
pub struct KeyTable {
    keys: BTreeMap<u32, HmacKey>,
    last_id: u32,
}

/// No key was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyTableError {
    /// There are [`MAX_KEYS`].
    Full,
    /// 2^32 − 1 ids have been given.
    OutOfIds,
}

impl KeyTable {
    /// Stores `key` under a new id, above 0. An id is never given twice, so that a stale one cannot meet another's key.
    pub fn add(&mut self, key: HmacKey) -> Result<u32, KeyTableError> {
        if self.keys.len() >= MAX_KEYS {
            return Err(KeyTableError::Full);
        }
        self.last_id = self.last_id.checked_add(1).ok_or(KeyTableError::OutOfIds)?;
        self.keys.insert(self.last_id, key);
        Ok(self.last_id)
    }

    pub fn get(&self, id: u32) -> Option<&HmacKey> {
        self.keys.get(&id)
    }

    /// Wipes the key and forgets it. Returns false when there is none.
    pub fn remove(&mut self, id: u32) -> bool {
        self.keys.remove(&id).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_never_given_twice() {
        let mut table = KeyTable::default();
        let first = table.add(HmacKey::new(b"first")).unwrap();
        assert!(table.remove(first));
        assert!(!table.remove(first));
        let second = table.add(HmacKey::new(b"second")).unwrap();
        assert_ne!(first, second);
        assert!(table.get(first).is_none());
        assert!(table.get(second).is_some());
        assert!(table.get(0).is_none());
    }

    #[test]
    fn ids_that_run_out_are_refused_not_reused() {
        let mut table = KeyTable { last_id: u32::MAX, ..KeyTable::default() };
        assert_eq!(table.add(HmacKey::new(b"key")), Err(KeyTableError::OutOfIds));
        assert_eq!(table.add(HmacKey::new(b"key")), Err(KeyTableError::OutOfIds));
    }

    #[test]
    fn the_number_of_keys_is_bounded() {
        let mut table = KeyTable::default();
        let key = HmacKey::new(b"key");
        for _ in 0..MAX_KEYS {
            table.add(key.clone()).unwrap();
        }
        assert_eq!(table.add(key.clone()), Err(KeyTableError::Full));
        assert!(table.remove(1));
        assert!(table.add(key).is_ok());
    }
}
