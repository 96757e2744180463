//! Codes and links by which somebody proves an address or a number: in a sign-in, in a sign-up, in
//! their profile, or to an application that asks through the Backend API.
//!
//! A proof belongs to one part of its owner, and to who asked: a client, or the application. A code
//! is good for ten minutes and three wrong guesses, a link for ten minutes; either is taken once, by
//! one conditional write. Only a mark of it is stored. A new one ends the one before it.

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

use crate::{
    Cx, Place, Result,
    frontend::{limits, redirects},
    identifications::IdentificationKind,
    messages::{self, LinkPurpose, Recipient},
    seal::digest_of_secret,
    verifications,
};

/// How long a code or a link is good.
const LIFETIME_MS: i64 = 10 * 60_000;
/// Wrong codes that end a proof.
pub(crate) const ATTEMPTS_MAX: i64 = 3;
/// The code of identities that tests use.
const TEST_CODE: &str = "424242";

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "proofs")]
pub(crate) struct ProofRow {
    /// `ver_…`, another one for each code.
    pub(crate) id: Id<Self>,
    instance_id: String,
    /// The sign-in, the sign-up, or the identification of a user.
    pub(crate) owner_id: String,
    /// What of it is proven.
    pub(crate) part: String,
    /// The identification of a user, with which the proof goes.
    identification_id: Option<String>,
    strategy: String,
    /// Who asked for it; nobody where the Backend API did.
    pub(crate) client_id: Option<ClientId>,
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

/// What is proven, and to whom.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// The sign-in, the sign-up, or the identification of a user.
    pub(crate) owner_id: &'a str,
    /// What of it.
    pub(crate) part: &'a str,
    /// Who asks; nobody where the Backend API does.
    pub(crate) client_id: Option<&'a ClientId>,
}

impl Subject<'_> {
    fn is_identification(&self) -> bool {
        self.owner_id.starts_with("idn_")
    }
}

/// What is to be proven, and how.
pub(crate) struct Wanted<'a> {
    /// What is proven.
    pub(crate) subject: Subject<'a>,
    /// `email_code` and the like.
    pub(crate) strategy: &'a str,
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
pub(crate) async fn send(cx: &mut Cx, wanted: Wanted<'_>) -> Result<ProofRow> {
    let Wanted { subject, strategy, to, redirect_url } = wanted;
    let redirect_url = destination(cx, strategy, redirect_url).await?;
    if let Some(before) = newest(cx, &subject).await? {
        before.delete(&mut cx.tx).await?;
    }
    let owner_id = subject.owner_id.to_owned();
    let mut row = ProofRow {
        id: cx.id(),
        instance_id: cx.instance_id(),
        identification_id: subject.is_identification().then(|| owner_id.clone()),
        owner_id,
        part: subject.part.to_owned(),
        strategy: strategy.to_owned(),
        client_id: subject.client_id.cloned(),
        mark: String::new(),
        redirect_url,
        status: VerificationStatus::Unverified.to_string(),
        attempts: 0,
        expires_at: Timestamp(cx.now.0 + LIFETIME_MS),
    };
    let secret = match strategy {
        "email_link" => cx.secret(),
        _ => new_code(cx, to.as_ref().map_or("", Recipient::value)),
    };
    row.mark = match strategy {
        "email_link" => digest_of_secret(&secret),
        // What nobody was told is nobody's to guess either.
        _ if to.is_none() => String::new(),
        _ => cx.world.sealer.mark(&row.place(), &secret),
    };
    row.insert(&mut cx.tx).await?;
    if let Some(to) = to {
        tell(cx, &row, to, &secret).await?;
    }
    Ok(row)
}

/// Sends what proves it to whom it is about.
async fn tell(cx: &mut Cx, row: &ProofRow, to: Recipient<'_>, secret: &str) -> Result<()> {
    let is_phone = kind_of(&row.strategy) == IdentificationKind::PhoneNumber;
    if is_phone {
        verifications::refuse_blocked(cx, to.value())?;
    }
    limits::count_message(cx, to.value()).await?;
    let is_reset = row.strategy.starts_with("reset_password");
    if row.strategy == "email_link" {
        let url = format!("{}/v1/verify?token={secret}", cx.own_url());
        messages::email_link(cx, to, row.purpose(), &url).await
    } else if is_phone {
        messages::phone_code(cx, to, is_reset, secret).await
    } else {
        messages::address_code(cx, to, is_reset, secret).await
    }
}

/// What came of a try.
pub(crate) struct Tried {
    /// As the attempt shows it from now on.
    pub(crate) verification: Verification,
    /// The code was the right one.
    pub(crate) is_right: bool,
}

/// Tries a code of who asked for it. The caller keeps what is written, right or wrong.
pub(crate) async fn attempt(
    cx: &mut Cx,
    subject: Subject<'_>,
    strategy: &str,
    code: &str,
) -> Result<Tried> {
    let row = find(cx, subject).await?.filter(|row| row.strategy == strategy);
    let mut row = row.ok_or_else(refusal::verification_not_sent)?;
    refuse_over(&row, cx.now)?;
    if !is_code(code) {
        let reason = "Enter the code of six digits.";
        return Err(refusal::form_code_incorrect().because(reason).param("code").into());
    }
    let is_right = try_code(cx, &mut row, code).await?;
    Ok(Tried { verification: row.view(cx.now), is_right })
}

