//! Domains of an instance: one primary, where its Frontend API is, and satellites that share its
//! users.

mod names;
mod view;

use db::{Column as _, Record, Value};
use macros::Record;
use wire::{
    Deleted, NoContent, Page, Patch, Refusal, Timestamp,
    backend::{
        domains::{
            AddDomain, ChangeDomain, ChangeProductionInstanceDomain, DeleteDomain, Domain,
            DomainId, ListDomains, UpdateDomain, UpdateProductionInstanceDomain,
        },
        instance::EnvironmentType,
    },
    refusal,
};

use crate::{
    Cx, Operations, Outside, Result, error, error::OnTaken as _, instances::InstanceId,
    proxy_checks, sessions,
};

pub(crate) use names::proxy_url;
use view::view;

/// Domains of one instance; a list shows them all.
const DOMAINS_MAX: u64 = 100;

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer(list)
        .offer_outside(add)
        .offer_outside(update)
        .offer(delete)
        .offer_outside(change)
        .offer_outside(change_as_beta)
        .offer_outside(change_as_sdk)
}

/// List the instance's domains, newest first.
async fn list(cx: &mut Cx, _request: ListDomains) -> Result<Page<Domain>> {
    let rows = DomainRow::select(&cx.tx).order("position desc").all(&mut cx.tx).await?;
    let host = &cx.instance.frontend_host;
    let data: Vec<_> = rows.into_iter().map(|row| view(cx, row, host)).collect();
    Ok(Page { total_count: data.len() as u64, data })
}

/// Add a satellite.
async fn add(outside: &Outside, request: AddDomain) -> Result<Domain> {
    if !request.is_satellite {
        let reason = "An instance has one primary domain, so is_satellite must be true.";
        let refusal = refusal::primary_domain_already_exists().because(reason);
        return Err(refusal.param("is_satellite").into());
    }
    let instance = &outside.instance;
    let name = names::checked(outside, "name", &request.name)?;
    let proxy_url = match &request.proxy_url {
        Patch::Set(url) => Some(working_proxy(outside, None, url).await?),
        Patch::Keep | Patch::Clear => None,
    };
    let mut row = DomainRow::new(outside.id(), &instance.id, name, outside.now);
    row.claim = (!instance.is_development()).then(|| row.name.clone());
    (row.is_satellite, row.proxy_url) = (true, proxy_url);
    outside.write(insert, row).await
}

async fn insert(cx: &mut Cx, mut row: DomainRow) -> Result<Domain> {
    if DomainRow::select(&cx.tx).count(&mut cx.tx).await? >= DOMAINS_MAX {
        let reason = format!("An instance has at most {DOMAINS_MAX} domains.");
        return Err(refusal::quota_exceeded().because(reason).into());
    }
    row.position = cx.position(cx.now);
    let inserted = row.insert(&mut cx.tx).await;
    inserted.map_err(|error| taken(error, "name"))?;
    Ok(view(cx, row, &cx.instance.frontend_host))
}

/// Change a domain.
async fn update(outside: &Outside, request: UpdateDomain) -> Result<Domain> {
    let row = outside.read(find, request.domain_id.clone()).await?;
    let production = !outside.instance.is_development();
    let renamed = request.name.is_set() && !row.is_satellite;
    if !production && (renamed || request.proxy_url.is_set()) {
        let reason = "The primary domain and proxies can be changed in production only.";
        return Err(refusal::domain_update_forbidden().because(reason).into());
    }
    let name = request.name.as_ref();
    let name = name.map(|name| names::checked(outside, "name", name)).transpose()?;
    let proxy_url = match &request.proxy_url {
        Patch::Set(url) => Patch::Set(working_proxy(outside, Some(&row.id), url).await?),
        Patch::Clear => Patch::Clear,
        Patch::Keep => Patch::Keep,
    };
    let is_secondary = request.is_secondary.as_ref().copied();
    let change = Change { id: row.id, name, proxy_url, is_secondary, param: "name" };
    let (domain, moved) = outside.write(apply, change).await?;
    refresh(outside);
    if moved {
        sign_everybody_out(outside).await?;
    }
    Ok(domain)
}

