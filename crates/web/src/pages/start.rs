//! The start page of a development server: keys, and how an app takes them.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use domain::{Result, World, instances::Keys, server_facts};

use super::{
    Asked, Pages,
    environment::{self, Access},
    html::{escape, fill, page},
};

/// `/`
pub(crate) async fn serve(
    pages: &Pages,
    world: &Arc<World>,
    keys: &Keys,
    asked: &Asked<'_>,
) -> Result<Response<Body>> {
    let addresses = server_facts::addresses(world).await?;
    let own = world.public_url.clone();
    let (api_url, frontend_api_url) = addresses
        .map_or_else(|| (own.clone(), own.clone()), |of| (of.api_url, of.frontend_api_url));
    let access = Access {
        publishable_key: keys.publishable_key.clone(),
        secret_key: keys.secret_key.clone().unwrap_or_default(),
        api_url,
        frontend_api_url,
    };
    let now = (world.seeds.clock)().0;
    let has_scripts = pages.scripts.has(&super::COMPONENTS, now).await;
    let template = include_str!("../../assets/start.html");
    let advice = if has_scripts { "" } else { include_str!("../../assets/no_scripts.html") };
    let (frameworks, prefix) = (frameworks(&access), escape(asked.prefix));
    let shown: [(&str, &str); 8] = [
        ("prefix", &prefix),
        ("advice", advice),
        ("instance_id", &escape(keys.instance_id.as_str())),
        ("publishable_key", &escape(&access.publishable_key)),
        ("secret_key", &escape(&access.secret_key)),
        ("api_url", &escape(&access.api_url)),
        ("frontend_api_url", &escape(&access.frontend_api_url)),
        ("frameworks", &frameworks),
    ];
    Ok(page(StatusCode::OK, fill(template, &shown)))
}

/// One part to open for each framework; the first one is open.
fn frameworks(access: &Access) -> String {
    let parts = environment::FRAMEWORKS.iter().enumerate().map(|(number, framework)| {
        let (open, id) = (if number == 0 { " open" } else { "" }, format!("env-{number}"));
        let (public, secret) = framework.block(access);
        let (copied, secret) = match secret {
            Some(line) => {
                let shown = [("name", framework.name), ("id", &id), ("secret", &escape(&line))];
                let template = include_str!("../../assets/framework_secret.html");
                (format!("{id} {id}-secret"), fill(template, &shown))
            }
            None => (id.clone(), String::new()),
        };
        let shown: [(&str, &str); 8] = [
            ("open", open),
            ("id", &id),
            ("name", framework.name),
            ("file", framework.file),
            ("public", &escape(&public)),
            ("secret", &secret),
            ("copied", &copied),
            ("note", &escape(framework.note)),
        ];
        fill(include_str!("../../assets/framework.html"), &shown)
    });
    parts.collect()
}
