//! The user's own phone numbers.

use wire::{
    Deleted, Patch,
    backend::phone_numbers::{DeletePhoneNumber, PhoneNumber, UpdatePhoneNumber},
    frontend::phone_numbers::{
        AttemptMyPhoneNumber, CreateMyPhoneNumber, DeleteMyPhoneNumber, GetMyPhoneNumber,
        ListMyPhoneNumbers, PrepareMyPhoneNumber, UpdateMyPhoneNumber,
    },
    refusal,
};

use super::identifications::{self, me};
use crate::{
    Cx, Operations, Outside, Result,
    identifications::{IdentificationKind, put},
    phone_numbers,
    users::{self, phone_number},
};

const KIND: IdentificationKind = IdentificationKind::PhoneNumber;

/// What the Frontend API offers about them.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor(list)
        .offer_visitor(create)
        .offer_visitor(get)
        .offer_visitor(update)
        .offer_visitor(prepare)
        .offer_visitor_outside(attempt)
        .offer_visitor(delete)
}

/// List one's phone numbers.
async fn list(cx: &mut Cx, _: ListMyPhoneNumbers) -> Result<Vec<PhoneNumber>> {
    Ok(identifications::list(cx, KIND).await?.iter().map(phone_number).collect())
}

/// Add a phone number, yet to be verified.
async fn create(cx: &mut Cx, request: CreateMyPhoneNumber) -> Result<PhoneNumber> {
    Ok(phone_number(&identifications::add(cx, KIND, &request.phone_number).await?))
}

/// Fetch one phone number.
async fn get(cx: &mut Cx, request: GetMyPhoneNumber) -> Result<PhoneNumber> {
    Ok(phone_number(&identifications::own(cx, KIND, request.phone_number_id.as_str()).await?))
}

/// Make a phone number a second factor, or none; or the one that is asked for first.
async fn update(cx: &mut Cx, request: UpdateMyPhoneNumber) -> Result<PhoneNumber> {
    let UpdateMyPhoneNumber { phone_number_id, reserved_for_second_factor, default_second_factor } =
        request;
    let id = phone_number_id.as_str().to_owned();
    identifications::own(cx, KIND, &id).await?;
    let asked = [reserved_for_second_factor, default_second_factor];
    let is_offered = cx.instance.settings.attributes.phone_number.used_for_second_factor;
    if asked.contains(&Patch::Set(true)) && !is_offered {
        let reason = "Phone numbers are no second factors here.";
        return Err(refusal::feature_not_enabled().because(reason).into());
    }
    let change =
        UpdatePhoneNumber { reserved_for_second_factor, ..UpdatePhoneNumber::new(phone_number_id) };
    let shown = phone_numbers::update(cx, change).await?;
    if default_second_factor != Patch::Set(true) {
        return Ok(shown);
    }
    let (mut user, mut all) = me(cx).await?;
    if !all.iter().any(|row| row.id == id && row.reserved_for_second_factor) {
        let reason = "Only a second factor can be the default one.";
        let refusal = refusal::form_param_value_invalid().because(reason);
        return Err(refusal.param("default_second_factor").into());
    }
    let is_other = |row: &crate::identifications::IdentificationRow| row.id != id;
    for mut row in all.clone().into_iter().filter(|row| row.is(KIND)) {
        let is_default = !is_other(&row);
        if row.default_second_factor != is_default {
            row.default_second_factor = is_default;
            row.save(cx, KIND).await?;
            put(&mut all, &row);
        }
    }
    users::save(cx, &mut user, &all).await?;
    Ok(phone_number(&identifications::own(cx, KIND, &id).await?))
}

/// Have a code sent to a phone number.
async fn prepare(cx: &mut Cx, request: PrepareMyPhoneNumber) -> Result<PhoneNumber> {
    let id = request.phone_number_id.as_str();
    let strategy = request.strategy.as_deref().unwrap_or("phone_code");
    Ok(phone_number(&identifications::prepare(cx, KIND, id, (strategy, None)).await?))
}

/// Try a code that was sent to a phone number.
async fn attempt(outside: &Outside, request: AttemptMyPhoneNumber) -> Result<PhoneNumber> {
    let tried = (request.phone_number_id.to_string(), request.code);
    Ok(phone_number(&identifications::attempt(outside, KIND, tried).await?))
}

/// Give up a phone number.
async fn delete(cx: &mut Cx, request: DeleteMyPhoneNumber) -> Result<Deleted<PhoneNumber>> {
    identifications::refuse_kept(cx, KIND, request.phone_number_id.as_str()).await?;
    phone_numbers::delete(cx, DeletePhoneNumber::new(request.phone_number_id)).await
}
