//! Any resource, told apart by its `object` field.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Error, Value};

use super::deleted::DeletedObject;

macro_rules! resources {
    ($($($object:literal)|+ => $name:ident($type:ty),)*) => {
        /// Any resource of the Backend API.
        #[derive(Clone, Debug)]
        pub enum Resource {
            $(
                #[doc = concat!("One with the `object` ", $("`", $object, "` "),+)]
                $name(Box<$type>),
            )*
            /// What is left of something deleted, of whatever kind.
            Deleted(Box<DeletedObject>),
            /// Anything else, as it came.
            Unknown(Value),
        }

        impl Resource {
            /// Every `object` that has a type here.
            pub const OBJECTS: &'static [&'static str] = &[$($($object),+),*];

            /// Reads `value` as the type that its `object` names.
            pub fn from_value(value: Value) -> Result<Self, Error> {
                let object = value.get("object").and_then(Value::as_str).unwrap_or_default();
                // The official client does the same, and so loses what a machine scope says.
                if value.get("deleted").is_some() && !object.is_empty() && object != "machine_scope"
                {
                    return DeletedObject::deserialize(value).map(Box::new).map(Self::Deleted);
                }
                match object {
                    $($($object)|+ => serde_json::from_value(value).map(Self::$name),)*
                    _ => Ok(Self::Unknown(value)),
                }
            }
        }

        impl Serialize for Resource {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$name(resource) => resource.serialize(serializer),)*
                    Self::Deleted(resource) => resource.serialize(serializer),
                    Self::Unknown(value) => value.serialize(serializer),
                }
            }
        }
    };
}

/// What names a resource: the two fields that nearly all have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    pub object: String,
    pub id: String,
}

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

