//! Messages of a development instance: nobody delivers them, so they are printed.

use std::{sync::Arc, time::Duration};

use domain::{World, instances::InstanceId, messages};

/// How often the outbox is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Prints what `instance` sends from now on, until it is dropped.
pub(crate) async fn print(world: Arc<World>, instance: InstanceId) {
    let mut after = None;
    // What was sent before is old news.
    while let Ok(sent) = messages::recent(&world, &instance, after.as_ref()).await
        && let Some(last) = sent.last()
    {
        after = Some(last.id.clone());
    }
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        match messages::recent(&world, &instance, after.as_ref()).await {
            Ok(sent) => {
                sent.iter().for_each(print_one);
                after = sent.last().map(|last| last.id.clone()).or(after);
            }
            Err(error) => tracing::debug!(%error, "the messages were not read"),
        }
    }
}

#[expect(clippy::print_stdout, reason = "whoever develops has no other way to the code")]
fn print_one(sent: &messages::Sent) {
    let kind = if sent.kind == "sms.created" { "SMS" } else { "E-mail" };
    let to = &sent.to;
    match (&sent.code, &sent.link) {
        (Some(code), _) => println!("{kind} to {to}: code {code}"),
        (None, Some(link)) => println!("{kind} to {to}: link {link}"),
        (None, None) => println!("{kind} to {to}: {}", sent.body),
    }
}
