//! Why there is no response.

use std::fmt;

use wire::{ApiError, Refusal};

/// Why there is no response.
///
/// ```
/// use vestry_sdk::{Error, api::refusal};
///
/// let error = Error::Refused(refusal::form_identifier_exists().param("username"));
/// assert_eq!(error.code(), Some("form_identifier_exists"));
/// assert_eq!(error.param_name(), Some("username"));
/// assert_eq!(error.to_string(), "422 form_identifier_exists username");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The client was built of what does not fit; the text says of what.
    Configuration(String),
    /// The request cannot be written, such as one whose id is empty.
    Encode(serde_json::Error),
    /// The server said no.
    Refused(Refusal),
    /// There was no answer, or only part of one.
    Transport(Box<dyn std::error::Error + Send + Sync>),
    /// There was an answer, but not one of this API.
    Decode {
        /// HTTP status.
        status: u16,
        /// The answer's body as it came.
        body: Vec<u8>,
        /// What is wrong with it.
        cause: serde_json::Error,
    },
}

impl Error {
    /// HTTP status of the answer, if there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refusal) => Some(refusal.status),
            Self::Decode { status, .. } => Some(*status),
            Self::Configuration(_) | Self::Encode(_) | Self::Transport(_) => None,
        }
    }

    /// Everything the server found wrong.
    pub fn errors(&self) -> &[ApiError] {
        self.refusal().map_or(&[], |refusal| &refusal.errors)
    }

    /// Code of the first thing that is wrong, `form_identifier_exists`.
    pub fn code(&self) -> Option<&str> {
        self.errors().first().map(|error| error.code.as_str())
    }

    /// The parameter that the first error is about.
    pub fn param_name(&self) -> Option<&str> {
        self.refusal()?.param_name()
    }

    /// Names this very answer in the server's log.
    pub fn trace_id(&self) -> Option<&str> {
        self.refusal()?.clerk_trace_id.as_deref()
    }

    /// Seconds after which it may be worth asking again.
    pub fn retry_after(&self) -> Option<u64> {
        self.refusal()?.retry_after
    }

    fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(reason) => f.write_str(reason),
            Self::Encode(error) => write!(f, "the request cannot be written: {error}"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Transport(error) => error.fmt(f),
            Self::Decode { status, cause, .. } => {
                write!(f, "an answer of status {status} cannot be read: {cause}")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Encode(error) | Self::Decode { cause: error, .. } => Some(error),
            Self::Transport(error) => Some(&**error),
            Self::Configuration(_) | Self::Refused(_) => None,
        }
    }
}
