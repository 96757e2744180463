//! Who asks, and in which API.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use domain::{Instance, Result, World};
use wire::refusal;

use crate::{Api, Found, Hosts, Routes, Target};

/// Which API a request means. A host of its own decides; on a shared one, the credentials.
pub(crate) fn api(
    hosts: &Hosts,
    routes: &Routes,
    headers: &HeaderMap,
    method: &str,
    path: &str,
) -> Api {
    if let Some(api) = host(headers).and_then(|host| hosts.api(host)) {
        return api;
    }
    if bearer(headers).is_some_and(|key| key.starts_with("sk_") || key.starts_with("ak_")) {
        return Api::Backend;
    }
    // A browser asks first whether it may ask.
    let asked = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD);
    let method = match asked.and_then(|asked| asked.to_str().ok()) {
        Some(asked) if method == "OPTIONS" => asked,
        _ => method,
    };
    let trimmed = if path.len() > 1 { path.trim_end_matches('/') } else { path };
    match (routes.find(Api::Backend, method, path), routes.find(Api::Frontend, method, trimmed)) {
        (_, Found::Target(..)) | (Found::Nothing, Found::OtherMethod) => Api::Frontend,
        (Found::Target(..), _) => Api::Backend,
        // Pages have no business with the other one.
        _ if headers.contains_key(header::ORIGIN) => Api::Frontend,
        _ => Api::Backend,
    }
}

/// The host a request names, without a port.
pub(crate) fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok().map(without_port)
}

/// `localhost` of `localhost:8787`.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let key = value.to_str().ok()?.strip_prefix("Bearer ")?;
    (!key.is_empty() && !key.contains(char::is_whitespace)).then_some(key)
}

/// The instance whose secret key the request carries.
pub(crate) async fn instance(world: &Arc<World>, headers: &HeaderMap) -> Result<Arc<Instance>> {
    let Some(key) = bearer(headers) else {
        let reason = "The Authorization header must be of the form: Bearer <secret key>.";
        return Err(refusal::authorization_header_format_invalid().because(reason).into());
    };
    let found = domain::instances::by_secret_key(world, key).await?;
    Ok(found.ok_or_else(refusal::clerk_key_invalid)?)
}

/// The instance that a request names in its query, by a key that anybody may know. One that
/// carries credentials all the same is that of its secret key.
pub(crate) async fn named_instance(
    world: &Arc<World>,
    headers: &HeaderMap,
    query: &str,
) -> Result<Arc<Instance>> {
    if headers.contains_key(header::AUTHORIZATION) {
        return instance(world, headers).await;
    }
    let host = domain::interstitial::frontend_host(query)?;
    let found = domain::instances::by_frontend_host(world, &host).await?;
    Ok(found.ok_or_else(domain::interstitial::unknown)?)
}

/// The instance that an operation without credentials is about: the server's first one.
pub(crate) async fn anybodys(world: &Arc<World>) -> Result<Arc<Instance>> {
    let first = domain::instances::first(world).await?;
    let reason = "This server has no instance yet.";
    Ok(first.ok_or_else(|| refusal::resource_not_found().because(reason))?)
}

/// True if the route can only be used with credentials.
pub(crate) fn is_closed(target: &Target) -> bool {
    match target {
        Target::Served(operation) => operation.meta.auth != wire::Auth::Public,
        Target::Missing(_) => true,
    }
}
