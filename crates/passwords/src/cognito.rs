//! Passwords that are still with Amazon Cognito.

use crate::{Malformed, text};

/// Where to ask whether the password is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cognito {
    /// `region_id`, such as `eu-central-1_aB3dE5`.
    pub user_pool_id: String,
    /// The application client to sign in through.
    pub client_id: String,
    /// The name under which Cognito knows the user.
    pub identifier: String,
}

impl Cognito {
    /// Reads `awscognito#userPoolId#clientId#identifier`.
    ///
    /// The pool decides which host is asked, so nothing but a region and an id may stand there.
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        // A user name of Cognito may contain the separator.
        let mut parts = text.splitn(4, '#');
        let mut next = || parts.next().ok_or(Malformed);
        let [name, user_pool_id, client_id, identifier] = [next()?, next()?, next()?, next()?];
        let (region, pool) = user_pool_id.split_once('_').ok_or(Malformed)?;
        let region_fits = (1..=32).contains(&region.len())
            && text::parts::<3>(region, '-').is_ok_and(|parts| !parts.contains(&""))
            && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let fits = name == "awscognito"
            && region_fits
            && alphanumeric(pool, 55)
            && alphanumeric(client_id, 128)
            && (1..=128).contains(&identifier.chars().count())
            && !identifier.chars().any(char::is_control);
        if !fits {
            return Err(Malformed);
        }
        Ok(Self {
            user_pool_id: user_pool_id.to_owned(),
            client_id: client_id.to_owned(),
            identifier: identifier.to_owned(),
        })
    }

    /// The region of Amazon's that holds the pool.
    pub fn region(&self) -> &str {
        self.user_pool_id.split_once('_').map_or("", |(region, _)| region)
    }
}

fn alphanumeric(text: &str, bytes_max: usize) -> bool {
    (1..=bytes_max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
