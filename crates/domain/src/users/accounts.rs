//! What users are known by beside addresses and numbers: passkeys, wallets, accounts elsewhere.

use db::Record as _;
use serde_json::json;
use wire::{
    Deleted, Listing, Page, Refusal,
    backend::{
        email_addresses::IdentificationLink,
        external_accounts::ExternalAccount,
        oauth_access_tokens::OauthAccessToken,
        passkeys::Passkey,
        users::{
            DeleteExternalAccount, GetOAuthAccessToken, IdentificationStatus, User, UserId,
            UserPasskeyDelete, UserWeb3WalletDelete,
        },
        verifications::{Verification, VerificationObject},
        web3_wallets::Web3Wallet,
    },
    refusal,
};

use super::{UserRow, find, load, save};
use crate::{
    Cx, Result,
    identifications::{self, IdentificationKind, IdentificationRow},
    text,
};

/// Tokens that a social provider gave for a user: none, as long as nobody signs in with one.
pub(super) async fn oauth_access_tokens(
    cx: &mut Cx,
    request: GetOAuthAccessToken,
) -> Result<Listing<OauthAccessToken>> {
    find(cx, &request.user_id).await?;
    let provider = request.provider.strip_prefix("oauth_").unwrap_or(&request.provider);
    if !cx.instance.settings.oauth_providers.iter().any(|enabled| enabled == provider) {
        let shown = text::shown(provider);
        let reason = format!("The OAuth provider {shown} is not enabled for this instance.");
        return Err(refusal::oauth_token_provider_not_enabled().because(reason).into());
    }
    Ok(Listing::new(Page { data: Vec::new(), total_count: 0 }, request.paginated))
}

/// An account elsewhere that a user signed in with.
#[derive(Clone, Debug)]
pub struct NewExternalAccount {
    /// Whose it is.
    pub user_id: UserId,
    /// The provider, without `oauth_`.
    pub provider: String,
    /// The provider's id of the user.
    pub provider_user_id: String,
    /// The address that the provider knows.
    pub email_address: String,
}

