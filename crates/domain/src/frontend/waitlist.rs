//! The waitlist: who asks to be let in.

use wire::{
    Tag,
    backend::waitlist_entries::CreateWaitlistEntry,
    frontend::waitlist::{JoinWaitlist, Waitlist},
    refusal,
};

use crate::{
    Cx, Operations, Result,
    identifications::IdentificationKind,
    restrictions::{self, Purpose},
    waitlist_entries,
};

/// What the Frontend API offers about it.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor(join)
}

/// Ask to be let in. Whoever is on the list already, or a user, hears the same as anybody.
async fn join(cx: &mut Cx, request: JoinWaitlist) -> Result<Waitlist> {
    if cx.instance.settings.sign_up.mode != "waitlist" {
        let reason = "This application has no waitlist.";
        return Err(refusal::feature_not_enabled().because(reason).into());
    }
    let kind = IdentificationKind::EmailAddress;
    let address = kind.normalize(&request.email_address)?;
    restrictions::admit(cx, kind, &address, Purpose::Backend).await?;
    let entry = waitlist_entries::create(cx, CreateWaitlistEntry::new(address)).await?;
    Ok(Waitlist {
        object: Tag::new(),
        id: entry.id,
        created_at: entry.created_at,
        updated_at: entry.updated_at,
    })
}
