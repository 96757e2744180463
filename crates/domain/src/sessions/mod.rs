//! Sessions: sign-ins of users on clients.
//!
//! A row keeps its state as it was left. That a session expired or was abandoned is told by the
//! clock when it is read, so no job has to write it.

pub(crate) mod refresh;
pub mod testing;

use db::{Column, Mode, Record as _, Select, Value};
use macros::Record;
use wire::{
    Listing, Metadata, Page, Paging, Patch, Refusal, Tag, Timestamp,
    backend::{
        clients::ClientId,
        organizations::OrganizationId,
        sessions::{
            CreateSession, GetSession, GetSessionList, RevokeSession, Session, SessionId,
            SessionStatus,
        },
        users::UserId,
    },
    refusal,
};

use crate::{
    Cx, Event, Operations, Result,
    clients::{self, ClientRow},
    error, users,
};

/// Counter of an instance's sessions.
const COUNTER: &str = "sessions";

/// What the Backend API offers about them; tokens are offered apart.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer_as(Mode::Scan, list)
        .offer(create)
        .offer(get)
        .offer(revoke)
        .offer_outside(refresh::refresh)
}

/// List sessions, newest first.
async fn list(cx: &mut Cx, request: GetSessionList) -> Result<Listing<Session>> {
    let paging = Paging::new(request.limit, request.offset);
    let mut sessions = SessionRow::select(&cx.tx);
    let filters = [
        ("client_id = ?", request.client_id.as_ref().map(Column::to_value)),
        ("user_id = ?", request.user_id.as_ref().map(Column::to_value)),
    ];
    let mut is_whole = request.status.is_none();
    for (condition, value) in filters {
        if let Some(value) = value {
            is_whole = false;
            sessions = sessions.filter(condition, [value]);
        }
    }
    if let Some(status) = &request.status {
        sessions = with_status(sessions, status, cx.now)?;
    }
    let total_count = match (request.paginated, is_whole) {
        (Some(true), true) => cx.tx.counter(COUNTER).await?,
        (Some(true), false) => sessions.count(&mut cx.tx).await?,
        _ => 0,
    };
    let rows = sessions.order("position desc").part(&mut cx.tx, paging).await?;
    let data = rows.iter().map(|row| view(row, cx.now)).collect();
    Ok(Listing::new(Page { data, total_count }, request.paginated))
}

/// Narrows to sessions that [`SessionRow::status`] says this of.
fn with_status(
    sessions: Select<SessionRow>,
    status: &SessionStatus,
    now: Timestamp,
) -> Result<Select<SessionRow>> {
    const OPEN: &str = "status in ('active', 'pending')";
    let stored = Value::Text(status.as_str().to_owned());
    let now = now.to_value();
    Ok(match status {
        SessionStatus::Active | SessionStatus::Pending => sessions
            .filter("status = ? and expire_at > ? and abandon_at > ?", [stored, now.clone(), now]),
        SessionStatus::Expired => sessions.filter(
            &format!("(status = ? or ({OPEN} and expire_at <= ? and expire_at <= abandon_at))"),
            [stored, now],
        ),
        SessionStatus::Abandoned => sessions.filter(
            &format!("(status = ? or ({OPEN} and abandon_at <= ? and abandon_at < expire_at))"),
            [stored, now],
        ),
        SessionStatus::Other(_) => {
            let reason = format!("status must be one of {}.", SessionStatus::KNOWN.join(", "));
            return Err(refusal::form_param_value_invalid().because(reason).param("status").into());
        }
        _ => sessions.filter("status = ?", [stored]),
    })
}

/// Begin a session of a user, for tests of one's app.
async fn create(cx: &mut Cx, request: CreateSession) -> Result<Session> {
    if !cx.instance.is_development() {
        let reason = "Sessions can be created on development instances only.";
        return Err(refusal::request_invalid_for_environment().because(reason).into());
    }
    if let Patch::Set(id) = &request.active_organization_id {
        // There are no organizations yet.
        return Err(error::not_found("organization", id.as_str()).into());
    }
    let row = begin(cx, request.user_id, None).await?;
    Ok(view(&row, cx.now))
}

/// Fetch one session.
async fn get(cx: &mut Cx, request: GetSession) -> Result<Session> {
    let row = get_row(cx, request.session_id).await?;
    Ok(view(&row, cx.now))
}

