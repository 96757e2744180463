//! Invitations to organizations.

use serde::{Deserialize, Serialize};

use super::{
    organizations::{OrganizationId, PublicOrganizationData},
    users::UserId,
};
use crate::{
    Id, Metadata, Tag, Timestamp,
    id::kind,
    open::{open_enum, or_default},
};

open_enum! {
    /// State of an invitation to an organization.
    pub enum OrganizationInvitationStatus {
        Pending = "pending",
        Accepted = "accepted",
        Revoked = "revoked",
        Expired = "expired",
    }
}

/// Id of an organization invitation.
pub type OrganizationInvitationId = Id<OrganizationInvitation>;

kind!(OrganizationInvitation, "organization_invitation", "orginv_");

/// An invitation to an organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrganizationInvitation {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub email_address: String,
    pub role: String,
    pub role_name: String,
    pub organization_id: OrganizationId,
    pub inviter_id: Option<UserId>,
    pub public_inviter_data: Option<OrganizationInvitationPublicUserData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_organization_data: Option<PublicOrganizationData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<OrganizationInvitationStatus>,
    #[serde(default, deserialize_with = "or_default")]
    pub public_metadata: Metadata,
    #[serde(default, deserialize_with = "or_default")]
    pub private_metadata: Metadata,
    pub url: Option<String>,
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What the invited may know of who invites.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrganizationInvitationPublicUserData {
    pub user_id: UserId,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub image_url: String,
    pub has_image: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub identifier: String,
}
