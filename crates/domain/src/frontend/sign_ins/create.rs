//! How a sign-in begins.

use wire::{frontend::sign_ins::CreateSignIn, refusal};

use super::{
    Facts,
    first::{self, Asked},
    identify::{Identified, hides, identify},
    missing, no_strategy, password,
    row::Attempt,
    tickets,
};
use crate::{
    Cx, Outside, Result,
    frontend::{
        captcha::{self, Solved},
        client_state::Person,
        limits, sessions,
    },
    users,
};

/// Strategies that a sign-in can begin with, beside tickets.
pub(super) const BEGINNINGS: [&str; 6] = [
    "password",
    "email_code",
    "email_link",
    "phone_code",
    "reset_password_email_code",
    "reset_password_phone_code",
];

/// Begin to sign in.
pub(super) async fn create(outside: &Outside, request: CreateSignIn) -> Result<Facts> {
    let rate = &outside.instance.settings.rate_limits.creates;
    limits::admit(outside, "sign-ins", rate, request.identifier.as_deref()).await?;
    if request.transfer == Some(true) {
        let reason = "There is no external account to go on with.";
        return Err(refusal::external_account_not_found().status(422).because(reason).into());
    }
    if request.sign_up_if_missing == Some(true) {
        captcha::admit(outside, solved(&request)).await?;
    }
    let (strategy, identifier) = (request.strategy.clone(), request.identifier.clone());
    match (strategy.as_deref(), identifier, request.password.clone(), request.ticket.clone()) {
        (Some("ticket"), _, _, Some(ticket)) | (None, None, None, Some(ticket)) => {
            outside.write(tickets::create, ticket).await
        }
        (Some("ticket"), ..) => Err(missing("ticket")),
        (None | Some("password"), Some(identifier), Some(password), _) => {
            password::create(outside, identifier, password).await
        }
        (None, None, ..) => outside.write(blank, ()).await,
        (Some(strategy), ..) if !BEGINNINGS.contains(&strategy) => Err(no_strategy(strategy)),
        (_, None, ..) => Err(missing("identifier")),
        (_, Some(_), ..) => outside.write(with_identifier, request).await,
    }
}

/// What the page says of its captcha.
fn solved(request: &CreateSignIn) -> Solved<'_> {
    Solved {
        action: "signin",
        strategy: request.strategy.as_deref(),
        token: request.captcha_token.as_deref(),
        error: request.captcha_error.as_deref(),
        widget_type: request.captcha_widget_type.as_deref(),
    }
}

/// Without anything, which clears what was there.
async fn blank(cx: &mut Cx, (): ()) -> Result<Facts> {
    sessions::refuse_second(cx, None).await?;
    Ok(Attempt::begin(cx).await?.into())
}

/// A request that says no more than who it is.
pub(super) fn named(identifier: String) -> CreateSignIn {
    CreateSignIn { identifier: Some(identifier), ..CreateSignIn::new() }
}

pub(super) async fn with_identifier(cx: &mut Cx, request: CreateSignIn) -> Result<Facts> {
    let identifier = request.identifier.ok_or_else(|| missing("identifier"))?;
    let (identified, person) = identified(cx, &identifier).await?;
    let locked = person.as_ref().and_then(|(user, _)| users::locked(user, cx.now));
    if let Some(locked) = locked.filter(|_| !hides(&cx.instance.settings)) {
        return Err(locked.into());
    }
    let mut attempt = begin(cx, identifier, identified, person).await?;
    let may_sign_up = cx.instance.settings.sign_up.mode == "public";
    attempt.detail.sign_up_if_missing = request.sign_up_if_missing == Some(true) && may_sign_up;
    if let Some(strategy) = request.strategy.filter(|strategy| strategy != "password") {
        let asked = Asked { strategy, id: None, redirect_url: request.redirect_url };
        first::send(cx, &mut attempt, asked).await?;
    }
    attempt.save(cx).await?;
    Ok(attempt.into())
}

/// Who is meant; refuses those who are in already, and those whom nobody knows.
pub(super) async fn identified(
    cx: &mut Cx,
    identifier: &str,
) -> Result<(Identified, Option<Person>)> {
    sessions::refuse_second(cx, None).await?;
    let (identified, person) = identify(cx, identifier).await?;
    if person.is_none() && !identified.is_pretended {
        let reason = "Couldn't find your account.";
        return Err(refusal::form_identifier_not_found()
            .because(reason)
            .param("identifier")
            .into());
    }
    let user_id = person.as_ref().map(|(user, _)| user.id.clone());
    sessions::refuse_second(cx, user_id.as_ref()).await?;
    Ok((identified, person))
}

/// A sign-in of whom the identifier means.
pub(super) async fn begin(
    cx: &mut Cx,
    identifier: String,
    identified: Identified,
    person: Option<Person>,
) -> Result<Attempt> {
    let mut attempt = Attempt::begin(cx).await?;
    attempt.row.identifier = Some(identifier);
    attempt.detail.identified = Some(identified);
    if let Some(person) = person {
        attempt.is_of(cx, person).await?;
    }
    Ok(attempt)
}
