use std::ffi::CStr;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use napi_sys as sys;

use super::environment::{Environment, INPUT, SIDE};
use super::text::Text;
use super::thrown::Thrown;

/// Longest input of a hash or a signature, in bytes: a call holds the event loop for its whole time.
pub const MAX_DATA_BYTES: usize = 64 * 1024 * 1024;
/// Most items of a batch.
pub const MAX_ITEMS: u32 = 1_048_576;
const MAX_ARGUMENTS: usize = 3;

/// A function of the module.
pub trait Function {
    const NAME: &'static CStr;
    fn run(call: &mut Call<'_>) -> Result<Value, Thrown>;
}

/// A value made for JavaScript.
pub struct Value(sys::napi_value);

/// One call from JavaScript.
///
/// What only reads takes `&self` and may hand out memory of JavaScript. What can run JavaScript (a
/// getter of a list, for one) or writes to the arena takes `&mut self`, so that the compiler keeps
/// such memory from being looked at when it may have changed or gone.
pub struct Call<'a> {
    env: sys::napi_env,
    arguments: [sys::napi_value; MAX_ARGUMENTS],
    pub environment: &'a Environment,
}

/// The callback that Node has for `F`.
pub unsafe extern "C" fn enter<F: Function>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let result = catch(|| {
        // SAFETY: Node gave both for this call.
        let mut call = unsafe { Call::read(env, info) }?;
        F::run(&mut call)
    });
    match result {
        Ok(value) => value.0,
        Err(thrown) => {
            // SAFETY: Node gave `env` for this call.
            unsafe { thrown.throw(env) };
            ptr::null_mut()
        }
    }
}

/// Runs `work`; a panic in it is a fault like another.
fn catch<T>(work: impl FnOnce() -> Result<T, Thrown>) -> Result<T, Thrown> {
    // What a panic leaves behind: keys and caches, which are whole between any two steps.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Thrown::Fault("the engine panicked".into())))
}

impl<'a> Call<'a> {
    /// # Safety
    ///
    /// `env` and `info` are those of a callback that runs now, added by `Target::add`.
    unsafe fn read(env: sys::napi_env, info: sys::napi_callback_info) -> Result<Self, Thrown> {
        let mut count = MAX_ARGUMENTS;
        let mut arguments = [ptr::null_mut(); MAX_ARGUMENTS];
        let mut data = ptr::null_mut();
        // SAFETY: as promised; there is room for `count` arguments, and missing ones become undefined.
        let status = unsafe {
            sys::napi_get_cb_info(env, info, &mut count, arguments.as_mut_ptr(), ptr::null_mut(), &mut data)
        };
        ok(status)?;
        // SAFETY: `Target::add` gave a live environment, which goes only when no call can come any more.
        let environment = unsafe { data.cast::<Environment>().as_ref() };
        let environment = environment.ok_or_else(|| Thrown::Fault("a call without environment".into()))?;
        Ok(Self { env, arguments, environment })
    }

    /// A whole number from 0 to `limit`. Nothing is rounded, wrapped or clamped.
    pub fn integer(&self, index: usize, what: &str, limit: u32) -> Result<u32, Thrown> {
        self.number(index)?.ok_or_else(|| Thrown::type_error(what, "a number")).and_then(|number| {
            if number.fract() == 0.0 && (0.0..=f64::from(limit)).contains(&number) {
                Ok(number as u32)
            } else {
                Err(Thrown::range(format!(
                    "{what} must be a whole number from 0 to {limit}, and is {number}"
                )))
            }
        })
    }

    /// Nothing when the argument is no number.
    fn number(&self, index: usize) -> Result<Option<f64>, Thrown> {
        let mut number = 0.0;
        // SAFETY: live env and value.
        let status = unsafe { sys::napi_get_value_double(self.env, self.arguments[index], &mut number) };
        if status == sys::Status::napi_number_expected {
            return Ok(None);
        }
        ok(status)?;
        Ok(Some(number))
    }

