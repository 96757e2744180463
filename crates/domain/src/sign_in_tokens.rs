//! Sign-in tokens: tickets that let a user in, once.

use db::Record as _;
use macros::Record;
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

use crate::{
    Cx, Operations, Result, TicketKind, error,
    tickets::{self, Ticket, Ticketed},
    users,
};

/// Seconds that a ticket lives unless said: 30 days.
const LIFETIME_SECONDS: i64 = 30 * 24 * 3600;

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer(create).offer(revoke)
}

/// Create a ticket that lets a user in once.
async fn create(cx: &mut Cx, request: CreateSignInToken) -> Result<SignInToken> {
    if let Patch::Set(id) = &request.org_id {
        return Err(error::not_found("organization", id.as_str()).into());
    }
    let lifetime = request.expires_in_seconds.as_ref();
    let lifetime_seconds = lifetime.map_or(LIFETIME_SECONDS, |lifetime| lifetime.0.into());
    let mut row = SignInTokenRow {
        id: cx.id(),
        instance_id: cx.instance_id(),
        user_id: users::find(cx, &request.user_id).await?.id,
        digest: String::new(),
        lifetime_seconds,
        expires_at: Timestamp(cx.now.0.saturating_add(lifetime_seconds * 1000)),
        accepted_at: None,
        revoked_at: None,
        created_at: cx.now,
        updated_at: cx.now,
    };
    row.digest = tickets::mint(&cx.instance, &row)?.digest;
    row.insert(&mut cx.tx).await?;
    view(cx, row)
}

/// Revoke a ticket that nobody has used.
async fn revoke(cx: &mut Cx, request: RevokeSignInToken) -> Result<SignInToken> {
    let id = request.sign_in_token_id;
    if let Some(row) = tickets::revoke(cx, id.as_str(), false).await? {
        return view(cx, row);
    }
    Err(match SignInTokenRow::find(&mut cx.tx, &id).await? {
        Some(_) => {
            let reason = "Only sign-in tokens that are pending can be revoked.";
            refusal::sign_in_token_cannot_be_revoked_code().because(reason).into()
        }
        None => error::not_found("sign-in token", id.as_str()).into(),
    })
}

/// Takes a ticket, which is worth nothing from then on, and tells whom it lets in.
pub async fn redeem(cx: &mut Cx, ticket: String) -> Result<UserId> {
    let row: SignInTokenRow = tickets::redeem(cx, &ticket).await?;
    Ok(row.user_id)
}

/// Refuses a ticket that is not good.
pub(crate) async fn look(cx: &mut Cx, ticket: &str) -> Result<()> {
    tickets::find::<SignInTokenRow>(cx, ticket).await.map(drop)
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

impl Ticketed for SignInTokenRow {
    const KIND: TicketKind = TicketKind::SignInToken;

    fn ticket(&self) -> Ticket<'_> {
        Ticket {
            id: self.id.as_str(),
            lifetime_seconds: self.lifetime_seconds,
            expires_at: self.expires_at,
            redirect_url: None,
        }
    }

    fn digest(&self) -> &str {
        &self.digest
    }

    fn ends(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.accepted_at, self.revoked_at)
    }

    fn taken() -> Refusal {
        refusal::sign_in_token_already_used_code()
    }

    fn revoked() -> Refusal {
        refusal::sign_in_token_revoked_code()
    }
}

/// With its ticket, which only those may see who could make one.
fn view(cx: &Cx, row: SignInTokenRow) -> Result<SignInToken> {
    let status = match (row.accepted_at, row.revoked_at) {
        (Some(_), _) => SignInTokenStatus::Accepted,
        (None, Some(_)) => SignInTokenStatus::Revoked,
        (None, None) => SignInTokenStatus::Pending,
    };
    let ticket = tickets::shown(&cx.instance, &row)?;
    let link = |ticket| format!("{}/sign-in?__clerk_ticket={ticket}", cx.own_url());
    Ok(SignInToken {
        id: row.id,
        object: Tag::new(),
        status,
        user_id: row.user_id,
        url: ticket.as_ref().map(link),
        token: ticket,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
