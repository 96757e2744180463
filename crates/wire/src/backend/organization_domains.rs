//! Domains of organizations.

use serde::{Deserialize, Serialize};

use super::organizations::{OrganizationId, PublicOrganizationData};
use crate::{Id, Tag, Timestamp, id::kind, open::open_enum};

open_enum! {
    /// How users with an address in a domain join its organization.
    pub enum OrganizationEnrollmentMode {
        ManualInvitation = "manual_invitation",
        AutomaticInvitation = "automatic_invitation",
        AutomaticSuggestion = "automatic_suggestion",
        EnterpriseSso = "enterprise_sso",
    }
}

open_enum! {
    /// How far the verification of a domain is.
    pub enum OrganizationDomainVerificationStatus {
        Unverified = "unverified",
        Verified = "verified",
    }
}

open_enum! {
    /// How a domain is verified.
    pub enum OrganizationDomainVerificationStrategy {
        EmailCode = "email_code",
    }
}

/// Id of an organization domain.
pub type OrganizationDomainId = Id<OrganizationDomain>;

kind!(OrganizationDomain, "organization_domain", "orgdmn_");

/// A domain whose users may join an organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrganizationDomain {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub organization_id: OrganizationId,
    pub name: String,
    pub enrollment_mode: OrganizationEnrollmentMode,
    pub affiliation_email_address: Option<String>,
    pub affiliation_verification: Option<OrganizationDomainVerification>,
    pub ownership_verification: Option<OrganizationDomainVerification>,
    pub verification: Option<OrganizationDomainVerification>,
    pub total_pending_invitations: i64,
    pub total_pending_suggestions: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_organization_data: Option<PublicOrganizationData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A proof that a domain belongs to an organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrganizationDomainVerification {
    pub status: OrganizationDomainVerificationStatus,
    pub strategy: OrganizationDomainVerificationStrategy,
    pub attempts: Option<i64>,
    pub expire_at: Option<Timestamp>,
    /// The same as `expire_at`, in the spelling of SDK 2.9.4.
    pub expires_at: Option<Timestamp>,
    pub verified_at: Option<Timestamp>,
}
