//! Users who came by themselves: what a sign-up becomes.

use wire::backend::users::{IdentificationStatus, User};

use super::create::{blank, store};
use crate::{
    Cx, Result,
    identifications::{IdentificationKind, IdentificationRow},
    sign_ups::SignUpRow,
};

/// Kinds of identifications that a sign-up can bring, in the order of their ids.
const KINDS: [IdentificationKind; 3] = [
    IdentificationKind::EmailAddress,
    IdentificationKind::PhoneNumber,
    IdentificationKind::Web3Wallet,
];

/// Makes a user of a sign-up that lacks nothing.
pub(crate) async fn sign_up(cx: &mut Cx, sign_up: &SignUpRow) -> Result<User> {
    let mut row = blank(cx, cx.id(), cx.now);
    let policy = &cx.instance.settings.user;
    row.delete_self_enabled = policy.delete_self;
    row.create_organization_enabled = policy.create_organization;
    row.external_id.clone_from(&sign_up.external_id);
    row.username.clone_from(&sign_up.username);
    row.first_name.clone_from(&sign_up.first_name);
    row.last_name.clone_from(&sign_up.last_name);
    row.password.clone_from(&sign_up.password);
    row.password_updated_at = row.password.is_some().then_some(cx.now);
    row.public_metadata.clone_from(&sign_up.public_metadata);
    row.unsafe_metadata.clone_from(&sign_up.unsafe_metadata);
    row.locale.clone_from(&sign_up.locale);
    row.legal_accepted_at = sign_up.legal_accepted_at;
    let mut identified = Vec::new();
    for kind in KINDS {
        let Some(value) = sign_up.value(kind) else { continue };
        // What need not be proven is nobody else's all the same.
        let status = IdentificationStatus::Reserved;
        let mut one = IdentificationRow::new(cx, &row.id, kind, value.to_owned(), &status)?;
        if let Some(verification) = sign_up.verification(kind).filter(|_| sign_up.is_verified(kind))
        {
            one.set_verified(&verification)?;
        }
        identified.push((kind, one));
    }
    store(cx, row, identified).await
}
