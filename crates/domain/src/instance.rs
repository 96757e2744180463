//! The instance as its own servers see it.

use wire::{
    Tag,
    backend::instance::{GetInstance, Instance},
};

use crate::{Operations, Outside, Result};

/// What the Backend API offers about it.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer_outside(get)
}

/// Fetch the instance that the secret key belongs to.
async fn get(outside: &Outside, _request: GetInstance) -> Result<Instance> {
    let instance = &outside.instance;
    let origins = &instance.settings.allowed_origins;
    Ok(Instance {
        id: instance.id.clone(),
        object: Tag::new(),
        environment_type: instance.environment.clone(),
        allowed_origins: (!origins.is_empty()).then(|| origins.clone()),
        workspace_id: None,
    })
}
