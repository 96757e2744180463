//! Domains of the instance.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use crate::{Deleted, Id, NoContent, Page, Patch, Tag, id::kind, open::or_default};

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

/// List the instance's domains, newest first.
#[endpoint(GET "/v1/domains" -> Page<Domain>)]
pub struct ListDomains {}

/// Add a satellite.
#[endpoint(POST "/v1/domains" -> Domain)]
pub struct AddDomain {
    pub name: String,
    pub is_satellite: bool,
    pub proxy_url: Patch<String>,
}

/// Change a domain.
#[endpoint(PATCH "/v1/domains/{domain_id}" -> Domain)]
pub struct UpdateDomain {
    pub domain_id: DomainId,
    pub name: Patch<String>,
    pub proxy_url: Patch<String>,
    pub is_secondary: Patch<bool>,
}

/// Delete a satellite.
#[endpoint(DELETE "/v1/domains/{domain_id}" -> Deleted<Domain>)]
pub struct DeleteDomain {
    pub domain_id: DomainId,
}

/// Move a production instance to another domain, which signs everybody out.
#[endpoint(POST "/v1/instance/change_domain" -> NoContent, status = 202)]
pub struct ChangeProductionInstanceDomain {
    pub home_url: String,
    pub is_secondary: Patch<bool>,
}

/// Move a production instance to another domain, as it was called before.
#[endpoint(PUT "/v1/beta_features/domain" -> NoContent, status = 202)]
pub struct UpdateProductionInstanceDomain {
    pub home_url: String,
    pub is_secondary: Patch<bool>,
}

/// Move a production instance to another domain, as the official SDK calls it.
#[endpoint(POST "/v1/beta_features/change_domain" -> NoContent, status = 202)]
pub struct ChangeDomain {
    pub home_url: String,
    pub is_secondary: Patch<bool>,
}
