//! Codes that prove that an address or a number is its user's.
//!
//! A code belongs to one identification, is good for ten minutes and three wrong guesses, and is
//! taken once. Only a mark of it is stored. A new code ends the one before it.

use db::Record as _;
use macros::Record;
use wire::{
    Id, Kind, Object, Timestamp,
    backend::verifications::{Verification, VerificationObject, VerificationStatus},
    refusal,
};

use crate::{
    Cx, Place, Result, countries,
    error::OnTaken as _,
    identifications::{self, IdentificationKind, IdentificationRow},
    messages, users,
};

/// How long a code is good.
pub(crate) const LIFETIME_MS: i64 = 10 * 60_000;
/// Wrong codes that end a verification.
pub(crate) const ATTEMPTS_MAX: i64 = 3;
/// How long to wait before a code is sent again.
const RESEND_MS: i64 = 30_000;
/// Codes of a day. With three guesses each that is less than one chance in 10,000.
const DAILY_MAX: i64 = 30;
const DAY_MS: i64 = 24 * 60 * 60_000;
/// The code of identities that tests use.
const TEST_CODE: &str = "424242";

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "verifications")]
pub(crate) struct VerificationRow {
    /// `ver_…`, another one for each code.
    id: Id<Self>,
    instance_id: String,
    identification_id: String,
    /// `email_code` or `phone_code`.
    strategy: String,
    status: String,
    /// The code, under a key of the server.
    mark: String,
    /// Codes that were tried.
    attempts: i64,
    sent_at: Timestamp,
    expires_at: Timestamp,
    /// Codes sent since `counted_from`.
    count_sent: i64,
    counted_from: Timestamp,
}

impl Object for VerificationRow {
    const OBJECT: &'static str = "verification_otp";
}

impl Kind for VerificationRow {
    const PREFIX: &'static str = "ver_";
}

impl VerificationRow {
    /// How far it is at `now`.
    fn status(&self, now: Timestamp) -> VerificationStatus {
        match VerificationStatus::from(self.status.as_str()) {
            VerificationStatus::Unverified if now >= self.expires_at => VerificationStatus::Expired,
            status => status,
        }
    }

    fn place(&self) -> Place<'_> {
        Place {
            instance: &self.instance_id,
            table: "verifications",
            row: self.id.as_str(),
            column: "mark",
        }
    }

    /// Counts a try. The third wrong one ends it.
    fn tried(&mut self, right: bool) {
        self.attempts += 1;
        let status = if right {
            VerificationStatus::Verified
        } else if self.attempts >= ATTEMPTS_MAX {
            VerificationStatus::Failed
        } else {
            VerificationStatus::Unverified
        };
        status.as_str().clone_into(&mut self.status);
    }

    /// As it is shown to those who know its id.
    fn view(&self, now: Timestamp) -> Verification {
        Verification { id: Some(self.id.to_string()), ..self.outcome(now) }
    }

    /// As it is shown on its identification.
    fn outcome(&self, now: Timestamp) -> Verification {
        let is_phone = self.strategy == "phone_code";
        Verification {
            attempts: Some(self.attempts),
            expire_at: Some(self.expires_at),
            channel: is_phone.then(|| "sms".to_owned()),
            ..Verification::new(VerificationObject::Otp, self.status(now), &self.strategy)
        }
    }
}

