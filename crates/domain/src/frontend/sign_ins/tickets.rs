//! Sign-ins with a ticket: whoever handed it out vouches for whom it lets in.

use wire::{Metadata, backend::users::UserId, refusal};

use super::{
    Facts, create, proven,
    row::{Attempt, Part},
};
use crate::{
    Cx, Result, TicketKind, actor_tokens,
    frontend::sessions,
    identifications::{self, IdentificationKind},
    invitations, sign_in_tokens, users,
};

/// Whom a ticket lets in.
struct Admitted {
    user_id: UserId,
    actor: Option<Metadata>,
    session_lifetime_seconds: Option<i64>,
}

/// Begin to sign in with a ticket. It stays good if its user is refused.
pub(super) async fn create(cx: &mut Cx, ticket: String) -> Result<Facts> {
    if matches!(TicketKind::of(&ticket), Some(TicketKind::Invitation)) {
        return invited(cx, &ticket).await;
    }
    let admitted = admit(cx, ticket).await?;
    // Who acts as others has sessions of their own, and begins another one on purpose.
    let is_second = admitted.actor.is_some() && cx.instance.settings.session.single_session;
    if !is_second {
        sessions::refuse_second(cx, Some(&admitted.user_id)).await?;
    }
    let person = users::load(cx, &admitted.user_id).await?;
    if let Some(locked) = users::locked(&person.0, cx.now) {
        return Err(locked.into());
    }
    let mut attempt = Attempt::begin(cx).await?;
    attempt.is_of(cx, person).await?;
    attempt.detail.actor = admitted.actor;
    attempt.detail.session_lifetime_seconds = admitted.session_lifetime_seconds;
    attempt.set_verification(Part::First, &proven("verification_ticket", "ticket"))?;
    attempt.advance(cx).await
}

/// Begins the sign-in of somebody who was invited and has an account by now. The ticket says who
/// they are and proves nothing: whoever invited them has it as well.
async fn invited(cx: &mut Cx, ticket: &str) -> Result<Facts> {
    let (address, _) = invitations::destination(cx, ticket).await?;
    let kind = IdentificationKind::EmailAddress;
    let owner = identifications::claimed(cx, kind, std::slice::from_ref(&address));
    if !owner.exists(&mut cx.tx).await? {
        let reason = "There is no account with this address yet. Please sign up.";
        return Err(refusal::invitation_account_not_exists().because(reason).into());
    }
    create::with_identifier(cx, create::named(address)).await
}

async fn admit(cx: &mut Cx, ticket: String) -> Result<Admitted> {
    match TicketKind::of(&ticket) {
        Some(TicketKind::SignInToken) => {
            let user_id = sign_in_tokens::redeem(cx, ticket).await?;
            Ok(Admitted { user_id, actor: None, session_lifetime_seconds: None })
        }
        Some(TicketKind::ActorToken) => {
            let found = actor_tokens::redeem(cx, ticket).await?;
            Ok(Admitted {
                user_id: found.user_id,
                actor: Some(found.actor),
                session_lifetime_seconds: Some(found.session_lifetime_seconds),
            })
        }
        Some(TicketKind::Invitation | TicketKind::AgentTask) | None => {
            let reason = "This ticket lets nobody sign in.";
            Err(refusal::ticket_invalid_code().because(reason).param("ticket").into())
        }
    }
}
