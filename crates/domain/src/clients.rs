//! Clients: browsers and apps that hold sessions.

use std::collections::HashMap;

use db::{Column as _, Mode, Record as _, Value};
use macros::Record;
use serde::{Deserialize, Serialize};
use wire::{
    Listing, Page, Paging, Refusal, Tag, Timestamp,
    backend::{
        clients::{Client, ClientId, GetClient, GetClientList, VerifyClient},
        sessions::SessionId,
    },
    refusal,
};

use crate::{
    Cx, Error, Instance, Operations, Outside, Result, error, jwks,
    seal::digest_of_secret,
    sessions::{self, SessionRow},
};

/// Counter of an instance's clients.
pub(crate) const COUNTER: &str = "clients";

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer_as(Mode::Scan, list).offer(get).offer_outside(verify)
}

/// List clients, newest first. Clerk has switched this off for new instances; it harms nobody.
async fn list(cx: &mut Cx, request: GetClientList) -> Result<Listing<Client>> {
    let paging = Paging::new(request.limit, request.offset);
    let rows = ClientRow::select(&cx.tx).order("position desc").part(&mut cx.tx, paging).await?;
    let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
    let sessions = if ids.is_empty() {
        Vec::new()
    } else {
        sessions::live(cx).filter_in("client_id", &ids).all(&mut cx.tx).await?
    };
    let mut of_client: HashMap<ClientId, Vec<SessionRow>> = HashMap::new();
    for session in sessions {
        of_client.entry(session.client_id.clone()).or_default().push(session);
    }
    let total_count = match request.paginated {
        Some(true) => cx.tx.counter(COUNTER).await?,
        _ => 0,
    };
    let show =
        |row: &ClientRow| view(row, of_client.get(&row.id).map_or(&[], Vec::as_slice), cx.now);
    let data = rows.iter().map(show).collect();
    Ok(Listing::new(Page { data, total_count }, request.paginated))
}

/// Fetch one client.
async fn get(cx: &mut Cx, request: GetClient) -> Result<Client> {
    let id = request.client_id;
    let client = ClientRow::select(&cx.tx).filter("id = ?", [id.to_value()]);
    let sessions = sessions::live(cx).filter("client_id = ?", [id.to_value()]);
    let (clients, sessions) = cx.tx.both(client, sessions).await?;
    let client = clients.first().ok_or_else(|| not_found(&id))?;
    Ok(view(client, &sessions, cx.now))
}

/// Fetch the client whose `__client` cookie this is.
async fn verify(outside: &Outside, request: VerifyClient) -> Result<Client> {
    let Some(cookie) = Cookie::read(&outside.instance, &request.token) else {
        return Err(refusal::cookie_invalid().param("token").into());
    };
    outside.read(of_cookie, cookie).await
}

/// What the `__client` cookie says, under the instance's signature.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Cookie {
    pub(crate) id: ClientId,
    pub(crate) rotating_token: String,
}

impl std::fmt::Debug for Cookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cookie({})", self.id)
    }
}

impl Cookie {
    /// Reads one that the instance signed.
    pub(crate) fn read(instance: &Instance, token: &str) -> Option<Self> {
        jwks::verify(instance, token)
            // Tokens that say who may do what are of a class; cookies are of none.
            .filter(|verified| verified.header.cat.is_none())
            .and_then(|verified| serde_json::from_slice(&verified.payload).ok())
    }

    /// As it travels.
    pub(crate) fn sign(&self, instance: &Instance) -> Result<String> {
        let signer = &instance.signer;
        let header = jwt::PreparedHeader::new(signer.key.algorithm()).kid(&*signer.kid);
        signer.key.sign(&header, self).map_err(|error| Error::Broken(error.into()))
    }

    /// What is kept of its secret.
    pub(crate) fn digest(&self) -> String {
        digest_of_secret(&self.rotating_token)
    }
}

