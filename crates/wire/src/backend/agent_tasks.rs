//! Agent tasks.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use super::{actor_tokens::Lifetime, users::UserId};
use crate::{Absent, Id, Param, Patch, Shape, Tag, field, id::kind};

/// A program that does tasks for users.
#[derive(Clone, Copy, Debug)]
pub struct Agent;

kind!(Agent, "agent", "agent_");
kind!(AgentTask, "agent_task", "agent_task_");

/// Id of an agent, the same for each of its tasks.
pub type AgentId = Id<Agent>;
/// Id of an agent task.
pub type AgentTaskId = Id<AgentTask>;

/// A task that an agent does for a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentTask {
    pub object: Tag<Self>,
    pub agent_id: AgentId,
    pub agent_task_id: AgentTaskId,
    /// The same as `agent_task_id`, by its older name.
    #[serde(default = "no_id")]
    pub task_id: AgentTaskId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

fn no_id() -> AgentTaskId {
    Id::from_text("")
}

/// A user, by one of the two.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OnBehalfOf {
    #[serde(default, skip_serializing_if = "Absent::is_absent")]
    pub user_id: Option<UserId>,
    #[serde(default, skip_serializing_if = "Absent::is_absent")]
    pub identifier: Option<String>,
}

impl Param for OnBehalfOf {
    const SHAPE: Shape =
        Shape::Fields(&[field::<Option<UserId>>("user_id"), field::<Option<String>>("identifier")]);
}

/// Create a ticket with which an agent signs in for a user, once.
#[endpoint(POST "/v1/agents/tasks" -> AgentTask)]
pub struct CreateAgentTask {
    pub on_behalf_of: OnBehalfOf,
    pub permissions: String,
    pub agent_name: String,
    pub task_description: String,
    pub redirect_url: String,
    pub session_max_duration_in_seconds: Patch<Lifetime>,
}

/// Revoke a ticket that nobody has used.
#[endpoint(POST "/v1/agents/tasks/{agent_task_id}/revoke" -> AgentTask)]
pub struct RevokeAgentTask {
    pub agent_task_id: AgentTaskId,
}
