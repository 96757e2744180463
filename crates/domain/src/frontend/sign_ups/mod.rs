//! Sign-ups: somebody becomes a user, step by step.
//!
//! Each request says more of them, or proves some of it. Once nothing is missing and nothing is
//! unproven, one transaction makes the user and their session of it.

mod complete;
mod machine;
mod said;
mod verification;
mod view;

use db::{Column as _, Record as _, Value};
use wire::{
    backend::{clients::ClientId, sign_ups::SignUpId, users::UserId},
    frontend::sign_ups::{
        AttemptSignUpVerification, CreateSignUp, GetSignUp, PrepareSignUpVerification, SignUp,
        UpdateSignUp,
    },
    refusal,
};

use self::{
    machine::{Proof, State, Step},
    said::Said,
};
use super::{
    captcha::{self, Solved},
    client_state, clients, limits, sessions, sign_ins,
};
use crate::{
    Cx, Operations, Outside, Result,
    identifications::IdentificationKind,
    invitations,
    sign_ups::{self, SignUpRow},
};

pub(crate) use verification::opened;
pub(crate) use view::view;

/// What the Frontend API offers about them.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor_outside(create)
        .offer_visitor_outside(get)
        .offer_visitor_outside(update)
        .offer_visitor_outside(prepare)
        .offer_visitor_outside(attempt)
}

/// How somebody begins.
#[derive(Clone)]
struct Beginning {
    said: Said,
    /// Of an invitation.
    ticket: Option<String>,
    /// With what was proven in the client's sign-in.
    transfer: bool,
}

/// Begin to sign up.
async fn create(outside: &Outside, request: CreateSignUp) -> Result<SignUp> {
    let rate = &outside.instance.settings.rate_limits.creates;
    limits::admit(outside, "sign-ups", rate, identifier(&request)).await?;
    let (ticket, transfer) = (request.ticket.clone(), request.transfer == Some(true));
    let said = Said::from(request.clone());
    let mut beginning = Beginning { said, ticket, transfer };
    // What a sign-in has proven, a captcha stood before.
    let is_asked = !transfer && captcha::is_asked(outside);
    if beginning.said.password.is_some() || is_asked {
        // Whoever is refused in any case keeps no core busy, and nobody else.
        outside.read(may_begin, beginning.clone()).await?;
    }
    if !transfer {
        captcha::admit(outside, solved(&request)).await?;
    }
    beginning.said.hash(outside, None).await?;
    outside.write(begin, beginning).await
}

/// What the page says of its captcha.
fn solved(request: &CreateSignUp) -> Solved<'_> {
    Solved {
        action: "signup",
        strategy: request.strategy.as_deref(),
        token: request.captcha_token.as_deref(),
        error: request.captcha_error.as_deref(),
        widget_type: request.captcha_widget_type.as_deref(),
    }
}

/// What whoever signs up wants to be known by.
fn identifier(request: &CreateSignUp) -> Option<&str> {
    let CreateSignUp { email_address, email_address_or_phone_number, .. } = request;
    let CreateSignUp { phone_number, username, web3_wallet, .. } = request;
    let all = [email_address, email_address_or_phone_number, phone_number, username, web3_wallet];
    all.into_iter().find_map(Option::as_deref)
}

/// Refuses those who are signed in already, or may not come in.
async fn may_begin(cx: &mut Cx, beginning: Beginning) -> Result<()> {
    sessions::refuse_second(cx, None::<&UserId>).await?;
    let is_invited = beginning.said.strategy.as_deref() == Some("ticket");
    if is_invited || beginning.ticket.is_some() {
        return Ok(());
    }
    match &*cx.instance.settings.sign_up.mode {
        "restricted" => {
            let reason = "Sign-ups are by invitation only.";
            Err(refusal::sign_up_mode_restricted().because(reason).into())
        }
        "waitlist" => {
            let reason = "Sign-ups are closed for now. Please join the waitlist.";
            Err(refusal::sign_up_restricted_waitlist().because(reason).into())
        }
        _ => Ok(()),
    }
}

