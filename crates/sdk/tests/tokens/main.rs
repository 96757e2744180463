//! Verifying tokens: the rules, the keys and what a session may do.

mod has;
mod jwks;
mod rules;
mod world;
