//! Redirect URLs: where native applications may be sent back to.

use db::Record;
use macros::Record;
use url::{Host, Url};
use wire::{
    Deleted, Listing, Page, Paging, Refusal, Tag, Timestamp,
    backend::redirect_urls::{
        CreateRedirectURL, DeleteRedirectURL, GetRedirectURL, ListRedirectURLs, RedirectUrl,
        RedirectUrlId,
    },
    refusal,
};

use crate::{Cx, Operations, Result, error, error::OnTaken as _, text};

/// Counter of an instance's redirect URLs.
const COUNTER: &str = "redirect_urls";
/// Characters of a URL.
const CHARS_MAX: usize = 2048;
/// Schemes by which a browser does something else than go somewhere.
const SCHEMES_REFUSED: &[&str] = &[
    "about",
    "blob",
    "data",
    "file",
    "filesystem",
    "ftp",
    "intent",
    "javascript",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer(list).offer(create).offer(get).offer(delete)
}

/// List redirect URLs, newest first.
async fn list(cx: &mut Cx, request: ListRedirectURLs) -> Result<Listing<RedirectUrl>> {
    let total_count = cx.tx.counter(COUNTER).await?;
    let paging = Paging::new(request.limit, request.offset);
    let rows = RedirectUrlRow::select(&cx.tx).order("position desc");
    let data = rows.part(&mut cx.tx, paging).await?.into_iter().map(view).collect();
    Ok(Listing::new(Page { data, total_count }, request.paginated))
}

/// Let native applications be sent back to a URL.
async fn create(cx: &mut Cx, request: CreateRedirectURL) -> Result<RedirectUrl> {
    text::at_most("url", &request.url, CHARS_MAX)?;
    let row = RedirectUrlRow {
        id: cx.id(),
        instance_id: cx.instance_id(),
        position: cx.position(cx.now),
        normal: checked(&request.url)?.into(),
        url: request.url,
        created_at: cx.now,
        updated_at: cx.now,
    };
    row.insert(&mut cx.tx).await.taken("normal", || {
        let reason = format!("{} is a redirect URL already.", row.url);
        refusal::duplicate_record().because(reason).param("url")
    })?;
    cx.tx.add(COUNTER, 1).await?;
    Ok(view(row))
}

/// Fetch one redirect URL.
async fn get(cx: &mut Cx, request: GetRedirectURL) -> Result<RedirectUrl> {
    Ok(view(find(cx, &request.redirect_url_id).await?))
}

/// Delete a redirect URL.
async fn delete(cx: &mut Cx, request: DeleteRedirectURL) -> Result<Deleted<RedirectUrl>> {
    let row = find(cx, &request.redirect_url_id).await?;
    let deleted = Deleted::new(row.id.clone());
    row.delete(&mut cx.tx).await?;
    cx.tx.add(COUNTER, -1).await?;
    Ok(deleted)
}

/// True if a native application may be sent to `url`: all its parts are those of one that is
/// listed. Where a listed URL of this very device names no port, any port will do (RFC 8252).
pub async fn is_listed(cx: &mut Cx, url: &str) -> Result<bool> {
    let Ok(mut url) = checked(url) else {
        return Ok(false);
    };
    let mut normals = vec![url.to_string()];
    let is_own_device = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    if is_own_device && url.set_port(None).is_ok() {
        normals.push(url.into());
    }
    let rows = RedirectUrlRow::select(&cx.tx).filter_in("normal", &normals);
    Ok(rows.exists(&mut cx.tx).await?)
}

/// A URL that one can be sent to, with its parts in their normal form.
fn checked(text: &str) -> std::result::Result<Url, Refusal> {
    let invalid = || {
        let reason = "url must be a full URL that begins with https:// or a custom scheme.";
        refusal::form_param_format_invalid().because(reason).param("url")
    };
    // The parser mends what browsers mend, each in its own way.
    if text.contains(|letter: char| letter.is_control() || matches!(letter, ' ' | '\\')) {
        return Err(invalid());
    }
    let url = Url::parse(text).map_err(|_| invalid())?;
    let slashes = if url.is_special() { "://" } else { ":/" };
    let is_full = text.get(url.scheme().len()..).is_some_and(|rest| rest.starts_with(slashes));
    let is_bare = url.username().is_empty() && url.password().is_none();
    if !is_full || !is_bare || SCHEMES_REFUSED.contains(&url.scheme()) {
        return Err(invalid());
    }
    let is_own_device = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() == "http" && !is_own_device {
        let reason = "url must begin with https://, unless it is of this very device.";
        return Err(refusal::insecure_url().because(reason).param("url"));
    }
    Ok(url)
}

async fn find(cx: &mut Cx, id: &RedirectUrlId) -> Result<RedirectUrlRow> {
    let row = RedirectUrlRow::find(&mut cx.tx, id).await?;
    Ok(row.ok_or_else(|| error::not_found("redirect URL", id.as_str()))?)
}

/// A row of the table.
#[derive(Record)]
#[record(table = "redirect_urls")]
struct RedirectUrlRow {
    id: RedirectUrlId,
    instance_id: String,
    position: i64,
    url: String,
    normal: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

fn view(row: RedirectUrlRow) -> RedirectUrl {
    RedirectUrl {
        id: row.id,
        object: Tag::new(),
        url: row.url,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

#[cfg(test)]
mod tests {
    use super::checked;

    #[test]
    fn urls_that_mean_the_same_are_written_the_same() {
        let cases = [
            ("https://example.com", "https://example.com/"),
            ("HTTPS://Example.COM:443/a/../b?c=d", "https://example.com/b?c=d"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            ("my-app://oauth-callback", "my-app://oauth-callback"),
            ("com.example.app://", "com.example.app://"),
            ("com.example.app:/callback", "com.example.app:/callback"),
            ("http://localhost:3000/callback", "http://localhost:3000/callback"),
            ("http://127.1/callback", "http://127.0.0.1/callback"),
            ("http://[::1]:8080/", "http://[::1]:8080/"),
        ];
        for (text, normal) in cases {
            assert_eq!(checked(text).as_ref().map(url::Url::as_str), Ok(normal), "{text}");
        }
    }

    #[test]
    fn web_06_urls_that_go_nowhere_good_are_refused() {
        let invalid = [
            "",
            "/callback",
            "//example.com/callback",
            "example.com",
            "https://",
            "https:example.com",
            "javascript:alert(1)",
            "javascript://example.com/%0aalert(1)",
            "data:text/html,x",
            "data://text/html,x",
            "vbscript://x",
            "file:///etc/passwd",
            "intent://example.com#Intent;end",
            "blob:https://example.com/1",
            "https://example.com@evil.example/",
            "https://user:secret@example.com/",
            "https://example.com\\@evil.example/",
            "https://exa mple.com/",
            "https://example.com/\r\nlocation: x",
            " https://example.com/",
            "java\tscript://example.com",
            "mailto:ada@example.com",
        ];
        for text in invalid {
            let refused = checked(text).expect_err(text);
            assert_eq!(refused.to_string(), "422 form_param_format_invalid url", "{text}");
        }
        for text in ["http://example.com/", "http://localhost.evil.example/", "http://10.0.0.1/"] {
            let refused = checked(text).expect_err(text);
            assert_eq!(refused.to_string(), "422 insecure_url url", "{text}");
        }
    }
}
