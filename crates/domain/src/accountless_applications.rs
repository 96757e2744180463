//! Accountless applications: made by frameworks for whoever has no keys yet.
//!
//! Anyone who reaches the server can make one, so that only development servers do, and few.

use std::sync::Arc;

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use db::{Column as _, Mode, Record, Tx, Value};
use jwt::SigningKey;
use macros::Record;
use wire::{
    Id, Kind as _, Tag, Timestamp,
    backend::{
        accountless_applications::{
            AccountlessApplication, CompleteAccountlessApplicationOnboarding,
            CreateAccountlessApplication,
        },
        instance::{EnvironmentType, Instance as InstanceResource},
    },
    refusal,
};

use crate::{
    Cx, Error, Instance, Operations, Outside, Result, World,
    cx::base62,
    instances::{self, Application, Keys, NewInstance, NewRows},
    names,
};

/// Made within the time below, by whomever.
const RECENT_MAX: usize = 10;
/// Ten minutes.
const RECENT_MS: i64 = 10 * 60 * 1000;
/// Unfinished ones that a server keeps.
const UNFINISHED_MAX: usize = 200;
/// Letters of a claim token that come after the instance's.
const TAG_CHARS: usize = 43;
/// Host names that are tried until one is free.
const HOSTS_MAX: usize = 5;

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer_outside(create).offer_outside(complete)
}

/// Make an application with a development instance.
async fn create(
    outside: &Outside,
    _request: CreateAccountlessApplication,
) -> Result<AccountlessApplication> {
    let world = &outside.world;
    if !world.is_for_development {
        let reason = "This server makes no applications for those who have no account; its \
                      operator can allow it: accountless = true.";
        return Err(refusal::feature_not_enabled().because(reason).into());
    }
    let wall = outside.wall;
    let few = move |mut tx: Tx| -> db::BoxFuture<Result<()>> {
        Box::pin(async move { refuse_many(&mut tx, wall).await })
    };
    // Making a key takes long, so that whoever is refused shall be so before.
    world.everywhere("accountless_few", Mode::Read, few).await?;
    let generated = world.hasher.run(|_| SigningKey::generate_rsa_2048()).await?;
    let (_, der) = generated.map_err(|error| Error::Broken(error.into()))?;
    let keys = insert(world, wall, &der).await?;
    let key = keys.secret_key.clone().unwrap_or_default();
    let instance = instances::by_secret_key(world, &key).await?;
    let instance = instance.ok_or_else(|| Error::Broken("the new instance is gone".into()))?;
    Ok(view(world, &instance, keys))
}

/// The rows of a new application; tries other names while one is taken.
async fn insert(world: &Arc<World>, wall: Timestamp, der: &[u8]) -> Result<Keys> {
    for _ in 0..HOSTS_MAX {
        let new = NewInstance {
            application: "My application".to_owned(),
            environment: EnvironmentType::Development,
            frontend_host: names::development_host((world.seeds.rng)()),
        };
        let (rows, keys) = NewRows::prepare(world, new, der)?;
        let row = AccountlessRow {
            id: keys.application_id.clone(),
            instance_id: keys.instance_id.to_string(),
            created_at: wall,
            claimed_at: None,
            completed_at: None,
        };
        let rows = Arc::new((rows, row));
        let made = world.everywhere("create_accountless", Mode::Write, move |mut tx| {
            let rows = Arc::clone(&rows);
            Box::pin(async move {
                // Once more, where nobody comes between looking and writing.
                refuse_many(&mut tx, wall).await?;
                rows.0.insert(&mut tx).await?;
                Ok(rows.1.insert(&mut tx).await?)
            })
        });
        match made.await {
            Err(Error::Taken { column, .. }) if column == "frontend_host" => {}
            Err(error) => return Err(error),
            Ok(()) => return Ok(keys),
        }
    }
    Err(refusal::service_unavailable().retry_after(1).into())
}

async fn refuse_many(tx: &mut Tx, wall: Timestamp) -> Result<()> {
    let unfinished = AccountlessRow::select(tx)
        .filter("completed_at is null", [])
        .order("created_at desc")
        .limit(u32::try_from(UNFINISHED_MAX).unwrap_or(u32::MAX));
    let unfinished = unfinished.all(tx).await?;
    if unfinished.len() >= UNFINISHED_MAX {
        let reason = "This server has too many applications that nobody took for their own.";
        return Err(refusal::quota_exceeded().because(reason).into());
    }
    let since = Timestamp(wall.0.saturating_sub(RECENT_MS));
    let recent = AccountlessRow::select(tx)
        .filter("created_at > ?", [since.to_value()])
        .order("created_at desc")
        .limit(u32::try_from(RECENT_MAX).unwrap_or(u32::MAX));
    let recent = recent.all(tx).await?;
    let Some(oldest) = recent.get(RECENT_MAX - 1) else {
        return Ok(());
    };
    let wait = oldest.created_at.0.saturating_add(RECENT_MS).saturating_sub(wall.0).max(1);
    let seconds = wait.unsigned_abs().div_ceil(1000);
    Err(refusal::too_many_requests().retry_after(seconds).into())
}

