//! How the Frontend API shows a sign-up.

use wire::{
    Tag, Timestamp,
    backend::verifications::{Verification, VerificationStatus},
    frontend::sign_ups::{SignUp, SignUpVerification, SignUpVerifications},
};

use crate::{
    Result, Settings,
    identifications::IdentificationKind,
    sign_ups::{Requirements, SignUpRow, next_action, requirements, supported_strategies},
};

/// A sign-up at `now`, as whoever signs up sees it.
pub(crate) fn view(settings: &Settings, now: Timestamp, row: &SignUpRow) -> Result<SignUp> {
    let Requirements { required, optional, missing, unverified } = requirements(settings, row);
    let shown = |kind| {
        row.value(kind).map(|_| SignUpVerification {
            verification: row.verification(kind).map(|verification| at(now, verification)),
            next_action: next_action(row, kind, &unverified, now),
            supported_strategies: supported_strategies(settings, row, kind),
        })
    };
    let verifications = SignUpVerifications {
        email_address: shown(IdentificationKind::EmailAddress),
        phone_number: shown(IdentificationKind::PhoneNumber),
        web3_wallet: shown(IdentificationKind::Web3Wallet),
        external_account: row.verification(IdentificationKind::ExternalAccount),
    };
    let has_password = row.password.is_some();
    Ok(SignUp {
        object: Tag::new(),
        id: row.id.clone(),
        status: row.status(now),
        required_fields: required,
        optional_fields: optional,
        missing_fields: missing,
        unverified_fields: unverified,
        verifications,
        username: row.username.clone(),
        email_address: row.email_address.clone(),
        phone_number: row.phone_number.clone(),
        web3_wallet: row.web3_wallet.clone(),
        password_enabled: has_password,
        first_name: row.first_name.clone(),
        last_name: row.last_name.clone(),
        unsafe_metadata: serde_json::from_str(&row.unsafe_metadata)?,
        public_metadata: serde_json::from_str(&row.public_metadata)?,
        custom_action: row.custom_action,
        external_id: row.external_id.clone(),
        has_password,
        locale: row.locale.clone(),
        created_session_id: row.created_session_id.clone(),
        created_user_id: row.created_user_id.clone(),
        abandon_at: row.abandon_at,
        legal_accepted_at: row.legal_accepted_at,
    })
}

/// What time has made of a verification.
fn at(now: Timestamp, mut verification: Verification) -> Verification {
    let is_over = verification.expire_at.is_some_and(|end| end <= now);
    if is_over && verification.status == VerificationStatus::Unverified {
        verification.status = VerificationStatus::Expired;
    }
    verification
}