    /// Bytes of `what`: a `Uint8Array`, or a number, which means so many at the start of the arena.
    pub fn bytes(&self, index: usize, what: &str) -> Result<&[u8], Thrown> {
        if self.number(index)?.is_some() {
            let length = self.integer(index, "a length in the arena", INPUT.len() as u32)? as usize;
            return self.arena(INPUT.start..INPUT.start + length);
        }
        let bytes = self.array(index, what)?;
        if bytes.len() > MAX_DATA_BYTES {
            let length = bytes.len();
            return Err(Thrown::range(format!("{what} has {length} bytes, the limit is {MAX_DATA_BYTES}")));
        }
        Ok(bytes)
    }

    fn array(&self, index: usize, what: &str) -> Result<&[u8], Thrown> {
        let wrong = || Thrown::type_error(what, "a Uint8Array");
        let (mut kind, mut length, mut data, mut buffer) = (0, 0, ptr::null_mut(), ptr::null_mut());
        // SAFETY: live env and value; Node answers with a status when the value is no typed array.
        let status = unsafe {
            sys::napi_get_typedarray_info(
                self.env,
                self.arguments[index],
                &mut kind,
                &mut length,
                &mut data,
                &mut buffer,
                ptr::null_mut(),
            )
        };
        if status == sys::Status::napi_invalid_arg {
            return Err(wrong());
        }
        ok(status)?;
        if kind != sys::TypedarrayType::uint8_array {
            return Err(wrong());
        }
        let (mut plain, mut detached) = (false, false);
        // SAFETY: live env, and the buffer that Node just gave.
        ok(unsafe { sys::napi_is_arraybuffer(self.env, buffer, &mut plain) })?;
        if !plain {
            return Err(Thrown::type_error(what, "a Uint8Array over memory that is not shared"));
        }
        // SAFETY: as above.
        ok(unsafe { sys::napi_is_detached_arraybuffer(self.env, buffer, &mut detached) })?;
        if detached {
            return Err(Thrown::type_error(what, "a Uint8Array whose buffer is not detached"));
        }
        if length == 0 || data.is_null() {
            return Ok(&[]);
        }
        // SAFETY: Node says that so many bytes are there. They belong to a buffer of this thread alone
        // that the argument keeps alive, and the slice borrows this call, so no JavaScript runs
        // that could detach or change it.
        Ok(unsafe { std::slice::from_raw_parts(data.cast(), length) })
    }

    /// `N` bytes of the arena's side, from `offset` in it.
    pub fn side<const N: usize>(&self, offset: usize) -> Result<[u8; N], Thrown> {
        let start = SIDE.start + offset;
        self.arena(start..start + N)?.try_into().map_err(|_| Self::outside())
    }

    /// A part of the arena.
    pub fn arena(&self, range: Range<usize>) -> Result<&[u8], Thrown> {
        // SAFETY: the slice borrows this call, so nothing runs or writes while it lives.
        unsafe { self.environment.read(range) }.ok_or_else(Self::outside)
    }

    /// Overwrites what the arena has of a secret.
    pub fn wipe(&mut self, offset: usize, length: usize) -> Result<(), Thrown> {
        const ZEROS: [u8; 64] = [0; 64];
        let until = offset + length.min(INPUT.len());
        (offset..until)
            .step_by(ZEROS.len())
            .try_for_each(|at| self.write(at, &ZEROS[..ZEROS.len().min(until - at)]))
    }

    /// Writes to the arena.
    pub fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<(), Thrown> {
        // SAFETY: slices of the arena borrow this call, and this borrows it alone.
        unsafe { self.environment.write(offset, bytes) }.ok_or_else(Self::outside)
    }

    fn outside() -> Thrown {
        Thrown::Fault("a place outside the arena".into())
    }

