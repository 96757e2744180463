//! E-mail addresses of users.

use crate::Operations;

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all
}
