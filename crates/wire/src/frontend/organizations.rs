//! The user's organizations. There are none yet; official components ask all the same.

use macros::endpoint;

use crate::{
    Metadata, Page,
    backend::{
        organization_invitations::OrganizationInvitation,
        organization_memberships::OrganizationMembership,
    },
};

/// List the organizations one is a member of.
#[endpoint(GET "/v1/me/organization_memberships" -> Page<OrganizationMembership>,
    api = Frontend, auth = Session)]
pub struct ListMyOrganizationMemberships {}

/// List invitations to organizations.
#[endpoint(GET "/v1/me/organization_invitations" -> Page<OrganizationInvitation>,
    api = Frontend, auth = Session)]
pub struct ListMyOrganizationInvitations {}

/// List organizations that one could join.
#[endpoint(GET "/v1/me/organization_suggestions" -> Page<Metadata>,
    api = Frontend, auth = Session)]
pub struct ListMyOrganizationSuggestions {}
