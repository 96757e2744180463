//! Passkeys.

use serde::{Deserialize, Serialize};

use super::verifications::Verification;
use crate::{Id, Tag, Timestamp, id::kind};

/// Id of a passkey.
pub type PasskeyId = Id<Passkey>;

kind!(Passkey, "passkey", "idn_");

/// A passkey of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Passkey {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub name: String,
    pub last_used_at: Option<Timestamp>,
    pub verification: Option<Verification>,
}
