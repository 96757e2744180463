//! Messages to users.

use serde::{Deserialize, Serialize};

use super::{
    email_addresses::EmailAddressId, instance::InstanceId, phone_numbers::PhoneNumberId,
    users::UserId,
};
use crate::{Id, Metadata, Tag, Timestamp, id::kind};

/// Id of an email.
pub type EmailId = Id<Email>;

kind!(Email, "email", "ema_");

/// An e-mail to a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Email {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub slug: Option<String>,
    pub from_email_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_email_address: Option<String>,
    pub email_address_id: Option<EmailAddressId>,
    pub user_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    pub body_plain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    pub data: Option<Metadata>,
    pub delivered_by_clerk: bool,
    pub suppression_reason: Option<String>,
    pub reply_to_email_name: Option<String>,
}

/// Id of an SMS message.
pub type SmsMessageId = Id<SmsMessage>;

kind!(SmsMessage, "sms_message", "sms_");

/// A text message to a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SmsMessage {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub slug: Option<String>,
    pub from_phone_number: String,
    pub to_phone_number: String,
    pub phone_number_id: Option<PhoneNumberId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    pub message: String,
    pub status: String,
    pub data: Option<Metadata>,
    pub delivered_by_clerk: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at_ms: Option<Timestamp>,
}

/// Id of a template.
pub type TemplateId = Id<Template>;

kind!(Template, "template", "tmpl_");

/// The text of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Template {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub instance_id: Option<InstanceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_revert: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_delete: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_edit_body: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_toggle: Option<bool>,
    pub subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub markup: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_variables: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_variables: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_email_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to_email_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered_by_clerk: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flagged_as_suspicious: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}
