//! Browsers of developers, which development instances know by a token instead of a cookie.

use macros::endpoint;
use serde::{Deserialize, Serialize};

/// A token for a browser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DevBrowser {
    /// The token.
    pub id: String,
    /// The token again, by the name that older scripts read.
    pub token: String,
}

/// Make a token for a browser that has none.
#[endpoint(POST "/v1/dev_browser" -> DevBrowser, api = Frontend, auth = Public, answer = Bare)]
pub struct CreateDevBrowser {}
