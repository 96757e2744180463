//! Redirect URLs: where native applications may be sent back to.

use crate::Operations;

/// What the Backend API offers about it.
pub(crate) fn operations(all: Operations) -> Operations {
    all
}
