//! Users: who can sign in.

mod accounts;
mod create;
mod credentials;
mod filter;
mod metadata;
mod organizations;
mod passwords;
mod picture;
mod sign_up;
mod standing;
mod update;
mod view;

use db::Record;
use macros::Record;
use wire::{
    Deleted, Timestamp,
    backend::{
        email_addresses::EmailAddressId,
        phone_numbers::PhoneNumberId,
        users::{DeleteUser, GetUser, User, UserId},
        web3_wallets::Web3WalletId,
    },
};

pub use accounts::{
    NewExternalAccount, NewPasskey, add_external_account, add_passkey, delete_external_account,
    delete_passkey,
};
pub use create::{NewUser, insert};
pub use credentials::Credentials;
pub use filter::list;
pub(crate) use metadata::{merge as merge_metadata, written};
pub(crate) use sign_up::sign_up;
pub(crate) use standing::{failed, locked, primary_address, succeeded};
pub(crate) use update::{change, check_username, taken_external_id, taken_name};
pub(crate) use view::{email_address, phone_number, shown, view};

use crate::{
    Cx, Event, Operations, Result, error,
    identifications::{self, IdentificationKind, IdentificationRow},
    second_factors, sessions,
};

/// Counter of an instance's users.
const COUNTER: &str = "users";
/// Text index of an instance's users.
const SEARCH: &str = "users";

/// What the Backend API offers about users.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer_outside(filter::list)
        .offer_outside(filter::count)
        .offer_outside(create::create)
        .offer(get)
        .offer_outside(update::update)
        .offer(delete)
        .offer(metadata::merge)
        .offer(metadata::replace)
        .offer(standing::ban)
        .offer(standing::unban)
        .offer(standing::ban_many)
        .offer(standing::unban_many)
        .offer(standing::lock)
        .offer(standing::unlock)
        .offer_outside(picture::set)
        .offer(picture::remove)
        .offer_outside(passwords::verify)
        .offer(passwords::remove)
        .offer(passwords::distrust)
        .offer(passwords::trust)
        .offer_outside(second_factors::verify)
        .offer(second_factors::disable)
        .offer(second_factors::delete_backup_codes)
        .offer(second_factors::delete_totp)
        .offer(accounts::oauth_access_tokens)
        .offer(accounts::delete_passkey)
        .offer(accounts::delete_wallet)
        .offer(accounts::delete_external_account)
        .offer(organizations::memberships)
        .offer(organizations::invitations)
}

/// Fetch one user.
pub async fn get(cx: &mut Cx, request: GetUser) -> Result<User> {
    let (row, identifications) = load(cx, &request.user_id).await?;
    Ok(view(cx, &row, &identifications))
}

