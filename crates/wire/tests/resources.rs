//! Each type of the Backend API against the schema of the official SDK's types.
//!
//! Examples are made from the schema itself: read into our type, written again, they must still be
//! valid and must not have lost a field.

use std::{collections::BTreeSet, fmt::Debug, sync::LazyLock};

use jsonschema::Validator;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use vestry_wire::{
    Metadata, Page,
    backend::{
        Reference, Resource, accountless_applications::*, actor_tokens::*,
        allowlist_identifiers::*, api_keys::*, billing::*, billing_payments::*,
        billing_subscriptions::*, blocklist_identifiers::*, clients::*, deleted::*, domains::*,
        email_addresses::*, external_accounts::*, instance::*, invitations::*, jwks::*,
        jwt_templates::*, m2m_tokens::*, machines::*, messages::*, oauth_access_tokens::*,
        oauth_applications::*, organization_domains::*, organization_invitations::*,
        organization_memberships::*, organization_roles::*, organizations::*, phone_numbers::*,
        proxy_checks::*, redirect_urls::*, saml_accounts::*, saml_connections::*, sessions::*,
        sign_in_tokens::*, sign_ins::*, sign_ups::*, testing_tokens::*, users::*, verifications::*,
        waitlist_entries::*, web3_wallets::*, webhooks::*,
    },
};

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("schema/resources-2.9.4.json")).expect("the schema is JSON")
});

/// Reads and writes; also tells what was read.
type Travel = fn(Value) -> Result<(Value, String), serde_json::Error>;

fn travel<T: Serialize + DeserializeOwned + Debug>(
    value: Value,
) -> Result<(Value, String), serde_json::Error> {
    let read: T = serde_json::from_value(value)?;
    let written = serde_json::to_value(&read)?;
    let again: T = serde_json::from_value(written.clone())?;
    assert_eq!(written, serde_json::to_value(&again)?, "what is written reads the same");
    Ok((written, format!("{read:?}")))
}

macro_rules! types {
    ($($name:literal: $type:ty,)*) => {
        const TYPES: &[(&str, Travel)] = &[$(($name, travel::<$type>)),*];
    };
}

types! {
    "APIKeyJSON": ApiKey,
    "AccountlessApplicationJSON": AccountlessApplication,
    "ActorTokenJSON": ActorToken,
    "ActorTokenStatus": ActorTokenStatus,
    "AllowlistIdentifierJSON": AllowlistIdentifier,
    "AllowlistIdentifierType": IdentifierType,
    "AttributeMappingJSON": AttributeMapping,
    "BlocklistIdentifierJSON": BlocklistIdentifier,
    "BlocklistIdentifierType": IdentifierType,
    "ClerkResourceJSON": Reference,
    "ClientJSON": Client,
    "CnameTargetJSON": CnameTarget,
    "CommercePayerJSON": CommercePayer,
    "CommercePaymentAttemptJSON": CommercePaymentAttempt,
    "CommercePlanJSON": CommercePlan,
    "CommerceSubscriptionItemJSON": CommerceSubscriptionItem,
    "CommerceSubscriptionJSON": CommerceSubscription,
    "CookiesJSON": Cookies,
    "DeletedObjectJSON": DeletedObject,
    "DomainJSON": Domain,
    "DomainsEnrollmentModes": OrganizationEnrollmentMode,
    "EmailAddressJSON": EmailAddress,
    "EmailJSON": Email,
    "ExternalAccountJSON": ExternalAccount,
    "FeatureJSON": Feature,
    "IdPOAuthAccessTokenJSON": IdpOauthAccessToken,
    "IdentificationLinkJSON": IdentificationLink,
    "InstanceJSON": Instance,
    "InstanceRestrictionsJSON": InstanceRestrictions,
    "InstanceSettingsJSON": InstanceSettings,
    "InvitationJSON": Invitation,
    "InvitationStatus": InvitationStatus,
    "JwksJSON": Jwks,
    "JwksKeyJSON": Jwk,
    "JwtTemplateJSON": JwtTemplate,
    "M2MTokenJSON": M2mToken,
    "MachineJSON": Machine,
    "MachineScopeJSON": MachineScope,
    "MachineSecretKeyJSON": MachineSecretKey,
    "OAuthApplicationJSON": OAuthApplication,
    "OauthAccessTokenJSON": OauthAccessToken,
    "ObjectType": String,
    "OrganizationDomainJSON": OrganizationDomain,
    "OrganizationDomainVerificationJSON": OrganizationDomainVerification,
    "OrganizationDomainVerificationStatus": OrganizationDomainVerificationStatus,
    "OrganizationDomainVerificationStrategy": OrganizationDomainVerificationStrategy,
    "OrganizationEnrollmentMode": OrganizationEnrollmentMode,
    "OrganizationInvitationJSON": OrganizationInvitation,
    "OrganizationInvitationStatus": OrganizationInvitationStatus,
    "OrganizationJSON": Organization,
    "OrganizationMembershipJSON": OrganizationMembership,
    "OrganizationMembershipPublicUserDataJSON": OrganizationMembershipPublicUserData,
    "OrganizationMembershipRole": String,
    "OrganizationSettingsJSON": OrganizationSettings,
    "PaginatedResponseJSON": Page<Value>,
    "PermissionJSON": Permission,
    "PhoneNumberJSON": PhoneNumber,
    "ProxyCheckJSON": ProxyCheck,
    "PublicOrganizationDataJSON": PublicOrganizationData,
    "RedirectUrlJSON": RedirectUrl,
    "RoleJSON": Role,
    "SMSMessageJSON": SmsMessage,
    "SamlAccountConnectionJSON": SamlAccountConnection,
    "SamlAccountJSON": SamlAccount,
    "SamlConnectionJSON": SamlConnection,
    "SessionActivityJSON": SessionActivity,
    "SessionJSON": Session,
    "SignInJSON": SignIn,
    "SignInStatus": SignInStatus,
    "SignInTokenJSON": SignInToken,
    "SignUpJSON": SignUp,
    "SignUpVerificationJSON": SignUpVerification,
    "SignUpVerificationNextAction": SignUpNextAction,
    "SignUpVerificationsJSON": SignUpVerifications,
    "TestingTokenJSON": TestingToken,
    "TokenJSON": Token,
    "UserJSON": User,
    "VerificationJSON": Verification,
    "WaitlistEntryJSON": WaitlistEntry,
    "WaitlistEntryStatus": WaitlistEntryStatus,
    "Web3WalletJSON": Web3Wallet,
    "WebhooksSvixJSON": WebhooksSvix,
    "global.OrganizationInvitationPrivateMetadata": Metadata,
    "global.OrganizationInvitationPublicMetadata": Metadata,
    "global.OrganizationMembershipPrivateMetadata": Metadata,
    "global.OrganizationMembershipPublicMetadata": Metadata,
    "global.OrganizationPrivateMetadata": Metadata,
    "global.OrganizationPublicMetadata": Metadata,
    "global.UserPrivateMetadata": Metadata,
    "global.UserPublicMetadata": Metadata,
    "global.UserUnsafeMetadata": Metadata,
}

