//! The inbox of a development instance: messages that nobody delivers, for people and tests.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use domain::{Result, World, instances::InstanceId, messages, messages::Sent};
use serde_json::json;
use tokio::{sync::Semaphore, time::Instant};
use wire::{Timestamp, refusal};

use super::{
    Asked,
    html::{escape, fill, page},
};

/// The longest that one request waits.
const WAIT_MS_MAX: u64 = 10_000;
/// How often it looks meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Messages that are looked through.
const LOOKED_THROUGH_MAX: u32 = 500;
/// Messages that are answered.
const ANSWERED_MAX: usize = 100;
/// A message may become visible this much later than its time says.
const LATE_MS: i64 = 5_000;

/// What is looked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    /// Whose messages; the store looks for these alone.
    to: Option<String>,
    kind: Option<String>,
    slug: Option<String>,
    /// Only what is newer than the message with this id.
    after: Option<String>,
    wait_ms: u64,
}

impl Wanted {
    fn parse(query: &str) -> Result<Self> {
        let mut wanted = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.into_owned();
            match &*name {
                _ if value.is_empty() => {}
                "to" => wanted.to = Some(value),
                "kind" if matches!(&*value, "email" | "sms") => wanted.kind = Some(value),
                "kind" => {
                    let reason = "It must be email or sms.";
                    return Err(refusal::form_param_value_invalid()
                        .because(reason)
                        .param("kind")
                        .into());
                }
                "slug" => wanted.slug = Some(value),
                "after" => wanted.after = Some(value),
                "wait" => {
                    let wait = wait_ms(&value).ok_or_else(|| {
                        let reason = "It must be a time like 10s or 500ms, at most 10s.";
                        refusal::form_param_value_invalid().because(reason).param("wait")
                    })?;
                    wanted.wait_ms = wait;
                }
                other => return Err(refusal::form_param_unknown().param(other).into()),
            }
        }
        Ok(wanted)
    }

    /// True for a message of the kind and the slug that are asked for.
    fn fits(&self, sent: &Sent) -> bool {
        let same = |wanted: &Option<String>, has: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(has))
        };
        same(&self.kind, kind(sent)) && same(&self.slug, sent.slug.as_deref().unwrap_or_default())
    }
}

/// `10s`, `500ms`, `10`: at most ten seconds.
fn wait_ms(text: &str) -> Option<u64> {
    let (digits, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(digits), _) => (digits, 1),
        (None, Some(digits)) => (digits, 1000),
        (None, None) => (text, 1000),
    };
    let number: u64 = digits.parse().ok()?;
    number.checked_mul(unit).filter(|ms| *ms <= WAIT_MS_MAX)
}

fn kind(sent: &Sent) -> &'static str {
    if sent.kind == "sms.created" { "sms" } else { "email" }
}

/// `/dev/inbox?to=&kind=&slug=&after=&wait=10s`
///
/// Between two looks nothing of the database is held.
pub(crate) async fn messages(
    waiting: &Semaphore,
    world: &Arc<World>,
    instance_id: &InstanceId,
    asked: &Asked<'_>,
) -> Result<Response<Body>> {
    let wanted = Wanted::parse(asked.query)?;
    let _waits = match wanted.wait_ms {
        0 => None,
        _ => Some(waiting.try_acquire().map_err(|_| refusal::too_many_requests().retry_after(1))?),
    };
    let until = Instant::now() + Duration::from_millis(wanted.wait_ms);
    let mut since = Timestamp(0);
    loop {
        let began = (world.seeds.clock)();
        let all =
            messages::newest(world, instance_id, wanted.to.as_deref(), since, LOOKED_THROUGH_MAX)
                .await?;
        let newer = all.iter().take_while(|sent| Some(sent.id.as_str()) != wanted.after.as_deref());
        let found: Vec<_> = newer.filter(|sent| wanted.fits(sent)).take(ANSWERED_MAX).collect();
        let is_over = Instant::now() >= until || (asked.stopping)();
        if !found.is_empty() || is_over {
            return Ok(answer(&found));
        }
        since = Timestamp(began.0 - LATE_MS);
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn answer(found: &[&Sent]) -> Response<Body> {
    let data: Vec<_> = found.iter().map(|sent| message(sent)).collect();
    let mut response = Response::new(Body::from(json!({ "data": data }).to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

fn message(sent: &Sent) -> serde_json::Value {
    json!({
        "id": sent.id,
        "to": sent.to,
        "kind": kind(sent),
        "slug": sent.slug,
        "subject": sent.subject,
        "code": sent.code,
        "link": sent.link,
        "body": sent.body,
        "created_at": sent.sent_at,
    })
}

/// `/inbox`
pub(crate) async fn page_of(
    world: &Arc<World>,
    instance_id: &InstanceId,
    asked: &Asked<'_>,
) -> Result<Response<Body>> {
    let sent = messages::newest(world, instance_id, None, Timestamp(0), 100).await?;
    let items: String = sent.iter().map(item).collect();
    let prefix = escape(asked.prefix);
    let shown = [("prefix", &*prefix), ("messages", &items)];
    Ok(page(StatusCode::OK, fill(include_str!("../../assets/inbox.html"), &shown)))
}

/// A message as the page shows it; its script makes the same of what comes later.
fn item(sent: &Sent) -> String {
    let link = sent.link.as_deref().map(|link| {
        let link = escape(link);
        format!("<a href=\"{link}\" rel=\"noreferrer\">{link}</a>")
    });
    let code = sent.code.as_deref().map(|code| format!("<code>{}</code>", escape(code)));
    let heading = sent.subject.as_deref().unwrap_or("SMS");
    // What has nothing to copy has something to read.
    let open = if code.is_none() && link.is_none() { " open" } else { "" };
    let shown: [(&str, &str); 9] = [
        ("open", open),
        ("id", &escape(sent.id.as_str())),
        ("kind", if kind(sent) == "sms" { "SMS" } else { "E-mail" }),
        ("to", &escape(&sent.to)),
        ("time", &sent.sent_at.0.to_string()),
        ("subject", &escape(heading)),
        ("code", &code.unwrap_or_default()),
        ("link", &link.unwrap_or_default()),
        ("body", &escape(&sent.body)),
    ];
    fill(include_str!("../../assets/message.html"), &shown)
}

#[cfg(test)]
mod tests {
    use super::{Wanted, wait_ms};

    #[test]
    fn a_wait_has_a_unit_and_an_end() {
        assert_eq!(wait_ms("10s"), Some(10_000));
        assert_eq!(wait_ms("500ms"), Some(500));
        assert_eq!(wait_ms("3"), Some(3_000));
        for bad in ["11s", "10001ms", "-1s", "s", "ms", "1h", "99999999999999999999s", "1.5s"] {
            assert_eq!(wait_ms(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_looked_for_is_read_from_the_query() {
        let wanted = Wanted::parse("to=a%2Bb%40c.example&kind=sms&wait=1s&after=").expect("read");
        assert_eq!(wanted.to.as_deref(), Some("a+b@c.example"));
        assert_eq!(
            (wanted.kind.as_deref(), wanted.wait_ms, wanted.after),
            (Some("sms"), 1000, None)
        );
        for bad in ["kind=fax", "wait=1h", "too=a"] {
            assert!(Wanted::parse(bad).is_err(), "{bad}");
        }
    }
}
