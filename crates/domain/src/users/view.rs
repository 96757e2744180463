//! How the Backend API shows a user.

use wire::{
    Metadata, Tag, Timestamp,
    backend::{
        email_addresses::EmailAddress, external_accounts::ExternalAccount, passkeys::Passkey,
        phone_numbers::PhoneNumber, users::User, web3_wallets::Web3Wallet,
    },
};

use super::UserRow;
use crate::{
    Cx, Instance, World,
    identifications::{IdentificationKind, IdentificationRow},
    images,
};

/// A user with all of their identifications.
pub(crate) fn view(cx: &Cx, row: &UserRow, identifications: &[IdentificationRow]) -> User {
    shown(&cx.world, &cx.instance, cx.now, row, identifications)
}

/// The same, wherever one stands.
pub(crate) fn shown(
    world: &World,
    instance: &Instance,
    now: Timestamp,
    row: &UserRow,
    identifications: &[IdentificationRow],
) -> User {
    let of_kind = |kind| identifications.iter().filter(move |row| row.is(kind));
    let phones: Vec<_> = of_kind(IdentificationKind::PhoneNumber).map(phone_number).collect();
    let second_factor_phone = phones.iter().any(|phone| phone.reserved_for_second_factor);
    let totp_enabled = row.totp_secret.is_some();
    let lock_seconds = row.locked_until.map(|until| (until.0 - now.0) / 1000);
    let locked = lock_seconds.is_some_and(|seconds| seconds > 0);
    let lockout = &instance.settings.lockout;
    let attempts_left = i64::from(lockout.max_attempts).saturating_sub(row.failed_attempts).max(0);
    let image_url = images::url(&world.public_url, row.image_id.as_deref(), row.id.as_str());
    User {
        id: row.id.clone(),
        object: Tag::new(),
        username: row.username.clone(),
        first_name: row.first_name.clone(),
        last_name: row.last_name.clone(),
        image_url: image_url.clone(),
        profile_image_url: image_url,
        has_image: row.image_id.is_some(),
        primary_email_address_id: row.primary_email_address_id.clone(),
        primary_phone_number_id: row.primary_phone_number_id.clone(),
        primary_web3_wallet_id: row.primary_web3_wallet_id.clone(),
        password_enabled: row.password.is_some(),
        two_factor_enabled: totp_enabled || second_factor_phone,
        totp_enabled,
        backup_code_enabled: row.backup_codes.is_some(),
        mfa_enabled_at: row.mfa_enabled_at,
        mfa_disabled_at: row.mfa_disabled_at,
        email_addresses: of_kind(IdentificationKind::EmailAddress).map(email_address).collect(),
        phone_numbers: phones,
        web3_wallets: of_kind(IdentificationKind::Web3Wallet).map(web3_wallet).collect(),
        passkeys: of_kind(IdentificationKind::Passkey).map(passkey).collect(),
        organization_memberships: Vec::new(),
        external_accounts: of_kind(IdentificationKind::ExternalAccount)
            .filter_map(external_account)
            .collect(),
        saml_accounts: Vec::new(),
        enterprise_accounts: Vec::new(),
        password_last_updated_at: row.password_updated_at,
        public_metadata: metadata(&row.public_metadata),
        private_metadata: metadata(&row.private_metadata),
        unsafe_metadata: metadata(&row.unsafe_metadata),
        external_id: row.external_id.clone(),
        last_sign_in_at: row.last_sign_in_at,
        banned: row.banned,
        locked,
        deprovisioned: false,
        lockout_expires_in_seconds: lock_seconds.filter(|seconds| *seconds > 0),
        verification_attempts_remaining: lockout.enabled.then_some(attempts_left),
        created_at: row.created_at,
        updated_at: row.updated_at,
        last_active_at: row.last_active_at,
        create_organization_enabled: row.create_organization_enabled,
        create_organizations_limit: row.create_organizations_limit,
        delete_self_enabled: row.delete_self_enabled,
        legal_accepted_at: row.legal_accepted_at,
        locale: row.locale.clone(),
        bypass_client_trust: Some(row.bypass_client_trust),
        scim: None,
    }
}

/// Stored metadata is always an object.
pub(crate) fn metadata(text: &str) -> Metadata {
    // Most have none, and reading is the dearest part of showing a user.
    if text == "{}" { Metadata::new() } else { serde_json::from_str(text).unwrap_or_default() }
}

/// An e-mail address.
pub(crate) fn email_address(row: &IdentificationRow) -> EmailAddress {
    EmailAddress {
        id: row.id.as_str().into(),
        object: Tag::new(),
        email_address: row.value.clone(),
        reserved: row.reserved,
        verification: row.verification(),
        linked_to: row.links(),
        matches_sso_connection: Some(false),
        created_at: Some(row.created_at),
        updated_at: Some(row.updated_at),
    }
}

/// A phone number.
pub(crate) fn phone_number(row: &IdentificationRow) -> PhoneNumber {
    PhoneNumber {
        id: row.id.as_str().into(),
        object: Tag::new(),
        phone_number: row.value.clone(),
        reserved_for_second_factor: row.reserved_for_second_factor,
        default_second_factor: row.default_second_factor,
        reserved: row.reserved,
        verification: row.verification(),
        linked_to: row.links(),
        backup_codes: Vec::new(),
        created_at: Some(row.created_at),
        updated_at: Some(row.updated_at),
    }
}

fn web3_wallet(row: &IdentificationRow) -> Web3Wallet {
    Web3Wallet {
        id: row.id.as_str().into(),
        object: Tag::new(),
        web3_wallet: row.value.clone(),
        verification: row.verification(),
        created_at: Some(row.created_at),
        updated_at: Some(row.updated_at),
    }
}

fn passkey(row: &IdentificationRow) -> Passkey {
    let detail = row.detail.as_deref().map(metadata).unwrap_or_default();
    let text = |name: &str| detail.get(name).and_then(|value| value.as_str());
    Passkey {
        id: row.id.as_str().into(),
        object: Tag::new(),
        name: text("name").unwrap_or("Passkey").to_owned(),
        last_used_at: detail.get("last_used_at").and_then(serde_json::Value::as_i64).map(Timestamp),
        verification: row.verification(),
    }
}

/// The API's own JSON is what is stored of one, but for what the columns hold.
fn external_account(row: &IdentificationRow) -> Option<ExternalAccount> {
    let mut account: ExternalAccount = serde_json::from_str(row.detail.as_deref()?).ok()?;
    account.id = row.id.as_str().into();
    account.verification = row.verification();
    Some(account)
}
