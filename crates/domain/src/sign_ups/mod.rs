//! Sign-ups: people on their way to become users.
//!
//! A row keeps what somebody has said and proven so far. What they still lack is told by the
//! settings and the row each time it is read, so that a changed setting holds for those under way.

mod requirements;
pub mod testing;

use db::{Column as _, Record};
use macros::Record;
use wire::{
    Patch, Refusal, Tag, Timestamp,
    backend::{
        clients::ClientId,
        sessions::SessionId,
        sign_ups::{
            GetSignUp, SignUp, SignUpId, SignUpNextAction, SignUpStatus, SignUpVerification,
            SignUpVerifications, UpdateSignUp,
        },
        users::UserId,
        verifications::{Verification, VerificationStatus},
    },
    refusal,
};

use crate::{
    Cx, Operations, Result, error,
    identifications::IdentificationKind,
    text,
    users::{self, UserRow},
};

pub(crate) use requirements::must_be_proven;
pub use requirements::{Requirements, requirements, supported_strategies};

/// A sign-up that nobody finished by then is given up: a day.
const ABANDON_MS: i64 = 24 * 3600 * 1000;

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer(get).offer(update)
}

/// Fetch one sign-up.
async fn get(cx: &mut Cx, request: GetSignUp) -> Result<SignUp> {
    let row = find(cx, &request.sign_up_id).await?;
    view(cx, &row)
}