/// Sends a new code.
pub(crate) async fn prepare(
    cx: &mut Cx,
    kind: IdentificationKind,
    id: &str,
) -> Result<Verification> {
    let identification = identifications::find(cx, kind, id).await?;
    if kind == IdentificationKind::PhoneNumber {
        refuse_blocked(cx, &identification.value)?;
    }
    let before = of_identification(cx, id).await?;
    let (count_sent, counted_from) = counted(before.as_ref(), cx.now)?;
    if let Some(before) = before {
        before.delete(&mut cx.tx).await?;
    }
    let code = new_code(cx, &identification.value);
    let is_phone = kind == IdentificationKind::PhoneNumber;
    let mut row = VerificationRow {
        id: cx.id(),
        instance_id: cx.instance_id(),
        identification_id: identification.id.clone(),
        strategy: if is_phone { "phone_code" } else { "email_code" }.to_owned(),
        status: VerificationStatus::Unverified.as_str().to_owned(),
        mark: String::new(),
        attempts: 0,
        sent_at: cx.now,
        expires_at: Timestamp(cx.now.0 + LIFETIME_MS),
        count_sent: count_sent + 1,
        counted_from,
    };
    row.mark = cx.world.sealer.mark(&row.place(), &code);
    row.insert(&mut cx.tx).await?;
    if is_phone {
        messages::sms_code(cx, &identification, &code).await?;
    } else {
        messages::email_code(cx, &identification, &code).await?;
    }
    Ok(row.view(cx.now))
}

/// Tries a code. A wrong one is an answer and counts; the right one is taken once.
///
/// The whole attempt is one unit, so of many at a time one wins, and no guess goes uncounted.
pub(crate) async fn attempt(
    cx: &mut Cx,
    kind: IdentificationKind,
    id: &str,
    (verification_id, code): (&str, &str),
) -> Result<Verification> {
    let mut identification = identifications::find(cx, kind, id).await?;
    let row = of_identification(cx, id).await?;
    let mut row = row.ok_or_else(refusal::verification_not_sent)?;
    if row.id.as_str() != verification_id {
        let reason = "No verification with this id is under way here";
        return Err(refusal::resource_not_found().because(reason).into());
    }
    match row.status(cx.now) {
        VerificationStatus::Unverified => {}
        VerificationStatus::Verified => {
            return Err(refusal::verification_already_verified().into());
        }
        _ => return Ok(row.view(cx.now)),
    }
    if !is_code(code) {
        let reason = "code must be six digits.";
        return Err(refusal::form_param_format_invalid().because(reason).param("code").into());
    }
    let right = cx.world.sealer.is_marked(&row.place(), code, &row.mark)?;
    row.tried(right);
    row.update(&mut cx.tx).await?;
    if right && !identification.is_verified() {
        prove(cx, &mut identification, &row.outcome(cx.now)).await?;
    }
    Ok(row.view(cx.now))
}

/// Notes that an identification is its user's; that it is another's by now is refused.
pub(crate) async fn prove(
    cx: &mut Cx,
    identification: &mut IdentificationRow,
    outcome: &Verification,
) -> Result<()> {
    identification.set_verified(outcome)?;
    identification.updated_at = cx.now;
    let claimed = identification.update(&mut cx.tx).await;
    claimed.taken("claim", refusal::identification_claimed)?;
    let (mut user, all) = users::load(cx, &identification.user_id).await?;
    users::save(cx, &mut user, &all).await?;
    Ok(())
}

/// Tries a code of whatever verification of an identification is under way. One that is over is
/// refused.
pub(crate) async fn attempt_latest(
    cx: &mut Cx,
    kind: IdentificationKind,
    id: &str,
    code: &str,
) -> Result<Verification> {
    let row = of_identification(cx, id).await?.ok_or_else(refusal::verification_not_sent)?;
    match row.status(cx.now) {
        VerificationStatus::Unverified => {}
        VerificationStatus::Verified => {
            return Err(refusal::verification_already_verified().into());
        }
        VerificationStatus::Expired => {
            let reason = "This code has expired. Ask for a new one.";
            return Err(refusal::verification_expired().because(reason).param("code").into());
        }
        _ => {
            let reason = "Too many wrong codes. Ask for a new one.";
            return Err(refusal::verification_failed().because(reason).param("code").into());
        }
    }
    if !is_code(code) {
        let reason = "Enter the code of six digits.";
        return Err(refusal::form_code_incorrect().because(reason).param("code").into());
    }
    let verification_id = row.id.to_string();
    attempt(cx, kind, id, (&verification_id, code)).await
}

