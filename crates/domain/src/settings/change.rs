//! Changing settings while they are in use.

use db::{BoxFuture, Column as _, Mode, Tx, Value};
use wire::refusal;

use super::{Settings, secrets};
use crate::{Cx, Error, Outside, Result, World, instances::InstanceId};

/// How something that was asked for changes settings, or why it does not.
pub type Edit<I> = fn(&mut Settings, &I) -> Result<()>;

/// Changes the settings of the request's instance, and answers all of them.
///
/// They are read in the transaction that writes them, so that of two changes at once neither is
/// lost. This process goes by the new ones when this returns, others within a second.
pub async fn change<I>(outside: &Outside, edit: Edit<I>, input: I) -> Result<Settings>
where
    I: Clone + Send + Sync + 'static,
{
    let settings = outside.write(write::<I>, (edit, input)).await?;
    let world = &outside.world;
    world.instances.refresh(&outside.instance.id, (world.seeds.clock)());
    Ok(settings)
}

async fn write<I: Send + Sync + 'static>(
    cx: &mut Cx,
    (edit, input): (Edit<I>, I),
) -> Result<Settings> {
    let id = Value::Text(cx.instance_id());
    let mut settings = parse(&stored(&mut cx.tx, id.clone()).await?)?;
    let before = settings.clone();
    edit(&mut settings, &input)?;
    if settings == before {
        return Ok(settings);
    }
    check(&before, &settings)?;
    let sql = "update instances set settings = $1, updated_at = $2 where id = $3";
    let text = Value::Text(serde_json::to_string(&settings)?);
    cx.tx.execute(sql, vec![text, Value::Int(cx.wall.0), id]).await?;
    Ok(settings)
}

/// The settings of an instance, as they stand.
pub async fn of_instance(world: &World, id: &InstanceId) -> Result<Settings> {
    let id = id.to_value();
    let text = world.everywhere("settings_of_instance", Mode::Read, move |mut tx| {
        let id = id.clone();
        Box::pin(async move { stored(&mut tx, id).await })
    });
    parse(&text.await?)
}

/// Puts `after` in the place of `before`, and keeps the secrets that it brings; false if `before`
/// is not what stands there any more.
pub async fn replace(
    world: &World,
    id: &InstanceId,
    before: &Settings,
    after: &Settings,
) -> Result<bool> {
    check(before, after)?;
    let secrets = secrets::changes(world, id, (before, after))?;
    let (id, before) = (id.to_value(), before.clone());
    let (text, now) = (serde_json::to_string(after)?, (world.seeds.clock)());
    let work = move |mut tx: Tx| -> BoxFuture<Result<bool>> {
        let (id, before, text) = (id.clone(), before.clone(), text.clone());
        let secrets = secrets.clone();
        Box::pin(async move {
            if parse(&stored(&mut tx, id.clone()).await?)? != before {
                return Ok(false);
            }
            let sql = "update instances set settings = $1, updated_at = $2 where id = $3";
            tx.execute(sql, vec![Value::Text(text), now.to_value(), id]).await?;
            if !secrets.is_empty() {
                tx.batch(secrets).await?;
            }
            Ok(true)
        })
    };
    world.everywhere("replace_settings", Mode::Write, work).await
}

/// Refuses what settings cannot be, or cannot become.
fn check(before: &Settings, after: &Settings) -> Result<()> {
    after
        .validate_change(before)
        .map_err(|reason| refusal::breaks_instance_invariant().because(format!("{reason}.")))?;
    match after.contradictions(before).first() {
        Some(found) => Err(found.refusal(found.param()).into()),
        None => Ok(()),
    }
}

async fn stored(tx: &mut Tx, id: Value) -> Result<String> {
    let rows = tx.rows("select settings from instances where id = $1", vec![id]).await?;
    let row = rows.into_iter().next();
    let mut row = row.ok_or_else(|| Error::Broken("the instance has no row".into()))?;
    Ok(row.take()?)
}

fn parse(text: &str) -> Result<Settings> {
    Settings::parse(text).map_err(|error| Error::Broken(error.into()))
}
