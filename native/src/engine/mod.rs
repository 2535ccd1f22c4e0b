//! The computations of the engine, without Node: safe Rust only.
#![forbid(unsafe_code)]

pub mod base58;
pub mod base64url;
pub mod did_key;
pub mod ed25519;
pub mod hmac;
pub mod token;
