//! Actor tokens: tickets with which somebody signs in as a user, and is known to be somebody else.

use db::Record as _;
use macros::Record;
use wire::{
    Metadata, Refusal, Tag, Timestamp,
    backend::{
        actor_tokens::{
            ActorToken, ActorTokenId, ActorTokenStatus, CreateActorToken, RevokeActorToken,
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

/// Seconds that a ticket lives unless said.
const LIFETIME_SECONDS: i64 = 3600;
/// Seconds that a session made with one lives unless said.
const SESSION_LIFETIME_SECONDS: i64 = 1800;
/// The actor stands in each session token, and a cookie that holds one has room for 4,096 bytes.
const ACTOR_BYTES_MAX: usize = 2048;

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer(create).offer(revoke)
}

/// Create a ticket with which an actor signs in as a user, once.
async fn create(cx: &mut Cx, request: CreateActorToken) -> Result<ActorToken> {
    let actor = checked(&request.actor)?;
    let user = users::find(cx, &request.user_id).await?;
    if user.banned {
        return Err(refusal::user_banned().into());
    }
    let lifetime = request.expires_in_seconds.as_ref();
    let lifetime_seconds = lifetime.map_or(LIFETIME_SECONDS, |seconds| seconds.0.into());
    let session = request.session_max_duration_in_seconds.as_ref();
    let mut row = ActorTokenRow {
        id: cx.id(),
        instance_id: cx.instance_id(),
        user_id: user.id,
        actor,
        digest: String::new(),
        lifetime_seconds,
        session_lifetime_seconds: session
            .map_or(SESSION_LIFETIME_SECONDS, |seconds| seconds.0.into()),
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
async fn revoke(cx: &mut Cx, request: RevokeActorToken) -> Result<ActorToken> {
    let id = request.actor_token_id;
    if let Some(row) = tickets::revoke(cx, id.as_str(), false).await? {
        return view(cx, row);
    }
    Err(match ActorTokenRow::find(&mut cx.tx, &id).await? {
        Some(_) => {
            let reason = "Only actor tokens that are pending can be revoked.";
            refusal::actor_token_cannot_be_revoked_code().because(reason).into()
        }
        None => not_found(&id).into(),
    })
}

/// The actor as it is stored: it says who it is, and fits into a session token.
fn checked(actor: &Metadata) -> Result<String> {
    let wrong = match actor.get("sub").and_then(serde_json::Value::as_str) {
        Some(sub) if !sub.is_empty() => None,
        _ if actor.contains_key("sub") => Some(refusal::form_param_value_invalid()),
        _ => Some(refusal::form_param_missing()),
    };
    if let Some(refusal) = wrong {
        let reason = "actor must have a sub that names who acts as the user.";
        return Err(refusal.because(reason).param("actor.sub").into());
    }
    let text = serde_json::to_string(actor)?;
    if text.len() > ACTOR_BYTES_MAX {
        let reason = format!("actor must be at most {ACTOR_BYTES_MAX} bytes long.");
        let refusal = refusal::form_param_exceeds_allowed_size().because(reason);
        return Err(refusal.param("actor").into());
    }
    Ok(text)
}

/// A session that somebody may begin as somebody else.
#[derive(Clone, Debug)]
pub struct Impersonation {
    /// The user.
    pub user_id: UserId,
    /// Who acts as them, the `act` of session tokens.
    pub actor: Metadata,
    /// Seconds that the session lives at most.
    pub session_lifetime_seconds: i64,
}

/// Takes a ticket, which is worth nothing from then on, and tells who signs in as whom.
pub async fn redeem(cx: &mut Cx, ticket: String) -> Result<Impersonation> {
    let row: ActorTokenRow = tickets::redeem(cx, &ticket).await?;
    if users::find(cx, &row.user_id).await?.banned {
        return Err(refusal::user_banned().into());
    }
    Ok(Impersonation {
        actor: serde_json::from_str(&row.actor)?,
        user_id: row.user_id,
        session_lifetime_seconds: row.session_lifetime_seconds,
    })
}

fn not_found(id: &ActorTokenId) -> Refusal {
    error::not_found("actor token", id.as_str())
}

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "actor_tokens")]
struct ActorTokenRow {
    id: ActorTokenId,
    instance_id: String,
    user_id: UserId,
    /// Who acts as the user: JSON object.
    actor: String,
    /// Of the ticket.
    digest: String,
    lifetime_seconds: i64,
    session_lifetime_seconds: i64,
    expires_at: Timestamp,
    accepted_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Ticketed for ActorTokenRow {
    const KIND: TicketKind = TicketKind::ActorToken;

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
        refusal::actor_token_already_used_code()
    }

    fn revoked() -> Refusal {
        refusal::actor_token_revoked_code()
    }
}

/// With its ticket, which only those may see who could make one.
fn view(cx: &Cx, row: ActorTokenRow) -> Result<ActorToken> {
    let status = match (row.accepted_at, row.revoked_at) {
        (Some(_), _) => ActorTokenStatus::Accepted,
        (None, Some(_)) => ActorTokenStatus::Revoked,
        (None, None) => ActorTokenStatus::Pending,
    };
    let ticket = tickets::shown(&cx.instance, &row)?;
    Ok(ActorToken {
        id: row.id,
        object: Tag::new(),
        status,
        user_id: row.user_id,
        actor: serde_json::from_str(&row.actor)?,
        url: ticket.as_ref().map(|ticket| tickets::accept_url(cx, ticket)),
        token: ticket,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
