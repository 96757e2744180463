//! The client of whoever asks: found, made, forgotten.

use db::{Column as _, Record as _, Value};
use wire::{
    Timestamp,
    backend::{clients::ClientId, sessions::SessionStatus},
    frontend::clients::{DeleteClient, GetClient, PostClient, PutClient, RemoveClientSessions},
    refusal,
};

use super::client_state::{self, ClientState};
use crate::{
    Cx, Operations, Result,
    clients::{self, ClientRow, Cookie},
    sessions,
    visitors::ClientKey,
};

/// How long the cookie of a client lasts.
pub(super) const COOKIE_SECONDS: i64 = 365 * 24 * 3600;

/// What the Frontend API offers about it.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor(get)
        .offer_visitor(put)
        .offer_visitor(post)
        .offer_visitor(delete)
        .offer_visitor(remove_sessions)
}

async fn get(cx: &mut Cx, _: GetClient) -> Result<Option<ClientState>> {
    client_state::read(cx, ()).await
}

async fn put(cx: &mut Cx, _: PutClient) -> Result<Option<ClientState>> {
    ensure(cx).await?;
    client_state::read(cx, ()).await
}

async fn post(cx: &mut Cx, _: PostClient) -> Result<Option<ClientState>> {
    ensure(cx).await?;
    client_state::read(cx, ()).await
}

/// Signs everybody out; the credentials find nothing from then on.
async fn delete(cx: &mut Cx, _: DeleteClient) -> Result<Option<ClientState>> {
    let Some(mut client) = find(cx).await? else { return Ok(None) };
    sign_out(cx, &client).await?;
    client.secret_digest = None;
    client.cookie_expires_at = None;
    client.updated_at = cx.now;
    client.update(&mut cx.tx).await?;
    let sql = "update dev_browsers set client_id = null where instance_id = $1 and client_id = $2";
    cx.tx.execute(sql, vec![Value::Text(cx.instance_id()), client.id.to_value()]).await?;
    cx.reply.visit.forgotten = true;
    Ok(None)
}

async fn remove_sessions(cx: &mut Cx, _: RemoveClientSessions) -> Result<Option<ClientState>> {
    if let Some(client) = find(cx).await? {
        sign_out(cx, &client).await?;
    }
    client_state::read(cx, ()).await
}

async fn sign_out(cx: &mut Cx, client: &ClientRow) -> Result<()> {
    let live = sessions::live(cx).filter("client_id = ?", [client.id.to_value()]);
    for mut session in live.order("position desc").all(&mut cx.tx).await? {
        sessions::finish(cx, &mut session, SessionStatus::Removed).await?;
    }
    Ok(())
}

/// The id of the visitor's client, as an expression of SQL and its values.
pub(crate) struct Whose {
    /// With a `?` for each value.
    pub(crate) sql: &'static str,
    /// The values.
    pub(crate) values: Vec<Value>,
}

impl Whose {
    /// The expression with its placeholders numbered, `taken` being in use already.
    pub(crate) fn numbered(&self, taken: usize) -> String {
        let mut pieces = self.sql.split('?');
        let mut sql = pieces.next().unwrap_or_default().to_owned();
        for (number, piece) in (taken + 1..).zip(pieces) {
            sql = format!("{sql}${number}{piece}");
        }
        sql
    }
}

/// Whose sessions the visitor may use; nobody's if it shows nothing.
pub(crate) fn whose(cx: &Cx) -> Option<Whose> {
    let instance = || Value::Text(cx.instance_id());
    if let Some(id) = &cx.reply.visit.client_id {
        return Some(Whose { sql: "?", values: vec![id.to_value()] });
    }
    match cx.caller.visitor()?.key.clone()? {
        ClientKey::DevBrowser(digest) => Some(Whose {
            sql: "(select client_id from dev_browsers where instance_id = ? and digest = ?)",
            values: vec![instance(), Value::Text(digest)],
        }),
        ClientKey::Secret(id, digest) => Some(Whose {
            sql: "(select id from clients where instance_id = ? and id = ? and secret_digest = ?)",
            values: vec![instance(), Value::Text(id), Value::Text(digest)],
        }),
    }
}

/// The visitor's client, if there is one.
pub(crate) async fn find(cx: &mut Cx) -> Result<Option<ClientRow>> {
    let Some(Whose { sql, values }) = whose(cx) else { return Ok(None) };
    let row = ClientRow::select(&cx.tx).filter(&format!("id = {sql}"), values);
    let row = row.first(&mut cx.tx).await?;
    if row.is_none() {
        must_be_known(cx).await?;
    }
    Ok(row)
}

/// The visitor's client, if it shows one that there is. Nobody is refused.
pub(crate) async fn known(cx: &mut Cx) -> Result<Option<ClientId>> {
    let Some(Whose { sql, values }) = whose(cx) else { return Ok(None) };
    let row = ClientRow::select(&cx.tx).filter(&format!("id = {sql}"), values);
    Ok(row.first(&mut cx.tx).await?.map(|row| row.id))
}

/// Refuses the token of a developer's browser that nobody made.
pub(crate) async fn must_be_known(cx: &mut Cx) -> Result<()> {
    let key = cx.caller.visitor().and_then(|visitor| visitor.key.clone());
    let Some(ClientKey::DevBrowser(digest)) = key else { return Ok(()) };
    let sql = "select id from dev_browsers where instance_id = $1 and digest = $2";
    let values = vec![Value::Text(cx.instance_id()), Value::Text(digest)];
    if cx.tx.rows(sql, values).await?.is_empty() {
        return Err(refusal::dev_browser_unauthenticated().into());
    }
    Ok(())
}

/// The visitor's client; makes it if there is none.
pub(crate) async fn ensure(cx: &mut Cx) -> Result<ClientRow> {
    if let Some(row) = find(cx).await? {
        return Ok(row);
    }
    let mut row = clients::insert(cx).await?;
    cx.reply.visit.client_id = Some(row.id.clone());
    let key = cx.caller.visitor().and_then(|visitor| visitor.key.clone());
    if let Some(ClientKey::DevBrowser(digest)) = key {
        let sql = "update dev_browsers set client_id = $1 where instance_id = $2 and digest = $3";
        let values = vec![row.id.to_value(), Value::Text(cx.instance_id()), Value::Text(digest)];
        cx.tx.execute(sql, values).await?;
    } else {
        rotate(cx, &mut row).await?;
    }
    Ok(row)
}

/// Gives a client that is known by its cookie another one. Whoever signs in leaves with a secret
/// that was unknown before, so that none can be planted.
pub(crate) async fn rotate(cx: &mut Cx, row: &mut ClientRow) -> Result<()> {
    let cookie = Cookie { id: row.id.clone(), rotating_token: cx.secret() };
    row.secret_digest = Some(cookie.digest());
    row.cookie_expires_at = Some(Timestamp(cx.now.0 + COOKIE_SECONDS * 1000));
    row.update(&mut cx.tx).await?;
    cx.reply.visit.client_id = Some(row.id.clone());
    cx.reply.visit.cookie = Some(cookie);
    Ok(())
}
