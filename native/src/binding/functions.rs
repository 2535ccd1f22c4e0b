//! The functions of the module. They are documented in `main.d.ts`; this file converts their arguments.

use napi::Env;
use napi::bindgen_prelude::{Array, ToNapiValue, Unknown};
use napi_derive::napi;
use zeroize::Zeroizing;

use super::arena::{INPUT, LENGTHS, SIDE};
use super::arguments::{integer, item, key_id, list, lists, with_bytes, with_texts};
use super::environment::{Environment, run, scoped};
use super::thrown::Thrown;
use crate::engine::base58::Base58Error;
use crate::engine::hmac::{HmacKey, KeyTableError, MAX_KEYS, Mac};
use crate::engine::{base64url, ed25519, token};

#[napi(catch_unwind)]
pub fn create_hmac_key(env: &Env, key: Unknown) -> napi::Result<u32> {
    run(env, |environment| {
        let (key, length) = with_bytes(environment, key, "key", |key| Ok((HmacKey::new(key), key.len())))?;
        // A short key came by the arena. (A long one stays where its owner has it.)
        environment.wipe_input();
        environment.arena.wipe(INPUT.start..INPUT.start + length.min(INPUT.len()))?;
        environment.add_hmac_key(key)
    })
}

#[napi(catch_unwind)]
pub fn release_hmac_key(env: &Env, id: Unknown) -> napi::Result<bool> {
    run(env, |environment| Ok(environment.remove_hmac_key(key_id(id)?)))
}

/// The inputs are stored one after the other in the arena, their lengths in its last part; the MACs are written one
/// after the other to its side.
#[napi(catch_unwind)]
pub fn hmac_sha256_many(env: &Env, id: Unknown, count: Unknown) -> napi::Result<()> {
    run(env, |environment| {
        let id = key_id(id)?;
        let count = integer(count, "count", (LENGTHS.len() / 4) as u32)? as usize;
        let macs = environment.with_hmac_key(id, |key| macs_of_batch(environment, key, count))?;
        environment.arena.write(SIDE.start, macs.as_flattened())
    })
}

fn macs_of_batch(environment: &Environment, key: &HmacKey, count: usize) -> Result<Vec<Mac>, Thrown> {
    environment.with_input(|input| {
        environment.arena.append_to(input, LENGTHS.start..LENGTHS.start + count * 4)?;
        let lengths: Vec<_> = input.as_chunks().0.iter().map(|length| u32::from_ne_bytes(*length)).collect();
        let total: u64 = lengths.iter().copied().map(u64::from).sum();
        if total > INPUT.len() as u64 {
            return Err(Thrown::Range(format!("a batch must fit in the arena, got {total} bytes")));
        }
        input.clear();
        environment.arena.append_to(input, INPUT.start..INPUT.start + total as usize)?;
        let mut rest = input.as_slice();
        let items = lengths.into_iter().map(|length| {
            let (item, others) = rest.split_at(length as usize);
            rest = others;
            key.mac(item)
        });
        Ok(items.collect())
    })
}

/// The MAC, 32 bytes, is in the arena's side.
#[napi(catch_unwind)]
pub fn hmac_sha256_verify(env: &Env, id: Unknown, data: Unknown) -> napi::Result<bool> {
    run(env, |environment| {
        let id = key_id(id)?;
        let mac: Mac = environment.arena.read(SIDE.start)?;
        with_bytes(environment, data, "data", |data| {
            environment.with_hmac_key(id, |key| Ok(key.verify(data, &mac)))
        })
    })
}

/// The seed is in the arena's side and is wiped; leaves the key at the start of the arena.
#[napi(catch_unwind)]
pub fn ed25519_public_key(env: &Env) -> napi::Result<()> {
    run(env, |environment| {
        let seed = take_seed(environment)?;
        environment.arena.write(INPUT.start, &ed25519::public_key(&seed))
    })
}

/// The seed is in the arena's side and is wiped; leaves the signature at the start of the arena.
#[napi(catch_unwind)]
pub fn ed25519_sign(env: &Env, data: Unknown) -> napi::Result<()> {
    run(env, |environment| {
        let seed = take_seed(environment)?;
        let signature = with_bytes(environment, data, "data", |data| Ok(ed25519::sign(&seed, data)))?;
        environment.arena.write(INPUT.start, &signature)
    })
}

