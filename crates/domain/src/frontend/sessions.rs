//! Sessions of the visitor's client, and of its users.

use db::{Column as _, Record as _, Value};
use wire::{
    Id, Patch, Tag, Timestamp,
    backend::{
        sessions::{SessionActivity, SessionId, SessionStatus},
        users::UserId,
    },
    frontend::{
        sessions::{
            EndSession, GetActiveSessions, GetSession, RemoveSession, RevokeSession, Session,
            SessionWithActivities, TouchSession,
        },
        users::PublicUserData,
    },
    refusal,
};

use super::{
    Show, activity,
    client_state::{minutes_since, user_view},
    clients, tokens,
};
use crate::{
    Cx, Operations, Outside, Result,
    clients::ClientRow,
    identifications::IdentificationRow,
    session_tokens::Subject,
    sessions::{self, Beginning, SessionRow},
    text,
    users::{self, UserRow},
};

/// A use that follows another within this time need not be noted.
const NOTED_MS: i64 = 5_000;

/// What the Frontend API offers about them; tokens are offered apart.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor(get)
        .offer_visitor(touch)
        .offer_visitor(end)
        .offer_visitor(remove)
        .offer_visitor(active)
        .offer_visitor(revoke)
}

/// Fetch a session of the client.
async fn get(cx: &mut Cx, request: GetSession) -> Result<SessionFacts> {
    let row = own(cx, request.session_id).await?;
    facts(cx, row).await
}

/// Note that a session is in use.
async fn touch(cx: &mut Cx, request: TouchSession) -> Result<SessionFacts> {
    let mut row = own_live(cx, request.session_id).await?;
    let is_focus = request.intent.as_deref() == Some("focus");
    match request.active_organization_id {
        // There are no organizations yet.
        Patch::Set(_) => return Err(refusal::organization_not_found_or_unauthorized().into()),
        Patch::Clear if row.last_active_organization_id.is_some() => {
            (row.last_active_organization_id, row.updated_at) = (None, cx.now);
        }
        Patch::Clear | Patch::Keep => {}
    }
    if row.updated_at == cx.now || row.last_active_at.0 + NOTED_MS <= cx.now.0 {
        row.last_active_at = cx.now;
        row.abandon_at = sessions::abandon_at(cx, row.actor().is_some());
        row.latest_activity = activity::of(cx, row.latest_activity.as_deref())?;
        row.update(&mut cx.tx).await?;
        users::seen(cx, &row.user_id).await?;
    }
    if !is_focus {
        select(cx, &row).await?;
    }
    facts(cx, row).await
}

/// Makes a session the one that is in use.
async fn select(cx: &mut Cx, row: &SessionRow) -> Result<()> {
    let Some(mut client) = ClientRow::find(&mut cx.tx, &row.client_id).await? else {
        return Ok(());
    };
    if client.last_active_session_id.as_ref() != Some(&row.id) {
        client.last_active_session_id = Some(row.id.clone());
        client.updated_at = cx.now;
        client.update(&mut cx.tx).await?;
    }
    Ok(())
}

/// End a session of the client.
async fn end(cx: &mut Cx, request: EndSession) -> Result<SessionFacts> {
    finish(cx, request.session_id, SessionStatus::Ended).await
}

/// Sign out of a session of the client.
async fn remove(cx: &mut Cx, request: RemoveSession) -> Result<SessionFacts> {
    finish(cx, request.session_id, SessionStatus::Removed).await
}

/// One that is over already stays what it is.
async fn finish(cx: &mut Cx, id: SessionId, status: SessionStatus) -> Result<SessionFacts> {
    let mut row = own(cx, id).await?;
    if row.is_live(cx.now) {
        sessions::finish(cx, &mut row, status).await?;
    }
    facts(cx, row).await
}

/// List the user's sessions, wherever they are.
async fn active(cx: &mut Cx, _: GetActiveSessions) -> Result<Vec<SessionWithActivities>> {
    let current = current(cx).await?;
    let rows = sessions::live(cx)
        .filter("user_id = ?", [current.user_id.to_value()])
        .order("position desc")
        .all(&mut cx.tx)
        .await?;
    Ok(rows.iter().map(|row| with_activities(row, cx.now)).collect())
}

