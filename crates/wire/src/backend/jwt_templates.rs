//! JWT templates.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use super::sessions::{SessionId, Token, TokenLifetime};
use crate::{
    Deleted, Id, Limit, Listing, Metadata, Param, Patch, Shape, Tag, Timestamp, id::kind,
    open::or_default,
};

/// Id of a JWT template.
pub type JwtTemplateId = Id<JwtTemplate>;

kind!(JwtTemplate, "jwt_template", "jtmp_");

/// Claims of a custom session token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JwtTemplate {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub claims: Metadata,
    pub lifetime: i64,
    pub allowed_clock_skew: i64,
    pub custom_signing_key: bool,
    pub signing_algorithm: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// By how many seconds clocks may differ: 0 to 300.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClockSkew(pub u32);

impl Param for ClockSkew {
    const SHAPE: Shape = Shape::Integer { min: 0, max: 300 };
}

/// List JWT templates, newest first.
#[endpoint(GET "/v1/jwt_templates" -> Listing<JwtTemplate>)]
pub struct ListJWTTemplates {
    pub paginated: Option<bool>,
    pub limit: Option<Limit>,
    pub offset: Option<u32>,
}

/// Create a JWT template.
#[endpoint(POST "/v1/jwt_templates" -> JwtTemplate)]
pub struct CreateJWTTemplate {
    pub name: String,
    pub claims: Metadata,
    pub lifetime: Patch<TokenLifetime>,
    pub allowed_clock_skew: Patch<ClockSkew>,
    pub custom_signing_key: Option<bool>,
    pub signing_algorithm: Patch<String>,
    pub signing_key: Patch<String>,
}

/// Fetch one JWT template.
#[endpoint(GET "/v1/jwt_templates/{template_id}" -> JwtTemplate)]
pub struct GetJWTTemplate {
    pub template_id: JwtTemplateId,
}

/// Change a JWT template.
#[endpoint(PATCH "/v1/jwt_templates/{template_id}" -> JwtTemplate)]
pub struct UpdateJWTTemplate {
    pub template_id: JwtTemplateId,
    pub name: String,
    pub claims: Metadata,
    pub lifetime: Patch<TokenLifetime>,
    pub allowed_clock_skew: Patch<ClockSkew>,
    pub custom_signing_key: Option<bool>,
    pub signing_algorithm: Patch<String>,
    pub signing_key: Patch<String>,
}

/// Delete a JWT template.
#[endpoint(DELETE "/v1/jwt_templates/{template_id}" -> Deleted<JwtTemplate>)]
pub struct DeleteJWTTemplate {
    pub template_id: JwtTemplateId,
}

/// Make a token for a session as a template says.
#[endpoint(POST "/v1/sessions/{session_id}/tokens/{template_name}" -> Token)]
pub struct CreateSessionTokenFromTemplate {
    pub session_id: SessionId,
    pub template_name: String,
    pub expires_in_seconds: Patch<TokenLifetime>,
}
