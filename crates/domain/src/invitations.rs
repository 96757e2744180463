//! Invitations to the application: tickets with which somebody may sign up.
//!
//! That an invitation has expired is told by the clock when it is read, so no job has to write it.
//! Of those that are pending for an address one holds its *claim*, which a second one asks for.

use db::{Column as _, Record as _, Select, Statement, Value};
use macros::Record;
use url::Url;
use wire::{
    Deleted, Listing, Metadata, Page, Paging, Patch, Refusal, Tag, Timestamp,
    backend::{
        invitations::{
            CreateBulkInvitations, CreateInvitation, DeleteInvitation, Invitation, InvitationId,
            InvitationStatus, InvitationTemplate, ListInvitations, RevokeInvitation,
        },
        verifications::{Verification, VerificationObject, VerificationStatus},
    },
    refusal,
};

use crate::{
    Cx, Operations, Outside, Result, TicketKind, error,
    identifications::{self, IdentificationKind},
    messages,
    order::Orders,
    text,
    tickets::{self, Ticket, Ticketed},
    users, waitlist_entries,
};

/// Counter of an instance's invitations that are not revoked.
const LISTED: &str = "invitations";
/// Counter of those that were accepted, which are among them.
const ACCEPTED: &str = "invitations_accepted";
/// Counter of those that were revoked.
const REVOKED: &str = "invitations_revoked";
/// Text index of an instance's invitations.
const SEARCH: &str = "invitations";
/// Invitations of one request.
const AT_ONCE_MAX: usize = 10;
/// Days that an invitation is good for unless said.
const DAYS: u32 = 30;
const DAY_SECONDS: i64 = 24 * 3600;
/// Characters of a redirect URL.
const URL_CHARS_MAX: usize = 2048;
/// Rows that are skipped without much ado; more of them are a walk.
const OFFSET_SMALL: u32 = 1000;

const ORDERS: Orders = Orders(&[
    ("created_at", "position asc", "position desc"),
    ("email_address", "email_address asc, position asc", "email_address desc, position desc"),
    ("expires_at", "expires_at asc, position asc", "expires_at desc, position desc"),
]);

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer_outside(list).offer(create).offer(create_many).offer(revoke).offer(delete)
}

/// List invitations, newest first; those revoked only when asked for.
async fn list(outside: &Outside, request: ListInvitations) -> Result<Listing<Invitation>> {
    text::at_most("query", request.query.as_deref().unwrap_or_default(), text::NAME_CHARS_MAX)?;
    // What an index finds at once need not queue behind what has to be walked.
    let walks = request.query.is_some()
        || request.status.is_some()
        || request.offset.is_some_and(|offset| offset > OFFSET_SMALL);
    if walks { outside.scan(listed, request).await } else { outside.read(listed, request).await }
}

async fn listed(cx: &mut Cx, request: ListInvitations) -> Result<Listing<Invitation>> {
    let order = ORDERS.find(request.order_by.as_deref())?;
    let needle = request.query.map(|query| query.trim().to_lowercase()).unwrap_or_default();
    let (condition, values) = condition(request.status.as_ref(), cx.now)?;
    let invitations = || {
        InvitationRow::select(&cx.tx)
            .filter(condition, values.clone())
            .matching(SEARCH, "position", &needle)
    };
    let counted = (request.paginated == Some(true)).then(&invitations);
    let rows = invitations().order(order);
    let total_count = match counted {
        None => 0,
        Some(rows) if !needle.is_empty() => rows.count(&mut cx.tx).await?,
        Some(_) => total(cx, request.status.as_ref()).await?,
    };
    let paging = Paging::new(request.limit, request.offset);
    let rows = rows.part(&mut cx.tx, paging).await?;
    let data = rows.iter().map(|row| view(cx, row)).collect::<Result<_>>()?;
    Ok(Listing::new(Page { data, total_count }, request.paginated))
}

