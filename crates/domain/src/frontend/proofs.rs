//! Codes and links by which visitors prove an address or a number: in a sign-in, in a sign-up, and
//! links in their profile as well.
//!
//! A proof belongs to one part of its owner, and to the client that asked. A code is good for
//! ten minutes and three wrong guesses, a link for ten minutes; either is taken once, by one
//! conditional write. Only a mark of it is stored. A new one ends the one before it.

use db::{Column as _, Record as _, Value};
use macros::Record;
use wire::{
    Id, Kind, Object, Timestamp,
    backend::{
        clients::ClientId,
        sessions::SessionId,
        verifications::{Verification, VerificationObject, VerificationStatus},
    },
    refusal,
};

use super::{limits, redirects};
use crate::{
    Cx, Place, Result,
    identifications::IdentificationKind,
    messages::{self, LinkPurpose, Recipient},
    seal::digest_of_secret,
    verifications::{self, ATTEMPTS_MAX, LIFETIME_MS},
};

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "proofs")]
pub(crate) struct ProofRow {
    /// `ver_…`, another one for each code.
    id: Id<Self>,
    instance_id: String,
    /// The sign-in, the sign-up, or the identification of a user.
    pub(crate) owner_id: String,
    /// What of it is proven.
    pub(crate) part: String,
    strategy: String,
    /// Who asked for it.
    pub(crate) client_id: ClientId,
    /// A code under a key of the server, or the digest of what is in a link.
    mark: String,
    /// Where a link leads.
    pub(crate) redirect_url: Option<String>,
    status: String,
    attempts: i64,
    expires_at: Timestamp,
}

impl Object for ProofRow {
    const OBJECT: &'static str = "proof";
}

impl Kind for ProofRow {
    const PREFIX: &'static str = "ver_";
}

impl ProofRow {
    /// What it is about.
    fn purpose(&self) -> LinkPurpose {
        match self.owner_id.split_once('_') {
            Some(("sia", _)) => LinkPurpose::SignIn,
            Some(("sua", _)) => LinkPurpose::SignUp,
            _ => LinkPurpose::Profile,
        }
    }

    /// As it is shown once `opener` has followed its link, as far as that one is known.
    pub(crate) fn followed(&self, now: Timestamp, opener: Option<&ClientId>) -> Verification {
        let verified_at_client = opener.map(ToString::to_string);
        Verification { verified_at_client, ..self.view(now) }
    }

    /// How far it is at `now`.
    pub(crate) fn status(&self, now: Timestamp) -> VerificationStatus {
        match VerificationStatus::from(self.status.as_str()) {
            VerificationStatus::Unverified if now >= self.expires_at => VerificationStatus::Expired,
            status => status,
        }
    }

    /// As the attempt shows it.
    pub(crate) fn view(&self, now: Timestamp) -> Verification {
        let is_phone = self.strategy.ends_with("phone_code");
        let object = match self.strategy.as_str() {
            "email_link" => VerificationObject::EmailLink,
            _ => VerificationObject::Otp,
        };
        Verification {
            attempts: Some(self.attempts),
            expire_at: Some(self.expires_at),
            channel: is_phone.then(|| "sms".to_owned()),
            ..Verification::new(object, self.status(now), &self.strategy)
        }
    }

    fn place(&self) -> Place<'_> {
        let (instance, row) = (self.instance_id.as_str(), self.id.as_str());
        Place { instance, table: "proofs", row, column: "mark" }
    }

    /// Ends a try, unless another one was faster.
    async fn settle(&mut self, cx: &mut Cx, status: VerificationStatus) -> Result<bool> {
        let sql = "update proofs set status = $1, attempts = attempts + 1
                   where instance_id = $2 and id = $3 and status = 'unverified' and attempts = $4
                       and expires_at > $5 returning id";
        let values = vec![
            Value::Text(status.to_string()),
            Value::Text(cx.instance_id()),
            self.id.to_value(),
            Value::Int(self.attempts),
            cx.now.to_value(),
        ];
        let is_mine = !cx.tx.rows(sql, values).await?.is_empty();
        if is_mine {
            self.status = status.to_string();
            self.attempts += 1;
        }
        Ok(is_mine)
    }
}

/// What is to be proven, and how.
pub(crate) struct Wanted<'a> {
    /// The sign-in, the sign-up, or the identification of a user.
    pub(crate) owner_id: &'a str,
    /// What of it.
    pub(crate) part: &'a str,
    /// `email_code` and the like.
    pub(crate) strategy: &'a str,
    /// Who asks.
    pub(crate) client_id: &'a ClientId,
    /// Whose it is said to be; nothing if nobody has it and nobody shall know.
    pub(crate) to: Option<Recipient<'a>>,
    /// Where a link leads; as it was asked for.
    pub(crate) redirect_url: Option<String>,
}

/// Where a link leads that is asked for with `redirect_url`; codes lead nowhere.
async fn destination(
    cx: &mut Cx,
    strategy: &str,
    redirect_url: Option<String>,
) -> Result<Option<String>> {
    match (strategy, redirect_url) {
        ("email_link", Some(url)) => Ok(Some(redirects::checked(cx, &url).await?.into())),
        ("email_link", None) => {
            let reason = "redirect_url must be given.";
            Err(refusal::form_param_missing().because(reason).param("redirect_url").into())
        }
        _ => Ok(None),
    }
}

