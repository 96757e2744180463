//! The public keys of an instance.

use crate::Operations;

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all
}
