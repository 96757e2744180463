//! Captchas: where an instance asks for them, nobody signs up without one.
//!
//! A widget on the page gives a token that is good once. Whether it is any good is told by a
//! service, which is asked before the transaction of the sign-up. Without its word nobody is let
//! in: neither a widget that did not load nor a service that does not answer opens the door.

use std::time::Duration;

use serde::Deserialize;
use url::{Url, form_urlencoded::Serializer};
use wire::{Refusal, refusal};

use crate::{Errand, Error, Fetched, Outside, Result, settings};

/// The service has so long to answer.
const WITHIN: Duration = Duration::from_secs(5);
/// No widget gives a longer token.
const TOKEN_BYTES_MAX: usize = 2048;
/// Whoever could not be judged may try again after so many seconds.
const RETRY_SECONDS: u64 = 5;

/// What a page says of its captcha.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Solved<'a> {
    /// What the page is about to do, `signup` or `signin`: its widget tells the service.
    pub(super) action: &'a str,
    /// By what way somebody comes.
    pub(super) strategy: Option<&'a str>,
    pub(super) token: Option<&'a str>,
    pub(super) error: Option<&'a str>,
    pub(super) widget_type: Option<&'a str>,
}

/// True if the visitor has to solve a captcha before a sign-up begins.
pub(super) fn is_asked(outside: &Outside) -> bool {
    let is_testing = outside.caller.visitor().is_some_and(|visitor| visitor.is_testing);
    outside.instance.settings.bot_protection().is_some() && !is_testing
}

/// Refuses whoever has to solve a captcha and did not.
pub(super) async fn admit(outside: &Outside, solved: Solved<'_>) -> Result<()> {
    let Some(captcha) = outside.instance.settings.bot_protection() else {
        return match solved.token {
            // The page was loaded when they were enabled.
            Some(_) => Err(not_enabled().into()),
            None => Ok(()),
        };
    };
    let is_spared = solved.strategy.is_some_and(|own| {
        // Providers know people by other means.
        captcha.oauth_bypass.iter().any(|one| one == own)
    });
    if is_spared || !is_asked(outside) {
        return Ok(());
    }
    let Some(token) = solved.token else {
        return Err(missing(solved.error).into());
    };
    if token.len() > TOKEN_BYTES_MAX {
        return Err(invalid().into());
    }
    // The service knows a token by the widget that gave it.
    let is_invisible = solved.widget_type == Some("invisible");
    let path = match captcha.invisible_secret_key {
        Some(_) if is_invisible => "captcha.invisible_secret_key",
        _ => "captcha.secret_key",
    };
    let secret = outside.read(settings::secret, path).await?;
    let secret = secret.ok_or_else(|| Error::Broken(format!("{path} is not kept").into()))?;
    let url = Url::parse(&captcha.verify_url).map_err(|error| Error::Broken(error.into()))?;
    let address = outside.caller.visitor().and_then(|visitor| visitor.address.as_deref());
    let form = Some(form(&secret, token, address));
    let asked = tokio::time::timeout(WITHIN, outside.fetch(Errand { url, form })).await;
    let answer = asked.unwrap_or(Ok(None))?;
    match judge(answer, solved.action) {
        Verdict::Human => Ok(()),
        Verdict::Bot => Err(invalid().into()),
        Verdict::Unknown(why) => {
            tracing::warn!("nobody could tell whether a captcha was solved: {why}");
            Err(unknown().into())
        }
    }
}

fn form(secret: &str, token: &str, address: Option<&str>) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("secret", secret).append_pair("response", token);
    if let Some(address) = address {
        form.append_pair("remoteip", address);
    }
    form.finish()
}

/// What the service says.
#[derive(Deserialize)]
struct Said {
    success: bool,
    #[serde(default, rename = "error-codes")]
    error_codes: Vec<String>,
    #[serde(default)]
    action: Option<String>,
}

