//! Agent tasks.

use serde::{Deserialize, Serialize};

use crate::{Tag, id::object, open::or_default};

object!(AgentTask, "agent_task");

/// A task that an agent does for a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentTask {
    pub object: Tag<Self>,
    pub agent_id: String,
    pub agent_task_id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub task_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}