/// What is true of the invitations in a state, and of those that are listed if none is given.
///
/// The plus keeps the time from being looked up: the newest are wanted, which are walked to.
fn condition(
    status: Option<&InvitationStatus>,
    now: Timestamp,
) -> Result<(&'static str, Vec<Value>)> {
    let now = || vec![now.to_value()];
    Ok(match status {
        None => ("revoked_at is null", Vec::new()),
        Some(InvitationStatus::Revoked) => ("revoked_at is not null", Vec::new()),
        Some(InvitationStatus::Accepted) => ("accepted_at is not null", Vec::new()),
        Some(InvitationStatus::Pending) => {
            ("accepted_at is null and revoked_at is null and +expires_at > ?", now())
        }
        Some(InvitationStatus::Expired) => {
            ("accepted_at is null and revoked_at is null and +expires_at <= ?", now())
        }
        Some(InvitationStatus::Other(_)) => {
            let reason = format!("status must be one of {}.", InvitationStatus::KNOWN.join(", "));
            return Err(refusal::form_param_value_invalid().because(reason).param("status").into());
        }
    })
}

/// How many there are in a state. Only those that expired are counted, and by their index.
async fn total(cx: &mut Cx, status: Option<&InvitationStatus>) -> Result<u64> {
    let open = match status {
        None => return Ok(cx.tx.counter(LISTED).await?),
        Some(InvitationStatus::Accepted) => return Ok(cx.tx.counter(ACCEPTED).await?),
        Some(InvitationStatus::Revoked) => return Ok(cx.tx.counter(REVOKED).await?),
        Some(InvitationStatus::Expired) => None,
        Some(_) => {
            let (listed, accepted) = (cx.tx.counter(LISTED).await?, cx.tx.counter(ACCEPTED).await?);
            Some(listed.saturating_sub(accepted))
        }
    };
    let expired = "accepted_at is null and revoked_at is null and expires_at <= ?";
    let expired = InvitationRow::select(&cx.tx).filter(expired, [cx.now.to_value()]);
    let expired = expired.count(&mut cx.tx).await?;
    Ok(open.map_or(expired, |open| open.saturating_sub(expired)))
}

/// Invite somebody to sign up.
pub async fn create(cx: &mut Cx, request: CreateInvitation) -> Result<Invitation> {
    let is_free = request.ignore_existing == Patch::Set(true);
    let mut made = invite(cx, vec![request], is_free).await?;
    let row = made.pop().ok_or_else(refusal::internal_clerk_error)?;
    view(cx, &row)
}

/// Invite up to ten people to sign up, or none of them.
async fn create_many(cx: &mut Cx, request: CreateBulkInvitations) -> Result<Vec<Invitation>> {
    check_length(request.items.len(), AT_ONCE_MAX)?;
    let made = invite(cx, request.items, false).await?;
    made.iter().map(|row| view(cx, row)).collect()
}

/// Refuses a list without items, and one with too many.
pub(crate) fn check_length(length: usize, max: usize) -> Result<()> {
    let refusal = match length {
        0 => refusal::form_param_value_invalid().because("At least one item must be given."),
        _ if length > max => {
            let reason = format!("At most {max} items can be given.");
            refusal::bulk_size_exceeded().because(reason)
        }
        _ => return Ok(()),
    };
    Err(refusal.param("items").into())
}

/// Makes invitations and sends their mails. `even_users` may be invited.
pub(crate) async fn invite(
    cx: &mut Cx,
    requests: Vec<CreateInvitation>,
    even_users: bool,
) -> Result<Vec<InvitationRow>> {
    if !cx.instance.settings.attributes.email_address.enabled {
        let reason = "Invitations need e-mail addresses, which this instance does not have.";
        return Err(refusal::invitations_not_supported().because(reason).into());
    }
    let mut rows = Vec::with_capacity(requests.len());
    for request in &requests {
        rows.push(InvitationRow::new(cx, request)?);
    }
    if !even_users {
        refuse_users(cx, &rows).await?;
    }
    insert(cx, &mut rows, &requests).await?;
    cx.tx.add(LISTED, i64::try_from(rows.len()).unwrap_or_default()).await?;
    for (row, request) in rows.iter().zip(&requests) {
        let text = format!("{}\n{}", row.id, row.email_address).to_lowercase();
        cx.tx.search_put(SEARCH, row.position, &text).await?;
        if request.notify != Patch::Set(false) {
            notify(cx, row, request.template_slug.as_ref()).await?;
        }
    }
    Ok(rows)
}

