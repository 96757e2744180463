//! Memberships.

use serde::{Deserialize, Serialize};

use super::{organizations::Organization, users::UserId};
use crate::{Id, Metadata, Tag, Timestamp, id::kind, open::or_default};

/// Id of an organization membership.
pub type OrganizationMembershipId = Id<OrganizationMembership>;

kind!(OrganizationMembership, "organization_membership", "orgmem_");

/// A user in an organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrganizationMembership {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_name: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub permissions: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub public_metadata: Metadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_metadata: Option<Metadata>,
    pub organization: Organization,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_user_data: Option<OrganizationMembershipPublicUserData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What other members may know of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrganizationMembershipPublicUserData {
    pub user_id: UserId,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub profile_image_url: Option<String>,
    pub image_url: String,
    pub has_image: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub identifier: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banned: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprovisioned: Option<bool>,
}
