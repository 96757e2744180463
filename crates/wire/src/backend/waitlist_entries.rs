//! The waitlist.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use super::invitations::Invitation;
use crate::{Deleted, Id, Limit, Page, Patch, Tag, Timestamp, id::kind, open::open_enum};

open_enum! {
    /// State of an entry in the waitlist.
    pub enum WaitlistEntryStatus {
        Pending = "pending",
        Invited = "invited",
        Completed = "completed",
        Rejected = "rejected",
    }
}

/// Id of a waitlist entry.
pub type WaitlistEntryId = Id<WaitlistEntry>;

kind!(WaitlistEntry, "waitlist_entry", "wle_");

/// Somebody who waits for an invitation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaitlistEntry {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub email_address: String,
    pub status: WaitlistEntryStatus,
    #[serde(default)]
    pub is_locked: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub invitation: Option<Invitation>,
}

/// List entries of the waitlist, newest first.
#[endpoint(GET "/v1/waitlist_entries" -> Page<WaitlistEntry>)]
pub struct ListWaitlistEntries {
    pub query: Option<String>,
    pub status: Option<WaitlistEntryStatus>,
    pub order_by: Option<String>,
    pub limit: Option<Limit>,
    pub offset: Option<u32>,
}

/// Put somebody on the waitlist, unless they are there.
#[endpoint(POST "/v1/waitlist_entries" -> WaitlistEntry)]
pub struct CreateWaitlistEntry {
    pub email_address: String,
    pub notify: Patch<bool>,
}

/// Put up to fifty people on the waitlist.
#[endpoint(POST "/v1/waitlist_entries/bulk" -> Vec<WaitlistEntry>, body = Items)]
pub struct CreateBulkWaitlistEntries {
    pub items: Vec<CreateWaitlistEntry>,
}

/// Delete an entry that still waits.
#[endpoint(DELETE "/v1/waitlist_entries/{waitlist_entry_id}" -> Deleted<WaitlistEntry>)]
pub struct DeleteWaitlistEntry {
    pub waitlist_entry_id: WaitlistEntryId,
}

/// Invite somebody who waits.
#[endpoint(POST "/v1/waitlist_entries/{waitlist_entry_id}/invite" -> WaitlistEntry)]
pub struct InviteWaitlistEntry {
    pub waitlist_entry_id: WaitlistEntryId,
    pub ignore_existing: Patch<bool>,
}

/// Reject somebody who waits.
#[endpoint(POST "/v1/waitlist_entries/{waitlist_entry_id}/reject" -> WaitlistEntry)]
pub struct RejectWaitlistEntry {
    pub waitlist_entry_id: WaitlistEntryId,
}
