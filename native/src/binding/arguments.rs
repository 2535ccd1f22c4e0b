//! Arguments as JavaScript passes them. Every argument is checked; none is rounded, wrapped or clamped.

use napi::bindgen_prelude::{Array, ArrayBuffer, FromNapiValue, Uint8ArraySlice, Unknown};
use napi::{JsNumber, JsString, JsValue, Status};

use super::arena::INPUT;
use super::environment::Environment;
use super::raw::{append_utf8, buffer_of};
use super::thrown::Thrown;

/// Longest input of a hash or a signature, in bytes: a call holds the event loop for its whole time.
const MAX_DATA_BYTES: usize = 64 * 1024 * 1024;
/// Most items of a batch.
const MAX_ITEMS: u32 = 1_048_576;

/// Room for most texts at their first reading.
const FIRST_BYTES: usize = 2_048;
/// Longest UTF-8 of one character. A text whose length is this close to the capacity may have been cut.
const CHARACTER_BYTES: usize = 4;
/// U+FFFD, which Node writes for itself and in place of a surrogate without its other half.
const REPLACEMENT: &[u8; 3] = "\u{fffd}".as_bytes().first_chunk().unwrap();

/// The id of an HMAC key, which need not exist.
pub fn key_id(value: Unknown) -> Result<u32, Thrown> {
    integer(value, "keyId", u32::MAX)
}

/// A whole number from 0 to `limit`.
pub fn integer(value: Unknown, what: &str, limit: u32) -> Result<u32, Thrown> {
    let number = number(value)?.ok_or_else(|| Thrown::type_error(what, "a number"))?;
    whole(number, what, limit)
}

fn whole(number: f64, what: &str, limit: u32) -> Result<u32, Thrown> {
    // Saturates, so that a number that is not an integer or out of bounds is converted to a different number.
    let integer = number as u32;
    if f64::from(integer) == number && integer <= limit {
        Ok(integer)
    } else {
        Err(Thrown::Range(format!("{what} must be a whole number from 0 to {limit}, got {number}")))
    }
}

/// Nothing when `value` is not a number.
fn number(value: Unknown) -> Result<Option<f64>, Thrown> {
    match JsNumber::from_unknown(value)?.get_double() {
        Ok(number) => Ok(Some(number)),
        Err(error) if error.status == Status::NumberExpected => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Lends `work` the bytes of `what`: a `Uint8Array`, or the number of bytes at the start of the arena. `work` must not
/// run JavaScript, which could detach or change them.
pub fn with_bytes<T>(
    environment: &Environment,
    value: Unknown,
    what: &str,
    work: impl FnOnce(&[u8]) -> Result<T, Thrown>,
) -> Result<T, Thrown> {
    if let Some(length) = number(value)? {
        let length = whole(length, "a length in the arena", INPUT.len() as u32)? as usize;
        return environment.with_input(|input| {
            environment.arena.append_to(input, INPUT.start..INPUT.start + length)?;
            work(input)
        });
    }
    let bytes = Uint8ArraySlice::from_unknown(value).map_err(|error| match error.status {
        Status::InvalidArg => Thrown::type_error(what, "a Uint8Array"),
        _ => error.into(),
    })?;
    // napi-rs takes shared memory, which another thread could change meanwhile, and detached arrays.
    let buffer = buffer_of(&bytes)?;
    if !buffer.is_arraybuffer()? {
        return Err(Thrown::type_error(what, "a Uint8Array over memory that is not shared"));
    }
    if bytes.is_empty() && ArrayBuffer::from_unknown(buffer)?.is_detached()? {
        return Err(Thrown::type_error(what, "a Uint8Array whose buffer is not detached"));
    }
    // `work` may write to the arena.
    if environment.arena.overlaps(&bytes) {
        return Err(Thrown::type_error(what, "a Uint8Array outside the arena"));
    }
    if bytes.len() > MAX_DATA_BYTES {
        return Err(too_long(what, bytes.len()));
    }
    work(&bytes)
}

/// Lends `work` the UTF-8 of strings, each with its name for error messages.
pub fn with_texts<T, const N: usize>(
    environment: &Environment,
    strings: [(Unknown, &str); N],
    work: impl FnOnce([&[u8]; N]) -> Result<T, Thrown>,
) -> Result<T, Thrown> {
    environment.with_input(|input| {
        let mut ends = [0; N];
        for ((string, what), end) in strings.into_iter().zip(&mut ends) {
            append_text(string, what, input)?;
            *end = input.len();
        }
        let mut start = 0;
        work(ends.map(|end| &input[std::mem::replace(&mut start, end)..end]))
    })
}

/// Refuses a lone surrogate, which has no UTF-8 encoding: a signature over its replacement would be valid for other
/// texts, too.
fn append_text(string: Unknown, what: &str, out: &mut Vec<u8>) -> Result<(), Thrown> {
    let start = out.len();
    let written = append_utf8(string, FIRST_BYTES, out).map_err(|error| match error.status {
        Status::StringExpected => Thrown::type_error(what, "a string"),
        _ => error.into(),
    })?;
    if written + CHARACTER_BYTES > FIRST_BYTES {
        let length = JsString::from_unknown(string)?.utf8_len()?;
        if length > MAX_DATA_BYTES {
            return Err(too_long(what, length));
        }
        out.truncate(start);
        let written = append_utf8(string, length, out)?;
        if written != length {
            return Err(Thrown::Fault(format!("{what} has {length} bytes, {written} were read")));
        }
    }
    // The first byte of U+FFFD is rare, and looking for one byte is fast.
    let text = &out[start..];
    if text.contains(&REPLACEMENT[0]) && text.windows(REPLACEMENT.len()).any(|bytes| bytes == REPLACEMENT) {
        let units = JsString::from_unknown(string)?.into_utf16()?;
        if char::decode_utf16(units.iter().copied()).any(|char| char.is_err()) {
            return Err(Thrown::type_error(what, "a string without lone surrogates"));
        }
    }
    Ok(())
}

fn too_long(what: &str, length: usize) -> Thrown {
    Thrown::Range(format!("{what} must have at most {MAX_DATA_BYTES} bytes, got {length}"))
}

/// The array `what`.
pub fn list<'env>(value: Unknown<'env>, what: &str) -> Result<Array<'env>, Thrown> {
    let list = Array::from_unknown(value).map_err(|error| match error.status {
        Status::ArrayExpected => Thrown::type_error(what, "an array"),
        _ => error.into(),
    })?;
    let count = list.len();
    if count > MAX_ITEMS {
        return Err(Thrown::Range(format!("{what} must have at most {MAX_ITEMS} items, got {count}")));
    }
    Ok(list)
}

/// Two arrays of the same length, each with its name for error messages.
pub fn lists<'env>(
    (left, left_name): (Unknown<'env>, &str),
    (right, right_name): (Unknown<'env>, &str),
) -> Result<(Array<'env>, Array<'env>), Thrown> {
    let (left, right) = (list(left, left_name)?, list(right, right_name)?);
    let (wanted, count) = (left.len(), right.len());
    if wanted == count {
        Ok((left, right))
    } else {
        let message = format!("{right_name} must have as many items as {left_name}, {wanted}, got {count}");
        Err(Thrown::Range(message))
    }
}

/// An item within the length of a list. It may have a getter, so this can run JavaScript.
pub fn item<'env>(list: &Array<'env>, index: u32) -> Result<Unknown<'env>, Thrown> {
    list.get(index)?.ok_or_else(|| Thrown::Fault(format!("there is no item {index}")))
}