/// Delete a user, and all that is theirs.
pub async fn delete(cx: &mut Cx, request: DeleteUser) -> Result<Deleted<User>> {
    let row = find(cx, &request.user_id).await?;
    let mut deleted = Deleted::new(row.id.clone());
    deleted.external_id.clone_from(&row.external_id);
    crate::images::remove(cx, row.image_id.as_deref()).await?;
    cx.tx.search_remove(SEARCH, row.position).await?;
    cx.tx.add(COUNTER, -1).await?;
    sessions::forget_all(cx, &row.id).await?;
    row.delete(&mut cx.tx).await?;
    cx.emit(Event::UserDeleted(&deleted)).await?;
    Ok(deleted)
}

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "users")]
pub struct UserRow {
    /// `user_…`
    pub id: UserId,
    /// The instance.
    pub instance_id: String,
    /// Where they stand among all, by age.
    pub position: i64,
    /// The id that the instance's owner gave them.
    pub external_id: Option<String>,
    /// In lower case.
    pub username: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// First and last name in lower case, for searches.
    pub name_key: String,
    /// Their picture, if they have one of their own.
    pub image_id: Option<String>,
    /// The address that mails go to.
    pub primary_email_address_id: Option<EmailAddressId>,
    /// The number that messages go to.
    pub primary_phone_number_id: Option<PhoneNumberId>,
    /// The wallet that stands for them.
    pub primary_web3_wallet_id: Option<Web3WalletId>,
    /// Its value, for lists in its order.
    pub primary_email_address: Option<String>,
    /// Its value, for lists in its order.
    pub primary_phone_number: Option<String>,
    /// Its value, for lists in its order.
    pub primary_web3_wallet: Option<String>,
    /// A digest, with the name of its algorithm.
    pub password: Option<String>,
    /// When the password was last set.
    pub password_updated_at: Option<Timestamp>,
    /// The password must be changed at the next sign-in.
    pub password_compromised: bool,
    /// Base 32, sealed.
    pub totp_secret: Option<String>,
    /// Time step of the last code that was taken, so that none is taken twice.
    pub totp_used_step: Option<i64>,
    /// Digests and their sealed key, as JSON.
    pub backup_codes: Option<String>,
    /// When they last began to have a second factor.
    pub mfa_enabled_at: Option<Timestamp>,
    /// When they last ceased to have one; both times stay when the other is set.
    pub mfa_disabled_at: Option<Timestamp>,
    /// JSON object that everybody may read.
    pub public_metadata: String,
    /// JSON object for servers only.
    pub private_metadata: String,
    /// JSON object that its user may write.
    pub unsafe_metadata: String,
    /// Kept out.
    pub banned: bool,
    /// Failed attempts since the last success.
    pub failed_attempts: i64,
    /// Until when nobody signs in as them.
    pub locked_until: Option<Timestamp>,
    /// They may delete themselves.
    pub delete_self_enabled: bool,
    /// They may create organizations.
    pub create_organization_enabled: bool,
    /// So many of them; 0 is without limit.
    pub create_organizations_limit: Option<i64>,
    /// They need not prove a new device.
    pub bypass_client_trust: bool,
    /// Language tag (BCP 47).
    pub locale: Option<String>,
    /// When they accepted the terms.
    pub legal_accepted_at: Option<Timestamp>,
    /// When they last signed in.
    pub last_sign_in_at: Option<Timestamp>,
    /// When they were last seen.
    pub last_active_at: Option<Timestamp>,
    /// When they came to be.
    pub created_at: Timestamp,
    /// When they were last changed.
    pub updated_at: Timestamp,
}

impl UserRow {
    /// What `query` looks in: everything a user is known by, in lower case.
    fn searched(&self, identifications: &[IdentificationRow]) -> String {
        let known_by = [
            IdentificationKind::EmailAddress,
            IdentificationKind::PhoneNumber,
            IdentificationKind::Web3Wallet,
        ];
        let values = identifications
            .iter()
            .filter(|row| known_by.iter().any(|kind| row.is(*kind)))
            .map(|row| row.value.as_str());
        let texts =
            [Some(self.name_key.as_str()), self.username.as_deref(), Some(self.id.as_str())];
        let all: Vec<_> = texts.into_iter().flatten().chain(values).collect();
        // No needle spans two of them.
        all.join("\n").to_lowercase()
    }

    /// Keeps the names as searches want them.
    pub(crate) fn settle_name(&mut self) {
        let names = [&self.first_name, &self.last_name].into_iter().flatten();
        let names: Vec<_> = names.map(String::as_str).collect();
        self.name_key = names.join(" ").to_lowercase();
    }

    /// Notes when the first second factor comes and when the last one goes. The later of the two
    /// times tells which of them was last.
    pub(crate) fn settle_second_factors(
        &mut self,
        identifications: &[IdentificationRow],
        now: Timestamp,
    ) {
        let has = self.totp_secret.is_some()
            || identifications.iter().any(|row| row.reserved_for_second_factor);
        let had = self.mfa_enabled_at.is_some() && self.mfa_enabled_at > self.mfa_disabled_at;
        let after = |other: Option<Timestamp>| {
            Some(other.map_or(now, |other| now.max(Timestamp(other.0 + 1))))
        };
        match (had, has) {
            (false, true) => self.mfa_enabled_at = after(self.mfa_disabled_at),
            (true, false) => self.mfa_disabled_at = after(self.mfa_enabled_at),
            _ => {}
        }
    }