/// End a session from outside. One that is over already stays what it is.
async fn revoke(cx: &mut Cx, request: RevokeSession) -> Result<Session> {
    let mut row = get_row(cx, request.session_id).await?;
    if row.is_live(cx.now) {
        finish(cx, &mut row, SessionStatus::Revoked).await?;
    }
    Ok(view(&row, cx.now))
}

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "sessions")]
pub struct SessionRow {
    /// `sess_…`
    pub id: SessionId,
    /// The instance.
    pub instance_id: String,
    /// Where it stands among all, by age.
    pub position: i64,
    /// Whose it is.
    pub user_id: UserId,
    /// Where it is.
    pub client_id: ClientId,
    /// As it was left; [`SessionRow::status`] says what time made of it.
    status: String,
    /// Who acts as the user: JSON object.
    actor: Option<String>,
    /// What is to be done before a pending session is active: JSON array.
    pub(crate) tasks: Option<String>,
    /// The organization that is active in it.
    pub last_active_organization_id: Option<OrganizationId>,
    /// Where it was last used: JSON of a `SessionActivity`.
    pub(crate) latest_activity: Option<String>,
    /// When the user last proved a first factor.
    pub first_factor_verified_at: Option<Timestamp>,
    /// When the user last proved a second factor.
    pub second_factor_verified_at: Option<Timestamp>,
    /// When it was last used.
    pub last_active_at: Timestamp,
    /// When it ends in any case.
    pub expire_at: Timestamp,
    /// When it ends unless it is used.
    pub abandon_at: Timestamp,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl SessionRow {
    /// Its state at `now`.
    pub fn status(&self, now: Timestamp) -> SessionStatus {
        let stored = SessionStatus::from(self.status.as_str());
        let is_open = matches!(stored, SessionStatus::Active | SessionStatus::Pending);
        match self.expire_at.min(self.abandon_at) {
            end if !is_open || end > now => stored,
            end if end == self.expire_at => SessionStatus::Expired,
            _ => SessionStatus::Abandoned,
        }
    }

    /// True if it is active or pending at `now`: it can have tokens.
    pub fn is_live(&self, now: Timestamp) -> bool {
        matches!(self.status(now), SessionStatus::Active | SessionStatus::Pending)
    }

    /// Who acts as the user.
    pub fn actor(&self) -> Option<Metadata> {
        serde_json::from_str(self.actor.as_deref()?).ok()
    }
}

/// Begins a session of a user on a client of its own.
pub async fn begin(cx: &mut Cx, user_id: UserId, actor: Option<Metadata>) -> Result<SessionRow> {
    let mut client = clients::insert(cx).await?;
    begin_on(cx, &mut client, Beginning { actor, ..Beginning::of(user_id) }).await
}

/// How a session begins.
#[derive(Clone, Debug)]
pub(crate) struct Beginning {
    /// Whose it is.
    pub(crate) user_id: UserId,
    /// Who acts as the user.
    pub(crate) actor: Option<Metadata>,
    /// Seconds that it lives at most, if they are not the usual ones.
    pub(crate) lifetime_seconds: Option<i64>,
    /// A second factor was proven.
    pub(crate) has_second_factor: bool,
    /// Where it is used: JSON of a `SessionActivity`.
    pub(crate) latest_activity: Option<String>,
}

impl Beginning {
    /// The usual one.
    pub(crate) fn of(user_id: UserId) -> Self {
        Self {
            user_id,
            actor: None,
            lifetime_seconds: None,
            has_second_factor: false,
            latest_activity: None,
        }
    }
}

/// Begins a session of a user on a client, where it is the one in use from then on.
pub(crate) async fn begin_on(
    cx: &mut Cx,
    client: &mut ClientRow,
    beginning: Beginning,
) -> Result<SessionRow> {
    let Beginning { user_id, actor, lifetime_seconds, has_second_factor, latest_activity } =
        beginning;
    let (mut user, identifications) = users::load(cx, &user_id).await?;
    if user.banned {
        return Err(refusal::user_banned().into());
    }
    let usual = i64::from(cx.instance.settings.session.lifetime_seconds);
    let lifetime_seconds = lifetime_seconds.map_or(usual, |own| own.min(usual));
    let expire_at = Timestamp(cx.now.0 + lifetime_seconds * 1000);
    let abandon_at = abandon_at(cx, actor.is_some());
    let row = SessionRow {
        id: cx.id(),
        instance_id: cx.instance_id(),
        position: cx.position(cx.now),
        user_id,
        client_id: client.id.clone(),
        status: SessionStatus::Active.to_string(),
        actor: actor.as_ref().map(serde_json::to_string).transpose()?,
        tasks: None,
        last_active_organization_id: None,
        latest_activity,
        first_factor_verified_at: Some(cx.now),
        second_factor_verified_at: has_second_factor.then_some(cx.now),
        last_active_at: cx.now,
        expire_at,
        abandon_at,
        created_at: cx.now,
        updated_at: cx.now,
    };
    row.insert(&mut cx.tx).await?;
    cx.tx.add(COUNTER, 1).await?;
    (client.last_active_session_id, client.updated_at) = (Some(row.id.clone()), cx.now);
    client.update(&mut cx.tx).await?;
    cx.emit(Event::SessionCreated(&view(&row, cx.now))).await?;
    (user.last_sign_in_at, user.last_active_at) = (Some(cx.now), Some(cx.now));
    users::save(cx, &mut user, &identifications).await?;
    Ok(row)
}

/// When a session ends that is used now, and not again. One in which somebody acts as the user
/// does not wait for long.
pub(crate) fn abandon_at(cx: &Cx, is_acted: bool) -> Timestamp {
    const ACTED_SECONDS: u32 = 10 * 60;
    let policy = &cx.instance.settings.session;
    let seconds = match policy.inactivity_seconds {
        0 => policy.abandon_seconds,
        seconds => seconds,
    };
    after(cx, if is_acted { seconds.min(ACTED_SECONDS) } else { seconds })
}

fn after(cx: &Cx, seconds: u32) -> Timestamp {
    Timestamp(cx.now.0 + i64::from(seconds) * 1000)
}

/// Signs a user out everywhere.
pub(crate) async fn end_all(cx: &mut Cx, user_id: &UserId) -> Result<()> {
    finish_all(cx, user_id, &SessionStatus::Ended).await
}

/// Revokes all sessions of a user.
pub(crate) async fn revoke_all(cx: &mut Cx, user_id: &UserId) -> Result<()> {
    finish_all(cx, user_id, &SessionStatus::Revoked).await
}

/// Signs a user out everywhere before they and their sessions are deleted.
pub(crate) async fn forget_all(cx: &mut Cx, user_id: &UserId) -> Result<()> {
    end_all(cx, user_id).await?;
    let sessions = SessionRow::select(&cx.tx).filter("user_id = ?", [user_id.to_value()]);
    let count = sessions.count(&mut cx.tx).await?;
    if count > 0 {
        cx.tx.add(COUNTER, -count.cast_signed()).await?;
    }
    Ok(())
}

/// Revokes some of the instance's sessions; true if there may be more.
pub(crate) async fn end_some(cx: &mut Cx, (): ()) -> Result<bool> {
    /// So many that no other writer waits for long.
    const SOME: u32 = 100;
    let some = live(cx).order("position desc").limit(SOME).all(&mut cx.tx).await?;
    let may_be_more = some.len() == SOME as usize;
    for mut row in some {
        finish(cx, &mut row, SessionStatus::Revoked).await?;
    }
    Ok(may_be_more)
}

async fn finish_all(cx: &mut Cx, user_id: &UserId, status: &SessionStatus) -> Result<()> {
    let sessions = live(cx).filter("user_id = ?", [user_id.to_value()]);
    for mut row in sessions.order("position desc").all(&mut cx.tx).await? {
        finish(cx, &mut row, status.clone()).await?;
    }
    Ok(())
}

/// Ends a session that is live.
pub(crate) async fn finish(cx: &mut Cx, row: &mut SessionRow, status: SessionStatus) -> Result<()> {
    row.status = status.to_string();
    row.updated_at = cx.now;
    row.update(&mut cx.tx).await?;
    clients::touch(cx, &row.client_id).await?;
    let session = view(row, cx.now);
    cx.emit(match status {
        SessionStatus::Revoked => Event::SessionRevoked(&session),
        SessionStatus::Removed => Event::SessionRemoved(&session),
        _ => Event::SessionEnded(&session),
    })
    .await
}

/// The sessions that are active or pending.
pub(crate) fn live(cx: &Cx) -> Select<SessionRow> {
    let now = cx.now.to_value();
    SessionRow::select(&cx.tx).filter(
        "status in ('active', 'pending') and expire_at > ? and abandon_at > ?",
        [now.clone(), now],
    )
}

/// The session with this id.
pub(crate) async fn get_row(cx: &mut Cx, id: SessionId) -> Result<SessionRow> {
    let row = SessionRow::find(&mut cx.tx, &id).await?;
    Ok(row.ok_or_else(|| not_found(&id))?)
}

/// There is no session with this id.
pub(crate) fn not_found(id: &SessionId) -> Refusal {
    error::not_found("session", id.as_str())
}

/// How the Backend API shows a session.
pub(crate) fn view(row: &SessionRow, now: Timestamp) -> Session {
    fn json<T: serde::de::DeserializeOwned>(text: Option<&str>) -> Option<T> {
        serde_json::from_str(text?).ok()
    }
    Session {
        id: row.id.clone(),
        object: Tag::new(),
        user_id: row.user_id.clone(),
        client_id: row.client_id.clone(),
        actor: row.actor(),
        status: row.status(now),
        last_active_organization_id: row.last_active_organization_id.clone(),
        last_active_at: row.last_active_at,
        latest_activity: json(row.latest_activity.as_deref()),
        expire_at: row.expire_at,
        abandon_at: row.abandon_at,
        tasks: json(row.tasks.as_deref()),
        updated_at: row.updated_at,
        created_at: row.created_at,
    }
}
