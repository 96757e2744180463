//! Proxy checks.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use super::domains::DomainId;
use crate::{Id, Tag, Timestamp, id::kind};

/// Id of a proxy check.
pub type ProxyCheckId = Id<ProxyCheck>;

kind!(ProxyCheck, "proxy_check", "proxchk_");

/// A test of whether a domain's proxy works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProxyCheck {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub domain_id: DomainId,
    pub last_run_at: Option<Timestamp>,
    pub proxy_url: String,
    pub successful: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Ask for the Frontend API's health through a proxy, and note the outcome.
#[endpoint(POST "/v1/proxy_checks" -> ProxyCheck)]
pub struct VerifyDomainProxy {
    pub domain_id: DomainId,
    pub proxy_url: String,
}