/// Fields that newer versions write as null where the SDK's types leave them out.
const NEWER_NULLS: &[&str] =
    &["/active_at", "/canceled_at", "/ended_at", "/expires_at", "/past_due_at", "/period_end"];

/// Object types that the API has and the SDK's list lacks.
const NEWER_OBJECTS: &[&str] = &["session_activity"];

/// Optional in the SDK's types, but never left out by the API.
const ALWAYS: &[(&str, &str)] = &[("PaginatedResponseJSON", "total_count")];

#[derive(Clone, Copy, PartialEq)]
enum Extent {
    Full,
    Minimal,
    Random,
}

/// Makes examples that fit the schema.
struct Examples {
    extent: Extent,
    state: u64,
    /// Put in place of each enumerated text, if any.
    unknown: Option<&'static str>,
}

impl Examples {
    /// `SplitMix64`: the same examples at each run.
    fn next(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("below bound")
    }

    fn coin(&mut self) -> bool {
        match self.extent {
            Extent::Full => true,
            Extent::Minimal => false,
            Extent::Random => self.next(2) == 1,
        }
    }

    fn definition(&mut self, name: &str) -> Value {
        let mut value = self.make(&json!({ "$ref": format!("#/definitions/{name}") }), 0);
        for (_, field) in ALWAYS.iter().filter(|(of, _)| *of == name) {
            value[field] = json!(7);
        }
        value
    }

