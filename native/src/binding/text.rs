use std::ops::Deref;
use std::ptr;

use napi_sys as sys;

use super::call::{MAX_DATA_BYTES, ok};
use super::environment::Environment;
use super::thrown::Thrown;

/// Room for most texts at their first reading.
const FIRST_BYTES: usize = 2_048;
/// Node ends what it writes with NUL, and writes no part of a character: a result this close to the
/// room there was may have been cut.
const MARGIN: usize = 4;
/// U+FFFD, which Node writes for itself and in place of a surrogate without its other half.
const REPLACEMENT: &[u8; 3] = "\u{fffd}".as_bytes().first_chunk().unwrap();

/// A string of JavaScript as UTF-8, in a buffer that goes back to the environment.
pub struct Text<'a> {
    bytes: Vec<u8>,
    environment: &'a Environment,
}

impl<'a> Text<'a> {
    /// Reads `value`, which is `what` for the messages. A lone surrogate has no UTF-8 and is refused:
    /// a signature over its replacement would fit other texts, too.
    ///
    /// # Safety
    ///
    /// `env` is live, `value` is one of its handles.
    pub unsafe fn read(
        env: sys::napi_env,
        value: sys::napi_value,
        environment: &'a Environment,
        what: &str,
    ) -> Result<Self, Thrown> {
        let mut text = Self { bytes: environment.take_text(), environment };
        text.bytes.reserve(FIRST_BYTES);
        // SAFETY: as the caller promises.
        let mut written = unsafe { text.fill(env, value, what) }?;
        if written + MARGIN >= text.bytes.capacity() {
            // SAFETY: as the caller promises.
            let length = unsafe { utf8_length(env, value) }?;
            if length > MAX_DATA_BYTES {
                return Err(Thrown::range(format!(
                    "{what} has {length} bytes, the limit is {MAX_DATA_BYTES}"
                )));
            }
            text.bytes.reserve(length + MARGIN + 1);
            // SAFETY: as the caller promises.
            written = unsafe { text.fill(env, value, what) }?;
            if written != length {
                return Err(Thrown::Fault(format!("{what} has {length} bytes, {written} were read")));
            }
        }
        // SAFETY: Node wrote so many bytes into the capacity.
        unsafe { text.bytes.set_len(written) };
        // Its first byte is rare, and looking for one byte is fast.
        if text.contains(&REPLACEMENT[0]) && text.windows(REPLACEMENT.len()).any(|bytes| bytes == REPLACEMENT)
        {
            // SAFETY: as the caller promises.
            unsafe { refuse_lone_surrogates(env, value, what) }?;
        }
        Ok(text)
    }

    /// # Safety
    ///
    /// As for [`read`](Self::read).
    unsafe fn fill(
        &mut self,
        env: sys::napi_env,
        value: sys::napi_value,
        what: &str,
    ) -> Result<usize, Thrown> {
        let mut written = 0;
        let room = self.bytes.capacity();
        // SAFETY: as the caller promises; Node writes at most `room` bytes, the NUL with them.
        let status = unsafe {
            sys::napi_get_value_string_utf8(env, value, self.bytes.as_mut_ptr().cast(), room, &mut written)
        };
        if status == sys::Status::napi_string_expected {
            return Err(Thrown::type_error(what, "a string"));
        }
        ok(status)?;
        Ok(written)
    }
}

impl Deref for Text<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Text<'_> {
    fn drop(&mut self) {
        self.environment.keep_text(std::mem::take(&mut self.bytes));
    }
}

/// # Safety
///
/// As for [`Text::read`].
unsafe fn utf8_length(env: sys::napi_env, value: sys::napi_value) -> Result<usize, Thrown> {
    let mut length = 0;
    // SAFETY: as the caller promises; without a buffer Node only counts.
    ok(unsafe { sys::napi_get_value_string_utf8(env, value, ptr::null_mut(), 0, &mut length) })?;
    Ok(length)
}

/// # Safety
///
/// As for [`Text::read`].
unsafe fn refuse_lone_surrogates(
    env: sys::napi_env,
    value: sys::napi_value,
    what: &str,
) -> Result<(), Thrown> {
    let mut length = 0;
    // SAFETY: as the caller promises; without a buffer Node only counts.
    ok(unsafe { sys::napi_get_value_string_utf16(env, value, ptr::null_mut(), 0, &mut length) })?;
    let mut units: Vec<u16> = Vec::with_capacity(length + 1);
    let mut written = 0;
    // SAFETY: as the caller promises; there is room for all units and the NUL.
    ok(unsafe {
        sys::napi_get_value_string_utf16(env, value, units.as_mut_ptr(), units.capacity(), &mut written)
    })?;
    // SAFETY: Node wrote so many units into the capacity.
    unsafe { units.set_len(written) };
    if char::decode_utf16(units).any(|char| char.is_err()) {
        return Err(Thrown::type_error(what, "a string without lone surrogates"));
    }
    Ok(())
}
