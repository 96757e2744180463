//! Sign-ins: people on their way in.
//!
//! A row keeps what somebody has said and proven so far. How far that is ([`machine`]) and which
//! ways there are to go on ([`factors`]) is told by the settings, the row and its user each time.

mod complete;
mod create;
mod factors;
mod first;
mod identify;
mod links;
mod machine;
mod password;
mod row;
mod second;
mod tickets;

pub(crate) use identify::hides;
pub(crate) use links::opened;
pub(crate) use row::{SignInRow, transferable};
use wire::{
    Tag,
    frontend::sign_ins::{GetSignIn, SignIn, SignInUserData},
    refusal,
};

use self::{
    factors::{first_factors, progress, second_factors},
    identify::supported,
    machine::{State, Step, permit},
    row::{Attempt, Detail, Part},
};
use super::{
    Show,
    client_state::{Person, user_view},
};
use crate::{Cx, Error, Operations, Outside, Result, users};

/// What the Frontend API offers about them.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor_outside(create::create)
        .offer_visitor_outside(get)
        .offer_visitor(first::prepare)
        .offer_visitor_outside(first::attempt)
        .offer_visitor(second::prepare)
        .offer_visitor_outside(second::attempt)
        .offer_visitor_outside(password::reset)
}

/// Fetch a sign-in of the client. Whoever waits for a link to be followed elsewhere gets the
/// session now, and with it a secret that was unknown before.
async fn get(outside: &Outside, request: GetSignIn) -> Result<Facts> {
    let (attempt, state) = outside.read(look, request.clone()).await?;
    match state {
        State::Ready => outside.write(come_for_session, request).await,
        _ => Ok(attempt.into()),
    }
}

async fn look(cx: &mut Cx, request: GetSignIn) -> Result<(Attempt, State)> {
    let attempt = Attempt::own(cx, &request.sign_in_id).await?;
    let state = attempt.state(cx);
    Ok((attempt, state))
}

async fn come_for_session(cx: &mut Cx, request: GetSignIn) -> Result<Facts> {
    let attempt = Attempt::own(cx, &request.sign_in_id).await?;
    match attempt.state(cx) {
        State::Ready => attempt.advance(cx).await,
        _ => Ok(attempt.into()),
    }
}

/// A sign-in, yet to be shown.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    row: SignInRow,
    person: Option<Person>,
}

impl From<Attempt> for Facts {
    fn from(attempt: Attempt) -> Self {
        Self { row: attempt.row, person: attempt.person }
    }
}

impl Show<SignIn> for Facts {
    fn show(self, outside: &Outside) -> Result<SignIn> {
        Ok(view(outside, &self.row, self.person.as_ref()))
    }
}

/// The sign-in of the visitor's client with this id, if `step` can be done about it now.
async fn open(cx: &mut Cx, id: &wire::backend::sign_ins::SignInId, step: Step) -> Result<Attempt> {
    let attempt = Attempt::own(cx, id).await?;
    permit(attempt.state(cx), step)?;
    let locked = attempt.user().and_then(|user| users::locked(user, cx.now));
    match locked {
        // That a user is locked tells that there is one.
        Some(locked) if !hides(&cx.instance.settings) => Err(locked.into()),
        _ => Ok(attempt),
    }
}

/// That a strategy is none of those that there are for this sign-in.
fn no_strategy(strategy: &str) -> Error {
    const NOT_SERVED: [&str; 8] = [
        "oauth_",
        "web3_",
        "passkey",
        "enterprise_sso",
        "saml",
        "google_one_tap",
        "trusted_device",
        "oauth_token_",
    ];
    let goes_on = matches!(strategy, "totp" | "backup_code" | "ticket");
    if goes_on || create::BEGINNINGS.contains(&strategy) {
        let reason = "The verification strategy is not valid for this account.";
        return refusal::strategy_for_user_invalid().because(reason).param("strategy").into();
    }
    if NOT_SERVED.iter().any(|own| strategy.starts_with(own)) {
        let reason = "This strategy is not supported by this server yet.";
        return refusal::not_supported_by_server().because(reason).param("strategy").into();
    }
    let reason = "strategy is none that there is.";
    refusal::form_param_value_invalid().because(reason).param("strategy").into()
}

fn missing(parameter: &str) -> Error {
    let reason = format!("{parameter} must be given.");
    refusal::form_param_missing().because(reason).param(parameter).into()
}

/// How the Frontend API shows a sign-in.
pub(crate) fn view(outside: &Outside, row: &SignInRow, person: Option<&Person>) -> SignIn {
    let (settings, now, detail) = (&outside.instance.settings, outside.now, row.detail());
    let progress = progress(settings, now, (row, &detail), person);
    let state = machine::state(progress);
    let is_identified = person.is_some() || detail.identified.is_some();
    let is_second = matches!(state, State::NeedsSecondFactor | State::NeedsClientTrust);
    let known = person.filter(|_| progress.is_first_proven || !hides(settings));
    SignIn {
        object: Tag::new(),
        id: row.id.clone(),
        status: state.status(),
        supported_identifiers: supported(settings).into_iter().map(str::to_owned).collect(),
        supported_first_factors: is_identified.then(|| first_factors(settings, &detail, person)),
        supported_second_factors: is_second
            .then(|| second_factors(settings, (row, &detail), person, now).1),
        first_factor_verification: row.verification(Part::First, now),
        second_factor_verification: row.verification(Part::Second, now),
        identifier: row.identifier.clone(),
        user_data: known.map(|person| user_data(outside, person)),
        created_session_id: row.created_session_id.clone(),
        abandon_at: row.abandon_at,
        client_trust_state: settings
            .sign_in
            .client_trust
            .then(|| trust_state(&detail, is_identified).to_owned()),
    }
}

fn user_data(outside: &Outside, (user, identifications): &Person) -> SignInUserData {
    let user = user_view(outside, (user, identifications));
    SignInUserData {
        first_name: user.first_name,
        last_name: user.last_name,
        image_url: user.image_url,
        has_image: user.has_image,
    }
}

fn trust_state(detail: &Detail, is_identified: bool) -> &'static str {
    match (is_identified, detail.is_known_device) {
        (false, _) => "pending",
        (true, false) => "new",
        (true, true) => "known",
    }
}

/// What is proven without having been prepared.
fn proven(object: &str, strategy: &str) -> wire::backend::verifications::Verification {
    use wire::backend::verifications::{Verification, VerificationStatus};
    Verification::new(object.into(), VerificationStatus::Verified, strategy)
}
