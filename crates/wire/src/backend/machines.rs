//! Machines.

use serde::{Deserialize, Serialize};

use super::instance::InstanceId;
use crate::{
    Id, Tag, Timestamp,
    id::{kind, object},
    open::or_default,
};

/// Id of a machine.
pub type MachineId = Id<Machine>;

kind!(Machine, "machine", "mch_");

/// A program that calls other programs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub name: String,
    pub instance_id: InstanceId,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(default)]
    pub default_token_ttl: i64,
    #[serde(default, deserialize_with = "or_default")]
    pub scoped_machines: Vec<ScopedMachine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key: Option<String>,
}

/// A machine that another may call; its own scopes are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScopedMachine {
    pub id: MachineId,
    pub object: Tag<Machine>,
    pub name: String,
    pub instance_id: InstanceId,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(default)]
    pub default_token_ttl: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scoped_machines: Option<Vec<Self>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key: Option<String>,
}

object!(MachineScope, "machine_scope");

/// One machine may call another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MachineScope {
    pub object: Tag<Self>,
    pub from_machine_id: MachineId,
    pub to_machine_id: MachineId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<bool>,
}

object!(MachineSecretKey, "machine_secret_key");

/// The secret of a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MachineSecretKey {
    pub object: Tag<Self>,
    pub secret: String,
}
