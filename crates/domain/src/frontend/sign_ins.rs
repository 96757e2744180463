//! Sign-ins under way.

use db::{Column as _, Record as _};
use macros::Record;
use wire::{
    Tag, Timestamp,
    backend::{
        clients::ClientId,
        sessions::SessionId,
        sign_ins::SignInId,
        users::UserId,
        verifications::{Verification, VerificationStatus},
    },
    frontend::sign_ins::{SignIn, SignInStatus, SignInUserData},
};

use super::client_state::{Person, user_view};
use crate::{Cx, Outside, Result, identifications::IdentificationKind};

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "sign_ins")]
pub(crate) struct SignInRow {
    /// `sia_…`
    pub(crate) id: SignInId,
    pub(crate) instance_id: String,
    /// Where it is under way.
    pub(crate) client_id: ClientId,
    /// It is the one that the client shows.
    pub(crate) is_open: bool,
    /// As it was given.
    pub(crate) identifier: Option<String>,
    /// Who signs in, once that is known.
    pub(crate) user_id: Option<UserId>,
    /// JSON of a `Verification`.
    pub(crate) first_factor_verification: Option<String>,
    /// JSON of a `Verification`.
    pub(crate) second_factor_verification: Option<String>,
    /// The identification that the first factor was prepared with.
    pub(crate) first_factor_id: Option<String>,
    /// The identification that the second factor was prepared with.
    pub(crate) second_factor_id: Option<String>,
    /// What only some strategies need, as JSON.
    pub(crate) detail: Option<String>,
    /// What came of it.
    pub(crate) created_session_id: Option<SessionId>,
    /// When it is given up.
    pub(crate) abandon_at: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// How the Frontend API shows a sign-in.
pub(crate) fn view(outside: &Outside, row: &SignInRow, person: Option<&Person>) -> SignIn {
    let verification = |text: &Option<String>| -> Option<Verification> {
        serde_json::from_str(text.as_deref()?).ok()
    };
    let status = match (&row.created_session_id, person) {
        _ if row.abandon_at <= outside.now => SignInStatus::Abandoned,
        (Some(_), _) => SignInStatus::Complete,
        (None, None) => SignInStatus::NeedsIdentifier,
        (None, Some(_)) => SignInStatus::NeedsFirstFactor,
    };
    let user_data = person.map(|(user, identifications)| {
        let user = user_view(outside, (user, identifications));
        SignInUserData {
            first_name: user.first_name,
            last_name: user.last_name,
            image_url: user.image_url,
            has_image: user.has_image,
        }
    });
    SignIn {
        object: Tag::new(),
        id: row.id.clone(),
        status,
        supported_identifiers: Vec::new(),
        supported_first_factors: None,
        supported_second_factors: None,
        first_factor_verification: verification(&row.first_factor_verification),
        second_factor_verification: verification(&row.second_factor_verification),
        identifier: row.identifier.clone(),
        user_data,
        created_session_id: row.created_session_id.clone(),
        abandon_at: row.abandon_at,
        client_trust_state: None,
    }
}

/// What somebody unknown has proven in the sign-in of a client: it waits to become a sign-up.
pub(crate) async fn transferable(
    cx: &mut Cx,
    client_id: &ClientId,
) -> Result<Option<(IdentificationKind, String, Verification)>> {
    let row = SignInRow::select(&cx.tx).filter(
        "client_id = ? and is_open and abandon_at > ?",
        [client_id.to_value(), cx.now.to_value()],
    );
    let Some(row) = row.first(&mut cx.tx).await? else { return Ok(None) };
    let verification = row.first_factor_verification.as_deref();
    let verification: Option<Verification> =
        verification.and_then(|text| serde_json::from_str(text).ok());
    let proven = verification.filter(|one| one.status == VerificationStatus::Transferable);
    let (Some(mut verification), Some(value)) = (proven, row.identifier) else {
        return Ok(None);
    };
    verification.status = VerificationStatus::Verified;
    let kind = match &*verification.strategy {
        "phone_code" => IdentificationKind::PhoneNumber,
        "email_code" | "email_link" => IdentificationKind::EmailAddress,
        _ => return Ok(None),
    };
    Ok(Some((kind, value, verification)))
}
