//! Subscriptions and what is in them.

use serde::{Deserialize, Serialize};

use super::{
    billing::{
        BillingPeriod, CommercePayer, CommercePayerId, CommercePlan, CommercePlanId, Money,
        SubscriptionStatus,
    },
    billing_payments::{CommercePaymentMethod, CommerceSource},
    instance::InstanceId,
};
use crate::{Id, Tag, Timestamp, id::kind, open::or_default};

/// Id of a commerce subscription.
pub type CommerceSubscriptionId = Id<CommerceSubscription>;

kind!(CommerceSubscription, "commerce_subscription", "csub_");

/// What a payer has subscribed to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommerceSubscription {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<InstanceId>,
    pub status: SubscriptionStatus,
    pub payer_id: CommercePayerId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer: Option<CommercePayer>,
    pub active_at: Option<Timestamp>,
    pub past_due_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canceled_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_payment_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_source_id: Option<String>,
    /// What answers carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription_items: Option<Vec<CommerceSubscriptionItem>>,
    /// What webhooks carry instead of `subscription_items`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<CommerceSubscriptionItem>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_payment: Option<NextPayment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eligible_for_free_trial: Option<bool>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Id of a commerce subscription item.
pub type CommerceSubscriptionItemId = Id<CommerceSubscriptionItem>;

kind!(CommerceSubscriptionItem, "commerce_subscription_item", "csub_item_");

/// One plan in a subscription.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommerceSubscriptionItem {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<InstanceId>,
    pub status: SubscriptionStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit: Option<SubscriptionCredit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits: Option<Credits>,
    pub plan_id: Option<CommercePlanId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_id: Option<String>,
    pub plan: Option<SubscriptionItemPlan>,
    pub plan_period: BillingPeriod,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<CommercePaymentMethod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_source_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_source: Option<CommerceSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime_paid: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_invoice: Option<NextPayment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_payment: Option<NextPayment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_payment_amount: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_payment_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer_id: Option<CommercePayerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer: Option<CommercePayer>,
    #[serde(default)]
    pub is_free_trial: bool,
    pub period_start: Timestamp,
    pub period_end: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proration_date: Option<String>,
    pub canceled_at: Option<Timestamp>,
    pub past_due_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seats: Option<Seats>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totals: Option<Totals>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

/// The plan of a subscription item: whole in answers, brief in webhooks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SubscriptionItemPlan {
    Whole(Box<CommercePlan>),
    Brief(Box<BriefPlan>),
}

/// Money, as newer versions tell it, or the bare number of older ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Amount {
    Money(Money),
    Bare(i64),
}

/// A plan as webhooks tell it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BriefPlan {
    pub id: CommercePlanId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<InstanceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_id: Option<String>,
    pub name: String,
    pub slug: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_default: Option<bool>,
    pub is_recurring: bool,
    pub amount: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<BillingPeriod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_base_fee: Option<bool>,
    pub currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annual_monthly_amount: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publicly_visible: Option<bool>,
}

/// Credit for the unused part of a period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionCredit {
    pub amount: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycle_days_remaining: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycle_days_total: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycle_remaining_percent: Option<f64>,
}

/// The next payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NextPayment {
    pub amount: Option<Money>,
    pub date: Option<Timestamp>,
    /// The same as `date`, in the spelling of 2025-04-10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_unit_totals: Option<Vec<PerUnitTotal>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totals: Option<Totals>,
}

/// How many seats an item has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seats {
    pub quantity: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tiers: Option<Vec<PerUnitTotalTier>>,
}

/// The price of what is counted, such as seats, in one payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerUnitTotal {
    pub name: String,
    pub block_size: i64,
    #[serde(default, deserialize_with = "or_default")]
    pub tiers: Vec<PerUnitTotalTier>,
}

/// The price of some blocks in one payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PerUnitTotalTier {
    pub quantity: Option<i64>,
    pub fee_per_block: Money,
    pub total: Money,
}

/// What a payment adds up to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    pub subtotal: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_fee: Option<Money>,
    pub tax_total: Money,
    pub grand_total: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_unit_totals: Option<Vec<PerUnitTotal>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits: Option<Credits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discounts: Option<Discounts>,
}

/// What is taken off a payment because it was paid before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Credits {
    pub proration: Option<ProrationCredit>,
    pub payer: Option<PayerCredit>,
    pub total: Money,
}

/// Credit for the rest of a period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProrationCredit {
    pub amount: Money,
    pub cycle_days_remaining: i64,
    pub cycle_days_total: i64,
    pub cycle_remaining_percent: f64,
}

/// Credit that the payer had.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PayerCredit {
    pub remaining_balance: Money,
    pub applied_amount: Money,
}

/// What is taken off a payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Discounts {
    pub proration: Option<ProrationDiscount>,
    pub total: Money,
}

/// Discount for the part of a period that has passed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProrationDiscount {
    pub amount: Money,
    pub cycle_days_passed: i64,
    pub cycle_days_total: i64,
    pub cycle_passed_percent: f64,
}
