//! The waitlist.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use crate::{
    Tag, Timestamp,
    backend::waitlist_entries::{WaitlistEntry, WaitlistEntryId},
};

/// One's place on the waitlist; nothing is told of how long it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waitlist {
    pub object: Tag<WaitlistEntry>,
    pub id: WaitlistEntryId,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Ask to be let in.
#[endpoint(POST "/v1/waitlist" -> Waitlist, api = Frontend, auth = Public, answer = Bare)]
pub struct JoinWaitlist {
    pub email_address: String,
}
