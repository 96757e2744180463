//! Where links may lead: the instance's own pages, and what its owner listed.

use url::Url;
use wire::refusal;

use crate::{Cx, Result, destinations, redirect_urls};

/// A URL that people may be sent to.
pub(crate) async fn checked(cx: &mut Cx, text: &str) -> Result<Url> {
    let may =
        destinations::is_allowed(&cx.instance, text) || redirect_urls::is_listed(cx, text).await?;
    if let Some(url) = Url::parse(text).ok().filter(|_| may) {
        return Ok(url);
    }
    let reason = "redirect_url must be a page of this application.";
    Err(refusal::invalid_redirect_url().because(reason).param("redirect_url").into())
}

/// The URL with parameters added, before the fragment.
pub(crate) fn with(mut url: Url, parameters: &[(&str, &str)]) -> String {
    url.query_pairs_mut().extend_pairs(parameters);
    url.into()
}
