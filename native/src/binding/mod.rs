//! The border to Node-API.
//!
//! napi-rs registers the module and calls [`register`] for every environment: the main thread and each worker.
//! `functions` contains the functions of the module, `fast` those that would be too slow with `#[napi]`, and `raw` all
//! `unsafe` code. `arguments` checks the type and the bounds of every argument and throws instead of clamping;
//! `environment` catches every panic and throws it as an error.
#![deny(unsafe_code)]

mod arena;
mod arguments;
mod environment;
mod fast;
mod functions;
#[allow(unsafe_code)]
mod raw;
mod thrown;

use std::rc::Rc;

use napi::bindgen_prelude::Object;
use napi::{Env, Result};
use napi_derive::napi;

use environment::Environment;

#[napi(module_exports)]
pub fn register(mut exports: Object, env: Env) -> Result<()> {
    let environment = Rc::new(Environment::new());
    exports.set("arena", environment.arena.share(&env)?)?;
    exports.set("version", env!("CARGO_PKG_VERSION"))?;
    Rc::clone(&environment).attach(&env)?;
    fast::add(&mut exports, &env, &environment)
}
