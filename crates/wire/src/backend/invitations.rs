//! Invitations to the application.

use serde::{Deserialize, Serialize};

use crate::{
    Id, Metadata, Tag, Timestamp,
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
