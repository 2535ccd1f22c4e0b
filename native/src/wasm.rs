//! The border of the WebAssembly build: `wasm.js` is the JavaScript side.
//!
//! Inputs are written to slots, buffers that belong to this side, and results are read from one more. No function takes
//! a pointer, so only numbers need checks, and no `unsafe` code is needed.
//!
//! Results are numbers: a length or a truth value, or one of the negative ones below.

use std::cell::RefCell;

use zeroize::Zeroize;

use crate::engine::base58::{self, Base58Error};
use crate::engine::ed25519::{self, KeyCache};
use crate::engine::hmac::{HmacKey, KeyTable};
use crate::engine::{base64url, token};

/// An unknown key id, or no room for another key.
const NO_KEY: i32 = -1;
/// An input longer than is taken.
const TOO_LONG: i32 = -2;
/// A key, seed or signature of another length than it has.
const WRONG_LENGTH: i32 = -3;
/// The foreign character of a Base58 text is at −4 − this.
const FOREIGN_CHARACTER: i32 = -4;

/// As in the addon, in bytes.
const MAX_INPUT: usize = 64 * 1024 * 1024;
const SLOTS: usize = 3;

#[derive(Default)]
struct Engine {
    slots: [Vec<u8>; SLOTS],
    result: Vec<u8>,
    hmac_keys: KeyTable,
    public_keys: KeyCache,
}

thread_local! {
    static ENGINE: RefCell<Engine> = RefCell::default();
}

fn with_engine<T>(work: impl FnOnce(&mut Engine) -> T) -> T {
    // The engine never calls JavaScript, so this is never borrowed twice at a time.
    ENGINE.with_borrow_mut(work)
}

impl Engine {
    fn answer(&mut self, result: &[u8]) -> i32 {
        self.result.clear();
        self.result.extend_from_slice(result);
        i32::try_from(self.result.len()).unwrap_or(TOO_LONG)
    }

    /// The slot with exactly `N` bytes in it.
    fn exactly<const N: usize>(&self, slot: usize) -> Option<[u8; N]> {
        self.slots[slot].as_slice().try_into().ok()
    }

    /// The same, and the slot is wiped.
    fn seed(&mut self, slot: usize) -> Option<[u8; 32]> {
        let seed = self.exactly(slot);
        self.slots[slot].zeroize();
        seed
    }
}

/// Makes room for `length` bytes in a slot; null when that is too much.
#[unsafe(no_mangle)]
pub extern "C" fn reserve(slot: usize, length: usize) -> *mut u8 {
    with_engine(|engine| match engine.slots.get_mut(slot) {
        Some(bytes) if length <= MAX_INPUT => {
            bytes.clear();
            bytes.resize(length, 0);
            bytes.as_mut_ptr()
        }
        _ => std::ptr::null_mut(),
    })
}

/// Where the last result is.
#[unsafe(no_mangle)]
pub extern "C" fn result() -> *const u8 {
    with_engine(|engine| engine.result.as_ptr())
}

/// Bytes in slot 0.
#[unsafe(no_mangle)]
pub extern "C" fn base58_encode() -> i32 {
    with_engine(|engine| {
        let mut text = Vec::new();
        match base58::encode(&engine.slots[0], &mut text) {
            Ok(()) => engine.answer(&text),
            Err(error) => base58_fault(error),
        }
    })
}

/// Text in slot 0.
#[unsafe(no_mangle)]
pub extern "C" fn base58_decode() -> i32 {
    with_engine(|engine| {
        let mut bytes = Vec::new();
        match base58::decode(&engine.slots[0], &mut bytes) {
            Ok(()) => engine.answer(&bytes),
            Err(error) => base58_fault(error),
        }
    })
}

fn base58_fault(error: Base58Error) -> i32 {
    match error {
        Base58Error::TooLong { .. } => TOO_LONG,
        Base58Error::InvalidCharacter { offset } => {
            i32::try_from(offset).map_or(TOO_LONG, |offset| FOREIGN_CHARACTER - offset)
        }
    }
}

/// Key in slot 0, which is wiped. The id, or 0 when there is no room.
#[unsafe(no_mangle)]
pub extern "C" fn create_hmac_key() -> u32 {
    with_engine(|engine| {
        let key = HmacKey::new(&engine.slots[0]);
        engine.slots[0].zeroize();
        engine.hmac_keys.add(key).unwrap_or(0)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn release_hmac_key(id: u32) -> i32 {
    with_engine(|engine| i32::from(engine.hmac_keys.remove(id)))
}

/// Data in slot 0.
#[unsafe(no_mangle)]
pub extern "C" fn hmac_sha256(id: u32) -> i32 {
    with_engine(|engine| match engine.hmac_keys.get(id).map(|key| key.mac(&engine.slots[0])) {
        Some(mac) => engine.answer(&mac),
        None => NO_KEY,
    })
}

/// Data in slot 0, MAC in slot 1.
#[unsafe(no_mangle)]
pub extern "C" fn hmac_sha256_verify(id: u32) -> i32 {
    with_engine(|engine| match engine.hmac_keys.get(id) {
        Some(key) => i32::from(key.verify(&engine.slots[0], &engine.slots[1])),
        None => NO_KEY,
    })
}

/// UTF-8 in slot 0. The result is text.
#[unsafe(no_mangle)]
pub extern "C" fn sign_message(id: u32) -> i32 {
    with_engine(|engine| match engine.hmac_keys.get(id).map(|key| key.mac(&engine.slots[0])) {
        Some(mac) => engine.answer(&base64url::encode_mac(&mac)),
        None => NO_KEY,
    })
}

/// UTF-8 in slot 0, signature as text in slot 1.
#[unsafe(no_mangle)]
pub extern "C" fn verify_message(id: u32) -> i32 {
    with_engine(|engine| match engine.hmac_keys.get(id) {
        Some(key) => i32::from(key.verify_base64url(&engine.slots[0], &engine.slots[1])),
        None => NO_KEY,
    })
}

/// Seed in slot 1, which is wiped.
#[unsafe(no_mangle)]
pub extern "C" fn ed25519_public_key() -> i32 {
    with_engine(|engine| {
        let Some(mut seed) = engine.seed(1) else {
            return WRONG_LENGTH;
        };
        let public_key = ed25519::public_key(&seed);
        seed.zeroize();
        engine.answer(&public_key)
    })
}

/// Data in slot 0, seed in slot 1, which is wiped.
#[unsafe(no_mangle)]
pub extern "C" fn ed25519_sign() -> i32 {
    with_engine(|engine| {
        let Some(mut seed) = engine.seed(1) else {
            return WRONG_LENGTH;
        };
        let signature = ed25519::sign(&seed, &engine.slots[0]);
        seed.zeroize();
        engine.answer(&signature)
    })
}

/// Data in slot 0, public key in slot 1, signature in slot 2.
#[unsafe(no_mangle)]
pub extern "C" fn ed25519_verify() -> i32 {
    with_engine(|engine| {
        let (Some(key), Some(signature)) = (engine.exactly(1), engine.exactly(2)) else {
            return 0;
        };
        i32::from(engine.public_keys.verify(&key, &engine.slots[0], &signature))
    })
}

/// Token in slot 0, DID in slot 1.
#[unsafe(no_mangle)]
pub extern "C" fn verify_token() -> i32 {
    with_engine(|engine| {
        i32::from(token::verify(&engine.slots[0], &engine.slots[1], &mut engine.public_keys))
    })
}
