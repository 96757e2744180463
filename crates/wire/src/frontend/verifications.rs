//! Links in mails.

use macros::endpoint;

use crate::NoContent;

/// Follow a link that proves an address; leads back to the app.
#[endpoint(GET "/v1/verify" -> NoContent,
    api = Frontend, auth = Visitor, answer = Bare, status = 303)]
pub struct Verify {
    pub token: String,
}
