//! Changing settings while they are in use.

use db::Value;
use wire::refusal;

use super::Settings;
use crate::{Cx, Error, Outside, Result};

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
    let sql = "select settings from instances where id = $1";
    let rows = cx.tx.rows(sql, vec![id.clone()]).await?;
    let row = rows.into_iter().next();
    let mut row = row.ok_or_else(|| Error::Broken("the instance has no row".into()))?;
    let text: String = row.take()?;
    let mut settings = Settings::parse(&text).map_err(|error| Error::Broken(error.into()))?;
    let before = settings.clone();
    edit(&mut settings, &input)?;
    if settings == before {
        return Ok(settings);
    }
    settings
        .validate()
        .map_err(|reason| refusal::breaks_instance_invariant().because(format!("{reason}.")))?;
    let sql = "update instances set settings = $1, updated_at = $2 where id = $3";
    let text = Value::Text(serde_json::to_string(&settings)?);
    cx.tx.execute(sql, vec![text, Value::Int(cx.wall.0), id]).await?;
    Ok(settings)
}
