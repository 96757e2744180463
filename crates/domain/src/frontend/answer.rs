//! Answers to visitors: the response, and the client as it is now.

use serde::Serialize;
use wire::{Meta, Method, Wrapping};

use super::{
    client_state::{self, ClientState},
    cookies,
};
use crate::{Answer, Error, Outside, Result, Told, answer::Reply, clients::Cookie};
use wire::backend::clients::ClientId;

/// What became of the visitor's client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visit {
    /// The client, where the visitor's own credentials no longer find it.
    pub(crate) client_id: Option<ClientId>,
    /// The secret that it has from now on, to be signed.
    pub(crate) cookie: Option<Cookie>,
    /// The client is no more, and its cookie shall go.
    pub(crate) forgotten: bool,
    /// The client as the unit left it.
    pub(crate) state: Option<Box<ClientState>>,
}

/// What a unit found out, to be shown once its transaction is over: signing is done then.
pub(crate) trait Show<R>: Send + 'static {
    /// As the API shows it.
    fn show(self, outside: &Outside) -> Result<R>;
}

impl<R: Send + 'static> Show<R> for R {
    fn show(self, _: &Outside) -> Result<R> {
        Ok(self)
    }
}

/// True if the answer tells the client's whole state.
pub(super) fn tells_client(meta: &Meta) -> bool {
    match meta.answer {
        Wrapping::Bare => false,
        Wrapping::Enveloped => meta.method != Method::GET,
        Wrapping::Reloaded => true,
    }
}

/// The answer whose response is `response`, which is JSON already.
pub(super) async fn finish(
    outside: &Outside,
    meta: &Meta,
    response: Result<Vec<u8>>,
) -> Result<Answer> {
    let response = match response {
        Ok(response) => response,
        Err(error) => return Err(hand_over(outside, explain(outside, error).await)),
    };
    let mut reply = outside.with_reply(std::mem::take);
    if tells_client(meta) && reply.visit.state.is_none() && !reply.visit.forgotten {
        outside.with_reply(|again| again.visit = reply.visit.clone());
        let state = outside.read(client_state::read, ()).await?;
        reply.visit.state = state.map(Box::new);
    }
    cookies::set(outside, meta, &mut reply)?;
    let body = match meta.answer {
        Wrapping::Bare => response,
        Wrapping::Enveloped | Wrapping::Reloaded => {
            let state = reply.visit.state.take().filter(|_| tells_client(meta));
            let client = state.map(|state| client_state::view(outside, *state)).transpose()?;
            let client = serde_json::to_vec(&client)?;
            [b"{\"response\":", &*response, b",\"client\":", &*client, b"}"].concat()
        }
    };
    Ok(answer(body, reply))
}

fn answer(mut body: Vec<u8>, reply: Reply) -> Answer {
    let usual = if body == b"null" { 204 } else { 200 };
    if usual == 204 {
        body.clear();
    }
    let Reply { status, headers, cookies, .. } = reply;
    Answer { status: status.unwrap_or(usual), headers, cookies, body }
}

/// Adds to a refusal the token of a client that was made although it is one.
fn hand_over(outside: &Outside, error: Error) -> Error {
    let visit = outside.with_reply(|reply| std::mem::take(&mut reply.visit));
    let refusal = match error {
        Error::Refused(refusal) | Error::Kept(refusal) if visit.cookie.is_some() => refusal,
        other => return other,
    };
    let mut reply = Reply { visit, ..Reply::default() };
    match cookies::set_client(outside, &mut reply, true) {
        Ok(()) => {
            let Reply { headers, cookies, .. } = reply;
            Error::Told(Box::new(Told { refusal, headers, cookies }))
        }
        Err(error) => error,
    }
}

/// Adds the client to a refusal that is only understood beside it.
async fn explain(outside: &Outside, error: Error) -> Error {
    let (mut refusal, is_kept) = match error {
        Error::Refused(refusal) if refusal.shows_client => (refusal, false),
        Error::Kept(refusal) if refusal.shows_client => (refusal, true),
        other => return other,
    };
    let state = match outside.read(client_state::read, ()).await {
        Ok(state) => state,
        Err(error) => return error,
    };
    let client = state.map(|state| client_state::view(outside, state)).transpose();
    match client.and_then(|client| Ok(serde_json::to_value(client)?)) {
        Ok(client) => refusal.client = Some(client),
        Err(error) => return error,
    }
    if is_kept { Error::Kept(refusal) } else { Error::Refused(refusal) }
}

/// JSON of a response.
pub(super) fn encode<R: Serialize>(response: &R) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(response)?)
}
