//! Invitations to the application.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use crate::{
    Deleted, Id, Limit, Listing, Metadata, Param, Patch, Shape, Tag, Timestamp,
    id::kind,
    open::{open_enum, or_default},
};

open_enum! {
    /// State of an invitation.
    pub enum InvitationStatus {
        Pending = "pending",
        Accepted = "accepted",
        Revoked = "revoked",
        Expired = "expired",
    }
}

open_enum! {
    /// Which mail brings an invitation.
    pub enum InvitationTemplate {
        Invitation = "invitation",
        WaitlistInvitation = "waitlist_invitation",
    }
}

/// Id of an invitation.
pub type InvitationId = Id<Invitation>;

kind!(Invitation, "invitation", "inv_");

/// An invitation to sign up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invitation {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub email_address: String,
    #[serde(default, deserialize_with = "or_default")]
    pub public_metadata: Metadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<bool>,
    pub status: InvitationStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// How long an invitation is good for, in days: 1 to 365.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InvitationDays(pub u32);

impl Param for InvitationDays {
    const SHAPE: Shape = Shape::Integer { min: 1, max: 365 };
}

/// List invitations, newest first; those revoked only when asked for.
#[endpoint(GET "/v1/invitations" -> Listing<Invitation>)]
pub struct ListInvitations {
    pub status: Option<InvitationStatus>,
    pub query: Option<String>,
    pub order_by: Option<String>,
    pub paginated: Option<bool>,
    pub limit: Option<Limit>,
    pub offset: Option<u32>,
}

/// Invite somebody to sign up.
#[endpoint(POST "/v1/invitations" -> Invitation)]
pub struct CreateInvitation {
    pub email_address: String,
    pub public_metadata: Patch<Metadata>,
    pub redirect_url: Patch<String>,
    pub notify: Patch<bool>,
    pub ignore_existing: Patch<bool>,
    pub expires_in_days: Patch<InvitationDays>,
    pub template_slug: Option<InvitationTemplate>,
}

/// Invite up to ten people to sign up, or none of them.
#[endpoint(POST "/v1/invitations/bulk" -> Vec<Invitation>, body = Items)]
pub struct CreateBulkInvitations {
    pub items: Vec<CreateInvitation>,
}

/// Revoke an invitation that nobody has accepted.
#[endpoint(POST "/v1/invitations/{invitation_id}/revoke" -> Invitation)]
pub struct RevokeInvitation {
    pub invitation_id: InvitationId,
}

/// Delete an invitation.
#[endpoint(DELETE "/v1/invitations/{invitation_id}" -> Deleted<Invitation>)]
pub struct DeleteInvitation {
    pub invitation_id: InvitationId,
}
