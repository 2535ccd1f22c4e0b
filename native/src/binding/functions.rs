//! The functions of the module. `main.js` says what they are for; here are only their arguments.

use std::ffi::CStr;

use zeroize::Zeroize;

use super::Target;
use super::call::{Call, Function, Value};
use super::environment::{INPUT, LENGTHS, SIDE};
use super::thrown::Thrown;
use crate::engine::base58::{self, Base58Error};
use crate::engine::hmac::{HmacKey, KeyTableError, MAX_KEYS, Mac};
use crate::engine::{base64url, ed25519, token};

/// Declares a function of the module: its name in JavaScript and its body.
macro_rules! function {
    ($type:ident, $name:literal, |$call:ident| $body:expr) => {
        struct $type;

        impl Function for $type {
            const NAME: &'static CStr = $name;

            fn run($call: &mut Call<'_>) -> Result<Value, Thrown> {
                $body
            }
        }
    };
}

pub fn add_all(target: &Target<'_>) -> napi::Result<()> {
    target.add::<Base58Encode>()?;
    target.add::<Base58Decode>()?;
    target.add::<CreateHmacKey>()?;
    target.add::<ReleaseHmacKey>()?;
    target.add::<HmacSha256>()?;
    target.add::<HmacSha256Many>()?;
    target.add::<HmacSha256Verify>()?;
    target.add::<Ed25519PublicKey>()?;
    target.add::<Ed25519Sign>()?;
    target.add::<Ed25519Verify>()?;
    target.add::<VerifyToken>()?;
    target.add::<VerifyTokenChain>()?;
    target.add::<SignMessage>()?;
    target.add::<VerifyMessage>()?;
    target.add::<SignMessages>()?;
    target.add::<VerifyMessages>()
}

function!(Base58Encode, c"base58Encode", |call| {
    let mut text = call.environment.take_text();
    base58::encode(call.bytes(0, "bytes")?, &mut text)?;
    let value = call.ascii(&text);
    call.environment.keep_text(text);
    value
});

// Gives the number of bytes at the start of the arena.
function!(Base58Decode, c"base58Decode", |call| {
    let text = call.text(0, "text")?;
    let mut bytes = call.environment.take_text();
    base58::decode(&text, &mut bytes)?;
    call.write(INPUT.start, &bytes)?;
    let length = call.uint(bytes.len() as u32);
    call.environment.keep_text(bytes);
    length
});

function!(CreateHmacKey, c"createHmacKey", |call| {
    let key = call.bytes(0, "key")?;
    let length = key.len();
    let id = call.environment.add_hmac_key(HmacKey::new(key))?;
    // A short key came by the arena. (A long one stays where its owner has it.)
    call.wipe(INPUT.start, length)?;
    call.uint(id)
});

function!(ReleaseHmacKey, c"releaseHmacKey", |call| {
    let released = call.environment.remove_hmac_key(key_id(call)?)?;
    call.boolean(released)
});

// Leaves the MAC at the start of the arena.
function!(HmacSha256, c"hmacSha256", |call| {
    let id = key_id(call)?;
    let data = call.bytes(1, "data")?;
    let mac = call.environment.with_hmac_key(id, |key| key.mac(data))?;
    call.write(INPUT.start, &mac)?;
    call.undefined()
});

// The inputs stand one after the other in the arena, their lengths in its last part; leaves the MACs
// one after the other in its side.
function!(HmacSha256Many, c"hmacSha256Many", |call| {
    let id = key_id(call)?;
    let count = call.integer(1, "count", (LENGTHS.len() / 4) as u32)? as usize;
    let macs = call.environment.with_hmac_key(id, |key| macs_of_batch(call, key, count))??;
    call.write(SIDE.start, macs.as_flattened())?;
    call.undefined()
});

fn macs_of_batch(call: &Call<'_>, key: &HmacKey, count: usize) -> Result<Vec<Mac>, Thrown> {
    let lengths = call.arena(LENGTHS.start..LENGTHS.start + count * 4)?;
    let mut at = INPUT.start;
    let mut macs = Vec::with_capacity(count);
    for length in lengths.as_chunks::<4>().0 {
        let until = at + u32::from_ne_bytes(*length) as usize;
        if until > INPUT.end {
            return Err(Thrown::range("a batch is longer than the arena".into()));
        }
        macs.push(key.mac(call.arena(at..until)?));
        at = until;
    }
    Ok(macs)
}

// The MAC, 32 bytes, is in the arena's side.
function!(HmacSha256Verify, c"hmacSha256Verify", |call| {
    let id = key_id(call)?;
    let mac = call.side::<32>(0)?;
    let data = call.bytes(1, "data")?;
    let valid = call.environment.with_hmac_key(id, |key| key.verify(data, &mac))?;
    call.boolean(valid)
});

