use std::ffi::CString;

use napi_sys as sys;

/// Why a call gives no value.
#[derive(Debug, PartialEq, Eq)]
pub enum Thrown {
    /// A value of the wrong kind: `TypeError`, code `ERR_INVALID_ARG_TYPE`.
    Type(String),
    /// A value of the right kind out of bounds: `RangeError`, code `ERR_OUT_OF_RANGE`.
    Range(String),
    /// A text that means nothing: `SyntaxError`, code `ERR_INVALID_TEXT`.
    Syntax(String),
    /// A fault of this engine: `Error`, code `ERR_NATIVE_ENGINE`.
    Fault(String),
    /// JavaScript has thrown already.
    Pending,
}

impl Thrown {
    pub fn type_error(what: &str, expected: &str) -> Self {
        Self::Type(format!("{what} must be {expected}"))
    }

    pub fn range(message: String) -> Self {
        Self::Range(message)
    }

    /// A getter called the engine while the engine called the getter.
    pub fn busy() -> Self {
        Self::Fault("the engine was called from inside one of its own calls".into())
    }

    /// What a status that is no success stands for, when it says nothing about an argument.
    pub fn status(status: sys::napi_status) -> Self {
        if status == sys::Status::napi_pending_exception {
            Self::Pending
        } else {
            Self::Fault(format!("Node-API answered with status {status}"))
        }
    }

    /// The same of one item of a list.
    pub fn of_item(self, item: u32) -> Self {
        let at = |message| format!("item {item}: {message}");
        match self {
            Self::Type(message) => Self::Type(at(message)),
            Self::Range(message) => Self::Range(at(message)),
            other => other,
        }
    }

    /// Makes it the pending exception of `env`.
    ///
    /// # Safety
    ///
    /// `env` is live and this is its thread.
    pub unsafe fn throw(self, env: sys::napi_env) {
        type Thrower =
            unsafe fn(sys::napi_env, *const std::ffi::c_char, *const std::ffi::c_char) -> sys::napi_status;
        let (throw, code, message): (Thrower, _, _) = match self {
            Self::Type(message) => (sys::napi_throw_type_error, c"ERR_INVALID_ARG_TYPE", message),
            Self::Range(message) => (sys::napi_throw_range_error, c"ERR_OUT_OF_RANGE", message),
            Self::Syntax(message) => (sys::node_api_throw_syntax_error, c"ERR_INVALID_TEXT", message),
            Self::Fault(message) => (sys::napi_throw_error, c"ERR_NATIVE_ENGINE", message),
            Self::Pending => return,
        };
        // No message has a NUL in it; an empty one is better than none thrown.
        let message = CString::new(message).unwrap_or_default();
        // SAFETY: as the caller promises; both texts end with NUL and outlive the call.
        unsafe { throw(env, code.as_ptr(), message.as_ptr()) };
    }
}