/// Tries a code; the third wrong one ends the proof. Of many tries at once each counts.
pub(crate) async fn try_code(cx: &mut Cx, row: &mut ProofRow, code: &str) -> Result<bool> {
    let is_right = !row.mark.is_empty()
        && row.strategy != "email_link"
        && cx.world.sealer.is_marked(&row.place(), code, &row.mark)?;
    let status = status_after(row.attempts + 1, is_right);
    if !row.settle(cx, status).await? {
        return Err(refusal::verification_already_verified().into());
    }
    Ok(is_right)
}

/// How far a proof is when so many codes were tried.
fn status_after(attempts: i64, is_right: bool) -> VerificationStatus {
    if is_right {
        VerificationStatus::Verified
    } else if attempts >= ATTEMPTS_MAX {
        VerificationStatus::Failed
    } else {
        VerificationStatus::Unverified
    }
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

/// What was sent last to who asks.
pub(crate) async fn find(cx: &mut Cx, subject: Subject<'_>) -> Result<Option<ProofRow>> {
    let row = newest(cx, &subject).await?;
    Ok(row.filter(|row| row.client_id.as_ref() == subject.client_id))
}

/// What was sent last, whoever asked.
async fn newest(cx: &mut Cx, subject: &Subject<'_>) -> Result<Option<ProofRow>> {
    let values = [subject.owner_id, subject.part].map(|text| Value::Text(text.to_owned()));
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

/// Six digits, each code as likely as any other: 2^128 is that much larger than their number.
fn code(random: u128) -> String {
    format!("{:06}", random % 1_000_000)
}

/// A code to prove an address or a number with; that of test identities is known.
fn new_code(cx: &Cx, value: &str) -> String {
    if messages::is_test(cx, value) { TEST_CODE.to_owned() } else { code(cx.random()) }
}

/// True if it may be a code.
pub(crate) fn is_code(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn row() -> ProofRow {
        ProofRow {
            id: Id::from_text("ver_1"),
            instance_id: "ins_1".to_owned(),
            owner_id: "idn_1".to_owned(),
            part: "email_address".to_owned(),
            identification_id: Some("idn_1".to_owned()),
            strategy: "email_code".to_owned(),
            client_id: None,
            mark: String::new(),
            redirect_url: None,
            status: "unverified".to_owned(),
            attempts: 0,
            expires_at: Timestamp(NOW.0 + LIFETIME_MS),
        }
    }

    fn after(milliseconds: i64) -> Timestamp {
        Timestamp(NOW.0 + milliseconds)
    }

    #[test]
    fn otp_14_codes_are_spread_evenly() {
        const CODES: u32 = 1_000_000;
        const GROUPS: usize = 1000;
        let (mut counts, mut firsts) = ([0_u32; GROUPS], [0_u32; 10]);
        for _ in 0..CODES {
            let mut random = [0; 16];
            aws_lc_rs::rand::fill(&mut random).expect("randomness");
            let code = code(u128::from_le_bytes(random));
            assert!(is_code(&code), "{code}");
            counts[code[3..].parse::<usize>().expect("digits")] += 1;
            firsts[code[..1].parse::<usize>().expect("a digit")] += 1;
        }
        let chi_square = |counts: &[u32]| {
            let expected = f64::from(CODES) / f64::from(u32::try_from(counts.len()).expect("few"));
            counts
                .iter()
                .map(|count| (f64::from(*count) - expected).powi(2) / expected)
                .sum::<f64>()
        };
        // Beyond these once in a million runs: 999 and 9 degrees of freedom.
        assert!(chi_square(&counts) < 1225.0, "{}", chi_square(&counts));
        assert!(chi_square(&firsts) < 46.0, "{}", chi_square(&firsts));
    }

    #[test]
    fn otp_02_a_code_is_good_for_ten_minutes() {
        assert_eq!(row().status(after(599_000)), VerificationStatus::Unverified);
        assert_eq!(row().status(after(600_000)), VerificationStatus::Expired);
        let taken = ProofRow { status: status_after(1, true).to_string(), ..row() };
        assert_eq!(taken.status(after(601_000)), VerificationStatus::Verified);
    }

    #[test]
    fn otp_03_the_third_wrong_code_is_the_last() {
        let statuses = [1, 2, 3].map(|attempts| status_after(attempts, false).to_string());
        assert_eq!(statuses, ["unverified", "unverified", "failed"]);
        assert_eq!(status_after(3, true), VerificationStatus::Verified);
    }

    #[test]
    fn otp_06_a_code_is_six_digits_and_nothing_else() {
        assert!(is_code("012345"));
        for text in [
            "12345",
            "0123456",
            " 012345",
            "01234 ",
            "01234\n",
            "０１２３４５",
            "01234a",
            "-12345",
            "",
        ] {
            assert!(!is_code(text), "{text:?}");
        }
        assert_eq!(code(1_000_000 * 77 + 42), "000042");
    }

    #[test]
    fn a_phone_code_names_its_channel() {
        let phone = ProofRow { strategy: "phone_code".to_owned(), ..row() };
        assert_eq!(phone.view(NOW).channel.as_deref(), Some("sms"));
        assert_eq!((row().view(NOW).channel, row().view(NOW).id), (None, None));
    }
}
