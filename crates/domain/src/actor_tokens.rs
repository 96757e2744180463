//! Actor tokens: tickets with which somebody signs in as a user.

use crate::Operations;

/// What the Backend API offers about it.
pub(crate) fn operations(all: Operations) -> Operations {
    all
}
