//! Payments, prices, statements and credit.

use serde::{Deserialize, Serialize};

use super::{
    billing::{
        CommercePayer, CommercePayerId, CommercePlan, CommercePlanId, Money, SubscriptionStatus,
    },
    billing_subscriptions::{CommerceSubscriptionItem, CommerceSubscriptionItemId, Totals},
    instance::InstanceId,
};
use crate::{
    Id, Metadata, Tag, Timestamp,
    id::{kind, object},
    open::{open_enum, or_default},
};

open_enum! {
    /// State of a payment.
    pub enum PaymentStatus {
        Pending = "pending",
        Paid = "paid",
        Failed = "failed",
    }
}

open_enum! {
    /// Why there is a payment.
    pub enum ChargeType {
        Checkout = "checkout",
        Recurring = "recurring",
    }
}

open_enum! {
    /// State of a payment method.
    pub enum PaymentMethodStatus {
        Active = "active",
        Disconnected = "disconnected",
    }
}

open_enum! {
    /// State of a payee at its gateway.
    pub enum GatewayStatus {
        Active = "active",
        Pending = "pending",
        Restricted = "restricted",
        Disconnected = "disconnected",
    }
}

open_enum! {
    /// State of a statement.
    pub enum StatementStatus {
        Open = "open",
        Closed = "closed",
    }
}

/// Id of a commerce payment attempt.
pub type CommercePaymentAttemptId = Id<CommercePaymentAttempt>;

kind!(CommercePaymentAttempt, "commerce_payment_attempt", "cpa_");

/// A payment, as webhooks tell it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommercePaymentAttempt {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub instance_id: InstanceId,
    pub payment_id: String,
    pub statement_id: String,
    pub gateway_external_id: String,
    pub status: PaymentStatus,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_reason: Option<FailedReason>,
    pub billing_date: Timestamp,
    pub charge_type: ChargeType,
    pub payee: CommercePayee,
    pub payer: CommercePayer,
    pub totals: Totals,
    pub payment_source: PaymentSource,
    #[serde(default, deserialize_with = "or_default")]
    pub subscription_items: Vec<CommerceSubscriptionItem>,
}

/// Why a payment failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailedReason {
    pub code: String,
    pub decline_code: String,
}

/// Who is paid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommercePayee {
    pub id: String,
    pub gateway_type: String,
    pub gateway_external_id: String,
    pub gateway_status: GatewayStatus,
}

/// What a payment was paid with, as webhooks tell it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentSource {
    pub id: String,
    pub gateway: String,
    pub gateway_external_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_external_account_id: Option<String>,
    pub payment_method: String,
    pub status: PaymentMethodStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last4: Option<String>,
}

/// Id of a commerce payment.
pub type CommercePaymentId = Id<CommercePayment>;

kind!(CommercePayment, "commerce_payment", "cpa_");

/// A payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommercePayment {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub payment_id: String,
    pub instance_id: InstanceId,
    pub charge_type: ChargeType,
    pub payee_id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub payee: Metadata,
    pub payer_id: CommercePayerId,
    pub payer: CommercePayer,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription_item_id: Option<CommerceSubscriptionItemId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription_item: Option<Metadata>,
    pub amount: Money,
    pub totals: Option<Totals>,
    pub payment_method_id: CommercePaymentMethodId,
    pub payment_method: CommercePaymentMethod,
    pub statement_id: CommerceStatementId,
    pub gateway_external_id: Option<String>,
    pub gateway_external_url: Option<String>,
    pub status: PaymentStatus,
    pub paid_at: Option<Timestamp>,
    pub failed_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Id of a commerce payment method.
pub type CommercePaymentMethodId = Id<CommercePaymentMethod>;

kind!(CommercePaymentMethod, "commerce_payment_method", "cps_");

