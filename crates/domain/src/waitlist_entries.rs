//! The waitlist: those who ask to be let in.
//!
//! An entry waits until it is invited, rejected or deleted; whoever accepts the invitation
//! completes it. One whose invitation came to nothing can be invited again.

use std::collections::HashSet;

use db::{Column as _, Record as _, Statement, Value};
use macros::Record;
use wire::{
    Deleted, Page, Paging, Patch, Refusal, Tag, Timestamp,
    backend::{
        invitations::{CreateInvitation, Invitation, InvitationId, InvitationTemplate},
        waitlist_entries::{
            CreateBulkWaitlistEntries, CreateWaitlistEntry, DeleteWaitlistEntry,
            InviteWaitlistEntry, ListWaitlistEntries, RejectWaitlistEntry, WaitlistEntry,
            WaitlistEntryId, WaitlistEntryStatus,
        },
    },
    refusal,
};

use crate::{
    Cx, Event, Operations, Outside, Result, error,
    identifications::IdentificationKind,
    invitations::{self, InvitationRow, check_length},
    messages,
    order::{Orders, by},
    text,
};

/// Counter of an instance's entries.
const COUNTER: &str = "waitlist_entries";
/// Text index of an instance's entries.
const SEARCH: &str = "waitlist_entries";
/// Entries of one request.
const AT_ONCE_MAX: usize = 50;
/// Rows that are skipped without much ado; more of them are a walk.
const OFFSET_SMALL: u32 = 1000;

const ORDERS: Orders = Orders(&[
    ("created_at", "position asc", "position desc"),
    ("invited_at", by!("invited_at", 0, "asc"), by!("invited_at", 0, "desc")),
    ("email_address", "email_address asc", "email_address desc"),
]);

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer_outside(list)
        .offer(create)
        .offer(create_many)
        .offer(invite)
        .offer(reject)
        .offer(delete)
}

/// List entries of the waitlist, newest first.
async fn list(outside: &Outside, request: ListWaitlistEntries) -> Result<Page<WaitlistEntry>> {
    text::at_most("query", request.query.as_deref().unwrap_or_default(), text::NAME_CHARS_MAX)?;
    // What an index finds at once need not queue behind what has to be walked.
    let walks = request.query.is_some()
        || request.status.is_some()
        || request.offset.is_some_and(|offset| offset > OFFSET_SMALL);
    if walks { outside.scan(listed, request).await } else { outside.read(listed, request).await }
}

async fn listed(cx: &mut Cx, request: ListWaitlistEntries) -> Result<Page<WaitlistEntry>> {
    let order = ORDERS.find(request.order_by.as_deref())?;
    let needle = request.query.map(|query| query.trim().to_lowercase()).unwrap_or_default();
    let counter = counter(request.status.as_ref())?;
    let mut entries = EntryRow::select(&cx.tx);
    if let Some(status) = &request.status {
        entries = entries.filter("status = ?", [Value::Text(status.as_str().to_owned())]);
    }
    let total_count = if needle.is_empty() {
        cx.tx.counter(counter).await?
    } else {
        entries = entries.matching(SEARCH, "position", &needle);
        entries.count(&mut cx.tx).await?
    };
    let paging = Paging::new(request.limit, request.offset);
    let rows = entries.order(order).part(&mut cx.tx, paging).await?;
    Ok(Page { data: views(cx, rows).await?, total_count })
}

/// The counter of the entries in a state, or of all.
fn counter(status: Option<&WaitlistEntryStatus>) -> Result<&'static str> {
    Ok(match status {
        None => COUNTER,
        Some(WaitlistEntryStatus::Pending) => "waitlist_entries_pending",
        Some(WaitlistEntryStatus::Invited) => "waitlist_entries_invited",
        Some(WaitlistEntryStatus::Completed) => "waitlist_entries_completed",
        Some(WaitlistEntryStatus::Rejected) => "waitlist_entries_rejected",
        Some(WaitlistEntryStatus::Other(_)) => {
            let known = WaitlistEntryStatus::KNOWN.join(", ");
            let reason = format!("status must be one of {known}.");
            return Err(refusal::form_param_value_invalid().because(reason).param("status").into());
        }
    })
}

/// Put somebody on the waitlist, unless they are there.
pub async fn create(cx: &mut Cx, request: CreateWaitlistEntry) -> Result<WaitlistEntry> {
    let mut entries = add(cx, vec![request]).await?;
    Ok(entries.pop().ok_or_else(refusal::internal_clerk_error)?)
}

/// Put up to fifty people on the waitlist.
async fn create_many(
    cx: &mut Cx,
    request: CreateBulkWaitlistEntries,
) -> Result<Vec<WaitlistEntry>> {
    check_length(request.items.len(), AT_ONCE_MAX)?;
    add(cx, request.items).await
}

