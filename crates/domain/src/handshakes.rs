//! Handshakes that are fetched by nonce.

use crate::Operations;

/// What the Backend API offers about it.
pub(crate) fn operations(all: Operations) -> Operations {
    all
}
