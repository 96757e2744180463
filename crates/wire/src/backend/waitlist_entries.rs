//! The waitlist.

use serde::{Deserialize, Serialize};

use super::invitations::Invitation;
use crate::{Id, Tag, Timestamp, id::kind, open::open_enum};

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
