//! Sign-in tokens: tickets that let a user in, once.
//!
//! A ticket is a JWT under the instance's signing key that nobody but this server reads. Only its
//! digest is stored. RS256 signs the same claims the same way each time, so a ticket that has to
//! be shown again is made again from its row.

use db::{Column as _, Record, Value};
use jwt::{Algorithm, PreparedHeader};
use macros::Record;
use serde::Serialize;
use wire::{
    Patch, Refusal, Tag, Timestamp,
    backend::{
        sign_in_tokens::{
            CreateSignInToken, RevokeSignInToken, SignInToken, SignInTokenId, SignInTokenStatus,
        },
        users::UserId,
    },
    refusal,
};

use crate::{Cx, Error, Operations, Outside, Result, seal::digest_of_secret, users};

/// Seconds that a ticket lives unless said: 30 days.
const LIFETIME_SECONDS: i64 = 30 * 24 * 3600;

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer_outside(create).offer_outside(revoke)
}

/// Create a ticket that lets a user in once.
async fn create(outside: &Outside, request: CreateSignInToken) -> Result<SignInToken> {
    if let Patch::Set(id) = &request.org_id {
        return Err(not_found("organization", id.as_str()).into());
    }
    let lifetime = request.expires_in_seconds.as_ref();
    let lifetime_seconds = lifetime.map_or(LIFETIME_SECONDS, |lifetime| lifetime.0.into());
    let mut row = SignInTokenRow {
        id: outside.id(),
        instance_id: outside.instance.id.to_string(),
        user_id: request.user_id,
        digest: String::new(),
        lifetime_seconds,
        expires_at: Timestamp(outside.now.0.saturating_add(lifetime_seconds * 1000)),
        accepted_at: None,
        revoked_at: None,
        created_at: outside.now,
        updated_at: outside.now,
    };
    let ticket = ticket(outside, &row)?;
    row.digest = digest_of_secret(&ticket);
    outside.write(insert, row.clone()).await?;
    Ok(view(outside, row, ticket))
}

async fn insert(cx: &mut Cx, row: SignInTokenRow) -> Result<()> {
    users::find(cx, &row.user_id).await?;
    Ok(row.insert(&mut cx.tx).await?)
}

/// Revoke a ticket that nobody has used.
async fn revoke(outside: &Outside, request: RevokeSignInToken) -> Result<SignInToken> {
    let row = outside.write(revoke_pending, request.sign_in_token_id).await?;
    let ticket = ticket(outside, &row)?;
    Ok(view(outside, row, ticket))
}

async fn revoke_pending(cx: &mut Cx, id: SignInTokenId) -> Result<SignInTokenRow> {
    if let Some(row) = spend(cx, "revoked_at", "id", id.to_value()).await? {
        return Ok(row);
    }
    Err(match SignInTokenRow::find(&mut cx.tx, &id).await? {
        Some(_) => {
            let reason = "Only sign-in tokens that are pending can be revoked.";
            refusal::sign_in_token_cannot_be_revoked_code().because(reason).into()
        }
        None => not_found("sign-in token", id.as_str()).into(),
    })
}

/// Takes a ticket, which is worth nothing from then on, and tells whom it lets in.
///
/// Of any number who come with the same ticket one is let in, since looking and writing are one
/// statement; if the transaction is undone, the ticket stays good.
pub async fn redeem(cx: &mut Cx, ticket: String) -> Result<UserId> {
    // Whoever knows the ticket that belongs to a digest got it from here: there is nothing left
    // for its signature to prove, and none of its claims is believed.
    let digest = Value::Text(digest_of_secret(&ticket));
    if let Some(row) = spend(cx, "accepted_at", "digest", digest.clone()).await? {
        return Ok(row.user_id);
    }
    let row = SignInTokenRow::select(&cx.tx).filter("digest = ?", [digest]);
    let refusal = match row.first(&mut cx.tx).await? {
        None => refusal::ticket_invalid_code(),
        Some(row) if row.accepted_at.is_some() => refusal::sign_in_token_already_used_code(),
        Some(row) if row.revoked_at.is_some() => refusal::sign_in_token_revoked_code(),
        Some(_) => refusal::ticket_expired_code(),
    };
    Err(refusal.into())
}

/// Ends what is pending of a token, if it is: by being accepted or revoked.
async fn spend(
    cx: &mut Cx,
    end: &'static str,
    key: &'static str,
    value: Value,
) -> Result<Option<SignInTokenRow>> {
    let sql = format!(
        "update sign_in_tokens set {end} = $1, updated_at = $1
         where instance_id = $2 and {key} = $3
             and accepted_at is null and revoked_at is null and expires_at > $1
         returning {}",
        SignInTokenRow::COLUMNS.join(", ")
    );
    let values = vec![cx.now.to_value(), Value::Text(cx.instance_id()), value];
    let rows = cx.tx.rows(&sql, values).await?;
    let row = rows.into_iter().next().map(|mut row| SignInTokenRow::read(&mut row));
    Ok(row.transpose()?)
}

fn not_found(what: &str, id: &str) -> Refusal {
    let shown: String = id.chars().take(100).collect();
    refusal::resource_not_found().because(format!("No {what} was found with id {shown}"))
}

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "sign_in_tokens")]
struct SignInTokenRow {
    id: SignInTokenId,
    instance_id: String,
    user_id: UserId,
    /// Of the ticket.
    digest: String,
    lifetime_seconds: i64,
    expires_at: Timestamp,
    accepted_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// What a ticket says; the order of the members is part of it.
#[derive(Serialize)]
struct Claims<'a> {
    /// Seconds that it lives.
    eis: i64,
    /// When it expires, in seconds.
    exp: i64,
    /// The instance.
    iid: &'a str,
    /// The sign-in token.
    sid: &'a str,
    /// What kind of ticket it is.
    st: &'a str,
}

/// The ticket of a row.
fn ticket(outside: &Outside, row: &SignInTokenRow) -> Result<String> {
    let claims = Claims {
        eis: row.lifetime_seconds,
        exp: row.expires_at.0.div_euclid(1000),
        iid: &row.instance_id,
        sid: row.id.as_str(),
        st: "sign_in_token",
    };
    // It names no key: whoever looks one up by its id shall not take it for a session token.
    let header = PreparedHeader::new(Algorithm::Rs256);
    let signed = outside.instance.signer.key.sign(&header, &claims);
    signed.map_err(|error| Error::Broken(error.into()))
}

/// With its ticket, which only those may see who could make one.
fn view(outside: &Outside, row: SignInTokenRow, ticket: String) -> SignInToken {
    let status = match (row.accepted_at, row.revoked_at) {
        (Some(_), _) => SignInTokenStatus::Accepted,
        (None, Some(_)) => SignInTokenStatus::Revoked,
        (None, None) => SignInTokenStatus::Pending,
    };
    let url = format!("{}/sign-in?__clerk_ticket={ticket}", outside.world.public_url);
    SignInToken {
        id: row.id,
        object: Tag::new(),
        status,
        user_id: row.user_id,
        token: Some(ticket),
        url: Some(url),
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}