async fn begin(cx: &mut Cx, beginning: Beginning) -> Result<SignUp> {
    may_begin(cx, beginning.clone()).await?;
    let client = clients::ensure(cx).await?;
    let mut row = SignUpRow::new(cx, client.id);
    let Beginning { said, ticket, transfer } = beginning;
    if transfer {
        take_over(cx, &mut row).await?;
    }
    let by_ticket = said.strategy.as_deref() == Some("ticket");
    match ticket {
        Some(ticket) => invited(cx, &mut row, &ticket).await?,
        None if by_ticket => {
            return Err(refusal::form_param_missing().param("ticket").into());
        }
        None => {}
    }
    close(cx, &row.client_id).await?;
    let (strategy, redirect_url) = (said.strategy.clone(), said.redirect_url.clone());
    said.apply(cx, &mut row).await?;
    complete::refuse_piecemeal(cx, &row)?;
    row.insert(&mut cx.tx).await?;
    go_on(cx, row, strategy.as_deref(), redirect_url.as_deref()).await
}

/// Gives up what is under way on a client.
pub(super) async fn close(cx: &mut Cx, client_id: &ClientId) -> Result<()> {
    let sql = "update sign_ups set is_open = false
               where instance_id = $1 and client_id = $2 and is_open";
    let values = vec![Value::Text(cx.instance_id()), client_id.to_value()];
    Ok(cx.tx.execute(sql, values).await?)
}

/// Fills in what an invitation says. It is accepted when the sign-up is complete, so that whoever
/// comes back to the link in the middle of it can begin again.
async fn invited(cx: &mut Cx, row: &mut SignUpRow, ticket: &str) -> Result<()> {
    let kind = IdentificationKind::EmailAddress;
    let invitation = invitations::look(cx, ticket).await?;
    if said::is_taken(cx, kind, &invitation.email_address).await? {
        let reason = "There is an account with this address already. Please sign in.";
        return Err(refusal::invitation_account_exists().because(reason).into());
    }
    row.set_value(kind, Some(&invitation.email_address))?;
    row.set_verification(kind, &invitation.verification)?;
    row.public_metadata = serde_json::to_string(&invitation.public_metadata)?;
    row.invitation_id = Some(invitation.invitation_id.to_string());
    Ok(())
}

/// Takes over what somebody unknown has proven in the sign-in of the client.
async fn take_over(cx: &mut Cx, row: &mut SignUpRow) -> Result<()> {
    let invalid = || {
        let reason = "There is nothing to sign up with in the sign-in of this client.";
        refusal::account_transfer_invalid().because(reason)
    };
    let proven = sign_ins::transferable(cx, &row.client_id).await?;
    let (kind, value, verification) = proven.ok_or_else(invalid)?;
    row.set_value(kind, Some(&value))?;
    row.set_verification(kind, &verification)?;
    Ok(())
}

/// Fetch a sign-up of the client. Whoever waits for a link to be followed elsewhere, or for the
/// app's servers, gets the session now.
async fn get(outside: &Outside, request: GetSignUp) -> Result<SignUp> {
    let (shown, state) = outside.read(look, request.sign_up_id.clone()).await?;
    match state {
        State::Ready => outside.write(come_for_session, request.sign_up_id).await,
        _ => Ok(shown),
    }
}

async fn look(cx: &mut Cx, id: SignUpId) -> Result<(SignUp, State)> {
    let row = own(cx, &id).await?;
    Ok((view(&cx.instance.settings, cx.now, &row)?, verification::state(cx, &row)))
}

async fn come_for_session(cx: &mut Cx, id: SignUpId) -> Result<SignUp> {
    let row = own(cx, &id).await?;
    match verification::state(cx, &row) {
        State::Ready => go_on(cx, row, None, None).await,
        _ => view(&cx.instance.settings, cx.now, &row),
    }
}

