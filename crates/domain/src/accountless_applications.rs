//! Instances that nobody has claimed yet.

use crate::Operations;

/// What the Backend API offers about it.
pub(crate) fn operations(all: Operations) -> Operations {
    all
}
