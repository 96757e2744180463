//! Agent tasks: tickets with which an agent acts for a user.

use crate::Operations;

/// What the Backend API offers about it.
pub(crate) fn operations(all: Operations) -> Operations {
    all
}