resources! {
    "accountless_application" => AccountlessApplication(super::accountless_applications::AccountlessApplication),
    "actor_token" => ActorToken(super::actor_tokens::ActorToken),
    "agent_task" => AgentTask(super::agent_tasks::AgentTask),
    "allowlist_identifier" => AllowlistIdentifier(super::allowlist_identifiers::AllowlistIdentifier),
    "api_key" => ApiKey(super::api_keys::ApiKey),
    "blocklist_identifier" => BlocklistIdentifier(super::blocklist_identifiers::BlocklistIdentifier),
    "clerk_idp_oauth_access_token" => IdpOauthAccessToken(super::oauth_access_tokens::IdpOauthAccessToken),
    "client" => Client(super::clients::Client),
    "commerce_discount_redemption" => CommerceDiscountRedemption(super::billing_payments::CommerceDiscountRedemption),
    "commerce_payer" => CommercePayer(super::billing::CommercePayer),
    "commerce_payment" => CommercePayment(super::billing_payments::CommercePayment),
    "commerce_payment_attempt" => CommercePaymentAttempt(super::billing_payments::CommercePaymentAttempt),
    "commerce_payment_method" => CommercePaymentMethod(super::billing_payments::CommercePaymentMethod),
    "commerce_plan" => CommercePlan(super::billing::CommercePlan),
    "commerce_price" => CommercePrice(super::billing_payments::CommercePrice),
    "commerce_price_transition" => CommercePriceTransition(super::billing_payments::CommercePriceTransition),
    "commerce_source" => CommerceSource(super::billing_payments::CommerceSource),
    "commerce_statement" => CommerceStatement(super::billing_payments::CommerceStatement),
    "commerce_statement_group" => CommerceStatementGroup(super::billing_payments::CommerceStatementGroup),
    "commerce_subscription" => CommerceSubscription(super::billing_subscriptions::CommerceSubscription),
    "commerce_subscription_item" => CommerceSubscriptionItem(super::billing_subscriptions::CommerceSubscriptionItem),
    "cookies" => Cookies(super::sessions::Cookies),
    "directory" | "scim_directory" => Directory(super::directories::Directory),
    "directory_group_role_mapping" | "scim_group_role_mapping" => DirectoryGroupRoleMapping(super::directories::DirectoryGroupRoleMapping),
    "domain" => Domain(super::domains::Domain),
    "email" => Email(super::messages::Email),
    "email_address" => EmailAddress(super::email_addresses::EmailAddress),
    "enterprise_account" => EnterpriseAccount(super::enterprise_accounts::EnterpriseAccount),
    "enterprise_connection" => EnterpriseConnection(super::enterprise_connections::EnterpriseConnection),
    "external_account" | "google_account" | "facebook_account" => ExternalAccount(super::external_accounts::ExternalAccount),
    "feature" => Feature(super::billing::Feature),
    "instance" => Instance(super::instance::Instance),
    "instance_communication" => InstanceCommunication(super::instance::InstanceCommunication),
    "instance_protect" => InstanceProtect(super::instance::InstanceProtect),
    "instance_restrictions" => InstanceRestrictions(super::instance::InstanceRestrictions),
    "instance_settings" => InstanceSettings(super::instance::InstanceSettings),
    "invitation" => Invitation(super::invitations::Invitation),
    "jwt_template" => JwtTemplate(super::jwt_templates::JwtTemplate),
    "machine" => Machine(super::machines::Machine),
    "machine_scope" => MachineScope(super::machines::MachineScope),
    "machine_secret_key" => MachineSecretKey(super::machines::MachineSecretKey),
    "machine_to_machine_token" => M2mToken(super::m2m_tokens::M2mToken),
    "oauth_access_token" => OauthAccessToken(super::oauth_access_tokens::OauthAccessToken),
    "oauth_application" => OAuthApplication(super::oauth_applications::OAuthApplication),
    "oauth_application_settings" => OAuthApplicationSettings(super::instance::OAuthApplicationSettings),
    "organization" => Organization(super::organizations::Organization),
    "organization_domain" => OrganizationDomain(super::organization_domains::OrganizationDomain),
    "organization_invitation" => OrganizationInvitation(super::organization_invitations::OrganizationInvitation),
    "organization_membership" => OrganizationMembership(super::organization_memberships::OrganizationMembership),
    "organization_settings" => OrganizationSettings(super::instance::OrganizationSettings),
    "passkey" => Passkey(super::passkeys::Passkey),
    "permission" => Permission(super::organization_roles::Permission),
    "phone_number" => PhoneNumber(super::phone_numbers::PhoneNumber),
    "proxy_check" => ProxyCheck(super::proxy_checks::ProxyCheck),
    "redirect_url" => RedirectUrl(super::redirect_urls::RedirectUrl),
    "role" => Role(super::organization_roles::Role),
    "role_set" => RoleSet(super::organization_roles::RoleSet),
    "role_set_item" => RoleSetItem(super::organization_roles::RoleSetItem),
    "role_set_migration" => RoleSetMigration(super::organization_roles::RoleSetMigration),
    "saml_account" => SamlAccount(super::saml_accounts::SamlAccount),
    "saml_connection" => SamlConnection(super::saml_connections::SamlConnection),
    "session" => Session(super::sessions::Session),
    "session_activity" => SessionActivity(super::sessions::SessionActivity),
    "sign_in_attempt" => SignIn(super::sign_ins::SignIn),
    "sign_in_token" => SignInToken(super::sign_in_tokens::SignInToken),
    "sign_up_attempt" => SignUp(super::sign_ups::SignUp),
    "sms_message" => SmsMessage(super::messages::SmsMessage),
    "template" => Template(super::messages::Template),
    "testing_token" => TestingToken(super::testing_tokens::TestingToken),
    "token" => Token(super::sessions::Token),
    "total_count" => TotalCount(crate::Count),
    "trusted_device" => TrustedDevice(super::trusted_devices::TrustedDevice),
    "user" => User(super::users::User),
    "waitlist_entry" => WaitlistEntry(super::waitlist_entries::WaitlistEntry),
    "web3_wallet" => Web3Wallet(super::web3_wallets::Web3Wallet),
}