// The seed is in the arena's side and is wiped; leaves the key at the start of the arena.
function!(Ed25519PublicKey, c"ed25519PublicKey", |call| {
    let mut seed = call.side::<32>(0)?;
    call.wipe(SIDE.start, seed.len())?;
    let public_key = ed25519::public_key(&seed);
    seed.zeroize();
    call.write(INPUT.start, &public_key)?;
    call.undefined()
});

// The seed is in the arena's side and is wiped; leaves the signature at the start of the arena.
function!(Ed25519Sign, c"ed25519Sign", |call| {
    let mut seed = call.side::<32>(0)?;
    call.wipe(SIDE.start, seed.len())?;
    let signature = call.bytes(0, "data").map(|data| ed25519::sign(&seed, data));
    seed.zeroize();
    call.write(INPUT.start, &signature?)?;
    call.undefined()
});

// Public key and signature are in the arena's side.
function!(Ed25519Verify, c"ed25519Verify", |call| {
    let public_key = call.side::<32>(0)?;
    let signature = call.side::<64>(32)?;
    let data = call.bytes(0, "data")?;
    let valid = call.environment.with_public_keys(|keys| keys.verify(&public_key, data, &signature))?;
    call.boolean(valid)
});

function!(VerifyToken, c"verifyToken", |call| {
    let jwt = call.text(0, "jwt")?;
    let did = call.text(1, "did")?;
    let valid = call.environment.with_public_keys(|keys| token::verify(&jwt, &did, keys))?;
    call.boolean(valid)
});

function!(VerifyTokenChain, c"verifyTokenChain", |call| {
    let count = same_count(call, (0, "jwts"), (1, "dids"))?;
    for item in 0..count {
        let valid = call.scoped(|call| {
            let jwt = call.text_of(0, item, "jwts")?;
            let did = call.text_of(1, item, "dids")?;
            call.environment.with_public_keys(|keys| token::verify(&jwt, &did, keys))
        })?;
        if !valid {
            return call.int(i32::try_from(item).unwrap_or(i32::MAX));
        }
    }
    call.int(-1)
});

function!(SignMessage, c"signMessage", |call| {
    let id = key_id(call)?;
    let text = call.text(1, "text")?;
    let mac = call.environment.with_hmac_key(id, |key| key.mac(&text))?;
    call.ascii(&base64url::encode_mac(&mac))
});

function!(VerifyMessage, c"verifyMessage", |call| {
    let id = key_id(call)?;
    let text = call.text(1, "text")?;
    let signature = call.text(2, "signature")?;
    let valid = call.environment.with_hmac_key(id, |key| fits(key, &text, &signature))?;
    call.boolean(valid)
});

function!(SignMessages, c"signMessages", |call| {
    let id = key_id(call)?;
    let count = call.count(1, "texts")?;
    call.collect(count, |call, item| {
        let text = call.text_of(1, item, "texts")?;
        let mac = call.environment.with_hmac_key(id, |key| key.mac(&text))?;
        call.ascii(&base64url::encode_mac(&mac))
    })
});

function!(VerifyMessages, c"verifyMessages", |call| {
    let id = key_id(call)?;
    let count = same_count(call, (1, "texts"), (2, "signatures"))?;
    call.collect(count, |call, item| {
        let text = call.text_of(1, item, "texts")?;
        let signature = call.text_of(2, item, "signatures")?;
        let valid = call.environment.with_hmac_key(id, |key| fits(key, &text, &signature))?;
        call.boolean(valid)
    })
});

fn key_id(call: &Call<'_>) -> Result<u32, Thrown> {
    call.integer(0, "keyId", u32::MAX)
}

/// A signature that is no canonical base64url of 32 bytes fits no text.
fn fits(key: &HmacKey, text: &[u8], signature: &[u8]) -> bool {
    base64url::decode::<32>(signature).is_some_and(|mac| key.verify(text, &mac))
}

fn same_count(call: &Call<'_>, left: (usize, &str), right: (usize, &str)) -> Result<u32, Thrown> {
    let counts = (call.count(left.0, left.1)?, call.count(right.0, right.1)?);
    if counts.0 != counts.1 {
        let ((_, left), (_, right)) = (left, right);
        let message = format!("{left} has {} items and {right} has {}: one for each", counts.0, counts.1);
        return Err(Thrown::range(message));
    }
    Ok(counts.0)
}

impl From<Base58Error> for Thrown {
    fn from(error: Base58Error) -> Self {
        match error {
            Base58Error::InvalidCharacter { offset } => {
                Self::Syntax(format!("the character at byte {offset} is none of Base58"))
            }
            Base58Error::TooLong { length, limit } => {
                Self::Range(format!("{length} are too many for Base58, the limit is {limit}"))
            }
        }
    }
}

impl From<KeyTableError> for Thrown {
    fn from(error: KeyTableError) -> Self {
        Self::Range(match error {
            KeyTableError::Full => format!("{MAX_KEYS} HMAC keys are held; release some first"),
            KeyTableError::OutOfIds => "every id of an HMAC key has been given".into(),
        })
    }
}