#[derive(Clone)]
struct Change {
    id: DomainId,
    name: Option<String>,
    proxy_url: Patch<String>,
    is_secondary: Option<bool>,
    /// Where the name came from.
    param: &'static str,
}

/// Changes a domain; says whether the Frontend API moved with it.
async fn apply(cx: &mut Cx, change: Change) -> Result<(Domain, bool)> {
    let mut row = find(cx, change.id).await?;
    let mut moved = false;
    if let Some(name) = change.name {
        moved = !row.is_satellite && row.name != name;
        row.claim = row.claim.map(|_| name.clone());
        row.name = name;
    }
    change.proxy_url.apply(&mut row.proxy_url);
    row.is_secondary = change.is_secondary.unwrap_or(row.is_secondary);
    row.updated_at = cx.now;
    row.update(&mut cx.tx).await.map_err(|error| taken(error, change.param))?;
    let mut host = cx.instance.frontend_host.clone();
    if moved {
        host = format!("clerk.{}", row.name);
        let sql = "update instances set frontend_host = $1, updated_at = $2 where id = $3";
        let values =
            vec![Value::Text(host.clone()), cx.wall.to_value(), Value::Text(cx.instance_id())];
        let changed = cx.tx.execute(sql, values).await;
        changed.taken("frontend_host", || taken_home().param(change.param))?;
    }
    Ok((view(cx, row, &host), moved))
}

/// Delete a satellite.
async fn delete(cx: &mut Cx, request: DeleteDomain) -> Result<Deleted<Domain>> {
    let row = find(cx, request.domain_id).await?;
    if !row.is_satellite {
        let reason = "The primary domain cannot be deleted.";
        return Err(refusal::operation_not_allowed_on_primary_domain().because(reason).into());
    }
    let deleted = Deleted::new(row.id.clone());
    row.delete(&mut cx.tx).await?;
    Ok(deleted)
}

/// Move a production instance to another domain.
async fn change(outside: &Outside, request: ChangeProductionInstanceDomain) -> Result<NoContent> {
    move_home(outside, request.home_url, request.is_secondary).await
}

/// The same, as it was called before.
async fn change_as_beta(
    outside: &Outside,
    request: UpdateProductionInstanceDomain,
) -> Result<NoContent> {
    move_home(outside, request.home_url, request.is_secondary).await
}

/// The same, as the official SDK calls it.
async fn change_as_sdk(outside: &Outside, request: ChangeDomain) -> Result<NoContent> {
    move_home(outside, request.home_url, request.is_secondary).await
}

async fn move_home(
    outside: &Outside,
    home_url: String,
    is_secondary: Patch<bool>,
) -> Result<NoContent> {
    if outside.instance.is_development() {
        let reason = "The domain of production instances alone can be changed.";
        return Err(refusal::request_invalid_for_environment().because(reason).into());
    }
    let is_secondary = is_secondary.as_ref().copied().unwrap_or_default();
    let name = names::of_home(outside, &home_url, is_secondary)?;
    let row = outside.read(primary, ()).await?;
    // A proxy of the old domain would keep the Frontend API where it was.
    let proxy_url = if row.name == name { Patch::Keep } else { Patch::Clear };
    let is_secondary = Some(is_secondary);
    let change =
        Change { id: row.id, name: Some(name), proxy_url, is_secondary, param: "home_url" };
    outside.write(apply, change).await?;
    refresh(outside);
    // Asked again with the same domain, this ends what an earlier request could not.
    sign_everybody_out(outside).await?;
    Ok(NoContent)
}

/// Has this process go by the new domain from now on.
fn refresh(outside: &Outside) {
    let world = &outside.world;
    world.instances.refresh(&outside.instance.id, (world.seeds.clock)());
}

/// Ends all sessions: what browsers know of them belongs to the old domain. In pieces, so that no
/// writer waits for all of them.
async fn sign_everybody_out(outside: &Outside) -> Result<()> {
    while outside.write(sessions::end_some, ()).await? {}
    Ok(())
}

