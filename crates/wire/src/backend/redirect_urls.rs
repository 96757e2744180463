//! Redirect URLs.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use crate::{Deleted, Id, Limit, Listing, Tag, Timestamp, id::kind};

/// Id of a redirect URL.
pub type RedirectUrlId = Id<RedirectUrl>;

kind!(RedirectUrl, "redirect_url", "ru_");

/// A URL that native applications may be sent back to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RedirectUrl {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub url: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// List redirect URLs, newest first.
#[endpoint(GET "/v1/redirect_urls" -> Listing<RedirectUrl>)]
pub struct ListRedirectURLs {
    pub paginated: Option<bool>,
    pub limit: Option<Limit>,
    pub offset: Option<u32>,
}

/// Let native applications be sent back to a URL.
#[endpoint(POST "/v1/redirect_urls" -> RedirectUrl)]
pub struct CreateRedirectURL {
    pub url: String,
}

/// Fetch one redirect URL.
#[endpoint(GET "/v1/redirect_urls/{redirect_url_id}" -> RedirectUrl)]
pub struct GetRedirectURL {
    pub redirect_url_id: RedirectUrlId,
}

/// Delete a redirect URL.
#[endpoint(DELETE "/v1/redirect_urls/{redirect_url_id}" -> Deleted<RedirectUrl>)]
pub struct DeleteRedirectURL {
    pub redirect_url_id: RedirectUrlId,
}
