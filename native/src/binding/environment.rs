use std::cell::{RefCell, UnsafeCell};
use std::ops::Range;

use super::thrown::Thrown;
use crate::engine::ed25519::KeyCache;
use crate::engine::hmac::{HmacKey, KeyTable};

/// The arena: memory that JavaScript and this engine share, so that small inputs need not be passed
/// as arrays of their own, which is dear. `arena.js` has the same numbers.
///
/// What an operation is about, or many of them one after the other. Results begin here, too.
pub const INPUT: Range<usize> = 0..65_536;
/// Keys, signatures and MACs that go with it; the results of a batch begin here.
pub const SIDE: Range<usize> = 65_536..98_304;
/// The lengths of a batch, as 32-bit numbers in the order of this machine.
pub const LENGTHS: Range<usize> = 98_304..102_400;

/// A text buffer that grew beyond this is not kept.
const KEPT_TEXT_BYTES: usize = 65_536;
/// Texts that are read at the same time, at most.
const KEPT_TEXTS: usize = 2;

/// What one JavaScript environment (the main thread, or a worker) owns. Only its thread comes here.
pub struct Environment {
    arena: Box<[UnsafeCell<u8>]>,
    hmac_keys: RefCell<KeyTable>,
    public_keys: RefCell<KeyCache>,
    texts: RefCell<Vec<Vec<u8>>>,
}

impl Environment {
    pub fn new() -> Self {
        Self {
            arena: (0..LENGTHS.end).map(|_| UnsafeCell::new(0)).collect(),
            hmac_keys: RefCell::default(),
            public_keys: RefCell::default(),
            texts: RefCell::default(),
        }
    }

    /// The arena for JavaScript.
    pub fn arena(&self) -> (*mut u8, usize) {
        (self.arena.as_ptr().cast_mut().cast(), self.arena.len())
    }

    /// # Safety
    ///
    /// While the slice is in use neither JavaScript runs nor [`write`](Self::write).
    pub unsafe fn read(&self, range: Range<usize>) -> Option<&[u8]> {
        let cells = self.arena.get(range)?;
        // SAFETY: in bounds, initialised, and the caller keeps writers away.
        Some(unsafe { std::slice::from_raw_parts(cells.as_ptr().cast(), cells.len()) })
    }

    /// # Safety
    ///
    /// No slice of [`read`](Self::read) is in use, `bytes` is none either.
    pub unsafe fn write(&self, offset: usize, bytes: &[u8]) -> Option<()> {
        let cells = self.arena.get(offset..offset.checked_add(bytes.len())?)?;
        // SAFETY: in bounds, and the caller keeps readers away, `bytes` among them.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), cells.as_ptr().cast_mut().cast(), bytes.len())
        };
        Some(())
    }

    pub fn add_hmac_key(&self, key: HmacKey) -> Result<u32, Thrown> {
        let mut keys = self.hmac_keys.try_borrow_mut().map_err(|_| Thrown::busy())?;
        Ok(keys.add(key)?)
    }

    pub fn remove_hmac_key(&self, id: u32) -> Result<bool, Thrown> {
        let mut keys = self.hmac_keys.try_borrow_mut().map_err(|_| Thrown::busy())?;
        Ok(keys.remove(id))
    }

    pub fn with_hmac_key<T>(&self, id: u32, work: impl FnOnce(&HmacKey) -> T) -> Result<T, Thrown> {
        let keys = self.hmac_keys.try_borrow().map_err(|_| Thrown::busy())?;
        let key = keys.get(id).ok_or_else(|| {
            Thrown::range(format!("no HMAC key has the id {id}: it was released, or is another thread's"))
        })?;
        Ok(work(key))
    }

    pub fn with_public_keys<T>(&self, work: impl FnOnce(&mut KeyCache) -> T) -> Result<T, Thrown> {
        let mut keys = self.public_keys.try_borrow_mut().map_err(|_| Thrown::busy())?;
        Ok(work(&mut keys))
    }

    /// An empty buffer for a text.
    pub fn take_text(&self) -> Vec<u8> {
        self.texts.try_borrow_mut().ok().and_then(|mut texts| texts.pop()).unwrap_or_default()
    }

    /// Gives a buffer of [`take_text`](Self::take_text) back.
    pub fn keep_text(&self, mut text: Vec<u8>) {
        if let Ok(mut texts) = self.texts.try_borrow_mut()
            && texts.len() < KEPT_TEXTS
            && text.capacity() <= KEPT_TEXT_BYTES
        {
            text.clear();
            texts.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arena_is_not_left_on_either_side() {
        let environment = Environment::new();
        // SAFETY: no slice is alive over a write, and there is no JavaScript.
        unsafe {
            assert!(environment.read(0..LENGTHS.end + 1).is_none());
            assert!(environment.write(LENGTHS.end - 1, &[1, 2]).is_none());
            assert!(environment.write(usize::MAX, &[1]).is_none());
            environment.write(LENGTHS.end - 2, &[1, 2]).unwrap();
            assert_eq!(environment.read(LENGTHS.end - 3..LENGTHS.end).unwrap(), [0, 1, 2]);
        }
    }

    #[test]
    fn a_big_text_buffer_is_not_kept() {
        let environment = Environment::new();
        environment.keep_text(Vec::with_capacity(KEPT_TEXT_BYTES + 1));
        assert_eq!(environment.take_text().capacity(), 0);
        environment.keep_text(Vec::with_capacity(100));
        assert!(environment.take_text().capacity() >= 100);
    }
}
