//! Trusted devices: phones whose apps sign a user in with a key that never leaves them.

use db::{Column as _, Record};
use macros::Record;
use wire::{
    Page, Refusal, Tag, Timestamp,
    backend::{
        trusted_devices::{
            DevicePlatform, ListUserTrustedDevices, RevokeUserTrustedDevice, TrustedDevice,
            TrustedDeviceId, TrustedDeviceStatus,
        },
        users::UserId,
    },
};

use crate::{Cx, Operations, Result, error, users};

/// The one kind of key that phones keep in their hardware.
const ALGORITHM: &str = "ES256";

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer(list).offer(revoke)
}

/// List the active trusted devices of a user, newest first.
async fn list(cx: &mut Cx, request: ListUserTrustedDevices) -> Result<Page<TrustedDevice>> {
    users::find(cx, &request.user_id).await?;
    let rows = TrustedDeviceRow::select(&cx.tx)
        .filter("user_id = ? and revoked_at is null", [request.user_id.to_value()])
        .order("position desc");
    let data: Vec<_> = rows.all(&mut cx.tx).await?.into_iter().map(view).collect();
    Ok(Page { total_count: data.len() as u64, data })
}

/// Revoke a trusted device of a user. One that is revoked already stays as it is.
async fn revoke(cx: &mut Cx, request: RevokeUserTrustedDevice) -> Result<TrustedDevice> {
    let row = TrustedDeviceRow::find(&mut cx.tx, &request.trusted_device_id).await?;
    let row = row.filter(|row| row.user_id == request.user_id);
    let mut row = row.ok_or_else(|| not_found(&request.trusted_device_id))?;
    if row.revoked_at.is_none() {
        (row.revoked_at, row.updated_at) = (Some(cx.now), cx.now);
        row.update(&mut cx.tx).await?;
    }
    Ok(view(row))
}

fn not_found(id: &TrustedDeviceId) -> Refusal {
    error::not_found("trusted device", id.as_str())
}

/// A device to be trusted.
#[derive(Clone, Debug)]
pub struct NewTrustedDevice {
    /// Whose it is.
    pub user_id: UserId,
    /// What it runs.
    pub platform: DevicePlatform,
    /// The app on it, `com.example.app`.
    pub app_identifier: String,
    /// What its user calls it.
    pub name: Option<String>,
    /// Verifies what the device signs.
    pub public_key: String,
}

/// Trusts a device, which must have proven that it has the key.
pub async fn insert(cx: &mut Cx, new: NewTrustedDevice) -> Result<TrustedDevice> {
    users::find(cx, &new.user_id).await?;
    let row = TrustedDeviceRow {
        id: cx.id(),
        instance_id: cx.instance_id(),
        position: cx.position(cx.now),
        user_id: new.user_id,
        platform: new.platform.to_string(),
        app_identifier: new.app_identifier,
        name: new.name,
        algorithm: ALGORITHM.to_owned(),
        public_key: new.public_key,
        last_used_at: None,
        revoked_at: None,
        created_at: cx.now,
        updated_at: cx.now,
    };
    row.insert(&mut cx.tx).await?;
    Ok(view(row))
}

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "trusted_devices")]
struct TrustedDeviceRow {
    id: TrustedDeviceId,
    instance_id: String,
    position: i64,
    user_id: UserId,
    platform: String,
    app_identifier: String,
    name: Option<String>,
    algorithm: String,
    public_key: String,
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// Without its key, which is of use to nobody else.
fn view(row: TrustedDeviceRow) -> TrustedDevice {
    let status = match row.revoked_at {
        Some(_) => TrustedDeviceStatus::Revoked,
        None => TrustedDeviceStatus::Active,
    };
    TrustedDevice {
        id: row.id,
        object: Tag::new(),
        platform: row.platform.as_str().into(),
        app_identifier: row.app_identifier,
        name: row.name,
        algorithm: row.algorithm,
        status,
        created_at: row.created_at,
        updated_at: row.updated_at,
        last_used_at: row.last_used_at,
        revoked_at: row.revoked_at,
    }
}
