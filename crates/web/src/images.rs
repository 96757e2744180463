//! Pictures of users, for whoever knows their address.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderValue, Response, header},
};
use domain::{Result, World, images::Wanted};

/// `/images/{id}?width=&height=&fit=`.
pub(crate) async fn serve(world: &Arc<World>, id: &str, query: &str) -> Result<Response<Body>> {
    let picture = domain::images::picture(world, id, Wanted::parse(query)?).await?;
    let mut response = Response::new(Body::from(picture.bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(picture.media_type));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A new picture has a new id, so this one never changes.
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(header::CACHE_CONTROL, forever);
    // Official components ask as pages of the app do, and show nothing that they may not read.
    let anybody = HeaderValue::from_static("*");
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anybody);
    let nothing = HeaderValue::from_static("default-src 'none'; sandbox");
    headers.insert(header::CONTENT_SECURITY_POLICY, nothing);
    Ok(response)
}