/// Say that somebody has taken the application for their own.
async fn complete(
    outside: &Outside,
    _request: CompleteAccountlessApplicationOnboarding,
) -> Result<AccountlessApplication> {
    outside.write(finish, ()).await?;
    let all = instances::list(&outside.world).await?;
    let keys = all.into_iter().find(|keys| keys.instance_id == outside.instance.id);
    let keys = keys.ok_or_else(|| Error::Broken("the instance has no keys".into()))?;
    Ok(view(&outside.world, &outside.instance, keys))
}

/// Whether the application that `token` claims is claimed; nothing if there is none.
pub async fn is_claimed(world: &Arc<World>, token: &str) -> Result<Option<bool>> {
    let Some(instance) = of_token(world, token).await? else {
        return Ok(None);
    };
    let id = Value::Text(instance.id.to_string());
    let row = world.everywhere("accountless_claimed", Mode::Read, move |mut tx| {
        let id = id.clone();
        Box::pin(async move {
            Ok(AccountlessRow::select(&tx).filter("instance_id = ?", [id]).first(&mut tx).await?)
        })
    });
    Ok(row.await?.map(|row| row.claimed_at.is_some()))
}

/// Says that the application that `token` claims is somebody's; nothing if there is none.
pub async fn claim(world: &Arc<World>, token: &str) -> Result<Option<bool>> {
    let Some(instance) = of_token(world, token).await? else {
        return Ok(None);
    };
    let sql = "update accountless_applications set claimed_at = coalesce(claimed_at, $1)
               where instance_id = $2 returning id";
    let now = (world.seeds.clock)();
    let values = vec![Value::Int(now.0), Value::Text(instance.id.to_string())];
    let claimed = world.everywhere("claim_accountless", Mode::Write, move |mut tx| {
        let values = values.clone();
        Box::pin(async move { Ok(tx.rows(sql, values).await?) })
    });
    Ok((!claimed.await?.is_empty()).then_some(true))
}

/// When the instance became somebody's. One that was made by hand is its operator's from the
/// beginning.
pub(crate) async fn claimed_at(cx: &mut Cx, (): ()) -> Result<Option<Timestamp>> {
    let row = AccountlessRow::select(&cx.tx).first(&mut cx.tx).await?;
    Ok(row.map_or(Some(Timestamp(0)), |row| row.claimed_at))
}

async fn finish(cx: &mut Cx, (): ()) -> Result<()> {
    let sql = "update accountless_applications
               set claimed_at = coalesce(claimed_at, $1), completed_at = coalesce(completed_at, $1)
               where instance_id = $2 returning id";
    let values = vec![Value::Int(cx.wall.0), Value::Text(cx.instance_id())];
    if cx.tx.rows(sql, values).await?.is_empty() {
        let reason = "This instance does not belong to an accountless application.";
        return Err(refusal::resource_not_found().because(reason).into());
    }
    Ok(())
}

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "accountless_applications")]
struct AccountlessRow {
    /// The application's.
    id: Id<Application>,
    instance_id: String,
    created_at: Timestamp,
    claimed_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
}

/// What claims the instance: its id, and what is made of its own key, so that it can be told again
/// and is stored nowhere.
fn token_of(instance: &Instance) -> String {
    let tag = hmac::sign(&instance.signer.codes, b"accountless claim");
    let half = |bytes: &[u8]| bytes.iter().fold(0, |all, byte| all << 8 | u128::from(*byte));
    let (first, second) = tag.as_ref().split_at(16);
    let id = instance.id.as_str();
    let id = id.strip_prefix(InstanceResource::PREFIX).unwrap_or(id);
    format!("{id}{}", base62([half(first), half(second)]))
}

/// The instance that a token claims.
async fn of_token(world: &Arc<World>, token: &str) -> Result<Option<Arc<Instance>>> {
    let id = token.len().checked_sub(TAG_CHARS).and_then(|end| token.get(..end));
    let Some(id) = id.filter(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric())) else {
        return Ok(None);
    };
    let id = format!("{}{id}", InstanceResource::PREFIX).into();
    let instance = instances::by_id(world, &id).await?;
    Ok(instance.filter(|instance| {
        verify_slices_are_equal(token_of(instance).as_bytes(), token.as_bytes()).is_ok()
    }))
}

fn view(world: &World, instance: &Instance, keys: Keys) -> AccountlessApplication {
    let token = token_of(instance);
    let url = &world.public_url;
    AccountlessApplication {
        object: Tag::new(),
        id: Some(keys.application_id.to_string()),
        publishable_key: keys.publishable_key,
        secret_key: keys.secret_key.unwrap_or_default(),
        claim_url: format!("{url}/apps/claim?token={token}"),
        api_keys_url: format!("{url}/apps/{}/api-keys", keys.application_id),
    }
}
