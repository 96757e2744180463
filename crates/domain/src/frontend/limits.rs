//! How often visitors may try what guards passwords, codes and messages.
//!
//! Counts are rows, so that they hold on all nodes together. A try is counted before anything else
//! is done about it, in a transaction of its own: that it failed undoes nothing.

use db::Value;
use wire::refusal;

use crate::{
    Cx, Outside, Rate, Result, identifications::IdentificationKind, seal::digest_of_secret,
};

/// One in so many counts sweeps.
const SWEEP_EVERY: u128 = 64;
/// Windows that are swept at once.
const SWEPT_MAX: i64 = 200;

/// Counts a try of the visitor's address, and one for the identifier if it names one; refuses it if
/// there were too many of either.
pub(crate) async fn admit(
    outside: &Outside,
    what: &'static str,
    rate: &Rate,
    identifier: Option<&str>,
) -> Result<()> {
    let visitor = outside.caller.visitor();
    let is_testing = visitor.is_some_and(|visitor| visitor.is_testing);
    if !outside.instance.settings.rate_limits.enabled || is_testing {
        return Ok(());
    }
    let network = visitor.and_then(|visitor| visitor.network());
    let names: Vec<String> = [
        network.map(|network| name(what, "from", &network)),
        identifier.map(|identifier| name(what, "of", &spelled(identifier))),
    ]
    .into_iter()
    .flatten()
    .collect();
    outside.write(count_all, (names, rate.clone())).await
}

/// An identifier in its one spelling, whatever kind it may be.
fn spelled(identifier: &str) -> String {
    let kinds = [IdentificationKind::EmailAddress, IdentificationKind::PhoneNumber];
    let normal = kinds.into_iter().find_map(|kind| kind.normalize(identifier).ok());
    normal.unwrap_or_else(|| identifier.trim().to_lowercase())
}

/// Counts a message to an address or a number, within the transaction that sends it.
pub(crate) async fn count_message(cx: &mut Cx, to: &str) -> Result<()> {
    let visitor = cx.caller.visitor();
    let is_testing = visitor.is_some_and(|visitor| visitor.is_testing);
    if !cx.instance.settings.rate_limits.enabled || is_testing {
        return Ok(());
    }
    let limits = cx.instance.settings.rate_limits.clone();
    let from = visitor.and_then(|visitor| visitor.network());
    let mut counted = vec![
        (name("messages", "to", to), limits.messages),
        (name("daily messages", "to", to), limits.daily_messages),
    ];
    if let Some(from) = from {
        counted.push((name("messages", "from", &from), limits.messages_asked));
    }
    if let Some(number) = to.strip_prefix('+').filter(|to| !to.contains('@')) {
        // Whoever earns by messages that are sent has ranges of numbers.
        let range = &number[..number.len().saturating_sub(4)];
        counted.push((name("messages", "to range", range), limits.messages_to_range));
        counted.push(("text messages".to_owned(), limits.messages_in_all));
    }
    for (name, rate) in counted.into_iter().filter(|(_, rate)| rate.requests > 0) {
        admitted(count(cx, name, &rate).await?)?;
    }
    Ok(())
}

/// A name of what is counted; whom it is about is nobody's business.
pub(crate) fn name(what: &str, relation: &str, whom: &str) -> String {
    format!("{what} {relation} {}", digest_of_secret(whom))
}

async fn count_all(cx: &mut Cx, (names, rate): (Vec<String>, Rate)) -> Result<()> {
    for name in names {
        admitted(count(cx, name, &rate).await?)?;
    }
    Ok(())
}

/// Refuses whoever has to wait.
fn admitted(wait: Option<u64>) -> Result<()> {
    match wait {
        Some(seconds) => Err(refusal::too_many_requests().retry_after(seconds).into()),
        None => Ok(()),
    }
}

/// Counts one more; tells for how many seconds there were too many.
pub(crate) async fn count(cx: &mut Cx, name: String, rate: &Rate) -> Result<Option<u64>> {
    if cx.random().is_multiple_of(SWEEP_EVERY) {
        sweep(cx).await?;
    }
    let sql = "insert into rate_windows (name, instance_id, requests, ends_at)
               values ($1, $2, 1, $3)
               on conflict (instance_id, name) do update set
                   requests = case when rate_windows.ends_at > $4
                       then rate_windows.requests + 1 else 1 end,
                   ends_at = case when rate_windows.ends_at > $4
                       then rate_windows.ends_at else $3 end
               returning requests, ends_at";
    // The wall clock: limits are about the real world.
    let (now, end) = (cx.wall.0, cx.wall.0 + i64::from(rate.seconds.max(1)) * 1000);
    let instance = Value::Text(cx.instance_id());
    let values = vec![Value::Text(name), instance, Value::Int(end), Value::Int(now)];
    let mut counted = cx.tx.rows(sql, values).await?;
    let Some(row) = counted.first_mut() else { return Ok(None) };
    let (requests, ends_at): (i64, i64) = (row.take()?, row.take()?);
    if rate.requests == 0 || requests <= i64::from(rate.requests) {
        return Ok(None);
    }
    Ok(Some((ends_at - now).max(0).unsigned_abs().div_ceil(1000).max(1)))
}

/// Forgets windows that ended.
async fn sweep(cx: &mut Cx) -> Result<()> {
    let sql = "delete from rate_windows where instance_id = $1 and name in
               (select name from rate_windows where instance_id = $1 and ends_at <= $2 limit $3)";
    let values = vec![Value::Text(cx.instance_id()), Value::Int(cx.wall.0), Value::Int(SWEPT_MAX)];
    Ok(cx.tx.execute(sql, values).await?)
}
