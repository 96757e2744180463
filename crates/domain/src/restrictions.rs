//! Which identifiers are let in.
