//! What anybody may ask of the Frontend API: whether it is there, and its keys.

use wire::{
    backend::jwks::Jwks,
    frontend::health::{GetHealth, GetJwks, GetProxyHealth, Health, ProxyHealth},
};

use crate::{Operations, Outside, Result, jwks};

/// What the Frontend API offers about it.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor_outside(health)
        .offer_visitor_outside(proxy_health)
        .offer_visitor_outside(keys)
}

async fn health(_: &Outside, _: GetHealth) -> Result<Health> {
    Ok(Health { status: "healthy".to_owned() })
}

async fn proxy_health(outside: &Outside, _: GetProxyHealth) -> Result<ProxyHealth> {
    let address = outside.caller.visitor().and_then(|visitor| visitor.address.clone());
    let x_forwarded_for = address.unwrap_or_default();
    Ok(ProxyHealth { status: "healthy".to_owned(), x_forwarded_for })
}

async fn keys(outside: &Outside, _: GetJwks) -> Result<Jwks> {
    Ok(jwks::of(&outside.instance))
}