/// What a payer pays with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommercePaymentMethod {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub payer_id: CommercePayerId,
    pub payment_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_default: Option<bool>,
    pub gateway: String,
    pub gateway_external_id: String,
    pub gateway_external_account_id: Option<String>,
    pub last4: Option<String>,
    pub status: PaymentMethodStatus,
    pub wallet_type: Option<String>,
    pub card_type: Option<String>,
    pub expiry_year: Option<i64>,
    pub expiry_month: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_removable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

/// Id of a commerce source.
pub type CommerceSourceId = Id<CommerceSource>;

kind!(CommerceSource, "commerce_source", "cps_");

/// What a payer pays with, in versions up to 2025-04-10.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommerceSource {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub payer_id: CommercePayerId,
    pub payment_method: String,
    pub is_default: Option<bool>,
    pub gateway: String,
    pub gateway_external_id: String,
    pub gateway_external_account_id: Option<String>,
    pub last4: String,
    pub status: PaymentMethodStatus,
    pub wallet_type: String,
    pub card_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry_year: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry_month: Option<i64>,
    pub is_removable: Option<bool>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Id of a commerce price.
pub type CommercePriceId = Id<CommercePrice>;

kind!(CommercePrice, "commerce_price", "cprice_");

/// A price of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommercePrice {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub plan_id: CommercePlanId,
    pub instance_id: InstanceId,
    pub currency: String,
    pub currency_symbol: String,
    pub amount: i64,
    pub annual_monthly_amount: i64,
    pub fee: Option<Money>,
    pub annual_monthly_fee: Option<Money>,
    pub description: Option<String>,
    pub is_default: bool,
    pub created_at: Timestamp,
    pub supported_billing_periods: String,
}

object!(CommercePriceTransition, "commerce_price_transition");

/// A move of a subscription item to another price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommercePriceTransition {
    pub object: Tag<Self>,
    pub subscription_item: CommerceSubscriptionItem,
    pub transition: PriceTransition,
}

/// What a move to another price changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriceTransition {
    pub previous_plan: CommercePlan,
    pub previous_price: CommercePrice,
    pub effective_at: Timestamp,
    pub effective_mode: String,
    pub next_billing_date: Option<Timestamp>,
    pub charged_immediately: bool,
    pub immediate_charge: Option<Money>,
    pub previous_subscription_item_status: SubscriptionStatus,
    pub previous_subscription_item_id: CommerceSubscriptionItemId,
}

object!(CommerceDiscountRedemption, "commerce_discount_redemption");

/// A discount on a subscription item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommerceDiscountRedemption {
    pub object: Tag<Self>,
    pub id: String,
    pub subscription_item_id: CommerceSubscriptionItemId,
    pub discount_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promo_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    pub percent_off: Option<f64>,
    pub amount_off: Option<Money>,
    pub amount: Option<Money>,
    pub cycles_remaining: Option<i64>,
    pub cycles_applied: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    pub redeemed_at: Timestamp,
    pub redeemed_by: Option<String>,
}

/// Id of a commerce statement.
pub type CommerceStatementId = Id<CommerceStatement>;

kind!(CommerceStatement, "commerce_statement", "stmt_");

/// What a payer paid in a month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommerceStatement {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub instance_id: InstanceId,
    pub timestamp: Timestamp,
    pub payer: CommercePayer,
    pub status: StatementStatus,
    pub totals: Totals,
    #[serde(default, deserialize_with = "or_default")]
    pub groups: Vec<CommerceStatementGroup>,
}

object!(CommerceStatementGroup, "commerce_statement_group");

/// The payments of one day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommerceStatementGroup {
    pub object: Tag<Self>,
    pub timestamp: Timestamp,
    #[serde(default, deserialize_with = "or_default")]
    pub items: Vec<CommercePayment>,
}

/// The credit that a payer has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommerceCreditBalance {
    pub object: String,
    pub balance: Option<Money>,
}

/// One change of a payer's credit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommerceCreditLedger {
    pub object: String,
    pub id: String,
    pub payer_id: CommercePayerId,
    pub amount: Money,
    pub source_type: String,
    pub source_id: String,
    pub note: Option<String>,
    /// A text here, unlike everywhere else.
    pub created_at: String,
}
