//! Web3 wallets.

use serde::{Deserialize, Serialize};

use super::verifications::Verification;
use crate::{Id, Tag, Timestamp, id::kind};

/// Id of a web3 wallet.
pub type Web3WalletId = Id<Web3Wallet>;

kind!(Web3Wallet, "web3_wallet", "idn_");

/// A wallet that a user signs in with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Web3Wallet {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub web3_wallet: String,
    pub verification: Option<Verification>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}
