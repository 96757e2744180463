//! Passwords that Amazon Cognito still keeps: whoever was imported from there signs in once with
//! it, and is hashed here from then on.
//!
//! May touch: the network. Must not touch: the store.

use std::{sync::Arc, time::Duration};

use domain::{RemoteCheck, RemoteError};
use passwords::Cognito;
use serde::Deserialize;

/// A sign-in waits for it, so it may not take long.
const SECONDS_MAX: u64 = 5;
/// An answer holds three tokens.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Asks the pools of Cognito, or all of them at `base_url` if that is given.
///
/// The application client of the pool must allow `USER_PASSWORD_AUTH` and have no secret.
pub fn remote_check(base_url: Option<String>) -> Result<Arc<RemoteCheck>, RemoteError> {
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(SECONDS_MAX))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    Ok(Arc::new(move |cognito, password| {
        let client = client.clone();
        let url = base_url.clone().unwrap_or_else(|| {
            // The digest was only taken because a region stands there.
            format!("https://cognito-idp.{}.amazonaws.com/", cognito.region())
        });
        Box::pin(async move { check(&client, &url, &cognito, &password).await })
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    authentication_result: Option<serde_json::Value>,
    challenge_name: Option<String>,
    #[serde(rename = "__type")]
    error: Option<String>,
}

async fn check(
    client: &reqwest::Client,
    url: &str,
    cognito: &Cognito,
    password: &str,
) -> Result<bool, RemoteError> {
    let body = serde_json::json!({
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": cognito.client_id,
        "AuthParameters": { "USERNAME": cognito.identifier, "PASSWORD": password },
    });
    let mut response = client
        .post(url)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AWSCognitoIdentityProviderService.InitiateAuth")
        .body(body.to_string())
        .send()
        .await?;
    let mut text = Vec::new();
    while let Some(piece) = response.chunk().await? {
        text.extend_from_slice(&piece);
        if text.len() > ANSWER_BYTES_MAX {
            return Err("the answer is too long".into());
        }
    }
    is_right(response.status().as_u16(), &serde_json::from_slice(&text)?)
}

fn is_right(status: u16, answer: &Answer) -> Result<bool, RemoteError> {
    if status == 200 {
        // A challenge follows a right password; a temporary one shall not become a lasting one.
        let challenged =
            answer.challenge_name.as_deref().is_some_and(|name| name != "NEW_PASSWORD_REQUIRED");
        return Ok(answer.authentication_result.is_some() || challenged);
    }
    // Some services put a name space before the type.
    let error = answer.error.as_deref().unwrap_or_default();
    match error.rsplit('#').next().unwrap_or_default() {
        "NotAuthorizedException"
        | "UserNotFoundException"
        | "UserNotConfirmedException"
        | "PasswordResetRequiredException" => Ok(false),
        other => Err(format!("Cognito answered {status} {other}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, is_right};

    #[test]
    fn answers_of_cognito_are_read() {
        let cases = [
            (200, r#"{"AuthenticationResult": {"AccessToken": "x"}}"#, Some(true)),
            (200, r#"{"ChallengeName": "SMS_MFA", "Session": "x"}"#, Some(true)),
            (200, r#"{"ChallengeName": "NEW_PASSWORD_REQUIRED"}"#, Some(false)),
            (200, "{}", Some(false)),
            (400, r#"{"__type": "NotAuthorizedException", "message": "no"}"#, Some(false)),
            (400, r#"{"__type": "com.amazonaws#UserNotFoundException"}"#, Some(false)),
            (400, r#"{"__type": "InvalidParameterException"}"#, None),
            (429, r#"{"__type": "TooManyRequestsException"}"#, None),
            (500, "{}", None),
        ];
        for (status, text, expected) in cases {
            let answer: Answer = serde_json::from_str(text).expect("JSON");
            assert_eq!(is_right(status, &answer).ok(), expected, "{status} {text}");
        }
    }
}
