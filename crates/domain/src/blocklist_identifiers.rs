//! The blocklist: who may not come in.

use wire::{
    Deleted, Page, Paging, Tag,
    backend::blocklist_identifiers::{
        BlocklistIdentifier, CreateBlocklistIdentifier, DeleteBlocklistIdentifier,
        ListBlocklistIdentifiers,
    },
};

use crate::{
    Cx, Operations, Result,
    listed_identifiers::{self, List, ListedRow},
};

/// What the Backend API offers about it.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer(list).offer(create).offer(delete)
}

/// List the identifiers that are kept out, newest first.
async fn list(cx: &mut Cx, request: ListBlocklistIdentifiers) -> Result<Page<BlocklistIdentifier>> {
    let paging = Paging::new(request.limit, request.offset);
    let Page { data, total_count } = listed_identifiers::page(cx, List::Block, paging).await?;
    Ok(Page { data: data.into_iter().map(view).collect(), total_count })
}

/// Keep an identifier out.
async fn create(cx: &mut Cx, request: CreateBlocklistIdentifier) -> Result<BlocklistIdentifier> {
    let id = cx.id::<BlocklistIdentifier>().to_string();
    let row = listed_identifiers::new(cx, List::Block, id, &request.identifier)?;
    listed_identifiers::add(cx, List::Block, &row).await?;
    Ok(view(row))
}

/// Take an identifier off the blocklist.
async fn delete(
    cx: &mut Cx,
    request: DeleteBlocklistIdentifier,
) -> Result<Deleted<BlocklistIdentifier>> {
    let id = request.blocklist_identifier_id;
    listed_identifiers::remove(cx, List::Block, id.as_str()).await?;
    Ok(Deleted::new(id))
}

fn view(row: ListedRow) -> BlocklistIdentifier {
    BlocklistIdentifier {
        id: row.id.as_str().into(),
        object: Tag::new(),
        identifier: row.identifier,
        identifier_type: row.identifier_type.as_str().into(),
        instance_id: Some(row.instance_id.as_str().into()),
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}
