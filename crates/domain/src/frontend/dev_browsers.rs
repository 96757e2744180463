//! Browsers of developers: known by a token, as their apps and the server are of different sites.

use db::Record as _;
use macros::Record;
use wire::{
    Timestamp,
    backend::clients::ClientId,
    frontend::dev_browsers::{CreateDevBrowser, DevBrowser},
    refusal,
};

use crate::{Cx, Operations, Result, clients, seal::digest_of_secret};

/// What the Frontend API offers about them.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor(create)
}

/// Make a token. Its client is made at once, since official components expect one from the start.
async fn create(cx: &mut Cx, _: CreateDevBrowser) -> Result<DevBrowser> {
    if !cx.instance.is_development() {
        let reason = "Browsers are known by a token to development instances only.";
        return Err(refusal::request_invalid_for_environment().because(reason).into());
    }
    let token = insert(cx).await?;
    Ok(DevBrowser { id: token.clone(), token })
}

/// A new one, with a client of its own; tells its token.
pub(super) async fn insert(cx: &mut Cx) -> Result<String> {
    let client = clients::insert(cx).await?;
    let token = format!("dvb_{}", cx.secret());
    let digest = digest_of_secret(&token);
    let row = DevBrowserRow {
        id: id_of(&client.id),
        instance_id: cx.instance_id(),
        digest,
        client_id: Some(client.id),
        created_at: cx.now,
    };
    row.insert(&mut cx.tx).await?;
    Ok(token)
}

/// The id of a browser whose first client is this one.
pub(super) fn id_of(client: &ClientId) -> String {
    client.as_str().replacen("client_", "dvb_", 1)
}

/// A row of the table.
#[derive(Record)]
#[record(table = "dev_browsers")]
struct DevBrowserRow {
    id: String,
    instance_id: String,
    /// Digest of the token.
    digest: String,
    client_id: Option<ClientId>,
    created_at: Timestamp,
}
