//! Roles, permissions and role sets.

use serde::{Deserialize, Serialize};

use super::{instance::InstanceId, organizations::OrganizationId};
use crate::{
    Id, Metadata, Tag, Timestamp,
    id::{kind, object},
    open::{open_enum, or_default},
};

open_enum! {
    /// Who made a permission.
    pub enum PermissionType {
        System = "system",
        User = "user",
    }
}

open_enum! {
    /// Whether a role set is the one that organizations start with.
    pub enum RoleSetType {
        Initial = "initial",
        Custom = "custom",
    }
}

/// Id of a role.
pub type RoleId = Id<Role>;

kind!(Role, "role", "role_");

/// What members of an organization may do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Role {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub name: String,
    pub key: String,
    pub description: Option<String>,
    pub is_creator_eligible: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub permissions: Vec<Permission>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Id of a permission.
pub type PermissionId = Id<Permission>;

kind!(Permission, "permission", "perm_");

/// One thing that members may do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Permission {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub name: String,
    pub key: String,
    #[serde(default, deserialize_with = "or_default")]
    pub description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<PermissionType>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Id of a role set.
pub type RoleSetId = Id<RoleSet>;

kind!(RoleSet, "role_set", "rset_");

/// The roles that an organization offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoleSet {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub name: String,
    pub key: String,
    pub description: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub roles: Vec<RoleSetItem>,
    pub default_role: Option<RoleSetItem>,
    pub creator_role: Option<RoleSetItem>,
    pub r#type: RoleSetType,
    pub role_set_migration: Option<RoleSetMigration>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

object!(RoleSetItem, "role_set_item");

/// A role in a role set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoleSetItem {
    pub object: Tag<Self>,
    pub id: RoleId,
    pub name: String,
    pub key: String,
    pub description: Option<String>,
    pub members_count: Option<i64>,
    pub has_members: Option<bool>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

object!(RoleSetMigration, "role_set_migration");

/// A move of organizations from one role set to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoleSetMigration {
    pub object: Tag<Self>,
    pub id: String,
    pub organization_id: Option<OrganizationId>,
    pub instance_id: InstanceId,
    pub source_role_set_id: RoleSetId,
    pub dest_role_set_id: Option<RoleSetId>,
    pub trigger_type: String,
    pub status: String,
    pub migrated_members: i64,
    pub mappings: Option<Metadata>,
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