/// A proxy's URL, if the Frontend API answers there.
async fn working_proxy(
    outside: &Outside,
    domain_id: Option<&DomainId>,
    text: &str,
) -> Result<String> {
    if outside.instance.is_development() {
        let reason = "Proxies can be set in production only.";
        return Err(refusal::domain_update_forbidden().because(reason).param("proxy_url").into());
    }
    let url = proxy_url(&outside.instance, text)?;
    if !proxy_checks::is_healthy(outside, domain_id, &url).await? {
        let reason = "The Frontend API does not answer at proxy_url.";
        let refusal = refusal::invalid_proxy_configuration().because(reason);
        return Err(refusal.param("proxy_url").into());
    }
    Ok(url)
}

/// True if a host is on one of the instance's domains. In development, apps are anywhere.
pub(crate) async fn is_own(cx: &mut Cx, host: &str) -> Result<bool> {
    if cx.instance.is_development() {
        return Ok(true);
    }
    let rows = DomainRow::select(&cx.tx).all(&mut cx.tx).await?;
    Ok(rows.iter().any(|row| {
        host.strip_suffix(row.name.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }))
}

/// The domain with this id.
pub(crate) async fn find(cx: &mut Cx, id: DomainId) -> Result<DomainRow> {
    let row = DomainRow::find(&mut cx.tx, &id).await?;
    Ok(row.ok_or_else(|| not_found(&id))?)
}

/// The domain of this name, among the instance's.
pub(crate) async fn named(cx: &mut Cx, name: &str) -> Result<Option<DomainRow>> {
    let rows = DomainRow::select(&cx.tx).filter("name = ?", [Value::Text(name.to_owned())]);
    Ok(rows.first(&mut cx.tx).await?)
}

/// True if this is the proxy of one of the instance's domains.
pub(crate) async fn has_proxy(cx: &mut Cx, url: &str) -> Result<bool> {
    let rows = DomainRow::select(&cx.tx).filter("proxy_url = ?", [Value::Text(url.to_owned())]);
    Ok(rows.exists(&mut cx.tx).await?)
}

/// The one domain that is no satellite.
pub(crate) async fn primary(cx: &mut Cx, (): ()) -> Result<DomainRow> {
    let rows = DomainRow::select(&cx.tx).filter("not is_satellite", []);
    let row = rows.first(&mut cx.tx).await?;
    row.ok_or_else(|| crate::Error::Broken("an instance has no primary domain".into()))
}

fn not_found(id: &DomainId) -> Refusal {
    error::not_found("domain", id.as_str())
}

/// Says that somebody has the name; `param` is where it came from.
fn taken(error: db::Error, param: &str) -> crate::Error {
    match error {
        db::Error::Taken { column, .. } if matches!(&*column, "claim" | "name") => {
            taken_home().param(param).into()
        }
        error => error.into(),
    }
}

fn taken_home() -> Refusal {
    refusal::home_url_taken().because("This domain is taken. Please try another.")
}

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "domains")]
pub(crate) struct DomainRow {
    pub(crate) id: DomainId,
    instance_id: String,
    position: i64,
    /// In development with its port.
    pub(crate) name: String,
    /// The name where it is in production, and so nobody else's on this server.
    claim: Option<String>,
    pub(crate) is_satellite: bool,
    is_secondary: bool,
    pub(crate) proxy_url: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl DomainRow {
    fn new(id: DomainId, instance_id: &InstanceId, name: String, now: Timestamp) -> Self {
        Self {
            id,
            instance_id: instance_id.to_string(),
            position: now.0.saturating_mul(1 << 20),
            name,
            claim: None,
            is_satellite: false,
            is_secondary: false,
            proxy_url: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// The primary domain of a new instance, whose Frontend API is at `frontend_host`.
    pub(crate) fn of_instance(
        id: DomainId,
        (instance_id, environment): (&InstanceId, &EnvironmentType),
        frontend_host: &str,
        now: Timestamp,
    ) -> Self {
        let production = *environment == EnvironmentType::Production;
        let name = match frontend_host.strip_prefix("clerk.") {
            Some(name) if production => name,
            _ => frontend_host,
        };
        let mut row = Self::new(id, instance_id, name.to_owned(), now);
        row.claim = production.then(|| row.name.clone());
        row
    }
}
