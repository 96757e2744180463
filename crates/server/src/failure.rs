//! Why a command did not do what it was asked to, and how that is told.

use std::process::ExitCode;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The settings are missing, wrong or contradictory; all of it.
    Settings(Vec<String>),
    /// Something else stood in the way.
    Other(String),
}

/// Result of a command.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// Tells what happened on standard error: 2 for what has to be asked differently, else 1.
    #[expect(clippy::print_stderr, reason = "the last words of the program")]
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Self::Settings(problems) => {
                eprintln!("error: the settings cannot be used:");
                for problem in problems {
                    eprintln!("  - {problem}");
                }
                ExitCode::from(2)
            }
            Self::Other(text) => {
                eprintln!("error: {text}");
                ExitCode::FAILURE
            }
        }
    }

    /// A failure that says `text`.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self::Other(text.into())
    }
}

impl From<db::Error> for Failure {
    fn from(error: db::Error) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<domain::Error> for Failure {
    fn from(error: domain::Error) -> Self {
        match error {
            domain::Error::Refused(refusal) | domain::Error::Kept(refusal) => {
                let texts = refusal.errors.iter().map(|error| error.long_message.clone());
                Self::Other(texts.collect::<Vec<_>>().join("; "))
            }
            error => Self::Other(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Other(error.to_string())
    }
}