/// Adds those who are not there, and gives them all in the order of the requests.
async fn add(cx: &mut Cx, requests: Vec<CreateWaitlistEntry>) -> Result<Vec<WaitlistEntry>> {
    let kind = IdentificationKind::EmailAddress;
    let mut rows = Vec::with_capacity(requests.len());
    let mut seen = HashSet::new();
    for request in &requests {
        let email_address = kind.normalize(&request.email_address)?;
        if !seen.insert(email_address.clone()) {
            let reason = format!("{email_address} is given more than once.");
            let refusal = refusal::form_param_duplicate().because(reason);
            return Err(refusal.param(kind.as_str()).into());
        }
        rows.push(EntryRow::new(cx, email_address));
    }
    let added = insert(cx, &rows).await?;
    let mut entries = Vec::with_capacity(rows.len());
    let mut new = 0;
    for ((row, request), added) in rows.into_iter().zip(&requests).zip(added) {
        if !added {
            let known = EntryRow::select(&cx.tx)
                .filter("email_address = ?", [row.email_address.to_value()])
                .first(&mut cx.tx)
                .await?;
            entries.extend(views(cx, known.into_iter().collect()).await?);
            continue;
        }
        new += 1;
        let text = format!("{}\n{}", row.id, row.email_address).to_lowercase();
        cx.tx.search_put(SEARCH, row.position, &text).await?;
        let entry = view(cx, &row, None);
        cx.emit(Event::WaitlistEntryCreated(&entry)).await?;
        if request.notify != Patch::Set(false) {
            messages::waitlist_confirmation(cx, &row.email_address).await?;
        }
        entries.push(entry);
    }
    if new > 0 {
        cx.tx.add(COUNTER, new).await?;
        cx.tx.add(counter(Some(&WaitlistEntryStatus::Pending))?, new).await?;
    }
    Ok(entries)
}

/// Adds the rows whose addresses are new, and tells which they were.
async fn insert(cx: &mut Cx, rows: &[EntryRow]) -> Result<Vec<bool>> {
    let columns = EntryRow::COLUMNS;
    let marks: Vec<_> = (1..=columns.len()).map(|number| format!("${number}")).collect();
    let sql = format!(
        "insert into waitlist_entries ({}) values ({})
         on conflict (instance_id, email_address) do nothing returning id",
        columns.join(", "),
        marks.join(", ")
    );
    let statements = rows.iter().map(|row| Statement::new(sql.clone(), row.values())).collect();
    let added = cx.tx.batch(statements).await?;
    Ok(added.iter().map(|rows| !rows.is_empty()).collect())
}

/// Invite somebody who waits.
async fn invite(cx: &mut Cx, request: InviteWaitlistEntry) -> Result<WaitlistEntry> {
    let mut row = find_free(cx, &request.waitlist_entry_id).await?;
    let earlier = invitations_of(cx, std::slice::from_ref(&row)).await?.pop();
    match row.status() {
        WaitlistEntryStatus::Pending => {}
        WaitlistEntryStatus::Invited if !earlier.is_some_and(|one| one.is_pending(cx.now)) => {}
        status => return Err(already(&status).into()),
    }
    let invitation = CreateInvitation {
        ignore_existing: request.ignore_existing,
        template_slug: Some(InvitationTemplate::WaitlistInvitation),
        ..CreateInvitation::new(row.email_address.clone())
    };
    let even_users = request.ignore_existing == Patch::Set(true);
    let made = invitations::invite(cx, vec![invitation], even_users).await?.pop();
    row.invitation_id = made.as_ref().map(|made| made.id.clone());
    row.invited_at = Some(cx.now);
    save(cx, &mut row, WaitlistEntryStatus::Invited, made.as_ref()).await?;
    let mut entry = view(cx, &row, None);
    entry.invitation = made.as_ref().map(|made| invitations::view(cx, made)).transpose()?;
    Ok(entry)
}

/// Reject somebody who waits.
async fn reject(cx: &mut Cx, request: RejectWaitlistEntry) -> Result<WaitlistEntry> {
    let mut row = find_free(cx, &request.waitlist_entry_id).await?;
    if row.status() != WaitlistEntryStatus::Pending {
        return Err(already(&row.status()).into());
    }
    save(cx, &mut row, WaitlistEntryStatus::Rejected, None).await?;
    Ok(view(cx, &row, None))
}

/// Delete an entry that still waits.
async fn delete(cx: &mut Cx, request: DeleteWaitlistEntry) -> Result<Deleted<WaitlistEntry>> {
    let row = find_free(cx, &request.waitlist_entry_id).await?;
    if row.status() != WaitlistEntryStatus::Pending {
        return Err(already(&row.status()).into());
    }
    cx.tx.add(COUNTER, -1).await?;
    cx.tx.add(counter(Some(&row.status()))?, -1).await?;
    cx.tx.search_remove(SEARCH, row.position).await?;
    row.delete(&mut cx.tx).await?;
    Ok(Deleted::new(request.waitlist_entry_id))
}

/// Notes that the invitation of an entry was accepted, if it is one's.
pub(crate) async fn complete(cx: &mut Cx, invitation: &InvitationRow) -> Result<()> {
    let entry = EntryRow::select(&cx.tx).filter("invitation_id = ?", [invitation.id.to_value()]);
    match entry.first(&mut cx.tx).await? {
        Some(mut row) => save(cx, &mut row, WaitlistEntryStatus::Completed, Some(invitation)).await,
        None => Ok(()),
    }
}