    fn make(&mut self, schema: &Value, depth: usize) -> Value {
        if let Some(name) = reference(schema) {
            if name == "ObjectType" {
                return json!("user");
            }
            return self.make(&SCHEMA["definitions"][name], depth);
        }
        if let Some(text) = schema.get("const") {
            return text.clone();
        }
        if let Some(values) = schema["enum"].as_array() {
            return match self.unknown {
                Some(text) => json!(text),
                None => values[self.next(values.len())].clone(),
            };
        }
        if let Some(any) = schema["anyOf"].as_array() {
            let some = any.iter().find(|one| one["type"] != "null").expect("not only null");
            return if self.coin() { self.make(some, depth) } else { Value::Null };
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) if self.coin() => &kinds[0],
            Value::Array(kinds) => kinds.last().expect("a type"),
            kind => kind,
        };
        match kind.as_str().expect("a type") {
            "null" => Value::Null,
            "boolean" => json!(self.next(2) == 1),
            "number" => json!(self.next(4_000_000_000_000)),
            "string" => json!(format!("text {} \u{e9}\u{1f980}\"\\", self.next(1_000_000))),
            "array" if depth > 4 => json!([]),
            "array" => {
                let length = if self.extent == Extent::Full { 2 } else { self.next(3) };
                (0..length).map(|_| self.make(&schema["items"], depth + 1)).collect()
            }
            "object" => self.make_object(schema, depth),
            other => panic!("the schema has a new type, {other}"),
        }
    }

    fn make_object(&mut self, schema: &Value, depth: usize) -> Value {
        let Some(properties) = schema["properties"].as_object() else {
            return match self.extent {
                Extent::Minimal => json!({}),
                _ => json!({ "free": [1, 2.5, null, { "deep": "text" }], "n": self.next(9) }),
            };
        };
        let mut fields = Map::new();
        for (name, property) in properties {
            if is_required(schema, name) || self.coin() {
                fields.insert(name.clone(), self.make(property, depth + 1));
            }
        }
        if self.extent == Extent::Full {
            fields.insert("a_field_of_next_year".to_owned(), json!({ "new": true }));
        }
        Value::Object(fields)
    }
}

fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/definitions/")
}

fn is_required(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name))
}

/// What of `before` is missing or different in `after`, as far as the schema knows it.
fn losses(schema: &Value, before: &Value, after: Option<&Value>, path: &str) -> Vec<String> {
    if let Some(name) = reference(schema) {
        // Our tag says what the resource is; the example says anything.
        if name == "ObjectType" {
            return Vec::new();
        }
        return losses(&SCHEMA["definitions"][name], before, after, path);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let some = any.iter().find(|one| one["type"] != "null").expect("not only null");
        return losses(some, before, after, path);
    }
    let loss = || vec![format!("{path}: {before} became {after:?}")];
    match (before, after) {
        // Null says no more than absence or emptiness.
        (Value::Null, None | Some(Value::Null)) => Vec::new(),
        (Value::Null, Some(Value::Object(fields))) if fields.is_empty() => Vec::new(),
        (Value::Null, Some(Value::Array(items))) if items.is_empty() => Vec::new(),
        (Value::Object(fields), Some(kept)) if schema["properties"].is_object() => fields
            .iter()
            .filter_map(|(name, value)| Some((name, value, schema["properties"].get(name)?)))
            .flat_map(|(name, value, property)| {
                losses(property, value, kept.get(name), &format!("{path}.{name}"))
            })
            .collect(),
        (Value::Array(items), Some(Value::Array(kept))) if items.len() == kept.len() => items
            .iter()
            .zip(kept)
            .flat_map(|(item, kept)| losses(&schema["items"], item, Some(kept), path))
            .collect(),
        (Value::Number(number), Some(kept)) if number.as_f64() == kept.as_f64() => Vec::new(),
        (before, Some(after)) if before == after => Vec::new(),
        _ => loss(),
    }
}

fn validator(name: &str) -> Validator {
    let schema = json!({
        "$ref": format!("#/definitions/{name}"),
        "definitions": SCHEMA["definitions"],
    });
    jsonschema::draft7::new(&schema).expect("the schema is valid")
}

fn errors_of(validator: &Validator, written: &Value) -> Vec<String> {
    validator
        .iter_errors(written)
        .filter(|error| !NEWER_OBJECTS.iter().any(|object| *error.instance == *object))
        .filter(|error| {
            let path = error.instance_path.to_string();
            !error.instance.is_null() || !NEWER_NULLS.iter().any(|name| path.ends_with(name))
        })
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect()
}

fn check(name: &str, travel: Travel, validator: &Validator, example: &Value) {
    let definition = json!({ "$ref": format!("#/definitions/{name}") });
    let (written, read) =
        travel(example.clone()).unwrap_or_else(|error| panic!("{name}: {error}\n{example:#}"));
    let lost = losses(&definition, example, Some(&written), name);
    assert!(lost.is_empty(), "{lost:#?}");
    let errors = errors_of(validator, &written);
    assert!(errors.is_empty(), "{name}: {errors:#?}\n{written:#}");
    // Free text and any `ObjectType` may fill an open enumeration; an enumerated text may not be Other.
    let unknown = read
        .split("Other(\"")
        .skip(1)
        .find(|rest| !rest.starts_with("text ") && !rest.starts_with("user\""));
    assert!(unknown.is_none(), "{name} does not know a value of the schema: {unknown:?}");
}

