//! The page that old SDKs show while they cannot tell whether somebody is signed in.

use macros::endpoint;

use crate::Html;

/// Fetch the interstitial page of an instance.
#[expect(non_snake_case, reason = "an older name of a parameter")]
#[endpoint(GET "/v1/public/interstitial" -> Html, auth = Public, media = "text/html; charset=utf-8")]
pub struct GetPublicInterstitial {
    pub publishable_key: Option<String>,
    pub frontend_api: Option<String>,
    pub frontendApi: Option<String>,
    pub proxy_url: Option<String>,
    pub domain: Option<String>,
    pub sign_in_url: Option<String>,
    pub use_domain_for_script: Option<bool>,
}
