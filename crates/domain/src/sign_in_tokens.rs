//! Sign-in tokens: one-time links that let a user in.

use crate::Operations;

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all
}
