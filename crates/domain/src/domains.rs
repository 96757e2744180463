//! Domains of the instance: its primary one and satellites.

use crate::Operations;

/// What the Backend API offers about it.
pub(crate) fn operations(all: Operations) -> Operations {
    all
}
