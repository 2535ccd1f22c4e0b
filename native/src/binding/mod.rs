//! The border to Node-API.
//!
//! napi-rs registers the module and calls [`register`] for every environment, the main thread and
//! each worker. The functions themselves are plain Node-API callbacks, as a call through the macro
//! costs 25 ns more, and a Base58 text is made in 120. `call` keeps them safe: it reads every
//! argument by type and status, throws instead of clamping, and lets no panic out.

mod call;
mod environment;
mod functions;
mod text;
mod thrown;

use std::ffi::c_void;

use napi::bindgen_prelude::Object;
use napi::{Env, Error, JsValue, Result, Status};
use napi_derive::napi;
use napi_sys as sys;

use call::Function;
use environment::Environment;

#[napi(module_exports)]
pub fn register(mut exports: Object, env: Env) -> Result<()> {
    let environment = Box::into_raw(Box::new(Environment::new()));
    // SAFETY: `environment` was just leaked; the hook gets it once, after the last call from JavaScript.
    let hooked =
        unsafe { sys::napi_add_env_cleanup_hook(env.raw(), Some(forget_environment), environment.cast()) };
    if hooked != sys::Status::napi_ok {
        // SAFETY: the hook was not taken, so this is the only owner.
        drop(unsafe { Box::from_raw(environment) });
        return Err(Error::new(Status::from(hooked), "the environment takes no cleanup hook"));
    }
    // SAFETY: the environment lives until its hook runs, and this is its thread.
    let target = unsafe { Target { env: env.raw(), exports: exports.raw(), environment: &*environment } };
    target.add_arena()?;
    functions::add_all(&target)?;
    exports.set("version", env!("CARGO_PKG_VERSION"))
}

extern "C" fn forget_environment(environment: *mut c_void) {
    // SAFETY: the pointer that `register` leaked for this hook; Node runs it once and no function of
    // this environment after it.
    drop(unsafe { Box::from_raw(environment.cast::<Environment>()) });
}

/// Where a function is added.
pub struct Target<'a> {
    env: sys::napi_env,
    exports: sys::napi_value,
    environment: &'a Environment,
}

impl Target<'_> {
    /// Adds `F` under its name.
    fn add<F: Function>(&self) -> Result<()> {
        let name = F::NAME.to_bytes().len() as isize;
        let data = std::ptr::from_ref(self.environment).cast_mut().cast();
        let mut function = std::ptr::null_mut();
        // SAFETY: live env; the name is read during the call; `data` is the environment, as `enter` expects.
        let status = unsafe {
            sys::napi_create_function(
                self.env,
                F::NAME.as_ptr(),
                name,
                Some(call::enter::<F>),
                data,
                &mut function,
            )
        };
        checked(status)?;
        // SAFETY: both values were made in this scope, and the name ends with NUL.
        checked(unsafe { sys::napi_set_named_property(self.env, self.exports, F::NAME.as_ptr(), function) })
    }

    /// Adds the arena as `arena: Uint8Array`.
    fn add_arena(&self) -> Result<()> {
        let (data, length) = self.environment.arena();
        let mut buffer = std::ptr::null_mut();
        // SAFETY: the arena is as long and lives as long as the environment. It has no finalizer, so
        // whatever JavaScript does with the buffer cannot free it.
        let status = unsafe {
            sys::napi_create_external_arraybuffer(
                self.env,
                data.cast(),
                length,
                None,
                std::ptr::null_mut(),
                &mut buffer,
            )
        };
        checked(status)?;
        let mut view = std::ptr::null_mut();
        // SAFETY: the buffer was made in this scope with that length.
        checked(unsafe {
            sys::napi_create_typedarray(
                self.env,
                sys::TypedarrayType::uint8_array,
                length,
                buffer,
                0,
                &mut view,
            )
        })?;
        // SAFETY: as above.
        checked(unsafe { sys::napi_set_named_property(self.env, self.exports, c"arena".as_ptr(), view) })
    }
}

fn checked(status: sys::napi_status) -> Result<()> {
    if status == sys::Status::napi_ok {
        Ok(())
    } else {
        Err(Error::new(Status::from(status), "Node-API refused to register the engine"))
    }
}
