//! Testing tokens.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use crate::{Tag, id::object};

object!(TestingToken, "testing_token");

/// A token that lets tests past bot protection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestingToken {
    pub object: Tag<Self>,
    pub token: String,
    /// Seconds since 1970, unlike everywhere else.
    pub expires_at: i64,
}

/// Make a testing token.
#[endpoint(POST "/v1/testing_tokens" -> TestingToken)]
pub struct CreateTestingToken {}
