//! The end of a sign-up: a user, and their session.

use db::{Column as _, Value};
use wire::refusal;

use super::{super::sessions, close};
use crate::{
    Cx, Result,
    identifications::IdentificationKind,
    invitations,
    restrictions::{self, Purpose},
    sessions::Beginning,
    sign_ups::{SignUpRow, requirements},
    users,
};

const IDENTIFYING: [IdentificationKind; 3] = [
    IdentificationKind::EmailAddress,
    IdentificationKind::PhoneNumber,
    IdentificationKind::Web3Wallet,
];

/// What stands for a password whose digest has gone to the user.
const HANDED_OVER: &str = "-";

/// Refuses a beginning that leaves something out, where sign-ups are not made step by step.
pub(super) fn refuse_piecemeal(cx: &Cx, row: &SignUpRow) -> Result<()> {
    let settings = &cx.instance.settings;
    if settings.sign_up.progressive || row.invitation_id.is_some() {
        return Ok(());
    }
    let missing = requirements(settings, row).missing;
    let refusals = missing.iter().map(|name| {
        let reason = format!("{name} must be included.");
        refusal::form_param_missing().because(reason).param(name)
    });
    let refusals: Vec<_> = refusals.collect();
    if refusals.is_empty() { Ok(()) } else { Err(wire::Refusal::all(refusals).into()) }
}

/// Makes a user of a sign-up, and begins their first session.
///
/// All of it is one transaction, so of many at a time one wins: whoever loses finds the sign-up
/// finished, the identifier taken, or the invitation accepted.
pub(super) async fn complete(cx: &mut Cx, row: &mut SignUpRow) -> Result<()> {
    let values: Vec<_> =
        IDENTIFYING.iter().filter_map(|kind| Some((*kind, row.value(*kind)?.to_owned()))).collect();
    let identifiers: Vec<_> = values.iter().map(|(kind, value)| (*kind, value.as_str())).collect();
    let is_invited = row.invitation_id.is_some();
    let purpose = if is_invited { Purpose::Invited } else { Purpose::SignUp };
    restrictions::admit_all(cx, &identifiers, purpose).await?;
    sessions::refuse_second(cx, None).await?;
    if let Some(id) = &row.invitation_id {
        invitations::accept(cx, id).await?;
    }
    let user = users::sign_up(cx, row).await?;
    let session = sessions::begin(cx, Beginning::of(user.id.clone()), &strategy(row)).await?;
    close(cx, &row.client_id).await?;
    let sql = "update sign_ins set is_open = false
               where instance_id = $1 and client_id = $2 and is_open";
    cx.tx.execute(sql, vec![Value::Text(cx.instance_id()), row.client_id.to_value()]).await?;
    row.is_open = false;
    row.created_user_id = Some(user.id);
    row.created_session_id = Some(session.id);
    row.password = row.password.take().map(|_| HANDED_OVER.to_owned());
    Ok(())
}

/// By what they got in.
fn strategy(row: &SignUpRow) -> String {
    let proof = IDENTIFYING.iter().find_map(|kind| row.verification(*kind));
    proof.map_or_else(|| "password".to_owned(), |proof| proof.strategy)
}
