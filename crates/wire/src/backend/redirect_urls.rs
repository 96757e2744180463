//! Redirect URLs.

use serde::{Deserialize, Serialize};

use crate::{Id, Tag, Timestamp, id::kind};

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
