//! Codes that prove that an address or a number is its user's.
