//! Trusted devices.

use serde::{Deserialize, Serialize};

use crate::{Id, Tag, Timestamp, id::kind, open::open_enum};

open_enum! {
    /// What a trusted device runs.
    pub enum DevicePlatform {
        Ios = "ios",
        Android = "android",
    }
}

open_enum! {
    /// State of a trusted device.
    pub enum TrustedDeviceStatus {
        Active = "active",
        Revoked = "revoked",
    }
}

/// Id of a trusted device.
pub type TrustedDeviceId = Id<TrustedDevice>;

kind!(TrustedDevice, "trusted_device", "td_");

/// A device that proves itself with its own key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrustedDevice {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub platform: DevicePlatform,
    pub app_identifier: String,
    pub name: Option<String>,
    pub algorithm: String,
    pub status: TrustedDeviceStatus,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}
