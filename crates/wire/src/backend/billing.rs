//! Plans, subscriptions and payments.

use serde::{Deserialize, Serialize};

use super::{instance::InstanceId, organizations::OrganizationId, users::UserId};
use crate::{
    Id, Tag, Timestamp,
    id::kind,
    open::{open_enum, or_default},
};

open_enum! {
    /// Who pays for a plan.
    pub enum PayerType {
        Org = "org",
        User = "user",
    }
}

open_enum! {
    /// How long one payment lasts.
    pub enum BillingPeriod {
        Month = "month",
        Annual = "annual",
    }
}

open_enum! {
    /// State of a subscription or of an item of one.
    pub enum SubscriptionStatus {
        Abandoned = "abandoned",
        Active = "active",
        Canceled = "canceled",
        Ended = "ended",
        Expired = "expired",
        Incomplete = "incomplete",
        PastDue = "past_due",
        Upcoming = "upcoming",
    }
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Money {
    /// In the smallest unit of the currency.
    pub amount: i64,
    pub amount_formatted: String,
    pub currency: String,
    pub currency_symbol: String,
}

/// Id of a feature.
pub type FeatureId = Id<Feature>;

kind!(Feature, "feature", "feat_");

/// Something that a plan offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub name: String,
    pub description: Option<String>,
    pub slug: String,
    pub avatar_url: Option<String>,
}

/// Id of a commerce plan.
pub type CommercePlanId = Id<CommercePlan>;

kind!(CommercePlan, "commerce_plan", "cplan_");

/// What can be subscribed to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommercePlan {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub name: String,
    pub fee: Option<Money>,
    pub annual_monthly_fee: Option<Money>,
    pub annual_fee: Option<Money>,
    pub description: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub product_id: String,
    pub is_default: bool,
    pub is_recurring: bool,
    pub publicly_visible: bool,
    pub has_base_fee: bool,
    pub for_payer_type: PayerType,
    pub slug: String,
    pub avatar_url: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub features: Vec<Feature>,
    #[serde(default)]
    pub free_trial_enabled: bool,
    pub free_trial_days: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_prices: Option<Vec<PlanUnitPrice>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_formatted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annual_monthly_amount: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annual_monthly_amount_formatted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annual_amount: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annual_amount_formatted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency_symbol: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer_type: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<BillingPeriod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<i64>,
}

/// The price of what is counted, such as seats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanUnitPrice {
    pub name: String,
    pub block_size: i64,
    #[serde(default, deserialize_with = "or_default")]
    pub tiers: Vec<PlanUnitPriceTier>,
}

/// The price of some blocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanUnitPriceTier {
    pub starts_at_block: i64,
    pub ends_after_block: Option<i64>,
    pub fee_per_block: Money,
}

/// Id of a commerce payer.
pub type CommercePayerId = Id<CommercePayer>;

kind!(CommercePayer, "commerce_payer", "cpayer_");

/// A user or an organization that pays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommercePayer {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub instance_id: InstanceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<OrganizationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits_balance: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}