fn take_seed(environment: &Environment) -> Result<Zeroizing<[u8; 32]>, Thrown> {
    let seed = Zeroizing::new(environment.arena.read(SIDE.start)?);
    environment.arena.wipe(SIDE.start..SIDE.start + seed.len())?;
    Ok(seed)
}

/// Public key and signature are in the arena's side.
#[napi(catch_unwind)]
pub fn ed25519_verify(env: &Env, data: Unknown) -> napi::Result<bool> {
    run(env, |environment| {
        let public_key = environment.arena.read(SIDE.start)?;
        let signature = environment.arena.read(SIDE.start + public_key.len())?;
        with_bytes(environment, data, "data", |data| {
            Ok(environment.with_public_keys(|keys| keys.verify(&public_key, data, &signature)))
        })
    })
}

#[napi(catch_unwind)]
pub fn verify_token(env: &Env, jwt: Unknown, did: Unknown) -> napi::Result<bool> {
    run(env, |environment| {
        with_texts(environment, [(jwt, "jwt"), (did, "did")], |[jwt, did]| {
            Ok(environment.with_public_keys(|keys| token::verify(jwt, did, keys)))
        })
    })
}

#[napi(catch_unwind)]
pub fn verify_token_chain(env: &Env, jwts: Unknown, dids: Unknown) -> napi::Result<i32> {
    run(env, |environment| {
        let (jwts, dids) = lists((jwts, "jwts"), (dids, "dids"))?;
        for index in 0..jwts.len() {
            let valid = scoped(env, || {
                let texts = [(item(&jwts, index)?, "jwts"), (item(&dids, index)?, "dids")];
                with_texts(environment, texts, |[jwt, did]| {
                    Ok(environment.with_public_keys(|keys| token::verify(jwt, did, keys)))
                })
                .map_err(|thrown| thrown.of_item(index))
            })?;
            if !valid {
                return Ok(i32::try_from(index).unwrap_or(i32::MAX));
            }
        }
        Ok(-1)
    })
}

#[napi(catch_unwind)]
pub fn sign_messages<'env>(env: &'env Env, id: Unknown, texts: Unknown) -> napi::Result<Array<'env>> {
    run(env, |environment| {
        let (id, texts) = (key_id(id)?, list(texts, "texts")?);
        collect(env, texts.len(), |index| {
            with_texts(environment, [(item(&texts, index)?, "texts")], |[text]| {
                let mac = environment.with_hmac_key(id, |key| Ok(key.mac(text)))?;
                Ok(env.create_string_latin1(base64url::encode_mac(&mac))?)
            })
            .map_err(|thrown| thrown.of_item(index))
        })
    })
}

#[napi(catch_unwind)]
pub fn verify_messages<'env>(
    env: &'env Env,
    id: Unknown,
    texts: Unknown,
    signatures: Unknown,
) -> napi::Result<Array<'env>> {
    run(env, |environment| {
        let id = key_id(id)?;
        let (texts, signatures) = lists((texts, "texts"), (signatures, "signatures"))?;
        collect(env, texts.len(), |index| {
            let pair = [(item(&texts, index)?, "texts"), (item(&signatures, index)?, "signatures")];
            with_texts(environment, pair, |[text, signature]| {
                environment.with_hmac_key(id, |key| Ok(key.verify_base64url(text, signature)))
            })
            .map_err(|thrown| thrown.of_item(index))
        })
    })
}

/// Creates an array of the results of `work` for each item. Handles are released after every item, so a long batch
/// needs no more handles than a short one.
fn collect<'env, T: ToNapiValue>(
    env: &'env Env,
    count: u32,
    work: impl Fn(u32) -> Result<T, Thrown>,
) -> Result<Array<'env>, Thrown> {
    let mut answers = env.create_array(count)?;
    for index in 0..count {
        scoped(env, || Ok(answers.set(index, work(index)?)?))?;
    }
    Ok(answers)
}

impl From<Base58Error> for Thrown {
    fn from(error: Base58Error) -> Self {
        match error {
            Base58Error::InvalidCharacter { offset } => {
                Self::Syntax(format!("the character at byte {offset} is not in the Base58 alphabet"))
            }
            Base58Error::TooLong { length, limit } => {
                Self::Range(format!("the input must not be longer than {limit}, got {length}"))
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
