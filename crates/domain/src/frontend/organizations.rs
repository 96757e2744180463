//! The user's organizations: none, as long as there are no organizations.

use wire::{
    Metadata, Page,
    backend::{
        organization_invitations::OrganizationInvitation,
        organization_memberships::OrganizationMembership,
    },
    frontend::organizations::{
        ListMyOrganizationInvitations, ListMyOrganizationMemberships, ListMyOrganizationSuggestions,
    },
};

use super::sessions;
use crate::{Cx, Operations, Result};

/// What the Frontend API offers about them.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor(memberships).offer_visitor(invitations).offer_visitor(suggestions)
}

/// List the organizations one is a member of.
async fn memberships(
    cx: &mut Cx,
    _: ListMyOrganizationMemberships,
) -> Result<Page<OrganizationMembership>> {
    none(cx).await
}

/// List invitations to organizations.
async fn invitations(
    cx: &mut Cx,
    _: ListMyOrganizationInvitations,
) -> Result<Page<OrganizationInvitation>> {
    none(cx).await
}

/// List organizations that one could join.
async fn suggestions(cx: &mut Cx, _: ListMyOrganizationSuggestions) -> Result<Page<Metadata>> {
    none(cx).await
}

async fn none<T>(cx: &mut Cx) -> Result<Page<T>> {
    sessions::current(cx).await?;
    Ok(Page { data: Vec::new(), total_count: 0 })
}
