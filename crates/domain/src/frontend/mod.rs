//! The Frontend API: what browsers and apps ask for the person in front of them.
//!
//! A mutation is one unit. What is read of the client afterwards, in the same transaction, goes
//! back beside the response, so that official components show what is true now. Tokens are signed
//! once the transaction is over.

mod activity;
mod answer;
mod captcha;
pub(crate) mod client_state;
pub(crate) mod clients;
mod cookies;
mod dev_browsers;
mod email_addresses;
mod environment;
mod handshakes;
mod health;
mod identifications;
mod leftovers;
pub(crate) mod limits;
mod offer;
mod organizations;
mod passwords;
mod phone_numbers;
pub(crate) mod redirects;
pub(crate) mod sessions;
pub(crate) mod sign_ins;
mod sign_ups;
pub mod testing;
mod tickets;
mod tokens;
mod users;
mod verify;
mod waitlist;

pub(crate) use answer::{Show, Visit};
pub use leftovers::sweep;
pub use sessions::must_be_signed_in;
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
        sign_ins::operations,
        handshakes::operations,
        users::operations,
        sign_ups::operations,
        verify::operations,
        tickets::operations,
        waitlist::operations,
        passwords::operations,
        email_addresses::operations,
        phone_numbers::operations,
        organizations::operations,
    ]
    .into_iter()
    .fold(all, |all, add| add(all))
}