fn with_activities(row: &SessionRow, now: Timestamp) -> SessionWithActivities {
    let shown = sessions::view(row, now);
    SessionWithActivities {
        object: Tag::new(),
        latest_activity: shown.latest_activity.unwrap_or_else(|| SessionActivity {
            id: Id::from_text(row.id.as_str().replacen("sess_", "sess_activity_", 1)),
            object: Tag::new(),
            device_type: None,
            is_mobile: false,
            browser_name: None,
            browser_version: None,
            ip_address: None,
            city: None,
            country: None,
        }),
        id: shown.id,
        status: shown.status,
        expire_at: shown.expire_at,
        abandon_at: shown.abandon_at,
        last_active_at: shown.last_active_at,
        actor: shown.actor,
    }
}

/// End a session of the user from another one.
async fn revoke(cx: &mut Cx, request: RevokeSession) -> Result<SessionFacts> {
    let current = current(cx).await?;
    let row = SessionRow::select(&cx.tx)
        .filter(
            "id = ? and user_id = ?",
            [request.session_id.to_value(), current.user_id.to_value()],
        )
        .first(&mut cx.tx)
        .await?;
    let mut row = row.ok_or_else(|| sessions::not_found(&request.session_id))?;
    if row.is_live(cx.now) {
        sessions::finish(cx, &mut row, SessionStatus::Revoked).await?;
    }
    facts(cx, row).await
}

/// The session of the visitor's client with this id, whatever became of it.
pub(crate) async fn own(cx: &mut Cx, id: SessionId) -> Result<SessionRow> {
    Ok(of_client(cx, &id).await?.ok_or_else(|| sessions::not_found(&id))?)
}

/// The same, if it is neither over nor gone with its user. Official components look after the
/// client when they hear that it is, and sign out.
pub(crate) async fn own_live(cx: &mut Cx, id: SessionId) -> Result<SessionRow> {
    let row = of_client(cx, &id).await?.filter(|row| row.is_live(cx.now));
    Ok(row.ok_or_else(|| over(&id))?)
}

async fn of_client(cx: &mut Cx, id: &SessionId) -> Result<Option<SessionRow>> {
    let client = clients::find(cx).await?.ok_or_else(refusal::authentication_invalid)?;
    let row = SessionRow::select(&cx.tx)
        .filter("id = ? and client_id = ?", [id.to_value(), client.id.to_value()]);
    Ok(row.first(&mut cx.tx).await?)
}

pub(super) fn over(id: &SessionId) -> wire::Refusal {
    let reason = format!("The session {} is not active.", text::shown(id.as_str()));
    refusal::authentication_invalid().because(reason)
}

/// The session that the visitor acts in: the one it names, else the one last in use.
pub(crate) async fn current(cx: &mut Cx) -> Result<SessionRow> {
    let signed_out = || {
        let reason = "You are signed out.";
        refusal::authentication_invalid().because(reason)
    };
    let client = clients::find(cx).await?.ok_or_else(signed_out)?;
    let named = cx.caller.visitor().and_then(|visitor| visitor.session_id.clone());
    let mut live = sessions::live(cx).filter("client_id = ?", [client.id.to_value()]);
    if let Some(id) = &named {
        live = live.filter("id = ?", [id.to_value()]);
    }
    let mut rows = live.order("position desc").all(&mut cx.tx).await?;
    let last = rows.iter().position(|row| Some(&row.id) == client.last_active_session_id.as_ref());
    if rows.is_empty() {
        return Err(signed_out().into());
    }
    let row = rows.swap_remove(last.unwrap_or(0));
    // Who is banned has no live sessions; should one be left, it opens nothing.
    if users::find(cx, &row.user_id).await?.banned {
        return Err(signed_out().into());
    }
    Ok(row)
}

/// Refuses a visitor who is not signed in.
pub async fn must_be_signed_in(outside: &Outside) -> Result<()> {
    outside.read(signed_in, ()).await
}

async fn signed_in(cx: &mut Cx, (): ()) -> Result<()> {
    current(cx).await.map(drop)
}