/// Keeps an entry for something larger until a moment of the wall clock, or lets go of it.
///
/// The moment frees it again if whoever took it does not come back.
pub async fn lock(
    cx: &mut Cx,
    (id, until): (WaitlistEntryId, Option<Timestamp>),
) -> Result<WaitlistEntry> {
    let mut row = match until {
        Some(_) => find_free(cx, &id).await?,
        None => find(cx, &id).await?,
    };
    row.locked_until = until;
    let invitation = invitations_of(cx, std::slice::from_ref(&row)).await?.pop();
    let status = row.status();
    save(cx, &mut row, status, invitation.as_ref()).await?;
    let mut entries = views(cx, vec![row]).await?;
    Ok(entries.pop().ok_or_else(refusal::internal_clerk_error)?)
}

/// Writes a changed entry back, and tells about it.
async fn save(
    cx: &mut Cx,
    row: &mut EntryRow,
    status: WaitlistEntryStatus,
    invitation: Option<&InvitationRow>,
) -> Result<()> {
    let before = row.status();
    if before != status {
        cx.tx.add(counter(Some(&before))?, -1).await?;
        cx.tx.add(counter(Some(&status))?, 1).await?;
    }
    status.as_str().clone_into(&mut row.status);
    row.updated_at = cx.now;
    row.update(&mut cx.tx).await?;
    let mut entry = view(cx, row, None);
    // Whoever reads events is not let in by them.
    entry.invitation = invitation.map(|row| invitations::view_without_link(cx, row)).transpose()?;
    cx.emit(Event::WaitlistEntryUpdated(&entry)).await
}

async fn find(cx: &mut Cx, id: &WaitlistEntryId) -> Result<EntryRow> {
    let row = EntryRow::find(&mut cx.tx, id).await?;
    Ok(row.ok_or_else(|| error::not_found("waitlist entry", id.as_str()))?)
}

/// The entry with this id, unless something larger works on it.
async fn find_free(cx: &mut Cx, id: &WaitlistEntryId) -> Result<EntryRow> {
    let row = find(cx, id).await?;
    if row.is_locked(cx.wall) { Err(refusal::waitlist_entry_locked().into()) } else { Ok(row) }
}

/// That an entry does not wait any more.
fn already(status: &WaitlistEntryStatus) -> Refusal {
    match status {
        WaitlistEntryStatus::Completed => refusal::waitlist_entry_already_completed(),
        WaitlistEntryStatus::Rejected => refusal::waitlist_entry_already_rejected(),
        _ => refusal::waitlist_entry_already_invited(),
    }
}

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "waitlist_entries")]
struct EntryRow {
    id: WaitlistEntryId,
    instance_id: String,
    position: i64,
    email_address: String,
    status: String,
    /// The latest one.
    invitation_id: Option<InvitationId>,
    /// Until when something larger works on it, by the wall clock.
    locked_until: Option<Timestamp>,
    invited_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl EntryRow {
    fn new(cx: &Cx, email_address: String) -> Self {
        Self {
            id: cx.id(),
            instance_id: cx.instance_id(),
            position: cx.position(cx.now),
            email_address,
            status: WaitlistEntryStatus::Pending.as_str().to_owned(),
            invitation_id: None,
            locked_until: None,
            invited_at: None,
            created_at: cx.now,
            updated_at: cx.now,
        }
    }

    fn status(&self) -> WaitlistEntryStatus {
        self.status.as_str().into()
    }

    fn is_locked(&self, wall: Timestamp) -> bool {
        self.locked_until.is_some_and(|until| until > wall)
    }
}

/// The invitations of some entries, in no order.
async fn invitations_of(cx: &mut Cx, rows: &[EntryRow]) -> Result<Vec<InvitationRow>> {
    let ids: Vec<_> = rows.iter().filter_map(|row| row.invitation_id.clone()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(InvitationRow::select(&cx.tx).filter_in("id", &ids).all(&mut cx.tx).await?)
}

/// Entries with their invitations and the links of these.
async fn views(cx: &mut Cx, rows: Vec<EntryRow>) -> Result<Vec<WaitlistEntry>> {
    let mut invitations = invitations_of(cx, &rows).await?;
    let shown = |row: &EntryRow| {
        let own = |one: &InvitationRow| row.invitation_id.as_ref() == Some(&one.id);
        let own = invitations.iter().position(own).map(|place| invitations.swap_remove(place));
        let own = own.as_ref().map(|own| invitations::view(cx, own)).transpose()?;
        Ok(view(cx, row, own))
    };
    rows.iter().map(shown).collect()
}

fn view(cx: &Cx, row: &EntryRow, invitation: Option<Invitation>) -> WaitlistEntry {
    WaitlistEntry {
        id: row.id.clone(),
        object: Tag::new(),
        email_address: row.email_address.clone(),
        status: row.status(),
        is_locked: row.is_locked(cx.wall),
        created_at: row.created_at,
        updated_at: row.updated_at,
        invitation,
    }
}
