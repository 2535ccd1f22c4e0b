//! The native engine of `@esdb-gater/security`.
//!
//! [`engine`] computes, independently of Node; it is safe Rust throughout. `binding` is the thin border to Node-API,
//! with `unsafe` in one file; `wasm` is the border of the WebAssembly build.
#![deny(clippy::all, unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

pub mod engine;

// In a test build napi-rs does not register functions, so functions that only Node calls are unused.
#[cfg(all(feature = "node", not(target_arch = "wasm32")))]
#[cfg_attr(test, allow(dead_code))]
mod binding;

#[cfg(target_arch = "wasm32")]
mod wasm;
