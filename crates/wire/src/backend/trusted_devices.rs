//! Trusted devices.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use super::users::UserId;
use crate::{Id, Page, Tag, Timestamp, id::kind, open::open_enum};

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

/// List the active trusted devices of a user, newest first.
#[endpoint(GET "/v1/users/{user_id}/trusted_devices" -> Page<TrustedDevice>)]
pub struct ListUserTrustedDevices {
    pub user_id: UserId,
}

/// Revoke a trusted device of a user. One that is revoked already stays as it is.
#[endpoint(DELETE "/v1/users/{user_id}/trusted_devices/{trusted_device_id}" -> TrustedDevice)]
pub struct RevokeUserTrustedDevice {
    pub user_id: UserId,
    pub trusted_device_id: TrustedDeviceId,
}
