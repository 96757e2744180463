//! The waitlist: who asks to be let in.

use wire::{
    Tag,
    backend::waitlist_entries::CreateWaitlistEntry,
    frontend::waitlist::{JoinWaitlist, Waitlist},
    refusal,
};

use super::limits;
use crate::{
    Cx, Operations, Outside, Result,
    identifications::IdentificationKind,
    restrictions::{self, Purpose},
    waitlist_entries,
};

/// What the Frontend API offers about it.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor_outside(join)
}

/// Ask to be let in. Whoever is on the list already, or a user, hears the same as anybody.
async fn join(outside: &Outside, request: JoinWaitlist) -> Result<Waitlist> {
    let rate = &outside.instance.settings.rate_limits.creates;
    limits::admit(outside, "waitlist", rate, Some(&request.email_address)).await?;
    outside.write(add, request).await
}

async fn add(cx: &mut Cx, request: JoinWaitlist) -> Result<Waitlist> {
    if cx.instance.settings.sign_up.mode != "waitlist" {
        let reason = "This application has no waitlist.";
        return Err(refusal::feature_not_enabled().because(reason).into());
    }
    let kind = IdentificationKind::EmailAddress;
    let address = kind.normalize(&request.email_address)?;
    restrictions::admit(cx, kind, &address, Purpose::Backend).await?;
    limits::count_message(cx, &address).await?;
    let entry = waitlist_entries::create(cx, CreateWaitlistEntry::new(address)).await?;
    Ok(Waitlist {
        object: Tag::new(),
        id: entry.id,
        created_at: entry.created_at,
        updated_at: entry.updated_at,
    })
}
