//! Proxy checks: whether the Frontend API answers where an app's server is said to forward it.

use db::Record;
use macros::Record;
use url::Url;
use wire::{
    Tag, Timestamp,
    backend::{
        domains::DomainId,
        proxy_checks::{ProxyCheck, ProxyCheckId, VerifyDomainProxy},
    },
};

use crate::{Cx, Operations, Outside, Result, domains};

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer_outside(verify)
}

/// Ask for the Frontend API's health through a proxy, and note the outcome.
async fn verify(outside: &Outside, request: VerifyDomainProxy) -> Result<ProxyCheck> {
    let proxy_url = domains::proxy_url(&outside.instance, &request.proxy_url)?;
    let domain = outside.read(domains::find, request.domain_id).await?;
    let successful = is_healthy(outside, Some(&domain.id), &proxy_url).await?;
    outside.write(note, (domain.id, proxy_url, successful)).await
}

/// True if the Frontend API says through the proxy that it is well.
///
/// The request carries no secret: adding the instance's key is what the proxy is there for.
pub(crate) async fn is_healthy(
    outside: &Outside,
    domain_id: Option<&DomainId>,
    proxy_url: &str,
) -> Result<bool> {
    let Ok(mut url) = Url::parse(&format!("{proxy_url}/v1/proxy-health")) else {
        return Ok(false);
    };
    if let Some(id) = domain_id {
        url.query_pairs_mut().append_pair("domain_id", id.as_str());
    }
    let Some(page) = outside.fetch(url).await? else {
        return Ok(false);
    };
    let body: serde_json::Value = serde_json::from_slice(&page.body).unwrap_or_default();
    let is_healthy = body.get("status").and_then(serde_json::Value::as_str) == Some("healthy");
    Ok(page.status == 200 && is_healthy)
}

async fn note(
    cx: &mut Cx,
    (domain_id, proxy_url, successful): (DomainId, String, bool),
) -> Result<ProxyCheck> {
    // It may have been deleted while the proxy was asked.
    domains::find(cx, domain_id.clone()).await?;
    let row = ProxyCheckRow {
        id: cx.id(),
        instance_id: cx.instance_id(),
        domain_id,
        proxy_url,
        successful,
        last_run_at: cx.now,
        created_at: cx.now,
        updated_at: cx.now,
    };
    let columns = ProxyCheckRow::COLUMNS.join(", ");
    let sql = format!(
        "insert into proxy_checks ({columns}) values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (domain_id, proxy_url) do update set successful = excluded.successful,
             last_run_at = excluded.last_run_at, updated_at = excluded.updated_at
         returning {columns}"
    );
    let rows = cx.tx.rows(&sql, row.values()).await?;
    let kept = rows.into_iter().next().map(|mut row| ProxyCheckRow::read(&mut row)).transpose()?;
    Ok(view(kept.unwrap_or(row)))
}

/// A row of the table: one for each proxy of a domain.
#[derive(Clone, Debug, Record)]
#[record(table = "proxy_checks")]
struct ProxyCheckRow {
    id: ProxyCheckId,
    instance_id: String,
    domain_id: DomainId,
    proxy_url: String,
    successful: bool,
    last_run_at: Timestamp,
    created_at: Timestamp,
    updated_at: Timestamp,
}

fn view(row: ProxyCheckRow) -> ProxyCheck {
    ProxyCheck {
        id: row.id,
        object: Tag::new(),
        domain_id: row.domain_id,
        last_run_at: Some(row.last_run_at),
        proxy_url: row.proxy_url,
        successful: row.successful,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}