/// Say more, or something else.
async fn update(outside: &Outside, request: UpdateSignUp) -> Result<SignUp> {
    let (id, ticket) = (request.sign_up_id.clone(), request.ticket.clone());
    let mut said = Said::from(request);
    if said.password.is_some() {
        // Each one is hashed, so no more of them than who begins anew could bring.
        let rate = &outside.instance.settings.rate_limits.creates;
        limits::admit(outside, "passwords of sign-ups", rate, Some(id.as_str())).await?;
        let row = outside.read(open, id.clone()).await?;
        said.hash(outside, Some(&row)).await?;
    }
    outside.write(change, (id, said, ticket)).await
}

async fn open(cx: &mut Cx, id: SignUpId) -> Result<SignUpRow> {
    let row = own(cx, &id).await?;
    machine::permit(verification::state(cx, &row), Proof::Nothing, Step::Say)?;
    Ok(row)
}

async fn change(
    cx: &mut Cx,
    (id, said, ticket): (SignUpId, Said, Option<String>),
) -> Result<SignUp> {
    let mut row = open(cx, id).await?;
    if let Some(ticket) = ticket {
        invited(cx, &mut row, &ticket).await?;
    }
    let (strategy, redirect_url) = (said.strategy.clone(), said.redirect_url.clone());
    said.apply(cx, &mut row).await?;
    go_on(cx, row, strategy.as_deref(), redirect_url.as_deref()).await
}

/// Send what proves an address or a number.
async fn prepare(outside: &Outside, request: PrepareSignUpVerification) -> Result<SignUp> {
    outside.write(send, request).await
}

async fn send(cx: &mut Cx, request: PrepareSignUpVerification) -> Result<SignUp> {
    let mut row = own(cx, &request.sign_up_id).await?;
    let redirect_url = request.redirect_url.as_deref();
    verification::prepare(cx, &mut row, &request.strategy, redirect_url).await?;
    go_on(cx, row, None, None).await
}

/// Prove an address or a number.
async fn attempt(outside: &Outside, request: AttemptSignUpVerification) -> Result<SignUp> {
    let rate = &outside.instance.settings.rate_limits.attempts;
    let id = request.sign_up_id.as_str();
    limits::admit(outside, "sign-up attempts", rate, Some(id)).await?;
    outside.write(prove, request).await
}

async fn prove(cx: &mut Cx, request: AttemptSignUpVerification) -> Result<SignUp> {
    let mut row = own(cx, &request.sign_up_id).await?;
    verification::attempt(cx, &mut row, &request.strategy, request.code).await?;
    go_on(cx, row, None, None).await
}

/// Sends a proof where one is asked for, makes a user of what is complete, and says how far it is.
async fn go_on(
    cx: &mut Cx,
    mut row: SignUpRow,
    strategy: Option<&str>,
    redirect_url: Option<&str>,
) -> Result<SignUp> {
    if let Some(strategy) = strategy.filter(|strategy| *strategy != "ticket") {
        verification::prepare(cx, &mut row, strategy, redirect_url).await?;
    }
    if verification::state(cx, &row) == State::Ready {
        complete::complete(cx, &mut row).await?;
    }
    row.save(cx).await?;
    let shown = view(&cx.instance.settings, cx.now, &row)?;
    cx.reply.visit.state = client_state::read(cx, ()).await?.map(Box::new);
    Ok(shown)
}

/// The sign-up of the visitor's client with this id.
async fn own(cx: &mut Cx, id: &SignUpId) -> Result<SignUpRow> {
    let client = clients::find(cx).await?.ok_or_else(|| sign_ups::not_found(id))?;
    let row = SignUpRow::select(&cx.tx)
        .filter("id = ? and client_id = ?", [id.to_value(), client.id.to_value()]);
    Ok(row.first(&mut cx.tx).await?.ok_or_else(|| sign_ups::not_found(id))?)
}
