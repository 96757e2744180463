//! What a test needs before anybody can sign in, or without doing it each time.

use wire::backend::{sessions::SessionId, users::UserId};

use super::sessions;
use crate::{Cx, Outside, Result, answer::Reply, frontend::cookies, sessions::Beginning};

/// Signs a user in on the client of `outside`'s visitor; also tells the cookies that it gets.
pub async fn sign_in(outside: &Outside, user_id: UserId) -> Result<(SessionId, Vec<String>)> {
    let id = outside.write(begin, user_id).await?;
    let mut reply: Reply = outside.with_reply(std::mem::take);
    cookies::set_client(outside, &mut reply, true)?;
    Ok((id, reply.cookies))
}

async fn begin(cx: &mut Cx, user_id: UserId) -> Result<SessionId> {
    Ok(sessions::begin(cx, Beginning::of(user_id), "password").await?.id)
}