/// Notes that a user has an account elsewhere, which vouches for their address if it is the same.
pub async fn add_external_account(cx: &mut Cx, new: NewExternalAccount) -> Result<User> {
    let (mut row, mut identifications) = load(cx, &new.user_id).await?;
    let kind = IdentificationKind::ExternalAccount;
    let strategy = format!("oauth_{}", new.provider);
    let value = format!("{strategy}:{}", new.provider_user_id);
    let mut added = verified(cx, &row, kind, value, &strategy)?;
    let (id, identification_id) = (cx.id::<ExternalAccount>(), added.id.clone());
    added.id = id.to_string();
    added.detail = Some(serde_json::to_string(&json!({
        "id": id,
        "object": "external_account",
        "provider": strategy,
        "identification_id": identification_id,
        "provider_user_id": new.provider_user_id,
        "email_address": new.email_address,
        "external_account_id": id,
        "public_metadata": {},
        "created_at": cx.now,
        "updated_at": cx.now,
    }))?);
    added.add(cx, kind).await?;
    let same = |row: &&mut IdentificationRow| {
        row.is(IdentificationKind::EmailAddress) && row.value == new.email_address
    };
    if let Some(address) = identifications.iter_mut().find(same) {
        let mut links: Vec<IdentificationLink> = serde_json::from_str(&address.linked_to)?;
        links.push(IdentificationLink { id: identification_id, object: None, r#type: strategy });
        address.linked_to = serde_json::to_string(&links)?;
        address.save(cx, IdentificationKind::EmailAddress).await?;
    }
    identifications.push(added);
    save(cx, &mut row, &identifications).await
}

/// A passkey that a user's device made.
#[derive(Clone, Debug)]
pub struct NewPasskey {
    /// Whose it is.
    pub user_id: UserId,
    /// The credential's id, as the device says it.
    pub credential_id: String,
    /// What its user calls it.
    pub name: String,
}

/// Notes that a user has a passkey.
pub async fn add_passkey(cx: &mut Cx, new: NewPasskey) -> Result<User> {
    let (mut row, mut identifications) = load(cx, &new.user_id).await?;
    let kind = IdentificationKind::Passkey;
    let mut added = verified(cx, &row, kind, new.credential_id, "passkey")?;
    added.detail = Some(serde_json::to_string(&json!({ "name": new.name }))?);
    added.add(cx, kind).await?;
    identifications.push(added);
    save(cx, &mut row, &identifications).await
}

/// An identification that was verified by what it is.
fn verified(
    cx: &Cx,
    user: &UserRow,
    kind: IdentificationKind,
    value: String,
    strategy: &str,
) -> Result<IdentificationRow> {
    let status = IdentificationStatus::Unverified;
    let mut row = IdentificationRow::new(cx, &user.id, kind, value, &status)?;
    let object = match kind {
        IdentificationKind::Passkey => VerificationObject::Passkey,
        _ => VerificationObject::Oauth,
    };
    let strategy = strategy.to_owned();
    row.set_verified(&Verification { object: Some(object), strategy, ..Verification::admin() })?;
    Ok(row)
}

/// Delete a user's passkey.
pub async fn delete_passkey(cx: &mut Cx, request: UserPasskeyDelete) -> Result<Deleted<Passkey>> {
    let UserPasskeyDelete { user_id, passkey_identification_id: id } = request;
    remove(cx, &user_id, IdentificationKind::Passkey, id.as_str()).await?;
    Ok(Deleted::new(id))
}

/// Delete a user's wallet.
pub(super) async fn delete_wallet(
    cx: &mut Cx,
    request: UserWeb3WalletDelete,
) -> Result<Deleted<Web3Wallet>> {
    let UserWeb3WalletDelete { user_id, web3_wallet_identification_id: id } = request;
    remove(cx, &user_id, IdentificationKind::Web3Wallet, id.as_str()).await?;
    Ok(Deleted::new(id))
}

/// Delete a user's external account.
pub async fn delete_external_account(
    cx: &mut Cx,
    request: DeleteExternalAccount,
) -> Result<Deleted<ExternalAccount>> {
    let DeleteExternalAccount { user_id, external_account_id: id } = request;
    remove(cx, &user_id, IdentificationKind::ExternalAccount, id.as_str()).await?;
    Ok(Deleted::new(id))
}

/// Removes an identification, and what others say of it.
async fn remove(cx: &mut Cx, user_id: &UserId, kind: IdentificationKind, id: &str) -> Result<()> {
    let (mut row, mut identifications) = load(cx, user_id).await?;
    let found = identifications.iter().position(|row| row.is(kind) && row.id == id);
    let removed = identifications.remove(found.ok_or_else(|| not_found(kind, id))?);
    if kind != IdentificationKind::Passkey {
        identifications::refuse_needed(cx, &row, &identifications, &removed)?;
    }
    unlink(cx, &removed, &mut identifications).await?;
    removed.delete(&mut cx.tx).await?;
    save(cx, &mut row, &identifications).await.map(drop)
}

/// Nothing vouches for others once it is gone.
async fn unlink(
    cx: &mut Cx,
    gone: &IdentificationRow,
    others: &mut [IdentificationRow],
) -> Result<()> {
    let names = names_of(gone);
    for other in others {
        let linked: Vec<IdentificationLink> = serde_json::from_str(&other.linked_to)?;
        let kept: Vec<_> = linked.iter().filter(|link| !names.contains(&link.id)).collect();
        if kept.len() == linked.len() {
            continue;
        }
        other.linked_to = serde_json::to_string(&kept)?;
        other.updated_at = cx.now;
        other.update(&mut cx.tx).await?;
    }
    Ok(())
}

/// The ids that others may know it by: an external account has two.
fn names_of(row: &IdentificationRow) -> Vec<String> {
    let detail = row.detail.as_deref().map(super::view::metadata).unwrap_or_default();
    let second = detail.get("identification_id").and_then(serde_json::Value::as_str);
    [Some(row.id.as_str()), second.filter(|id| !id.is_empty())]
        .into_iter()
        .flatten()
        .map(str::to_owned)
        .collect()
}

fn not_found(kind: IdentificationKind, id: &str) -> Refusal {
    let shown = text::shown(id);
    let (refusal, words) = match kind {
        IdentificationKind::Passkey => (refusal::passkey_not_registered(), "passkey"),
        IdentificationKind::ExternalAccount => {
            (refusal::external_account_not_found(), "external account")
        }
        _ => (refusal::resource_not_found(), "web3 wallet"),
    };
    refusal.because(format!("No {words} was found with id {shown}"))
}
