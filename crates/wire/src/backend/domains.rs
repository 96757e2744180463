//! Domains of the instance.

use serde::{Deserialize, Serialize};

use crate::{Id, Tag, id::kind, open::or_default};

/// Id of a domain.
pub type DomainId = Id<Domain>;

kind!(Domain, "domain", "dmn_");

/// A domain of the instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Domain {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub name: String,
    pub is_satellite: bool,
    pub frontend_api_url: String,
    pub accounts_portal_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_url: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub development_origin: String,
    #[serde(default, deserialize_with = "or_default")]
    pub cname_targets: Vec<CnameTarget>,
}

/// A record that the domain's name server should have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CnameTarget {
    pub host: String,
    pub value: String,
    pub required: bool,
}
