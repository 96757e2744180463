//! Agent tasks: tickets with which a program signs in for a user, to do one thing.

use db::{Record, Value};
use macros::Record;
use url::Url;
use wire::{
    Refusal, Tag, Timestamp,
    backend::{
        agent_tasks::{
            Agent, AgentId, AgentTask, AgentTaskId, CreateAgentTask, OnBehalfOf, RevokeAgentTask,
        },
        users::UserId,
    },
    refusal,
};

use crate::{
    Cx, Operations, Result, TicketKind, domains,
    identifications::{IdentificationKind, IdentificationRow},
    text,
    tickets::{self, Ticket, Ticketed},
    users::{self, UserRow},
};

/// Seconds that a ticket lives.
const LIFETIME_SECONDS: i64 = 3600;
/// Seconds that a session made with one lives unless said.
const SESSION_LIFETIME_SECONDS: i64 = 1800;
/// Characters of what an agent is about to do.
const DESCRIPTION_CHARS_MAX: usize = 1024;
/// Characters of an URL.
const URL_CHARS_MAX: usize = 2048;

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer(create).offer(revoke)
}

/// Create a ticket with which an agent signs in for a user, once.
async fn create(cx: &mut Cx, request: CreateAgentTask) -> Result<AgentTask> {
    check_texts(&request)?;
    check_redirect_url(cx, &request.redirect_url)?;
    let user_id = subject(cx, &request.on_behalf_of).await?;
    let agent_id = agent(cx, &request.agent_name).await?;
    let session = request.session_max_duration_in_seconds.as_ref();
    let mut row = AgentTaskRow {
        id: cx.id(),
        instance_id: cx.instance_id(),
        agent_id,
        user_id,
        task_description: request.task_description,
        redirect_url: request.redirect_url,
        digest: String::new(),
        lifetime_seconds: LIFETIME_SECONDS,
        session_lifetime_seconds: session
            .map_or(SESSION_LIFETIME_SECONDS, |seconds| seconds.0.into()),
        expires_at: Timestamp(cx.now.0.saturating_add(LIFETIME_SECONDS * 1000)),
        accepted_at: None,
        revoked_at: None,
        created_at: cx.now,
        updated_at: cx.now,
    };
    let minted = tickets::mint(&cx.instance, &row)?;
    row.digest = minted.digest;
    row.insert(&mut cx.tx).await?;
    let url = format!("{}/v1/agents/tasks?ticket={}", cx.own_url(), minted.ticket);
    Ok(AgentTask { url: Some(url), ..view(row) })
}

/// Revoke a ticket that nobody has used.
async fn revoke(cx: &mut Cx, request: RevokeAgentTask) -> Result<AgentTask> {
    let id = request.agent_task_id;
    if let Some(row) = tickets::revoke(cx, id.as_str(), false).await? {
        return Ok(view(row));
    }
    let found: Option<AgentTaskRow> = AgentTaskRow::find(&mut cx.tx, &id).await?;
    if found.is_some() {
        let reason = "Only agent tasks that are pending can be revoked.";
        return Err(refusal::agent_task_cannot_be_revoked().because(reason).into());
    }
    let shown = text::shown(id.as_str());
    let reason = format!("No agent task was found with id {shown}");
    Err(refusal::agent_task_not_found().because(reason).into())
}

fn check_texts(request: &CreateAgentTask) -> Result<()> {
    if request.permissions != "*" {
        let reason = "permissions must be \"*\".";
        let refusal = refusal::form_param_value_invalid().because(reason);
        return Err(refusal.param("permissions").into());
    }
    let texts = [
        ("agent_name", &request.agent_name, text::NAME_CHARS_MAX),
        ("task_description", &request.task_description, DESCRIPTION_CHARS_MAX),
        ("redirect_url", &request.redirect_url, URL_CHARS_MAX),
    ];
    for (name, text, max) in texts {
        if text.trim().is_empty() {
            return Err(refusal::form_param_missing().param(name).into());
        }
        text::at_most(name, text, max)?;
    }
    Ok(())
}

/// Refuses what is no address of a page. Whether it is one of the instance's is asked when the
/// ticket is taken, since domains change.
fn check_redirect_url(cx: &Cx, text: &str) -> Result<()> {
    let url = Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    });
    let Some(url) = url else {
        let reason = "redirect_url must be an absolute URL with an https scheme.";
        let refusal = refusal::form_param_format_invalid().because(reason);
        return Err(refusal.param("redirect_url").into());
    };
    if url.scheme() != "https" && !cx.instance.is_development() {
        let reason = "redirect_url must have an https scheme in production.";
        return Err(refusal::insecure_url().because(reason).param("redirect_url").into());
    }
    Ok(())
}

