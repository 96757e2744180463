//! jwt.
