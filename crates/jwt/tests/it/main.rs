//! Tokens from the outside: published vectors, every way to fake one, every shape of a key.

mod forgeries;
mod keys;
mod vectors;