/// Begins a session on the visitor's client, as a sign-in or a sign-up ends.
///
/// With one session for a client, the ones before it end. The client has a new secret afterwards.
pub(crate) async fn begin(cx: &mut Cx, beginning: Beginning, strategy: &str) -> Result<SessionRow> {
    let mut client = clients::ensure(cx).await?;
    if cx.instance.settings.session.single_session {
        let live = sessions::live(cx).filter("client_id = ?", [client.id.to_value()]);
        for mut session in live.order("position desc").all(&mut cx.tx).await? {
            sessions::finish(cx, &mut session, SessionStatus::Replaced).await?;
        }
    }
    client.last_authentication_strategy = Some(strategy.to_owned());
    let latest_activity = activity::of(cx, None)?;
    let beginning = Beginning { latest_activity, ..beginning };
    let row = sessions::begin_on(cx, &mut client, beginning).await?;
    // Where the client is known by another token than its own, there is no secret to change.
    if client.secret_digest.is_some() {
        clients::rotate(cx, &mut client).await?;
    }
    Ok(row)
}

/// Refuses to sign in once more as somebody who is signed in on this client, or at all where a
/// client has one session. To be asked before anything is proven, and again before it counts.
pub(crate) async fn refuse_second(cx: &mut Cx, user_id: Option<&UserId>) -> Result<()> {
    let Some(client) = clients::find(cx).await? else { return Ok(()) };
    let live = sessions::live(cx).filter("client_id = ?", [client.id.to_value()]);
    let live = live.order("position desc").all(&mut cx.tx).await?;
    let same = live.iter().find(|session| Some(&session.user_id) == user_id);
    if cx.instance.settings.session.single_session {
        return match live.first() {
            Some(_) => Err(refusal::session_exists().showing_client().into()),
            None => Ok(()),
        };
    }
    match same {
        Some(session) => {
            let refusal = refusal::identifier_already_signed_in();
            Err(refusal.meta("session_id", session.id.as_str()).showing_client().into())
        }
        None => Ok(()),
    }
}

/// A session with its user, yet to be shown.
#[derive(Clone, Debug)]
pub(crate) struct SessionFacts {
    /// The session.
    pub(crate) session: SessionRow,
    /// Its user.
    pub(crate) user: UserRow,
    /// All that the user is known by.
    pub(crate) identifications: Vec<IdentificationRow>,
    /// When sessions of its client last changed: no token is older.
    pub(crate) client_updated_at: Timestamp,
}

/// A session with its user, as it is now.
pub(crate) async fn facts(cx: &mut Cx, session: SessionRow) -> Result<SessionFacts> {
    let (user, identifications) = users::load(cx, &session.user_id).await?;
    let sql = "select updated_at from clients where instance_id = $1 and id = $2";
    let values = vec![Value::Text(cx.instance_id()), session.client_id.to_value()];
    let client_updated_at = match cx.tx.rows(sql, values).await?.pop() {
        Some(mut row) => row.take()?,
        None => session.updated_at,
    };
    Ok(SessionFacts { session, user, identifications, client_updated_at })
}

impl Show<Session> for SessionFacts {
    fn show(self, outside: &Outside) -> Result<Session> {
        let Self { session, user, identifications, client_updated_at } = self;
        let user = user_view(outside, (&user, &identifications));
        let public_user_data = PublicUserData::from(&user);
        let now = outside.now;
        let shown = sessions::view(&session, now);
        let subject = Subject { session, user: Some(Box::new(user)) };
        let is_live = subject.session.is_live(now);
        let token = is_live.then(|| tokens::fresh(outside, &subject, client_updated_at));
        let last_active_token = token.transpose()?;
        let Subject { session, user } = subject;
        let proven = [session.first_factor_verified_at, session.second_factor_verified_at];
        Ok(Session {
            object: Tag::new(),
            id: shown.id,
            status: shown.status,
            expire_at: shown.expire_at,
            abandon_at: shown.abandon_at,
            last_active_at: shown.last_active_at,
            last_active_organization_id: shown.last_active_organization_id,
            actor: shown.actor,
            tasks: shown.tasks,
            factor_verification_age: proven.map(|at| minutes_since(at, now)),
            last_active_token,
            user: user.map(|user| (*user).into()),
            public_user_data: Some(public_user_data),
            created_at: shown.created_at,
            updated_at: shown.updated_at,
        })
    }
}