/// Sends a code or a link.
pub(crate) async fn send(cx: &mut Cx, wanted: Wanted<'_>) -> Result<Verification> {
    let Wanted { owner_id, part, strategy, client_id, to, redirect_url } = wanted;
    let redirect_url = destination(cx, strategy, redirect_url).await?;
    let before = find(cx, owner_id, part).await?;
    if let Some(before) = before {
        before.delete(&mut cx.tx).await?;
    }
    let mut row = ProofRow {
        id: cx.id(),
        instance_id: cx.instance_id(),
        owner_id: owner_id.to_owned(),
        part: part.to_owned(),
        strategy: strategy.to_owned(),
        client_id: client_id.clone(),
        mark: String::new(),
        redirect_url,
        status: VerificationStatus::Unverified.to_string(),
        attempts: 0,
        expires_at: Timestamp(cx.now.0 + LIFETIME_MS),
    };
    let kind = kind_of(strategy);
    let secret = match strategy {
        "email_link" => cx.secret(),
        _ => verifications::new_code(cx, to.as_ref().map_or("", Recipient::value)),
    };
    row.mark = match strategy {
        "email_link" => digest_of_secret(&secret),
        // What nobody was told is nobody's to guess either.
        _ if to.is_none() => String::new(),
        _ => cx.world.sealer.mark(&row.place(), &secret),
    };
    row.insert(&mut cx.tx).await?;
    if let Some(to) = to {
        if kind == IdentificationKind::PhoneNumber {
            crate::verifications::refuse_blocked(cx, to.value())?;
        }
        limits::count_message(cx, to.value()).await?;
        let is_reset = strategy.starts_with("reset_password");
        match strategy {
            "email_link" => {
                let url = format!("{}/v1/verify?token={secret}", cx.own_url());
                messages::email_link(cx, to, row.purpose(), &url).await?;
            }
            _ if kind == IdentificationKind::PhoneNumber => {
                messages::phone_code(cx, to, is_reset, &secret).await?;
            }
            _ => messages::address_code(cx, to, is_reset, &secret).await?,
        }
    }
    Ok(row.view(cx.now))
}

/// What came of a try.
pub(crate) struct Tried {
    /// As the attempt shows it from now on.
    pub(crate) verification: Verification,
    /// The code was the right one.
    pub(crate) is_right: bool,
}

/// Tries a code of one part of an attempt. The caller keeps what is written, right or wrong.
pub(crate) async fn attempt(
    cx: &mut Cx,
    (owner_id, part): (&str, &str),
    strategy: &str,
    code: &str,
) -> Result<Tried> {
    let row = find(cx, owner_id, part).await?.filter(|row| row.strategy == strategy);
    let mut row = row.ok_or_else(refusal::verification_not_sent)?;
    refuse_over(&row, cx.now)?;
    if !verifications::is_code(code) {
        let reason = "Enter the code of six digits.";
        return Err(refusal::form_code_incorrect().because(reason).param("code").into());
    }
    let is_right = !row.mark.is_empty()
        && strategy != "email_link"
        && cx.world.sealer.is_marked(&row.place(), code, &row.mark)?;
    let status = if is_right {
        VerificationStatus::Verified
    } else if row.attempts + 1 >= ATTEMPTS_MAX {
        VerificationStatus::Failed
    } else {
        VerificationStatus::Unverified
    };
    if !row.settle(cx, status).await? {
        return Err(refusal::verification_already_verified().into());
    }
    Ok(Tried { verification: row.view(cx.now), is_right })
}

/// Refuses what is over.
fn refuse_over(row: &ProofRow, now: Timestamp) -> Result<()> {
    match row.status(now) {
        VerificationStatus::Unverified => Ok(()),
        VerificationStatus::Verified => Err(refusal::verification_already_verified().into()),
        VerificationStatus::Expired => {
            let reason = "This code has expired. Ask for a new one.";
            Err(refusal::verification_expired().because(reason).param("code").into())
        }
        _ => {
            let reason = "Too many wrong codes. Ask for a new one.";
            Err(refusal::verification_failed().because(reason).param("code").into())
        }
    }
}

/// That a code is wrong.
pub(crate) fn wrong_code() -> wire::Refusal {
    refusal::form_code_incorrect().because("Incorrect code").param("code")
}

/// What became of a link.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    /// `verified` and the like, for the page that it leads to.
    pub(crate) status: &'static str,
    /// The session that came of it.
    pub(crate) session_id: Option<SessionId>,
}

impl Opened {
    /// It leads to no session.
    pub(crate) fn with(status: &'static str) -> Self {
        Self { status, session_id: None }
    }
}

/// The link with this secret in it.
pub(crate) async fn of_link(cx: &mut Cx, token: &str) -> Result<Option<ProofRow>> {
    let digest = Value::Text(digest_of_secret(token));
    let row = ProofRow::select(&cx.tx).filter("mark = ? and strategy = 'email_link'", [digest]);
    Ok(row.first(&mut cx.tx).await?)
}

/// Takes a link; false if somebody was faster, or it is over.
pub(crate) async fn take_link(cx: &mut Cx, row: &mut ProofRow) -> Result<bool> {
    row.settle(cx, VerificationStatus::Verified).await
}

async fn find(cx: &mut Cx, owner_id: &str, part: &str) -> Result<Option<ProofRow>> {
    let values = [owner_id, part].map(|text| Value::Text(text.to_owned()));
    let row = ProofRow::select(&cx.tx).filter("owner_id = ? and part = ?", values);
    Ok(row.first(&mut cx.tx).await?)
}

/// What kind of identification a strategy proves.
pub(crate) fn kind_of(strategy: &str) -> IdentificationKind {
    if strategy.ends_with("phone_code") {
        IdentificationKind::PhoneNumber
    } else {
        IdentificationKind::EmailAddress
    }
}