async fn of_cookie(cx: &mut Cx, cookie: Cookie) -> Result<Client> {
    let digest = Value::Text(cookie.digest());
    let client = ClientRow::select(&cx.tx)
        .filter("id = ? and secret_digest = ?", [cookie.id.to_value(), digest]);
    let sessions = sessions::live(cx).filter("client_id = ?", [cookie.id.to_value()]);
    let (clients, sessions) = cx.tx.both(client, sessions).await?;
    let client = clients.first().ok_or_else(|| refusal::cookie_invalid().param("token"))?;
    Ok(view(client, &sessions, cx.now))
}

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "clients")]
pub(crate) struct ClientRow {
    /// `client_…`
    pub(crate) id: ClientId,
    instance_id: String,
    position: i64,
    /// Digest of the secret in its cookie.
    pub(crate) secret_digest: Option<String>,
    pub(crate) last_active_session_id: Option<SessionId>,
    pub(crate) last_authentication_strategy: Option<String>,
    pub(crate) created_at: Timestamp,
    /// When its sessions last changed.
    pub(crate) updated_at: Timestamp,
    /// When its cookie ends, if it has one.
    pub(crate) cookie_expires_at: Option<Timestamp>,
}

/// A new client.
pub(crate) async fn insert(cx: &mut Cx) -> Result<ClientRow> {
    let row = ClientRow {
        id: cx.id(),
        instance_id: cx.instance_id(),
        position: cx.position(cx.now),
        secret_digest: None,
        last_active_session_id: None,
        last_authentication_strategy: None,
        created_at: cx.now,
        updated_at: cx.now,
        cookie_expires_at: None,
    };
    row.insert(&mut cx.tx).await?;
    cx.tx.add(COUNTER, 1).await?;
    Ok(row)
}

/// Notes that sessions of a client changed.
pub(crate) async fn touch(cx: &mut Cx, id: &ClientId) -> Result<()> {
    let sql = "update clients set updated_at = $1 where instance_id = $2 and id = $3";
    let values = vec![cx.now.to_value(), Value::Text(cx.instance_id()), id.to_value()];
    Ok(cx.tx.execute(sql, values).await?)
}

/// Gives a client a new cookie; the one before it is worth nothing from then on.
pub(crate) async fn new_cookie(outside: &Outside, id: ClientId) -> Result<String> {
    let cookie = Cookie { id, rotating_token: outside.world.secret() };
    outside.write(rotate, cookie.clone()).await?;
    cookie.sign(&outside.instance)
}

async fn rotate(cx: &mut Cx, cookie: Cookie) -> Result<()> {
    let row = ClientRow::find(&mut cx.tx, &cookie.id).await?;
    let mut row = row.ok_or_else(|| not_found(&cookie.id))?;
    row.secret_digest = Some(cookie.digest());
    Ok(row.update(&mut cx.tx).await?)
}

fn not_found(id: &ClientId) -> Refusal {
    error::not_found("client", id.as_str())
}

/// A client with those of `sessions` that are live, the newest first.
fn view(row: &ClientRow, sessions: &[SessionRow], now: Timestamp) -> Client {
    let mut live: Vec<_> = sessions.iter().filter(|session| session.is_live(now)).collect();
    live.sort_by_key(|session| std::cmp::Reverse(session.position));
    let is_last = |session: &&&SessionRow| Some(&session.id) == row.last_active_session_id.as_ref();
    let last_active = live.iter().find(is_last).or(live.first());
    Client {
        id: row.id.clone(),
        object: Tag::new(),
        session_ids: live.iter().map(|session| session.id.clone()).collect(),
        sessions: live.iter().map(|session| sessions::view(session, now)).collect(),
        sign_in_id: None,
        sign_up_id: None,
        last_active_session_id: last_active.map(|session| session.id.clone()),
        last_authentication_strategy: row.last_authentication_strategy.clone(),
        updated_at: row.updated_at,
        created_at: row.created_at,
    }
}
