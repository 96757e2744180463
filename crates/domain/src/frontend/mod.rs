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
mod email_addresses;
mod environment;
mod handshakes;
mod health;
mod identifications;
mod limits;
mod offer;
mod organizations;
mod passwords;
mod phone_numbers;
pub(crate) mod proofs;
mod redirects;
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
pub use tokens::FreshTokens;

use crate::{Cx, Operations};

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

/// Where the Frontend API of the request's instance is reached, for links in mails: from what is
/// configured, whatever host was asked.
fn own_url(cx: &Cx) -> String {
    let (server, host) = (&cx.world.public_url, &cx.instance.frontend_host);
    if cx.instance.is_development() {
        // Where pages under development are, so that their cookies come along.
        return format!("{}/_/{host}", server.replace("//127.0.0.1", "//localhost"));
    }
    let scheme =
        if server.starts_with("https:") || !host.ends_with("localhost") { "https" } else { "http" };
    format!("{scheme}://{host}")
}