    /// Gives the user another password.
    pub(crate) fn set_password(&mut self, crate::Digest(digest): crate::Digest, now: Timestamp) {
        self.password = Some(digest);
        self.password_updated_at = Some(now);
        self.password_compromised = false;
    }

    /// Points the primary identifications at ones that exist, and keeps their values at hand.
    pub(crate) fn settle_primaries(&mut self, identifications: &[IdentificationRow]) {
        let settle = |kind, current: Option<&str>| {
            let of_kind = || identifications.iter().filter(move |row| row.is(kind));
            let kept = of_kind().find(|row| Some(row.id.as_str()) == current);
            kept.or_else(|| of_kind().find(|row| row.is_verified())).cloned()
        };
        let id = self.primary_email_address_id.as_ref().map(wire::Id::as_str);
        let email = settle(IdentificationKind::EmailAddress, id);
        let id = self.primary_phone_number_id.as_ref().map(wire::Id::as_str);
        let phone = settle(IdentificationKind::PhoneNumber, id);
        let id = self.primary_web3_wallet_id.as_ref().map(wire::Id::as_str);
        let wallet = settle(IdentificationKind::Web3Wallet, id);
        self.primary_email_address_id = email.as_ref().map(|row| row.id.as_str().into());
        self.primary_phone_number_id = phone.as_ref().map(|row| row.id.as_str().into());
        self.primary_web3_wallet_id = wallet.as_ref().map(|row| row.id.as_str().into());
        self.primary_email_address = email.map(|row| row.value);
        self.primary_phone_number = phone.map(|row| row.value);
        self.primary_web3_wallet = wallet.map(|row| row.value);
    }
}

/// The user with this id.
pub async fn find(cx: &mut Cx, id: &UserId) -> Result<UserRow> {
    let row = UserRow::find(&mut cx.tx, id).await?;
    Ok(row.ok_or_else(|| not_found(id))?)
}

/// The user with this id and all their identifications, in one round trip.
pub async fn load(cx: &mut Cx, id: &UserId) -> Result<(UserRow, Vec<IdentificationRow>)> {
    let user = UserRow::select(&cx.tx).filter("id = ?", [db::Column::to_value(id)]);
    let identifications = identifications::of_user(cx, id);
    let (mut users, identifications) = cx.tx.both(user, identifications).await?;
    Ok((users.pop().ok_or_else(|| not_found(id))?, identifications))
}

/// Writes a changed user back, tells about it, and shows them.
///
/// What depends on other columns is brought up to date: primaries, search text, times.
pub async fn save(
    cx: &mut Cx,
    row: &mut UserRow,
    identifications: &[IdentificationRow],
) -> Result<User> {
    row.settle_primaries(identifications);
    row.settle_name();
    row.settle_second_factors(identifications, cx.now);
    row.updated_at = cx.now;
    row.update(&mut cx.tx).await.map_err(update::taken)?;
    let text = row.searched(identifications);
    cx.tx.search_put(SEARCH, row.position, &text).await?;
    let user = view(cx, row, identifications);
    cx.emit(Event::UserUpdated(&user)).await?;
    Ok(user)
}

/// Notes that a user was here, to the day: whoever uses a session is seen all the time.
pub(crate) async fn seen(cx: &mut Cx, id: &UserId) -> Result<()> {
    const DAY_MS: i64 = 24 * 3600 * 1000;
    let sql = "update users set last_active_at = $1
               where instance_id = $2 and id = $3 and coalesce(last_active_at, 0) <= $4";
    let instance = db::Value::Text(cx.instance_id());
    let values = [cx.now.0, cx.now.0 - DAY_MS].map(db::Value::Int);
    let [now, before] = values;
    Ok(cx.tx.execute(sql, vec![now, instance, db::Column::to_value(id), before]).await?)
}

fn not_found(id: &UserId) -> wire::Refusal {
    error::not_found("user", id.as_str())
}
