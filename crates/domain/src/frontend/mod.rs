//! The Frontend API: what browsers and apps ask for the person in front of them.
//!
//! A mutation is one unit. What is read of the client afterwards, in the same transaction, goes
//! back beside the response, so that official components show what is true now. Tokens are signed
//! once the transaction is over.

mod activity;
mod answer;
pub(crate) mod client_state;
pub(crate) mod clients;
mod cookies;
mod dev_browsers;
mod environment;
mod health;
mod offer;
pub(crate) mod sessions;
pub(crate) mod sign_ins;
mod sign_ups;
pub mod testing;
mod tokens;
mod users;

pub(crate) use answer::{Show, Visit};
pub use tokens::FreshTokens;

use crate::Operations;

/// What the Frontend API offers.
pub(crate) fn operations(all: Operations) -> Operations {
    [
        health::operations,
        environment::operations,
        dev_browsers::operations,
        clients::operations,
        sessions::operations,
        tokens::operations,
        users::operations,
        sign_ups::operations,
    ]
    .into_iter()
    .fold(all, |all, add| add(all))
}