async fn of_identification(cx: &mut Cx, id: &str) -> Result<Option<VerificationRow>> {
    let rows = VerificationRow::select(&cx.tx)
        .filter("identification_id = ?", [db::Value::Text(id.to_owned())]);
    Ok(rows.first(&mut cx.tx).await?)
}

/// How many codes were sent since when, or that it is too early for another one.
fn counted(before: Option<&VerificationRow>, now: Timestamp) -> Result<(i64, Timestamp)> {
    let Some(before) = before else {
        return Ok((0, now));
    };
    let day_end = before.counted_from.0.saturating_add(DAY_MS);
    let too_many = before.count_sent >= DAILY_MAX && now.0 < day_end;
    let free_at = if too_many { day_end } else { before.sent_at.0.saturating_add(RESEND_MS) };
    let wait = free_at.saturating_sub(now.0);
    if wait > 0 {
        let seconds = wait.unsigned_abs().div_ceil(1000);
        return Err(refusal::verification_code_too_many_requests().retry_after(seconds).into());
    }
    Ok(if now.0 < day_end { (before.count_sent, before.counted_from) } else { (0, now) })
}

/// Refuses numbers of countries that the instance sends nothing to.
pub(crate) fn refuse_blocked(cx: &Cx, number: &str) -> Result<()> {
    let blocked = &cx.instance.settings.blocked_country_codes;
    if countries::is_of(number, blocked) {
        return Err(refusal::unsupported_country_code().into());
    }
    Ok(())
}

/// Six digits, each code as likely as any other: 2^128 is that much larger than their number.
fn code(random: u128) -> String {
    format!("{:06}", random % 1_000_000)
}

/// A code to prove an address or a number with; that of test identities is known.
pub(crate) fn new_code(cx: &Cx, value: &str) -> String {
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

    fn row() -> VerificationRow {
        VerificationRow {
            id: Id::from_text("ver_1"),
            instance_id: "ins_1".to_owned(),
            identification_id: "idn_1".to_owned(),
            strategy: "email_code".to_owned(),
            status: "unverified".to_owned(),
            mark: String::new(),
            attempts: 0,
            sent_at: NOW,
            expires_at: Timestamp(NOW.0 + LIFETIME_MS),
            count_sent: 1,
            counted_from: NOW,
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
        let mut taken = row();
        taken.tried(true);
        assert_eq!(taken.status(after(601_000)), VerificationStatus::Verified);
    }

    #[test]
    fn otp_03_the_third_wrong_code_is_the_last() {
        let mut row = row();
        for status in ["unverified", "unverified", "failed"] {
            row.tried(false);
            assert_eq!(row.status, status);
        }
        assert_eq!(row.attempts, 3);
        let guesses = DAILY_MAX * ATTEMPTS_MAX;
        assert!(guesses < 100, "less than one in 10,000 of a million codes");
    }

    #[test]
    fn otp_04_codes_are_not_sent_again_at_once() {
        let refused = counted(Some(&row()), after(29_001)).expect_err("too early").into_refusal();
        assert_eq!((refused.status, refused.retry_after), (429, Some(1)));
        assert!(counted(Some(&row()), after(30_000)).is_ok_and(|counted| counted == (1, NOW)));
        let many = VerificationRow { count_sent: DAILY_MAX, sent_at: after(3_600_000), ..row() };
        let refused = counted(Some(&many), after(7_200_000)).expect_err("too many").into_refusal();
        assert_eq!(refused.retry_after, Some(22 * 3600));
        let next_day = after(DAY_MS);
        assert!(counted(Some(&many), next_day).is_ok_and(|counted| counted == (0, next_day)));
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
        let phone = VerificationRow { strategy: "phone_code".to_owned(), ..row() };
        assert_eq!(phone.view(NOW).channel.as_deref(), Some("sms"));
        assert_eq!((row().view(NOW).channel, row().outcome(NOW).id), (None, None));
    }
}