/// Note on a sign-up what the app's server knows about it.
async fn update(cx: &mut Cx, request: UpdateSignUp) -> Result<SignUp> {
    let mut row = find(cx, &request.sign_up_id).await?;
    row.refuse_finished(cx.now)?;
    let external_id = text::optional("external_id", request.external_id)?;
    if let Patch::Set(id) = &external_id {
        let taken = UserRow::select(&cx.tx).filter("external_id = ?", [id.to_value()]);
        if taken.exists(&mut cx.tx).await? {
            return Err(users::taken_external_id().into());
        }
    }
    external_id.apply(&mut row.external_id);
    match request.custom_action {
        Patch::Set(flag) => row.custom_action = flag,
        Patch::Clear => row.custom_action = false,
        Patch::Keep => {}
    }
    row.save(cx).await?;
    view(cx, &row)
}

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "sign_ups")]
pub struct SignUpRow {
    /// `sua_…`
    pub id: SignUpId,
    /// The instance.
    pub instance_id: String,
    /// Where somebody signs up.
    pub client_id: ClientId,
    /// It is the one that the client shows.
    pub is_open: bool,
    /// In lower case.
    pub username: Option<String>,
    /// Normalized.
    pub email_address: Option<String>,
    /// Normalized.
    pub phone_number: Option<String>,
    /// Normalized.
    pub web3_wallet: Option<String>,
    /// How the address is being or was verified: JSON of a `Verification`.
    pub email_address_verification: Option<String>,
    /// The same for the number.
    pub phone_number_verification: Option<String>,
    /// How the wallet is being or was verified.
    pub web3_wallet_verification: Option<String>,
    /// The same for the account elsewhere.
    pub external_account_verification: Option<String>,
    /// The account elsewhere that the sign-up came with, as JSON.
    pub external_account: Option<String>,
    /// A digest, with the name of its algorithm.
    pub password: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Language tag (BCP 47).
    pub locale: Option<String>,
    /// JSON object that whoever signs up may write.
    pub unsafe_metadata: String,
    /// JSON object that comes with an invitation.
    pub public_metadata: String,
    /// The id that the instance's owner gives the user to be.
    pub external_id: Option<String>,
    /// A mark of the app's server, without meaning to this one.
    pub custom_action: bool,
    /// When the terms were accepted.
    pub legal_accepted_at: Option<Timestamp>,
    /// The invitation whose ticket it came with.
    pub invitation_id: Option<String>,
    /// The user it became.
    pub created_user_id: Option<UserId>,
    /// The user's first session.
    pub created_session_id: Option<SessionId>,
    /// When it is given up.
    pub abandon_at: Timestamp,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl SignUpRow {
    /// One on `client_id` of which nothing is known yet.
    pub fn new(cx: &Cx, client_id: ClientId) -> Self {
        Self::blank(cx.id(), cx.instance_id(), client_id, cx.now)
    }

    fn blank(id: SignUpId, instance_id: String, client_id: ClientId, now: Timestamp) -> Self {
        Self {
            id,
            instance_id,
            client_id,
            is_open: true,
            username: None,
            email_address: None,
            phone_number: None,
            web3_wallet: None,
            email_address_verification: None,
            phone_number_verification: None,
            web3_wallet_verification: None,
            external_account_verification: None,
            external_account: None,
            password: None,
            first_name: None,
            last_name: None,
            locale: None,
            unsafe_metadata: "{}".to_owned(),
            public_metadata: "{}".to_owned(),
            external_id: None,
            custom_action: false,
            legal_accepted_at: None,
            invitation_id: None,
            created_user_id: None,
            created_session_id: None,
            abandon_at: Timestamp(now.0 + ABANDON_MS),
            created_at: now,
            updated_at: now,
        }
    }

    /// Its state at `now`.
    pub fn status(&self, now: Timestamp) -> SignUpStatus {
        match self.created_user_id {
            Some(_) => SignUpStatus::Complete,
            None if now >= self.abandon_at => SignUpStatus::Abandoned,
            None => SignUpStatus::MissingRequirements,
        }
    }

    /// Refuses to change what is over.
    pub fn refuse_finished(&self, now: Timestamp) -> Result<()> {
        if self.status(now) == SignUpStatus::MissingRequirements {
            return Ok(());
        }
        let reason = "This sign-up is complete or abandoned, and cannot be changed any more.";
        Err(refusal::sign_up_cannot_be_updated().because(reason).into())
    }

    /// What it says of one kind of identification.
    pub fn value(&self, kind: IdentificationKind) -> Option<&str> {
        match kind {
            IdentificationKind::EmailAddress => self.email_address.as_deref(),
            IdentificationKind::PhoneNumber => self.phone_number.as_deref(),
            IdentificationKind::Web3Wallet => self.web3_wallet.as_deref(),
            IdentificationKind::ExternalAccount => self.external_account.as_deref(),
            IdentificationKind::Passkey => None,
        }
    }

    /// Sets what it says of one kind, as it is normalized. Another value has to be proven anew.
    pub fn set_value(&mut self, kind: IdentificationKind, value: Option<&str>) -> Result<()> {
        let value = value.map(|value| kind.normalize(value)).transpose()?;
        let Some((field, verification)) = self.fields(kind) else {
            return Ok(());
        };
        if *field != value {
            (*field, *verification) = (value, None);
        }
        Ok(())
    }

    /// How what it says of one kind is being or was verified.
    pub fn verification(&self, kind: IdentificationKind) -> Option<Verification> {
        let text = match kind {
            IdentificationKind::EmailAddress => &self.email_address_verification,
            IdentificationKind::PhoneNumber => &self.phone_number_verification,
            IdentificationKind::Web3Wallet => &self.web3_wallet_verification,
            IdentificationKind::ExternalAccount => &self.external_account_verification,
            IdentificationKind::Passkey => return None,
        };
        serde_json::from_str(text.as_deref()?).ok()
    }

    /// Notes how what it says of one kind is being or was verified.
    pub fn set_verification(
        &mut self,
        kind: IdentificationKind,
        verification: &Verification,
    ) -> Result<()> {
        if let Some((_, field)) = self.fields(kind) {
            *field = Some(serde_json::to_string(verification)?);
        }
        Ok(())
    }

    /// True if what it says of one kind is proven.
    pub fn is_verified(&self, kind: IdentificationKind) -> bool {
        let verified =
            |verification: Verification| verification.status == VerificationStatus::Verified;
        self.value(kind).is_some() && self.verification(kind).is_some_and(verified)
    }

    /// Where the value of one kind stands, and its verification.
    fn fields(
        &mut self,
        kind: IdentificationKind,
    ) -> Option<(&mut Option<String>, &mut Option<String>)> {
        Some(match kind {
            IdentificationKind::EmailAddress => {
                (&mut self.email_address, &mut self.email_address_verification)
            }
            IdentificationKind::PhoneNumber => {
                (&mut self.phone_number, &mut self.phone_number_verification)
            }
            IdentificationKind::Web3Wallet => {
                (&mut self.web3_wallet, &mut self.web3_wallet_verification)
            }
            IdentificationKind::ExternalAccount => {
                (&mut self.external_account, &mut self.external_account_verification)
            }
            IdentificationKind::Passkey => return None,
        })
    }

    /// Writes the row back.
    pub async fn save(&mut self, cx: &mut Cx) -> Result<()> {
        self.updated_at = cx.now;
        Ok(self.update(&mut cx.tx).await?)
    }
}

/// The sign-up with this id.
pub async fn find(cx: &mut Cx, id: &SignUpId) -> Result<SignUpRow> {
    let row = SignUpRow::find(&mut cx.tx, id).await?;
    Ok(row.ok_or_else(|| not_found(id))?)
}

/// There is no sign-up with this id.
pub(crate) fn not_found(id: &SignUpId) -> Refusal {
    error::not_found("sign-up", id.as_str())
}

/// How the Backend API shows a sign-up.
fn view(cx: &Cx, row: &SignUpRow) -> Result<SignUp> {
    let settings = &cx.instance.settings;
    let Requirements { required, optional, missing, unverified } = requirements(settings, row);
    let shown = |kind| SignUpVerification {
        next_action: next_action(row, kind, &unverified, cx.now),
        supported_strategies: match row.value(kind) {
            Some(_) => supported_strategies(settings, row, kind),
            None => Vec::new(),
        },
    };
    let verifications = SignUpVerifications {
        email_address: shown(IdentificationKind::EmailAddress),
        phone_number: shown(IdentificationKind::PhoneNumber),
        web3_wallet: shown(IdentificationKind::Web3Wallet),
        external_account: row.verification(IdentificationKind::ExternalAccount),
    };
    Ok(SignUp {
        id: row.id.clone(),
        object: Tag::new(),
        status: row.status(cx.now),
        required_fields: required,
        optional_fields: optional,
        missing_fields: missing,
        unverified_fields: unverified,
        verifications,
        username: row.username.clone(),
        email_address: row.email_address.clone(),
        phone_number: row.phone_number.clone(),
        web3_wallet: row.web3_wallet.clone(),
        password_enabled: row.password.is_some(),
        first_name: row.first_name.clone(),
        last_name: row.last_name.clone(),
        unsafe_metadata: serde_json::from_str(&row.unsafe_metadata)?,
        public_metadata: serde_json::from_str(&row.public_metadata)?,
        custom_action: row.custom_action,
        external_id: row.external_id.clone(),
        created_session_id: row.created_session_id.clone(),
        created_user_id: row.created_user_id.clone(),
        abandon_at: Some(row.abandon_at),
        legal_accepted_at: row.legal_accepted_at,
        locale: row.locale.clone(),
        external_account: match &row.external_account {
            Some(account) => serde_json::from_str(account)?,
            None => serde_json::Map::new(),
        },
    })
}

/// What the verification of one kind waits for at `now`.
pub fn next_action(
    row: &SignUpRow,
    kind: IdentificationKind,
    unverified: &[String],
    now: Timestamp,
) -> SignUpNextAction {
    if !unverified.iter().any(|field| field == kind.as_str()) {
        return SignUpNextAction::Nothing;
    }
    let is_under_way = |verification: &Verification| {
        verification.status == VerificationStatus::Unverified
            && verification.expire_at.is_none_or(|end| now < end)
    };
    match row.verification(kind).filter(is_under_way) {
        Some(_) => SignUpNextAction::NeedsAttempt,
        None => SignUpNextAction::NeedsPrepare,
    }
}
