//! Directories that provision users.

use serde::{Deserialize, Serialize};

use super::{
    enterprise_connections::{CustomAttribute, EnterpriseConnectionId},
    organization_roles::Role,
};
use crate::{
    Id, Metadata, Timestamp,
    id::{kind, object},
    open::{open_enum, or_default},
};

open_enum! {
    /// The `object` of a directory, which has an old name.
    pub enum DirectoryObject {
        Directory = "directory",
        ScimDirectory = "scim_directory",
    }
}

open_enum! {
    /// The `object` of a role mapping, which has an old name.
    pub enum DirectoryGroupRoleMappingObject {
        DirectoryGroupRoleMapping = "directory_group_role_mapping",
        ScimGroupRoleMapping = "scim_group_role_mapping",
    }
}

/// Id of a directory.
pub type DirectoryId = Id<Directory>;

kind!(Directory, "directory", "scim_dir_");

/// A directory that creates and removes users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Directory {
    pub id: Id<Self>,
    pub object: DirectoryObject,
    pub name: String,
    pub enterprise_connection_id: Option<EnterpriseConnectionId>,
    pub endpoint_url: String,
    pub provider: String,
    pub enabled: bool,
    pub group_role_mapping_enabled: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub attribute_mapping: Metadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_attributes: Option<Vec<CustomAttribute>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

object!(DirectoryGroupRoleMapping, "directory_group_role_mapping");

/// A role for the members of a directory's group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DirectoryGroupRoleMapping {
    pub id: String,
    pub object: DirectoryGroupRoleMappingObject,
    pub directory_id: DirectoryId,
    pub scim_directory_id: DirectoryId,
    pub directory_group_id: String,
    pub scim_group_id: String,
    pub directory_group_display_name: String,
    pub scim_group_display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    pub precedence: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