/// Refuses addresses that are a user's already.
async fn refuse_users(cx: &mut Cx, rows: &[InvitationRow]) -> Result<()> {
    let kind = IdentificationKind::EmailAddress;
    let addresses: Vec<_> = rows.iter().map(|row| row.email_address.clone()).collect();
    let users = identifications::claimed(cx, kind, &addresses);
    if users.exists(&mut cx.tx).await? { Err(kind.taken().into()) } else { Ok(()) }
}

/// Adds all rows, each with the claim of its address if that is free.
async fn insert(
    cx: &mut Cx,
    rows: &mut [InvitationRow],
    requests: &[CreateInvitation],
) -> Result<()> {
    let columns = InvitationRow::COLUMNS;
    let marks: Vec<_> = (1..=columns.len()).map(|number| format!("${number}")).collect();
    let sql = format!(
        "insert into invitations ({}) values ({})
         on conflict (instance_id, claim) do nothing returning id",
        columns.join(", "),
        marks.join(", ")
    );
    let statements = rows.iter().map(|row| Statement::new(sql.clone(), row.values())).collect();
    let added = cx.tx.batch(statements).await?;
    let mut pending = Vec::new();
    for ((row, request), added) in rows.iter_mut().zip(requests).zip(added) {
        if !added.is_empty() {
            continue;
        }
        if request.ignore_existing == Patch::Set(true) {
            row.claim = None;
        } else if open(cx, &row.email_address).exists(&mut cx.tx).await? {
            pending.push(row.email_address.clone());
            continue;
        } else {
            // Whoever has it has expired.
            let sql = "update invitations set claim = null where instance_id = $1 and claim = $2";
            let values = [cx.instance_id(), row.email_address.clone()].map(Value::Text);
            cx.tx.execute(sql, values.into()).await?;
        }
        row.insert(&mut cx.tx).await?;
    }
    if pending.is_empty() {
        return Ok(());
    }
    let reason = format!("There are pending invitations for {} already.", pending.join(", "));
    Err(refusal::duplicate_record().because(reason).meta("email_addresses", pending).into())
}

/// Those that are pending for an address.
fn open(cx: &Cx, email_address: &str) -> Select<InvitationRow> {
    let values = [Value::Text(email_address.to_owned()), cx.now.to_value()];
    let open =
        "email_address = ? and accepted_at is null and revoked_at is null and expires_at > ?";
    InvitationRow::select(&cx.tx).filter(open, values)
}

async fn notify(
    cx: &mut Cx,
    row: &InvitationRow,
    template: Option<&InvitationTemplate>,
) -> Result<()> {
    let ticket = tickets::mint(&cx.instance, row)?.ticket;
    let invited = messages::Invited {
        template: match template {
            Some(InvitationTemplate::WaitlistInvitation) => "waitlist_invitation",
            _ => "invitation",
        },
        email_address: &row.email_address,
        url: &tickets::accept_url(cx, &ticket),
        days: row.lifetime_seconds / DAY_SECONDS,
    };
    messages::invitation(cx, invited).await
}

/// Revoke an invitation that nobody has accepted.
async fn revoke(cx: &mut Cx, request: RevokeInvitation) -> Result<Invitation> {
    let id = request.invitation_id;
    // There is no word for refusing to revoke what has expired, and no harm in doing it.
    let revoked = tickets::revoke::<InvitationRow>(cx, id.as_str(), true).await?;
    let Some(row) = revoked else {
        let row = InvitationRow::find(&mut cx.tx, &id).await?.ok_or_else(|| not_found(&id))?;
        return Err(match row.accepted_at {
            Some(_) => refusal::invitation_already_accepted().into(),
            None => refusal::invitation_already_revoked().into(),
        });
    };
    cx.tx.add(LISTED, -1).await?;
    cx.tx.add(REVOKED, 1).await?;
    pass_claim(cx, &row.email_address).await?;
    view(cx, &row)
}

