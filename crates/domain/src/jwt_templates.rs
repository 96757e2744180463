//! JWT templates: tokens of one's own making.

use crate::Operations;

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all
}
