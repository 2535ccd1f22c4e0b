use napi::{Env, Error, Status};

/// The reason why a call has no result.
#[derive(Debug, PartialEq, Eq)]
pub enum Thrown {
    /// A value of the wrong kind: `TypeError`, code `ERR_INVALID_ARG_TYPE`.
    Type(String),
    /// A value of the right kind out of bounds: `RangeError`, code `ERR_OUT_OF_RANGE`.
    Range(String),
    /// A text without meaning: `SyntaxError`, code `ERR_INVALID_TEXT`.
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

    /// The same of one item of a list.
    pub fn of_item(self, item: u32) -> Self {
        let at = |message| format!("item {item}: {message}");
        match self {
            Self::Type(message) => Self::Type(at(message)),
            Self::Range(message) => Self::Range(at(message)),
            other => other,
        }
    }

    /// Makes it the pending exception of `env`. Returns the error that tells napi-rs so.
    pub fn throw(self, env: &Env) -> Error {
        let thrown = match self {
            Self::Type(message) => env.throw_type_error(&message, Some("ERR_INVALID_ARG_TYPE")),
            Self::Range(message) => env.throw_range_error(&message, Some("ERR_OUT_OF_RANGE")),
            Self::Syntax(message) => {
                env.throw_syntax_error(message, Some("ERR_INVALID_TEXT"));
                Ok(())
            }
            Self::Fault(message) => env.throw_error(&message, Some("ERR_NATIVE_ENGINE")),
            Self::Pending => Ok(()),
        };
        thrown.err().unwrap_or_else(|| Error::from_status(Status::PendingException))
    }
}

/// A status of Node-API that does not concern an argument.
impl From<Error> for Thrown {
    fn from(error: Error) -> Self {
        match error.status {
            Status::PendingException => Self::Pending,
            status => Self::Fault(format!("Node-API answered with {status}: {}", error.reason)),
        }
    }
}
