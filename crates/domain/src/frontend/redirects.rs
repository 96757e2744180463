//! Where links may lead: the instance's own pages, and what its owner listed.

use url::Url;
use wire::refusal;

use crate::{Cx, Result, redirect_urls, visitors};

/// A URL that people may be sent to.
///
/// Its parts are compared, not its text: what looks like an own page at the beginning may be
/// somebody else's.
pub(crate) async fn checked(cx: &mut Cx, text: &str) -> Result<Url> {
    let url = Url::parse(text).ok().filter(|_| is_plain(text));
    if let Some(url) = url {
        let is_bare = url.username().is_empty() && url.password().is_none();
        let origin = url.origin().ascii_serialization();
        if is_bare && visitors::is_allowed(&cx.instance, &origin) {
            return Ok(url);
        }
        if is_bare && redirect_urls::is_listed(cx, text).await? {
            return Ok(url);
        }
    }
    let reason = "redirect_url must be a page of this application.";
    Err(refusal::invalid_redirect_url().because(reason).param("redirect_url").into())
}

/// Browsers read some letters as others, which no page of ours needs.
fn is_plain(text: &str) -> bool {
    text.len() <= 2048 && !text.contains(|c: char| c == '\\' || c.is_control() || c == ' ')
}

/// The URL with parameters added, before the fragment.
pub(crate) fn with(mut url: Url, parameters: &[(&str, &str)]) -> String {
    url.query_pairs_mut().extend_pairs(parameters);
    url.into()
}