    /// The string `what`.
    pub fn text(&self, index: usize, what: &str) -> Result<Text<'a>, Thrown> {
        // SAFETY: live env and value.
        unsafe { Text::read(self.env, self.arguments[index], self.environment, what) }
    }

    /// How many items the array `what` has.
    pub fn count(&self, index: usize, what: &str) -> Result<u32, Thrown> {
        let (mut is_array, mut count) = (false, 0);
        // SAFETY: live env and value.
        ok(unsafe { sys::napi_is_array(self.env, self.arguments[index], &mut is_array) })?;
        if !is_array {
            return Err(Thrown::type_error(what, "an array"));
        }
        // SAFETY: live env, and the value is an array.
        ok(unsafe { sys::napi_get_array_length(self.env, self.arguments[index], &mut count) })?;
        if count > MAX_ITEMS {
            return Err(Thrown::range(format!("{what} has {count} items, the limit is {MAX_ITEMS}")));
        }
        Ok(count)
    }

    /// The string at `item` of an array. It may have a getter, so this can run JavaScript.
    pub fn text_of(&mut self, index: usize, item: u32, what: &str) -> Result<Text<'a>, Thrown> {
        let mut value = ptr::null_mut();
        // SAFETY: live env and value; a getter that throws leaves a status.
        ok(unsafe { sys::napi_get_element(self.env, self.arguments[index], item, &mut value) })?;
        // SAFETY: live env and value.
        unsafe { Text::read(self.env, value, self.environment, what) }.map_err(|thrown| thrown.of_item(item))
    }

    /// Runs `work` once for each of `count` items, and makes an array of what it gives. Handles are
    /// released after every item, so that a long batch needs no more of them than a short one.
    pub fn collect(
        &mut self,
        count: u32,
        mut work: impl FnMut(&mut Self, u32) -> Result<Value, Thrown>,
    ) -> Result<Value, Thrown> {
        let mut array = ptr::null_mut();
        // SAFETY: live env.
        ok(unsafe { sys::napi_create_array_with_length(self.env, count as usize, &mut array) })?;
        for item in 0..count {
            self.scoped(|call| {
                let value = work(call, item)?;
                // SAFETY: live env and values.
                ok(unsafe { sys::napi_set_element(call.env, array, item, value.0) })
            })?;
        }
        Ok(Value(array))
    }

    /// Runs `work` and releases the handles it made. Nothing that it made may leave it.
    pub fn scoped<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Thrown>) -> Result<T, Thrown> {
        let mut scope = ptr::null_mut();
        // SAFETY: live env.
        ok(unsafe { sys::napi_open_handle_scope(self.env, &mut scope) })?;
        // A scope that a panic left open would be a fault of Node's, so it is stopped here, too.
        let result = catch(|| work(self));
        // SAFETY: the scope opened above, closed once; Node allows that with an exception pending.
        ok(unsafe { sys::napi_close_handle_scope(self.env, scope) })?;
        result
    }

    pub fn undefined(&self) -> Result<Value, Thrown> {
        // SAFETY: live env.
        self.value(|env, value| unsafe { sys::napi_get_undefined(env, value) })
    }

    pub fn boolean(&self, boolean: bool) -> Result<Value, Thrown> {
        // SAFETY: live env.
        self.value(|env, value| unsafe { sys::napi_get_boolean(env, boolean, value) })
    }

    pub fn int(&self, number: i32) -> Result<Value, Thrown> {
        // SAFETY: live env.
        self.value(|env, value| unsafe { sys::napi_create_int32(env, number, value) })
    }

    pub fn uint(&self, number: u32) -> Result<Value, Thrown> {
        // SAFETY: live env.
        self.value(|env, value| unsafe { sys::napi_create_uint32(env, number, value) })
    }

    /// A string of ASCII, which costs less than one of UTF-8.
    pub fn ascii(&self, text: &[u8]) -> Result<Value, Thrown> {
        // SAFETY: live env; the bytes are copied, and each is a character of Latin-1.
        self.value(|env, value| unsafe {
            sys::napi_create_string_latin1(env, text.as_ptr().cast(), text.len() as isize, value)
        })
    }

    fn value(
        &self,
        make: impl FnOnce(sys::napi_env, *mut sys::napi_value) -> sys::napi_status,
    ) -> Result<Value, Thrown> {
        let mut value = ptr::null_mut();
        ok(make(self.env, &mut value))?;
        Ok(Value(value))
    }
}

/// An error for every status but success.
pub fn ok(status: sys::napi_status) -> Result<(), Thrown> {
    if status == sys::Status::napi_ok { Ok(()) } else { Err(Thrown::status(status)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_does_not_leave_the_engine() {
        let caught = catch::<()>(|| panic!("on purpose"));
        assert_eq!(caught, Err(Thrown::Fault("the engine panicked".into())));
    }

    #[test]
    fn what_is_no_panic_passes() {
        assert_eq!(catch(|| Ok(7)), Ok(7));
        assert_eq!(catch::<()>(|| Err(Thrown::Pending)), Err(Thrown::Pending));
    }
}
