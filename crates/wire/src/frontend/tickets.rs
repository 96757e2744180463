//! Links of tickets.

use macros::endpoint;

use crate::NoContent;

/// Follow the link of a ticket; leads to the page that takes it.
#[endpoint(GET "/v1/tickets/accept" -> NoContent,
    api = Frontend, auth = Public, answer = Bare, status = 303)]
pub struct AcceptTicket {
    pub ticket: String,
}
