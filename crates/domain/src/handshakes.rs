//! Handshakes: cookies that the Frontend API leaves for an app's server to fetch.
//!
//! The browser carries a nonce only, so that no token stands in an URL. The cookies are sealed, as
//! they hold session tokens. A nonce is good for a minute; once it was used, for ten seconds more,
//! since a page that loads asks for several things with it at the same time.

use db::{Mode, Record, Value};
use macros::Record;
use wire::{
    Timestamp,
    backend::clients::{GetHandshakePayload, HandshakePayload},
    refusal,
};

use crate::{Cx, Operations, Place, Result, seal::digest_of_secret};

/// How long a nonce waits for the app's server.
const LIFETIME_MS: i64 = 60_000;
/// How long it stays good after its first use.
const USED_LIFETIME_MS: i64 = 10_000;

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer_as(Mode::Write, take)
}

/// Fetch the cookies that were left under a nonce.
async fn take(cx: &mut Cx, request: GetHandshakePayload) -> Result<HandshakePayload> {
    let row = HandshakeRow::find(&mut cx.tx, &digest_of_secret(&request.nonce)).await?;
    let Some(mut row) = row.filter(|row| cx.now < row.expires_at) else {
        let reason = "No handshake was found with this nonce. It may have been used already.";
        return Err(refusal::resource_not_found().because(reason).into());
    };
    let directives = cx.world.sealer.open(&row.place(), &row.directives)?;
    if row.used_at.is_none() {
        row.used_at = Some(cx.now);
        row.expires_at = row.expires_at.min(Timestamp(cx.now.0 + USED_LIFETIME_MS));
        row.update(&mut cx.tx).await?;
    }
    Ok(HandshakePayload {
        nonce: request.nonce,
        directives: serde_json::from_slice(&directives)?,
        payload: String::new(),
    })
}

/// Leaves cookies, values of `Set-Cookie`, for an app's server, which gets them for the nonce.
pub async fn keep(cx: &mut Cx, directives: Vec<String>) -> Result<String> {
    let sql = "delete from handshakes where instance_id = $1 and expires_at <= $2";
    let values = vec![Value::Text(cx.instance_id()), Value::Int(cx.now.0)];
    cx.tx.execute(sql, values).await?;
    let nonce = cx.secret();
    let mut row = HandshakeRow {
        id: digest_of_secret(&nonce),
        instance_id: cx.instance_id(),
        directives: String::new(),
        used_at: None,
        expires_at: Timestamp(cx.now.0 + LIFETIME_MS),
    };
    let text = serde_json::to_vec(&directives)?;
    row.directives = cx.world.sealer.seal(&row.place(), &text)?;
    row.insert(&mut cx.tx).await?;
    Ok(nonce)
}

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "handshakes")]
struct HandshakeRow {
    /// Digest of the nonce.
    id: String,
    instance_id: String,
    /// JSON array of `Set-Cookie` values, sealed.
    directives: String,
    used_at: Option<Timestamp>,
    expires_at: Timestamp,
}

impl HandshakeRow {
    fn place(&self) -> Place<'_> {
        Place {
            instance: &self.instance_id,
            table: "handshakes",
            row: &self.id,
            column: "directives",
        }
    }
}
