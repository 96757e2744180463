//! How an address or a number of a sign-up is proven.
//!
//! A code is good for one sign-up on one client, for ten minutes and three wrong guesses, and is
//! taken once. Only a mark of it is stored. A new code ends the one before it.

use wire::{
    Timestamp,
    backend::verifications::{Verification, VerificationObject, VerificationStatus},
    refusal,
};

use crate::{
    Cx, Error, Place, Result,
    identifications::IdentificationKind,
    messages::{self, Recipient},
    sign_ups::{SignUpRow, supported_strategies},
    text, verifications,
};

/// How far the proof of one kind is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// Nothing was sent yet.
    Unprepared,
    /// A code is on its way.
    UnderWay,
    /// It came to nothing in ten minutes.
    Expired,
    /// Too many wrong codes.
    Failed,
    /// Proven.
    Verified,
}

impl Proof {
    fn of(verification: Option<&Verification>, now: Timestamp) -> Self {
        let Some(verification) = verification else { return Self::Unprepared };
        let is_over = verification.expire_at.is_some_and(|end| end <= now);
        match verification.status {
            VerificationStatus::Verified => Self::Verified,
            VerificationStatus::Unverified if !is_over => Self::UnderWay,
            VerificationStatus::Unverified | VerificationStatus::Expired => Self::Expired,
            _ => Self::Failed,
        }
    }

    /// Refuses to try a code when there is none to be tried.
    fn attempt(self) -> Result<()> {
        Err(match self {
            Self::UnderWay => return Ok(()),
            Self::Unprepared => refusal::verification_not_sent(),
            Self::Expired => refusal::verification_expired(),
            Self::Failed => refusal::verification_failed(),
            Self::Verified => refusal::verification_already_verified(),
        }
        .into())
    }
}

/// What a strategy proves.
fn proves(strategy: &str) -> Result<IdentificationKind> {
    match strategy {
        "email_code" => Ok(IdentificationKind::EmailAddress),
        "phone_code" => Ok(IdentificationKind::PhoneNumber),
        _ => Err(invalid(strategy)),
    }
}

fn invalid(strategy: &str) -> Error {
    let shown = text::shown(strategy);
    let reason = format!("{shown} proves nothing of this sign-up.");
    refusal::verification_strategy_invalid().because(reason).param("strategy").into()
}

/// Refuses to prove again what is proven.
pub(super) fn refuse_proven(row: &SignUpRow, strategy: &str) -> Result<()> {
    if row.is_verified(proves(strategy)?) {
        return Err(refusal::verification_already_verified().into());
    }
    Ok(())
}

/// Sends a new code.
pub(super) async fn prepare(
    cx: &mut Cx,
    row: &mut SignUpRow,
    strategy: &str,
    _redirect_url: Option<&str>,
) -> Result<()> {
    let kind = proves(strategy)?;
    let value = row.value(kind).ok_or_else(|| invalid(strategy))?.to_owned();
    if !supported_strategies(&cx.instance.settings, row, kind)
        .iter()
        .any(|supported| supported == strategy)
    {
        return Err(invalid(strategy));
    }
    refuse_proven(row, strategy)?;
    if kind == IdentificationKind::PhoneNumber {
        verifications::refuse_blocked(cx, &value)?;
    }
    let code = verifications::new_code(cx, &value);
    let mark = cx.world.sealer.mark(&place(row, kind), &code);
    *mark_of(row, kind) = Some(mark);
    let is_phone = kind == IdentificationKind::PhoneNumber;
    let verification = Verification {
        attempts: Some(0),
        expire_at: Some(Timestamp(cx.now.0 + verifications::LIFETIME_MS)),
        channel: is_phone.then(|| "sms".to_owned()),
        ..Verification::new(VerificationObject::Otp, VerificationStatus::Unverified, strategy)
    };
    row.set_verification(kind, &verification)?;
    if is_phone {
        messages::phone_code(cx, Recipient::from(&*value), false, &code).await
    } else {
        messages::address_code(cx, Recipient::from(&*value), false, &code).await
    }
}

/// Tries a code. A wrong one counts; the third one is the last.
pub(super) async fn attempt(
    cx: &mut Cx,
    row: &mut SignUpRow,
    strategy: &str,
    code: &str,
) -> Result<()> {
    let kind = proves(strategy)?;
    let verification = row.verification(kind);
    Proof::of(verification.as_ref(), cx.now).attempt()?;
    let Some(mut verification) = verification.filter(|known| known.strategy == strategy) else {
        return Err(refusal::verification_not_sent().into());
    };
    verifications::check_form(code)?;
    let mark = mark_of(row, kind).clone().unwrap_or_default();
    let is_right = cx.world.sealer.is_marked(&place(row, kind), code, &mark)?;
    let attempts = verification.attempts.unwrap_or_default() + 1;
    verification.attempts = Some(attempts);
    if is_right {
        verification.status = VerificationStatus::Verified;
        *mark_of(row, kind) = None;
        return row.set_verification(kind, &verification);
    }
    if attempts >= verifications::ATTEMPTS_MAX {
        verification.status = VerificationStatus::Failed;
    }
    row.set_verification(kind, &verification)?;
    row.save(cx).await?;
    let reason = "Incorrect code.";
    Err(Error::Kept(refusal::form_code_incorrect().because(reason).param("code")))
}

/// Where the mark of a code is kept.
fn place(row: &SignUpRow, kind: IdentificationKind) -> Place<'_> {
    Place {
        instance: &row.instance_id,
        table: "sign_ups",
        row: row.id.as_str(),
        column: match kind {
            IdentificationKind::PhoneNumber => "phone_number_mark",
            _ => "email_address_mark",
        },
    }
}

fn mark_of(row: &mut SignUpRow, kind: IdentificationKind) -> &mut Option<String> {
    match kind {
        IdentificationKind::PhoneNumber => &mut row.phone_number_mark,
        _ => &mut row.email_address_mark,
    }
}