/// What that means.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Human,
    Bot,
    /// Nobody knows, and why.
    Unknown(&'static str),
}

/// Judges whoever wants to do `action`, by what the service answered.
fn judge(answer: Option<Fetched>, action: &str) -> Verdict {
    let Some(Fetched { status, body }) = answer else {
        return Verdict::Unknown("captcha.verify_url does not answer");
    };
    let Ok(said) = serde_json::from_slice::<Said>(&body) else {
        return Verdict::Unknown("captcha.verify_url answers something else");
    };
    let has = |codes: &[&str]| said.error_codes.iter().any(|one| codes.contains(&one.as_str()));
    if said.success {
        // A token for another form of the same site is none for this one.
        let is_ours = said.action.is_none_or(|own| own.is_empty() || own == action);
        return match (status, is_ours) {
            (200, true) => Verdict::Human,
            (200, false) => Verdict::Bot,
            _ => Verdict::Unknown("captcha.verify_url fails"),
        };
    }
    if has(&["missing-input-secret", "invalid-input-secret"]) {
        Verdict::Unknown("the secret key is not that of the widget")
    } else if status >= 500 || has(&["internal-error", "bad-request"]) {
        Verdict::Unknown("captcha.verify_url fails")
    } else {
        Verdict::Bot
    }
}

fn not_enabled() -> Refusal {
    let reason = "This app does not ask for captchas any more. Reload the page and try again.";
    refusal::captcha_not_enabled().because(reason)
}

fn missing(error: Option<&str>) -> Refusal {
    let reason = match error {
        Some(_) => {
            "The captcha could not be shown, so nobody knows that you are no bot. Try again with \
             another browser, or without extensions that block scripts."
        }
        None => "A captcha must be solved to sign up. Reload the page and try again.",
    };
    refusal::captcha_missing_token().because(reason)
}

fn invalid() -> Refusal {
    let reason = "The captcha was not solved, or its answer was used already. Please try again.";
    refusal::captcha_invalid().because(reason)
}

fn unknown() -> Refusal {
    let reason = "The captcha cannot be checked at the moment. Please try again in a while.";
    refusal::service_unavailable().because(reason).retry_after(RETRY_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::{Fetched, Verdict, judge};

    fn judged(status: u16, body: &str) -> Verdict {
        judge(Some(Fetched { status, body: body.into() }), "signup")
    }

    #[test]
    fn the_service_has_the_last_word() {
        for human in [
            r#"{"success": true}"#,
            r#"{"success": true, "error-codes": [], "action": "signup", "hostname": "a.example"}"#,
            r#"{"success": true, "action": "", "metadata": {"interactive": false}}"#,
        ] {
            assert_eq!(judged(200, human), Verdict::Human, "{human}");
        }
        for bot in [
            r#"{"success": false}"#,
            r#"{"success": false, "error-codes": ["timeout-or-duplicate"]}"#,
            r#"{"success": false, "error-codes": ["invalid-input-response"]}"#,
            r#"{"success": true, "action": "login"}"#,
        ] {
            assert_eq!(judged(200, bot), Verdict::Bot, "{bot}");
        }
    }

    #[test]
    fn what_is_no_word_of_it_lets_nobody_in() {
        assert!(matches!(judge(None, "signup"), Verdict::Unknown(_)));
        for (status, body) in [
            (200, ""),
            (200, "<html>success: true</html>"),
            (200, "[]"),
            (200, r#"{"success": "true"}"#),
            (200, r#"{"success": 1}"#),
            (200, r#"{"ok": true}"#),
            (500, r#"{"success": true}"#),
            (302, r#"{"success": true}"#),
            (503, r#"{"success": false}"#),
            (200, r#"{"success": false, "error-codes": ["internal-error"]}"#),
            (200, r#"{"success": false, "error-codes": ["invalid-input-secret"]}"#),
        ] {
            assert!(matches!(judged(status, body), Verdict::Unknown(_)), "{status} {body}");
        }
    }
}
