//! Organizations of users: none, as long as there are no organizations.

use wire::{
    Page,
    backend::{
        organization_invitations::{OrganizationInvitation, OrganizationInvitationStatus},
        organization_memberships::OrganizationMembership,
        users::{UsersGetOrganizationInvitations, UsersGetOrganizationMemberships},
    },
    refusal,
};

use super::find;
use crate::{Cx, Result};

/// Organizations a user belongs to.
pub(super) async fn memberships(
    cx: &mut Cx,
    request: UsersGetOrganizationMemberships,
) -> Result<Page<OrganizationMembership>> {
    find(cx, &request.user_id).await?;
    Ok(Page { data: Vec::new(), total_count: 0 })
}

/// Organizations a user is invited to.
pub(super) async fn invitations(
    cx: &mut Cx,
    request: UsersGetOrganizationInvitations,
) -> Result<Page<OrganizationInvitation>> {
    let known =
        |status: &String| !matches!(status.as_str().into(), OrganizationInvitationStatus::Other(_));
    if !request.status.iter().all(known) {
        let reason = "status must be one of pending, accepted, revoked, expired.";
        return Err(refusal::form_param_value_invalid().because(reason).param("status").into());
    }
    find(cx, &request.user_id).await?;
    Ok(Page { data: Vec::new(), total_count: 0 })
}