/// The user that the request names.
async fn subject(cx: &mut Cx, who: &OnBehalfOf) -> Result<UserId> {
    let found = match (&who.user_id, &who.identifier) {
        (Some(id), None) => UserRow::find(&mut cx.tx, id).await?.map(|user| user.id),
        (None, Some(identifier)) => by_identifier(cx, identifier).await?,
        (None, None) => {
            let reason = "Either user_id or identifier must be included.";
            let names = ["on_behalf_of.user_id", "on_behalf_of.identifier"];
            let refusal = refusal::form_param_missing().because(reason);
            return Err(refusal.meta("param_names", names.as_slice()).param("on_behalf_of").into());
        }
        (Some(_), Some(_)) => {
            let reason = "Only one of user_id and identifier may be included.";
            let refusal = refusal::form_conditional_param_disallowed().because(reason);
            return Err(refusal.param("on_behalf_of.identifier").into());
        }
    };
    let user_id = found.ok_or_else(refusal::agent_task_subject_not_found)?;
    if users::find(cx, &user_id).await?.banned {
        return Err(refusal::user_banned().into());
    }
    Ok(user_id)
}

/// The user who has proven that an identifier is theirs.
async fn by_identifier(cx: &mut Cx, identifier: &str) -> Result<Option<UserId>> {
    let kinds = [
        IdentificationKind::EmailAddress,
        IdentificationKind::PhoneNumber,
        IdentificationKind::Web3Wallet,
    ];
    for kind in kinds {
        let Ok(value) = kind.normalize(identifier) else {
            continue;
        };
        let rows = IdentificationRow::select(&cx.tx).filter(
            "kind = ? and claim = ?",
            [Value::Text(kind.as_str().to_owned()), Value::Text(value)],
        );
        let row = rows.first(&mut cx.tx).await?;
        if let Some(row) = row.filter(IdentificationRow::is_verified) {
            return Ok(Some(row.user_id));
        }
    }
    let named =
        UserRow::select(&cx.tx).filter("username = ?", [Value::Text(identifier.to_lowercase())]);
    Ok(named.first(&mut cx.tx).await?.map(|user| user.id))
}

/// The id of the agent of this name, who is new if nobody has the name yet.
async fn agent(cx: &mut Cx, name: &str) -> Result<AgentId> {
    let id = cx.id::<Agent>();
    let sql = "insert into agents (id, instance_id, name, created_at) values ($1, $2, $3, $4)
               on conflict (instance_id, name) do update set name = excluded.name returning id";
    let texts = [id.as_str(), cx.instance.id.as_str(), name].map(|text| Value::Text(text.into()));
    let values = texts.into_iter().chain([Value::Int(cx.now.0)]).collect();
    let rows = cx.tx.rows(sql, values).await?;
    let known = rows.into_iter().next().map(|mut row| row.take()).transpose()?;
    Ok(known.unwrap_or(id))
}

/// A session that an agent may begin for a user.
#[derive(Clone, Debug)]
pub struct Delegation {
    /// The user.
    pub user_id: UserId,
    /// The agent.
    pub agent_id: AgentId,
    /// Where the agent's browser goes with the session.
    pub redirect_url: String,
    /// Seconds that the session lives at most.
    pub session_lifetime_seconds: i64,
}

/// Takes a ticket, which is worth nothing from then on, and tells which agent acts for whom.
pub async fn redeem(cx: &mut Cx, ticket: String) -> Result<Delegation> {
    let row: AgentTaskRow = tickets::redeem(cx, &ticket).await?;
    if users::find(cx, &row.user_id).await?.banned {
        return Err(refusal::user_banned().into());
    }
    let url = Url::parse(&row.redirect_url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    if !domains::is_own(cx, host).await? {
        let reason = "The redirect URL is not on one of the instance's domains.";
        return Err(refusal::redirect_url_domain_mismatch().because(reason).into());
    }
    Ok(Delegation {
        user_id: row.user_id,
        agent_id: row.agent_id,
        redirect_url: row.redirect_url,
        session_lifetime_seconds: row.session_lifetime_seconds,
    })
}

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "agent_tasks")]
struct AgentTaskRow {
    id: AgentTaskId,
    instance_id: String,
    agent_id: AgentId,
    user_id: UserId,
    task_description: String,
    redirect_url: String,
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

impl Ticketed for AgentTaskRow {
    const KIND: TicketKind = TicketKind::AgentTask;

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
        refusal::agent_task_already_used()
    }

    fn revoked() -> Refusal {
        refusal::agent_task_revoked()
    }
}

/// Without its link, which is shown once.
fn view(row: AgentTaskRow) -> AgentTask {
    AgentTask {
        object: Tag::new(),
        agent_id: row.agent_id,
        task_id: row.id.clone(),
        agent_task_id: row.id,
        url: None,
    }
}
