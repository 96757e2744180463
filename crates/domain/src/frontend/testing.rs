//! What a test needs before anybody can sign in, or without doing it each time.

use wire::{
    Endpoint as _,
    backend::{sessions::SessionId, users::UserId},
    frontend::clients::PostClient,
    refusal,
};

use super::{answer, clients, cookies, sessions};
use crate::{Cx, Error, Outside, Result, answer::Reply, sessions::Beginning};

/// Signs a user in on the client of `outside`'s visitor; also tells the cookies that it gets.
pub async fn sign_in(outside: &Outside, user_id: UserId) -> Result<(SessionId, Vec<String>)> {
    let id = outside.write(begin, user_id).await?;
    let mut reply: Reply = outside.with_reply(std::mem::take);
    cookies::set_client(outside, &mut reply, true)?;
    Ok((id, reply.cookies))
}

/// Refuses the visitor in the very transaction that makes their client, and keeps that: what comes
/// of it as an answer.
pub async fn refuse_newcomer(outside: &Outside) -> Error {
    let refused = outside.write(meet_and_refuse, ()).await.map(|()| Vec::new());
    let answered = answer::finish(outside, &PostClient::META, refused).await;
    answered.expect_err("it is refused")
}

async fn meet_and_refuse(cx: &mut Cx, (): ()) -> Result<()> {
    clients::ensure(cx).await?;
    Err(Error::Kept(refusal::form_code_incorrect().showing_client()))
}

async fn begin(cx: &mut Cx, user_id: UserId) -> Result<SessionId> {
    Ok(sessions::begin(cx, Beginning::of(user_id), "password").await?.id)
}
