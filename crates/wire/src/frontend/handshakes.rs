//! Handshakes: browsers that apps' servers send here to learn who is signed in.

use macros::endpoint;

use crate::NoContent;

/// Send a browser back to its app, with the cookies that tell the app's server who is signed in.
#[endpoint(GET "/v1/client/handshake" -> NoContent, api = Frontend, auth = Visitor, answer = Bare)]
pub struct HandshakeClient {
    pub redirect_url: String,
    /// `nonce` for something the app's server fetches the cookies by, else a token with them in it.
    pub format: Option<String>,
    /// The app's server goes by the cookies with a suffix.
    pub suffixed_cookies: Option<String>,
}

/// Send a browser back to its app, with a client cookie that lasts.
#[endpoint(GET "/v1/client/touch" -> NoContent, api = Frontend, auth = Visitor, answer = Bare)]
pub struct TouchClient {
    pub redirect_url: String,
}
