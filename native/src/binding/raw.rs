//! The raw calls to Node-API, and with them all the `unsafe` of the border. Each is here because
//! napi-rs lacks it, or because a figure of `tools/bench` is missed without it.

use std::cell::Cell;
use std::ffi::CStr;
use std::ptr;
use std::rc::Rc;

use napi::bindgen_prelude::{ArrayBuffer, JsObjectValue, Object, ToNapiValue, Uint8ArraySlice, Unknown};
use napi::{Env, Error, JsError, JsValue, Status, check_status, sys};

use super::environment::{Environment, guard};
use super::thrown::Thrown;

/// A function of the module that is called for every message.
///
/// `#[napi]` costs such a call 140 to 170 ns more, where a plain callback costs 38 in all: the macro
/// allocates, locks and drops a record of borrowed class instances at every call, and the environment
/// is looked up in a table under a lock. `fast` has the figures of each function.
pub trait Function {
    const NAME: &'static CStr;
    fn run<'env>(call: &Call<'env>) -> Result<Unknown<'env>, Thrown>;
}

const MAX_ARGUMENTS: usize = 3;

/// A call of a [`Function`].
pub struct Call<'env> {
    env: &'env Env,
    pub environment: &'env Environment,
    /// Those that were not passed are undefined.
    pub arguments: [Unknown<'env>; MAX_ARGUMENTS],
}

impl<'env> Call<'env> {
    pub fn answer(&self, value: impl ToNapiValue) -> Result<Unknown<'env>, Thrown> {
        Ok(value.into_unknown(self.env)?)
    }

    /// Creates a string from ASCII, which costs less than from UTF-8.
    pub fn ascii(&self, text: &[u8]) -> Result<Unknown<'env>, Thrown> {
        Ok(self.env.create_string_latin1(text)?.to_unknown())
    }
}

/// Adds `F` to the module. `environment` is attached to `env`.
pub fn add<F: Function>(exports: &mut Object, env: &Env, environment: &Rc<Environment>) -> napi::Result<()> {
    let mut function = ptr::null_mut();
    // SAFETY: a live environment; the name is read during the call. The environment that is passed along
    // stays attached until no call can come any more.
    let function = unsafe {
        check_status!(sys::napi_create_function(
            env.raw(),
            F::NAME.as_ptr(),
            F::NAME.count_bytes() as isize,
            Some(enter::<F>),
            Rc::as_ptr(environment).cast_mut().cast(),
            &mut function,
        ))?;
        Unknown::from_raw_unchecked(env.raw(), function)
    };
    exports.set_c_named_property(F::NAME, function)
}

/// The callback that Node has for `F`.
unsafe extern "C" fn enter<F: Function>(
    raw_env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let (mut count, mut arguments, mut data) =
        (MAX_ARGUMENTS, [ptr::null_mut(); MAX_ARGUMENTS], ptr::null_mut());
    // SAFETY: Node gave both for this call. There is room for `count` arguments, and it makes missing ones
    // undefined. `add` gave it the data, and the environment is alive as long as calls come.
    let (arguments, environment) = unsafe {
        sys::napi_get_cb_info(raw_env, info, &mut count, arguments.as_mut_ptr(), ptr::null_mut(), &mut data);
        (
            arguments.map(|value| Unknown::from_raw_unchecked(raw_env, value)),
            data.cast::<Environment>().as_ref(),
        )
    };
    let env = &Env::from_raw(raw_env);
    let answer = guard(env, || {
        let environment = environment.ok_or_else(|| Thrown::Fault("a call without environment".into()))?;
        F::run(&Call { env, environment, arguments })
    });
    answer.map_or_else(
        |error| {
            // SAFETY: a live environment. Has no effect when the exception is already pending.
            unsafe { JsError::from(error).throw_into(raw_env) };
            ptr::null_mut()
        },
        |value| value.raw(),
    )
}

/// Appends the UTF-8 of a string to `out`, in which there is room for `room` bytes and NUL, and gives how
/// many bytes it wrote: no part of a character, and not more than fit. A lone surrogate becomes U+FFFD.
///
/// One call into Node where napi-rs makes two, and into memory that is kept and not cleared: decoding 32
/// bytes of Base58 takes 210 ns instead of 280, verifying a message 392 instead of 514.
pub fn append_utf8(string: Unknown, room: usize, out: &mut Vec<u8>) -> napi::Result<usize> {
    let string = string.value();
    let (start, mut written) = (out.len(), 0);
    out.reserve(room + 1);
    // SAFETY: a value of the environment that runs now. Node writes into the reserved part and returns the length, and
    // does not write when the status is an error.
    unsafe {
        let free = out.as_mut_ptr().add(start).cast();
        check_status!(sys::napi_get_value_string_utf8(
            string.env,
            string.value,
            free,
            room + 1,
            &mut written
        ))?;
        out.set_len(start + written);
    }
    Ok(written)
}

/// The buffer of a typed array, which napi-rs does not give.
pub fn buffer_of<'env>(array: &Uint8ArraySlice<'env>) -> napi::Result<Unknown<'env>> {
    let array = array.value();
    let mut buffer = ptr::null_mut();
    // SAFETY: a typed array of the environment that runs now; Node skips null pointers.
    unsafe {
        check_status!(sys::napi_get_typedarray_info(
            array.env,
            array.value,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            &mut buffer,
            ptr::null_mut(),
        ))?;
        Ok(Unknown::from_raw_unchecked(array.env, buffer))
    }
}

/// Shares `cells` with JavaScript as a `Uint8Array`. They are freed when neither side references them any more.
pub fn share<'env>(env: &'env Env, cells: Rc<[Cell<u8>]>) -> napi::Result<Uint8ArraySlice<'env>> {
    let (start, length) = (cells.as_ptr().cast_mut().cast::<u8>(), cells.len());
    // SAFETY: so many initialised bytes are there, and the hint keeps them alive until JavaScript has given
    // the buffer back. They are cells, which may be written through a shared pointer, and only the thread
    // of this environment uses them.
    let buffer = unsafe { ArrayBuffer::from_external(env, start, length, cells, |_, cells| drop(cells)) }?;
    if buffer.as_ptr() != start.cast_const() {
        // napi-rs returns a copy if the runtime forbids external memory, as Electron does.
        let reason = "this runtime does not share memory with addons".to_owned();
        return Err(Error::new(Status::NoExternalBuffersAllowed, reason));
    }
    Uint8ArraySlice::from_arraybuffer(&buffer, 0, length)
}