/// Delete an invitation.
async fn delete(cx: &mut Cx, request: DeleteInvitation) -> Result<Deleted<Invitation>> {
    let id = request.invitation_id;
    let row = InvitationRow::find(&mut cx.tx, &id).await?.ok_or_else(|| not_found(&id))?;
    let counter = if row.revoked_at.is_some() { REVOKED } else { LISTED };
    cx.tx.add(counter, -1).await?;
    if row.accepted_at.is_some() {
        cx.tx.add(ACCEPTED, -1).await?;
    }
    cx.tx.search_remove(SEARCH, row.position).await?;
    let (had_claim, email_address) = (row.claim.is_some(), row.email_address.clone());
    row.delete(&mut cx.tx).await?;
    if had_claim {
        pass_claim(cx, &email_address).await?;
    }
    Ok(Deleted::new(id))
}

/// Lets another one that is pending for the address hold its claim, unless one does.
async fn pass_claim(cx: &mut Cx, email_address: &str) -> Result<()> {
    let mut others = open(cx, email_address).order("position desc").all(&mut cx.tx).await?;
    if others.iter().any(|other| other.claim.is_some()) {
        return Ok(());
    }
    let Some(mut next) = others.drain(..).next() else {
        return Ok(());
    };
    next.claim = Some(next.email_address.clone());
    // One that has expired may hold it still.
    let sql = "update invitations set claim = null where instance_id = $1 and claim = $2";
    let values = [cx.instance_id(), next.email_address.clone()].map(Value::Text);
    cx.tx.execute(sql, values.into()).await?;
    Ok(next.update(&mut cx.tx).await?)
}

/// An invitation that somebody accepted, for the user that they become.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    /// The invitation.
    pub invitation_id: InvitationId,
    /// The address it was sent to, which is theirs: they have read its mail.
    pub email_address: String,
    /// How the address was verified.
    pub verification: Verification,
    /// What becomes the user's public metadata.
    pub public_metadata: Metadata,
}

/// Accepts the invitation of a ticket, which is worth nothing from then on.
///
/// Whoever was on the waitlist leaves it by that.
pub async fn redeem(cx: &mut Cx, ticket: String) -> Result<Accepted> {
    let row: InvitationRow = tickets::redeem(cx, &ticket).await?;
    accepted(cx, &row).await?;
    offered(row)
}

/// Accepts the invitation with this id, which somebody came with.
pub(crate) async fn accept(cx: &mut Cx, id: &str) -> Result<()> {
    let row: InvitationRow = tickets::accept(cx, id).await?;
    accepted(cx, &row).await
}

/// What the invitation of a ticket would give to whoever accepts it.
pub(crate) async fn look(cx: &mut Cx, ticket: &str) -> Result<Accepted> {
    offered(tickets::find(cx, ticket).await?)
}

/// Whom the invitation of a ticket is for, and where it leads if that was said.
pub(crate) async fn destination(cx: &mut Cx, ticket: &str) -> Result<(String, Option<String>)> {
    let row: InvitationRow = tickets::find(cx, ticket).await?;
    Ok((row.email_address, row.redirect_url))
}

async fn accepted(cx: &mut Cx, row: &InvitationRow) -> Result<()> {
    cx.tx.add(ACCEPTED, 1).await?;
    pass_claim(cx, &row.email_address).await?;
    waitlist_entries::complete(cx, row).await
}

fn offered(row: InvitationRow) -> Result<Accepted> {
    let (object, status) = (VerificationObject::Ticket, VerificationStatus::Verified);
    Ok(Accepted {
        public_metadata: serde_json::from_str(&row.public_metadata)?,
        verification: Verification::new(object, status, "ticket"),
        email_address: row.email_address,
        invitation_id: row.id,
    })
}

fn not_found(id: &InvitationId) -> Refusal {
    error::not_found("invitation", id.as_str())
}