#[test]
fn every_definition_has_a_type() {
    let definitions = SCHEMA["definitions"].as_object().expect("definitions");
    let wanted: BTreeSet<&str> = definitions.keys().map(String::as_str).collect();
    let typed: BTreeSet<&str> = TYPES.iter().map(|(name, _)| *name).collect();
    assert_eq!(wanted, typed);
}

#[test]
fn every_object_type_is_a_resource() {
    let objects = SCHEMA["definitions"]["ObjectType"]["enum"].as_array().expect("an enumeration");
    assert_eq!(objects.len(), 54);
    for object in objects {
        let object = object.as_str().expect("text");
        assert!(Resource::OBJECTS.contains(&object), "{object} has no type");
    }
}

#[test]
fn full_and_minimal_examples_travel() {
    for (name, travel) in TYPES {
        let validator = validator(name);
        for extent in [Extent::Full, Extent::Minimal] {
            let example = Examples { extent, state: 1, unknown: None }.definition(name);
            check(name, *travel, &validator, &example);
        }
    }
}

#[test]
fn random_examples_travel() {
    for (name, travel) in TYPES {
        let validator = validator(name);
        for state in 0..40 {
            let extent = Extent::Random;
            check(
                name,
                *travel,
                &validator,
                &Examples { extent, state, unknown: None }.definition(name),
            );
        }
    }
}

#[test]
fn unknown_enum_values_are_kept() {
    for (name, travel) in TYPES {
        let unknown = Some("a_value_of_next_year");
        let example = Examples { extent: Extent::Full, state: 1, unknown }.definition(name);
        let (written, _) =
            travel(example.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let definition = json!({ "$ref": format!("#/definitions/{name}") });
        let lost = losses(&definition, &example, Some(&written), name);
        assert!(lost.is_empty(), "{lost:#?}");
    }
}

#[test]
fn resources_are_told_apart_by_their_object() {
    for (name, travel) in TYPES {
        let object = &SCHEMA["definitions"][name]["properties"]["object"]["const"];
        // The SDK types a sign-in's object as a sign-in token's.
        let Some(object) = object.as_str().filter(|_| *name != "SignInJSON") else { continue };
        let example = Examples { extent: Extent::Full, state: 1, unknown: None }.definition(name);
        let resource = Resource::from_value(example.clone()).expect("it reads");
        assert!(!matches!(resource, Resource::Unknown(_)), "{object} has no type");
        if matches!(resource, Resource::Deleted(_)) {
            panic!("{object} was taken for a deletion");
        }
        let written = serde_json::to_value(&resource).expect("it writes");
        assert_eq!(written, travel(example).expect("it travels").0);
        assert_eq!(written["object"], object);
    }
}

#[test]
fn objects_without_a_type_stay_as_they_are() {
    let raw = json!({ "object": "hovercraft", "id": "hov_1", "eels": ["full"] });
    let resource: Resource = serde_json::from_value(raw.clone()).expect("it reads");
    assert!(matches!(resource, Resource::Unknown(_)));
    assert_eq!(serde_json::to_value(&resource).expect("it writes"), raw);
}

#[test]
fn deletions_and_counts_are_resources() {
    let raw = json!({ "object": "user", "id": "user_1", "deleted": true });
    let resource = Resource::from_value(raw.clone()).expect("it reads");
    assert!(matches!(resource, Resource::Deleted(_)));
    assert_eq!(serde_json::to_value(&resource).expect("it writes"), raw);
    let raw = json!({ "object": "total_count", "total_count": 3 });
    let resource = Resource::from_value(raw.clone()).expect("it reads");
    assert!(matches!(resource, Resource::TotalCount(_)));
    assert_eq!(serde_json::to_value(&resource).expect("it writes"), raw);
}

#[test]
fn old_providers_keep_their_object() {
    for object in ["google_account", "facebook_account"] {
        let mut raw = Examples { extent: Extent::Full, state: 1, unknown: None }
            .definition("ExternalAccountJSON");
        raw["object"] = json!(object);
        let resource = Resource::from_value(raw).expect("it reads");
        assert!(matches!(resource, Resource::ExternalAccount(_)));
        assert_eq!(serde_json::to_value(&resource).expect("it writes")["object"], object);
    }
}

#[test]
fn a_user_without_memberships_says_so() {
    let example =
        Examples { extent: Extent::Minimal, state: 1, unknown: None }.definition("UserJSON");
    assert_eq!(example["organization_memberships"], Value::Null);
    let (written, _) = travel::<User>(example).expect("it travels");
    assert_eq!(written["organization_memberships"], json!([]));
    for absent in ["timezone", "requires_password_reset"] {
        assert!(written.get(absent).is_none(), "{absent} is not part of a user");
    }
    for null in ["locale", "mfa_enabled_at", "scim", "last_active_at"] {
        assert_eq!(written.get(null), Some(&Value::Null), "{null}");
    }
}
