//! The user, as they see themselves.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use crate::{
    Deleted, Id, Metadata, Patch, Tag, Timestamp, Upload,
    backend::{
        self,
        email_addresses::{EmailAddress, EmailAddressId},
        enterprise_accounts::EnterpriseAccount,
        external_accounts::ExternalAccount,
        organization_memberships::OrganizationMembership,
        passkeys::Passkey,
        phone_numbers::{PhoneNumber, PhoneNumberId},
        saml_accounts::SamlAccount,
        users::UserId,
        web3_wallets::{Web3Wallet, Web3WalletId},
    },
    id::kind,
};

/// A user, without what is for servers only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    pub object: Tag<backend::users::User>,
    pub id: UserId,
    pub external_id: Option<String>,
    pub username: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub locale: Option<String>,
    pub image_url: String,
    pub profile_image_url: String,
    pub has_image: bool,
    pub primary_email_address_id: Option<EmailAddressId>,
    pub primary_phone_number_id: Option<PhoneNumberId>,
    pub primary_web3_wallet_id: Option<Web3WalletId>,
    pub password_enabled: bool,
    pub two_factor_enabled: bool,
    pub totp_enabled: bool,
    pub backup_code_enabled: bool,
    pub email_addresses: Vec<EmailAddress>,
    pub phone_numbers: Vec<PhoneNumber>,
    pub web3_wallets: Vec<Web3Wallet>,
    pub passkeys: Vec<Passkey>,
    pub organization_memberships: Vec<OrganizationMembership>,
    pub external_accounts: Vec<ExternalAccount>,
    pub enterprise_accounts: Vec<EnterpriseAccount>,
    pub saml_accounts: Vec<SamlAccount>,
    pub password_last_updated_at: Option<Timestamp>,
    pub public_metadata: Metadata,
    pub unsafe_metadata: Metadata,
    pub last_sign_in_at: Option<Timestamp>,
    pub banned: bool,
    pub locked: bool,
    pub lockout_expires_in_seconds: Option<i64>,
    pub verification_attempts_remaining: Option<i64>,
    pub delete_self_enabled: bool,
    pub create_organization_enabled: bool,
    /// Absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_organizations_limit: Option<i64>,
    pub last_active_at: Option<Timestamp>,
    pub mfa_enabled_at: Option<Timestamp>,
    pub mfa_disabled_at: Option<Timestamp>,
    pub legal_accepted_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<backend::users::User> for User {
    fn from(user: backend::users::User) -> Self {
        Self {
            object: Tag::new(),
            id: user.id,
            external_id: user.external_id,
            username: user.username,
            first_name: user.first_name,
            last_name: user.last_name,
            locale: user.locale,
            image_url: user.image_url,
            profile_image_url: user.profile_image_url,
            has_image: user.has_image,
            primary_email_address_id: user.primary_email_address_id,
            primary_phone_number_id: user.primary_phone_number_id,
            primary_web3_wallet_id: user.primary_web3_wallet_id,
            password_enabled: user.password_enabled,
            two_factor_enabled: user.two_factor_enabled,
            totp_enabled: user.totp_enabled,
            backup_code_enabled: user.backup_code_enabled,
            email_addresses: user.email_addresses,
            phone_numbers: user.phone_numbers,
            web3_wallets: user.web3_wallets,
            passkeys: user.passkeys,
            organization_memberships: user.organization_memberships,
            external_accounts: user.external_accounts,
            enterprise_accounts: user.enterprise_accounts,
            saml_accounts: user.saml_accounts,
            password_last_updated_at: user.password_last_updated_at,
            public_metadata: user.public_metadata,
            unsafe_metadata: user.unsafe_metadata,
            last_sign_in_at: user.last_sign_in_at,
            banned: user.banned,
            locked: user.locked,
            lockout_expires_in_seconds: user.lockout_expires_in_seconds,
            verification_attempts_remaining: user.verification_attempts_remaining,
            delete_self_enabled: user.delete_self_enabled,
            create_organization_enabled: user.create_organization_enabled,
            create_organizations_limit: user.create_organizations_limit,
            last_active_at: user.last_active_at,
            mfa_enabled_at: user.mfa_enabled_at,
            mfa_disabled_at: user.mfa_disabled_at,
            legal_accepted_at: user.legal_accepted_at,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// What others may know of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PublicUserData {
    pub user_id: Option<UserId>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub username: Option<String>,
    pub image_url: String,
    pub has_image: bool,
    pub identifier: String,
    pub banned: bool,
}

impl From<&backend::users::User> for PublicUserData {
    fn from(user: &backend::users::User) -> Self {
        Self {
            user_id: Some(user.id.clone()),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            username: user.username.clone(),
            image_url: user.image_url.clone(),
            has_image: user.has_image,
            identifier: identifier(user).unwrap_or_default(),
            banned: user.banned,
        }
    }
}

/// By what a user is called: the primary e-mail address, else the next best.
fn identifier(user: &backend::users::User) -> Option<String> {
    let email = user.primary_email_address_id.as_ref().and_then(|id| {
        let address = user.email_addresses.iter().find(|address| address.id == *id);
        address.map(|address| address.email_address.clone())
    });
    let phone = || {
        let id = user.primary_phone_number_id.as_ref()?;
        let number = user.phone_numbers.iter().find(|number| number.id == *id)?;
        Some(number.phone_number.clone())
    };
    let wallet = || {
        let id = user.primary_web3_wallet_id.as_ref()?;
        let wallet = user.web3_wallets.iter().find(|wallet| wallet.id == *id)?;
        Some(wallet.web3_wallet.clone())
    };
    email.or_else(|| user.username.clone()).or_else(phone).or_else(wallet)
}

/// Fetch the user who is signed in.
#[endpoint(GET "/v1/me" -> User, api = Frontend, auth = Session)]
pub struct GetMe {}

/// Change the user who is signed in.
#[endpoint(PATCH "/v1/me" -> User, api = Frontend, auth = Session)]
pub struct UpdateMe {
    pub username: Patch<String>,
    pub first_name: Patch<String>,
    pub last_name: Patch<String>,
    pub primary_email_address_id: Patch<EmailAddressId>,
    pub primary_phone_number_id: Patch<PhoneNumberId>,
    pub primary_web3_wallet_id: Patch<Web3WalletId>,
    pub unsafe_metadata: Patch<Metadata>,
}

/// Merge metadata into what the user may write themselves.
#[endpoint(PATCH "/v1/me/metadata" -> User, api = Frontend, auth = Session)]
pub struct UpdateMyMetadata {
    pub unsafe_metadata: Patch<Metadata>,
}

/// Delete the user who is signed in, as they wish.
#[endpoint(DELETE "/v1/me" -> Deleted<backend::users::User>, api = Frontend, auth = Session)]
pub struct DeleteMe {}

/// Give oneself another password, or a first one.
#[endpoint(POST "/v1/me/change_password" -> User, api = Frontend, auth = Session)]
pub struct ChangeMyPassword {
    pub new_password: String,
    /// Of whoever has one.
    pub current_password: Option<String>,
    pub sign_out_of_other_sessions: Option<bool>,
}

/// Do without a password from now on.
#[endpoint(POST "/v1/me/remove_password" -> User, api = Frontend, auth = Session)]
pub struct RemoveMyPassword {
    pub current_password: Option<String>,
}

kind!(Image, "image", "img_");

/// A picture that was uploaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Image {
    pub object: Tag<Self>,
    pub id: Id<Self>,
    pub name: String,
    pub public_url: String,
}

/// Set one's picture: a form with a file, or the text of a `data:` URL.
#[endpoint(POST "/v1/me/profile_image" -> Image, api = Frontend, auth = Session)]
pub struct SetMyProfileImage {
    pub file: Upload,
}

/// Remove one's picture.
#[endpoint(DELETE "/v1/me/profile_image" -> Deleted<Image>, api = Frontend, auth = Session)]
pub struct DeleteMyProfileImage {}
