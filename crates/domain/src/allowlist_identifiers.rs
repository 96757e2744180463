//! The allowlist: who may come in where only they may.

use wire::{
    Deleted, Listing, Page, Paging, Patch, Tag,
    backend::{
        allowlist_identifiers::{
            AllowlistIdentifier, CreateAllowlistIdentifier, DeleteAllowlistIdentifier,
            ListAllowlistIdentifiers,
        },
        invitations::CreateInvitation,
    },
};

use crate::{
    Cx, Operations, Result, invitations,
    listed_identifiers::{self, List, ListedRow},
};

/// What the Backend API offers about it.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer(list).offer(create).offer(delete)
}

/// List the identifiers that may sign up, newest first.
async fn list(
    cx: &mut Cx,
    request: ListAllowlistIdentifiers,
) -> Result<Listing<AllowlistIdentifier>> {
    let paging = Paging::new(request.limit, request.offset);
    let Page { data, total_count } = listed_identifiers::page(cx, List::Allow, paging).await?;
    let data = data.into_iter().map(view).collect();
    Ok(Listing::new(Page { data, total_count }, request.paginated))
}

/// Let an identifier sign up.
async fn create(cx: &mut Cx, request: CreateAllowlistIdentifier) -> Result<AllowlistIdentifier> {
    let id = cx.id::<AllowlistIdentifier>().to_string();
    let mut row = listed_identifiers::new(cx, List::Allow, id, &request.identifier)?;
    // Whoever has no address of their own cannot be written to.
    if request.notify == Some(true) && row.is_address() {
        let ignore_existing = Patch::Set(true);
        let address = row.identifier.clone();
        let invitation = CreateInvitation { ignore_existing, ..CreateInvitation::new(address) };
        row.invitation_id = Some(invitations::create(cx, invitation).await?.id);
    }
    listed_identifiers::add(cx, List::Allow, &row).await?;
    Ok(view(row))
}

/// Take an identifier off the allowlist.
async fn delete(
    cx: &mut Cx,
    request: DeleteAllowlistIdentifier,
) -> Result<Deleted<AllowlistIdentifier>> {
    let id = request.allowlist_identifier_id;
    listed_identifiers::remove(cx, List::Allow, id.as_str()).await?;
    Ok(Deleted::new(id))
}

fn view(row: ListedRow) -> AllowlistIdentifier {
    AllowlistIdentifier {
        id: row.id.as_str().into(),
        object: Tag::new(),
        identifier: row.identifier,
        identifier_type: row.identifier_type.as_str().into(),
        instance_id: Some(row.instance_id.as_str().into()),
        invitation_id: row.invitation_id,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}
