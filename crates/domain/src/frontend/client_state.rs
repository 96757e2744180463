//! The whole state of a client: its sessions, their users, what is under way on it.

use db::{Record as _, Statement, Value};
use wire::{Tag, Timestamp, backend::users::User, frontend::clients::Client};

use super::{
    Show, clients,
    sessions::SessionFacts,
    sign_ins::{self, SignInRow},
    sign_ups,
};
use crate::{
    Cx, Outside, Result, Settings,
    clients::ClientRow,
    identifications::IdentificationRow,
    sessions::SessionRow,
    sign_ups::SignUpRow,
    users::{self, UserRow},
};

/// A user with all that they are known by.
pub(crate) type Person = (UserRow, Vec<IdentificationRow>);

/// A client with all that its view needs, of one moment.
#[derive(Clone, Debug)]
pub(crate) struct ClientState {
    /// The client.
    pub(crate) client: ClientRow,
    /// Its live sessions, the newest first.
    pub(crate) sessions: Vec<SessionRow>,
    /// Their users, and whoever signs in.
    pub(crate) people: Vec<Person>,
    /// The sign-in that is not finished.
    pub(crate) sign_in: Option<SignInRow>,
    /// The sign-up that is not finished.
    pub(crate) sign_up: Option<SignUpRow>,
}

/// Reads the state of the visitor's client, in one round trip.
pub(crate) async fn read(cx: &mut Cx, (): ()) -> Result<Option<ClientState>> {
    let Some(whose) = clients::whose(cx) else { return Ok(None) };
    let (id, values) = (whose.sql, || whose.values.clone());
    let (instance, now) = (Value::Text(cx.instance_id()), Value::Int(cx.now.0));
    let live = "status in ('active', 'pending') and expire_at > ? and abandon_at > ?";
    // Of both: PostgreSQL finds no index for two conditions with an `or` between them.
    let people = format!(
        "(select user_id from sessions where instance_id = ? and client_id = {id} and {live}
          union all
          select user_id from sign_ins where instance_id = ? and client_id = {id} and is_open)"
    );
    let mut of_people = vec![instance.clone()];
    of_people.extend(values());
    of_people.extend([now.clone(), now.clone(), instance]);
    of_people.extend(values());
    let client = ClientRow::select(&cx.tx).filter(&format!("id = {id}"), values());
    let sessions = crate::sessions::live(cx)
        .filter(&format!("client_id = {id}"), values())
        .order("position desc");
    let users = UserRow::select(&cx.tx).filter(&format!("id in {people}"), of_people.clone());
    let identifications = IdentificationRow::select(&cx.tx)
        .filter(&format!("user_id in {people}"), of_people)
        .order("created_at, id");
    let open = format!("client_id = {id} and is_open and abandon_at > ?");
    let of_open = || values().into_iter().chain([now.clone()]);
    let sign_in = SignInRow::select(&cx.tx).filter(&open, of_open());
    let sign_up = SignUpRow::select(&cx.tx).filter(&open, of_open());
    let statements: Vec<Statement> = vec![
        client.statement()?,
        sessions.statement()?,
        users.statement()?,
        identifications.statement()?,
        sign_in.statement()?,
        sign_up.statement()?,
    ];
    let mut found = cx.tx.batch(statements).await?.into_iter();
    let client: Option<ClientRow> = rows(&mut found)?.pop();
    let sessions = rows(&mut found)?;
    let users: Vec<UserRow> = rows(&mut found)?;
    let mut identifications: Vec<IdentificationRow> = rows(&mut found)?;
    let sign_in = rows(&mut found)?.pop();
    let sign_up = rows(&mut found)?.pop();
    let Some(client) = client else {
        clients::must_be_known(cx).await?;
        return Ok(None);
    };
    let people = users.into_iter().map(|user| {
        let own = identifications.extract_if(.., |row| row.user_id == user.id).collect();
        (user, own)
    });
    Ok(Some(ClientState { client, sessions, people: people.collect(), sign_in, sign_up }))
}

/// The rows of the next query.
fn rows<R: db::Record>(found: &mut impl Iterator<Item = Vec<db::Row>>) -> Result<Vec<R>> {
    let rows = found.next().unwrap_or_default();
    Ok(rows.into_iter().map(|mut row| R::read(&mut row)).collect::<db::Result<_>>()?)
}

impl Show<Option<Client>> for Option<ClientState> {
    fn show(self, outside: &Outside) -> Result<Option<Client>> {
        self.map(|state| view(outside, state)).transpose()
    }
}

/// How the Frontend API shows a client. Signs tokens where none are fresh.
pub(crate) fn view(outside: &Outside, state: ClientState) -> Result<Client> {
    let ClientState { client, sessions, people, sign_in, sign_up } = state;
    let now = outside.now;
    let is_last =
        |session: &&SessionRow| Some(&session.id) == client.last_active_session_id.as_ref();
    let last_active = sessions.iter().find(is_last).or(sessions.first());
    let last_active_session_id = last_active.map(|session| session.id.clone());
    let user_of = |id| people.iter().find(|(user, _)| user.id == id);
    let sign_in = sign_in.map(|row| {
        let person = row.user_id.clone().and_then(user_of);
        sign_ins::view(outside, &row, person)
    });
    let settings = &outside.instance.settings;
    let sign_up = sign_up.map(|row| sign_ups::view(settings, now, &row)).transpose()?;
    let shown = sessions.into_iter().filter_map(|session| {
        let (user, identifications) = user_of(session.user_id.clone())?;
        let facts = SessionFacts {
            session,
            user: user.clone(),
            identifications: identifications.clone(),
            client_updated_at: client.updated_at,
        };
        Some(facts.show(outside))
    });
    Ok(Client {
        object: Tag::new(),
        id: client.id.clone(),
        sessions: shown.collect::<Result<_>>()?,
        sign_in,
        sign_up,
        last_active_session_id,
        last_authentication_strategy: client.last_authentication_strategy.clone(),
        cookie_expires_at: client.cookie_expires_at.filter(|end| *end > now),
        captcha_bypass: outside.caller.visitor().is_some_and(|visitor| visitor.is_testing),
        created_at: client.created_at,
        updated_at: client.updated_at,
    })
}

/// Milliseconds since then, as whole minutes; -1 is never.
pub(super) fn minutes_since(at: Option<Timestamp>, now: Timestamp) -> i64 {
    at.map_or(-1, |at| (now.0 - at.0).max(0) / 60_000)
}

/// How servers see a user, but for what the instance lets nobody do any more.
pub(super) fn user_view(
    outside: &Outside,
    (user, identifications): (&UserRow, &[IdentificationRow]),
) -> User {
    let shown = users::shown(&outside.world, &outside.instance, outside.now, user, identifications);
    permitted(&outside.instance.settings, shown)
}

/// Components offer what a user may do, and know nothing of what the instance lets users do.
pub(super) fn permitted(settings: &Settings, mut user: User) -> User {
    user.delete_self_enabled &= settings.user.delete_self;
    user.create_organization_enabled &= settings.user.create_organization;
    user
}