/// An address to be sent to afterwards, or a path of the application's own: nothing that a browser
/// would run, or read as another host.
fn redirect_url(text: &str) -> Result<String> {
    text::at_most("redirect_url", text, URL_CHARS_MAX)?;
    let is_path = text.starts_with('/')
        && !text.starts_with("//")
        && !text.contains(|letter: char| letter == '\\' || letter.is_control());
    let runs = ["javascript", "data", "vbscript", "file", "blob", "about"];
    let fits = Url::parse(text).is_ok_and(|url| {
        url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && !runs.contains(&url.scheme())
    });
    if !fits && !is_path {
        let reason = "redirect_url must be a valid URL, or a path.";
        let refusal = refusal::form_param_format_invalid().because(reason);
        return Err(refusal.param("redirect_url").into());
    }
    Ok(text.to_owned())
}

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "invitations")]
pub(crate) struct InvitationRow {
    pub(crate) id: InvitationId,
    instance_id: String,
    position: i64,
    pub(crate) email_address: String,
    /// The address, if no second one shall be made by accident.
    claim: Option<String>,
    /// Of the ticket.
    digest: String,
    /// JSON object.
    public_metadata: String,
    redirect_url: Option<String>,
    lifetime_seconds: i64,
    expires_at: Timestamp,
    accepted_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl InvitationRow {
    fn new(cx: &Cx, request: &CreateInvitation) -> Result<Self> {
        if let Some(InvitationTemplate::Other(_)) = request.template_slug {
            let reason =
                format!("template_slug must be one of {}.", InvitationTemplate::KNOWN.join(", "));
            let refusal = refusal::form_param_value_invalid().because(reason);
            return Err(refusal.param("template_slug").into());
        }
        let email_address = IdentificationKind::EmailAddress.normalize(&request.email_address)?;
        let metadata = request.public_metadata.as_ref().cloned().unwrap_or_default();
        let days = request.expires_in_days.as_ref().map_or(DAYS, |days| days.0);
        let lifetime_seconds = i64::from(days) * DAY_SECONDS;
        let mut row = Self {
            id: cx.id(),
            instance_id: cx.instance_id(),
            position: cx.position(cx.now),
            claim: Some(email_address.clone()),
            email_address,
            digest: String::new(),
            public_metadata: users::written("public_metadata", metadata)?,
            redirect_url: request.redirect_url.as_ref().map(|url| redirect_url(url)).transpose()?,
            lifetime_seconds,
            expires_at: Timestamp(cx.now.0.saturating_add(lifetime_seconds * 1000)),
            accepted_at: None,
            revoked_at: None,
            created_at: cx.now,
            updated_at: cx.now,
        };
        row.digest = tickets::mint(&cx.instance, &row)?.digest;
        Ok(row)
    }

    /// True if somebody may accept it still.
    pub(crate) fn is_pending(&self, now: Timestamp) -> bool {
        self.status(now) == InvitationStatus::Pending
    }

    fn status(&self, now: Timestamp) -> InvitationStatus {
        match (self.accepted_at, self.revoked_at) {
            (Some(_), _) => InvitationStatus::Accepted,
            (None, Some(_)) => InvitationStatus::Revoked,
            (None, None) if self.expires_at <= now => InvitationStatus::Expired,
            (None, None) => InvitationStatus::Pending,
        }
    }
}

impl Ticketed for InvitationRow {
    const KIND: TicketKind = TicketKind::Invitation;
    const AT_END: &'static str = ", claim = null";

    fn ticket(&self) -> Ticket<'_> {
        Ticket {
            id: self.id.as_str(),
            lifetime_seconds: self.lifetime_seconds,
            expires_at: self.expires_at,
            redirect_url: self.redirect_url.as_deref(),
        }
    }

    fn digest(&self) -> &str {
        &self.digest
    }

    fn ends(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.accepted_at, self.revoked_at)
    }

    fn taken() -> Refusal {
        refusal::invitation_already_accepted()
    }

    fn revoked() -> Refusal {
        refusal::revoked_invitation()
    }
}

/// With its link as long as that is good, which only those may see who could make one.
pub(crate) fn view(cx: &Cx, row: &InvitationRow) -> Result<Invitation> {
    let mut invitation = view_without_link(cx, row)?;
    if invitation.status == InvitationStatus::Pending {
        let ticket = tickets::shown(&cx.instance, row)?;
        invitation.url = ticket.map(|ticket| tickets::accept_url(cx, &ticket));
    }
    Ok(invitation)
}

/// As those see it who are told about it.
pub(crate) fn view_without_link(cx: &Cx, row: &InvitationRow) -> Result<Invitation> {
    let status = row.status(cx.now);
    Ok(Invitation {
        id: row.id.clone(),
        object: Tag::new(),
        email_address: row.email_address.clone(),
        public_metadata: serde_json::from_str(&row.public_metadata)?,
        revoked: Some(status == InvitationStatus::Revoked),
        status,
        url: None,
        expires_at: Some(row.expires_at),
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
