//! Identifications: what a user is known by. E-mail addresses, phone numbers, web3 wallets,
//! passkeys and external accounts share one table, since a user is shown with all of them.
//!
//! A value that is verified or reserved is *claimed*: nobody else in the instance can have it. One
//! that is neither may stand at several users, until one of them verifies it.

use db::{Record, Select, Value};
use macros::Record;
use wire::{
    Patch, Refusal, Timestamp,
    backend::{
        email_addresses::IdentificationLink,
        users::{IdentificationStatus, UserId},
        verifications::Verification,
    },
    refusal,
};

use crate::{
    Cx, Result, error,
    error::OnTaken as _,
    frontend::sign_ins,
    restrictions::{self, Purpose},
    users::UserRow,
};

/// `Verification::admin()` as it is stored.
const ADMIN: &str = r#"{"object":"verification_admin","status":"verified","strategy":"admin","attempts":null,"expire_at":null}"#;

/// What kind of identification a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentificationKind {
    /// An e-mail address, in lower case.
    EmailAddress,
    /// A phone number, as E.164.
    PhoneNumber,
    /// `0x…`, in lower case.
    Web3Wallet,
    /// A credential id.
    Passkey,
    /// `oauth_google:` and the provider's id of the user.
    ExternalAccount,
}

impl IdentificationKind {
    /// Its name in the table, and of the parameter that carries its value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EmailAddress => "email_address",
            Self::PhoneNumber => "phone_number",
            Self::Web3Wallet => "web3_wallet",
            Self::Passkey => "passkey",
            Self::ExternalAccount => "external_account",
        }
    }

    /// The one way to write a value of this kind.
    pub fn normalize(self, value: &str) -> Result<String> {
        let normal = match self {
            Self::EmailAddress => email_address(value),
            Self::PhoneNumber => phone_number(value),
            Self::Web3Wallet => web3_wallet(value),
            Self::Passkey | Self::ExternalAccount => Some(value.to_owned()),
        };
        Ok(normal.ok_or_else(|| {
            let reason = format!("{} must be a valid {}.", self.as_str(), self.words());
            refusal::form_param_format_invalid().because(reason).param(self.as_str())
        })?)
    }

    /// That somebody has the value already.
    pub fn taken(self) -> Refusal {
        let reason = format!("That {} is taken. Please try another.", self.words());
        refusal::form_identifier_exists().because(reason).param(self.as_str())
    }

    fn words(self) -> &'static str {
        match self {
            Self::EmailAddress => "email address",
            Self::PhoneNumber => "phone number",
            Self::Web3Wallet => "web3 wallet",
            Self::Passkey => "passkey",
            Self::ExternalAccount => "external account",
        }
    }
}

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "identifications")]
pub struct IdentificationRow {
    /// `idn_…`, or `eac_…` for external accounts.
    pub id: String,
    /// The instance.
    pub instance_id: String,
    /// Whose it is.
    pub user_id: UserId,
    /// Name of its kind.
    pub kind: String,
    /// The value, normalized.
    pub value: String,
    /// The value where it is verified or reserved.
    pub claim: Option<String>,
    /// How it was or is being verified: JSON of a `Verification`.
    pub verification: Option<String>,
    /// Held back for this user although not verified.
    pub reserved: bool,
    /// A phone number that is a second factor.
    pub reserved_for_second_factor: bool,
    /// The phone number that is asked for first.
    pub default_second_factor: bool,
    /// Identifications that vouch for this one: JSON of the API's `linked_to`.
    pub linked_to: String,
    /// What only its kind has, as JSON.
    pub detail: Option<String>,
    /// A Gmail address without its dots.
    pub dotless: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl IdentificationRow {
    /// A new one, in the given state.
    pub fn new(
        cx: &Cx,
        user_id: &UserId,
        kind: IdentificationKind,
        value: String,
        status: &IdentificationStatus,
    ) -> Result<Self> {
        let id = cx.id::<wire::backend::email_addresses::EmailAddress>().to_string();
        let mut row = Self {
            id,
            instance_id: cx.instance_id(),
            user_id: user_id.clone(),
            kind: kind.as_str().to_owned(),
            dotless: dotless(&value).filter(|_| kind == IdentificationKind::EmailAddress),
            value,
            claim: None,
            verification: None,
            reserved: false,
            reserved_for_second_factor: false,
            default_second_factor: false,
            linked_to: "[]".to_owned(),
            detail: None,
            created_at: cx.now,
            updated_at: cx.now,
        };
        row.set_status(status)?;
        Ok(row)
    }

    /// Verifies the value on an administrator's word, reserves it, or neither.
    pub fn set_status(&mut self, status: &IdentificationStatus) -> Result<()> {
        match status {
            IdentificationStatus::Verified => self.set_verified(&Verification::admin())?,
            IdentificationStatus::Reserved => {
                self.reserved = true;
                self.claim = Some(self.value.clone());
            }
            IdentificationStatus::Unverified => {
                (self.reserved, self.claim, self.verification) = (false, None, None);
            }
            IdentificationStatus::Other(_) => {
                let refusal = refusal::form_param_value_invalid();
                return Err(refusal.param("identification_status").into());
            }
        }
        Ok(())
    }

    /// Notes how the value was verified.
    pub fn set_verified(&mut self, verification: &Verification) -> Result<()> {
        self.verification = Some(serde_json::to_string(verification)?);
        self.claim = Some(self.value.clone());
        self.reserved = false;
        Ok(())
    }

    /// Identifications that vouch for this one.
    pub(crate) fn links(&self) -> Vec<IdentificationLink> {
        if self.linked_to == "[]" {
            return Vec::new();
        }
        serde_json::from_str(&self.linked_to).unwrap_or_default()
    }

    /// How it was or is being verified.
    pub fn verification(&self) -> Option<Verification> {
        match self.verification.as_deref()? {
            // What nearly all have is not read anew each time.
            ADMIN => Some(Verification::admin()),
            text => serde_json::from_str(text).ok(),
        }
    }

    /// True if the value is proven to be its user's.
    pub fn is_verified(&self) -> bool {
        self.claim.is_some() && !self.reserved
    }

    /// True if others vouch for it, so that it cannot go before them.
    pub fn is_linked(&self) -> bool {
        !self.links().is_empty()
    }

    /// True if it is of this kind.
    pub fn is(&self, kind: IdentificationKind) -> bool {
        self.kind == kind.as_str()
    }

    /// Adds the row; a claimed value that somebody has is refused.
    pub async fn add(&self, cx: &mut Cx, kind: IdentificationKind) -> Result<()> {
        self.insert(&mut cx.tx).await.taken("claim", || kind.taken())
    }

    /// Writes the row back; a claimed value that somebody has is refused.
    pub async fn save(&mut self, cx: &mut Cx, kind: IdentificationKind) -> Result<()> {
        self.updated_at = cx.now;
        self.update(&mut cx.tx).await.taken("claim", || kind.taken())
    }
}

/// All identifications of a user, oldest first.
pub(crate) fn of_user(cx: &Cx, user_id: &UserId) -> Select<IdentificationRow> {
    of_users(cx, std::slice::from_ref(user_id))
}

/// All identifications of some users, oldest first.
pub(crate) fn of_users(cx: &Cx, user_ids: &[UserId]) -> Select<IdentificationRow> {
    IdentificationRow::select(&cx.tx)
        .filter_in("user_id", user_ids)
        .order("user_id, created_at, id")
}

/// Those that claim one of some normal values.
pub(crate) fn claimed(
    cx: &Cx,
    kind: IdentificationKind,
    values: &[String],
) -> Select<IdentificationRow> {
    IdentificationRow::select(&cx.tx)
        .filter("kind = ?", [text(kind.as_str())])
        .filter_in("claim", values)
}

/// The identification with this id, if it is of this kind.
pub(crate) async fn find(
    cx: &mut Cx,
    kind: IdentificationKind,
    id: &str,
) -> Result<IdentificationRow> {
    let row = IdentificationRow::find(&mut cx.tx, &id.to_owned()).await?;
    Ok(row.filter(|row| row.is(kind)).ok_or_else(|| not_found(kind, id))?)
}

/// Gives `user_id`, who has `all`, another identification, which is to be added.
///
/// A value that somebody has claimed, or that this user has already, is refused, and so is what
/// the instance lets nobody have.
pub(crate) async fn another(
    cx: &mut Cx,
    kind: IdentificationKind,
    owner: (&UserId, &[IdentificationRow]),
    value: &str,
    status: &IdentificationStatus,
) -> Result<IdentificationRow> {
    restrictions::refuse_disabled(&cx.instance.settings, &[(kind.as_str(), true)])?;
    another_for(cx, kind, owner, (value, Purpose::Backend), status).await
}

/// The same, whoever wants it.
pub(crate) async fn another_for(
    cx: &mut Cx,
    kind: IdentificationKind,
    (user_id, all): (&UserId, &[IdentificationRow]),
    (value, purpose): (&str, Purpose),
    status: &IdentificationStatus,
) -> Result<IdentificationRow> {
    let value = kind.normalize(value)?;
    let claimed = IdentificationRow::select(&cx.tx)
        .filter("kind = ? and claim = ?", [kind.as_str(), &value].map(text));
    let is_own = all.iter().any(|row| row.is(kind) && row.value == value);
    // Whoever cannot prove it does not learn that somebody has it.
    let is_hidden = purpose == Purpose::SignUp && sign_ins::hides(&cx.instance.settings);
    if is_own || !is_hidden && claimed.exists(&mut cx.tx).await? {
        return Err(kind.taken().into());
    }
    restrictions::admit(cx, kind, &value, purpose).await?;
    IdentificationRow::new(cx, user_id, kind, value, status)
}

/// Refuses to take away what others vouch for, and the last one that a user can be known by.
pub(crate) fn refuse_needed(
    cx: &Cx,
    user: &UserRow,
    all: &[IdentificationRow],
    row: &IdentificationRow,
) -> Result<()> {
    if row.is_linked() {
        return Err(refusal::delete_linked_identification_disallowed().into());
    }
    // Nobody is known by a value that is not proven.
    if row.claim.is_none() {
        return Ok(());
    }
    let others = || all.iter().filter(|other| other.id != row.id && other.claim.is_some());
    let attributes = &cx.instance.settings.attributes;
    let required = [
        (IdentificationKind::EmailAddress, &attributes.email_address),
        (IdentificationKind::PhoneNumber, &attributes.phone_number),
        (IdentificationKind::Web3Wallet, &attributes.web3_wallet),
    ];
    let is_required = required
        .iter()
        .any(|(kind, attribute)| row.is(*kind) && attribute.enabled && attribute.required);
    if is_required && !others().any(|other| other.kind == row.kind) {
        return Err(refusal::last_required_identification_deletion_failed().into());
    }
    let is_known = others().any(|other| !other.is(IdentificationKind::Passkey));
    if !is_known && user.username.is_none() {
        return Err(refusal::identification_deletion_failed().into());
    }
    Ok(())
}

/// Takes all of a user's identifications of one kind away, unless others vouch for one.
pub(crate) async fn remove_all(
    cx: &mut Cx,
    kind: IdentificationKind,
    all: &mut Vec<IdentificationRow>,
) -> Result<Vec<IdentificationRow>> {
    let removed: Vec<_> = all.extract_if(.., |row| row.is(kind)).collect();
    if removed.iter().any(IdentificationRow::is_linked) {
        return Err(refusal::delete_linked_identification_disallowed().into());
    }
    for row in &removed {
        row.clone().delete(&mut cx.tx).await?;
    }
    Ok(removed)
}

/// How an identification is added whose value is said to be verified, or not.
pub(crate) fn status(verified: Patch<bool>) -> IdentificationStatus {
    match verified {
        Patch::Set(true) => IdentificationStatus::Verified,
        _ => IdentificationStatus::Unverified,
    }
}

/// Makes `row` its user's primary identification of its kind, if that is asked for.
pub(crate) fn make_primary(
    user: &mut UserRow,
    row: &IdentificationRow,
    asked: Patch<bool>,
) -> Result<()> {
    if asked != Patch::Set(true) {
        return Ok(());
    }
    if !row.is_verified() {
        return Err(refusal::form_verification_needed().param("primary").into());
    }
    if row.is(IdentificationKind::EmailAddress) {
        user.primary_email_address_id = Some(row.id.as_str().into());
    } else {
        user.primary_phone_number_id = Some(row.id.as_str().into());
    }
    Ok(())
}

/// Puts a changed row in its place among all of a user's.
pub(crate) fn put(all: &mut [IdentificationRow], row: &IdentificationRow) {
    if let Some(place) = all.iter_mut().find(|other| other.id == row.id) {
        place.clone_from(row);
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// There is no such identification.
pub(crate) fn not_found(kind: IdentificationKind, id: &str) -> Refusal {
    error::not_found(kind.words(), id)
}

/// An address whose case does not matter and whose domain is written in ASCII.
fn email_address(text: &str) -> Option<String> {
    let (local, domain) = text.trim_matches(' ').rsplit_once('@')?;
    let is_atom =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte);
    let dots_apart = !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
    if local.is_empty() || local.len() > 64 || !dots_apart || !local.bytes().all(is_atom) {
        return None;
    }
    let address = format!("{}@{}", local.to_ascii_lowercase(), self::domain(domain)?);
    (address.len() <= 254).then_some(address)
}

/// A domain of addresses, in lower case and in ASCII.
pub(crate) fn domain(text: &str) -> Option<String> {
    let domain = idna::domain_to_ascii_strict(text).ok()?;
    let last = domain.rsplit_once('.')?.1;
    let is_name = last.len() > 1 && last.bytes().any(|byte| byte.is_ascii_alphabetic());
    is_name.then_some(domain)
}

/// A normalized address of Gmail without the dots before its `@`, which Gmail does not read.
pub(crate) fn dotless(address: &str) -> Option<String> {
    let (local, domain) = address.split_once('@')?;
    let is_gmail = matches!(domain, "gmail.com" | "googlemail.com");
    is_gmail.then(|| format!("{}@{domain}", local.replace('.', "")))
}

/// `+` and 7 to 15 digits (E.164); spaces, hyphens and parentheses between them are let through.
fn phone_number(text: &str) -> Option<String> {
    let compact: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    let digits = compact.strip_prefix('+')?;
    let fits = (7..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    fits.then_some(compact)
}

/// An Ethereum address, `0x` and 40 hexadecimal digits, or a Solana one in base 58.
fn web3_wallet(text: &str) -> Option<String> {
    if let Some(hex) = text.strip_prefix("0x") {
        let fits = hex.len() == 40 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        return fits.then(|| text.to_ascii_lowercase());
    }
    let is_base58 = |byte: u8| byte.is_ascii_alphanumeric() && !b"0OIl".contains(&byte);
    ((32..=44).contains(&text.len()) && text.bytes().all(is_base58)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{ADMIN, Verification, email_address, phone_number, web3_wallet};

    #[test]
    fn addresses_have_one_spelling_or_none() {
        let cases = [
            ("Ada@Example.COM", Some("ada@example.com")),
            ("ada+news@bücher.example", Some("ada+news@xn--bcher-kva.example")),
            ("ada@localhost", None),
            ("ada@example.c", None),
            ("a da@example.com", None),
            (".ada@example.com", None),
            ("a..da@example.com", None),
            ("@example.com", None),
            ("ada@xn--a.com", None),
            ("ada@exa mple.com", None),
            ("ada", None),
            (" ada@example.com ", Some("ada@example.com")),
        ];
        for (text, expected) in cases {
            assert_eq!(email_address(text).as_deref(), expected, "{text}");
        }
        assert_eq!(email_address(&format!("{}@example.com", "a".repeat(65))), None);
    }

    #[test]
    fn otp_13_one_address_is_one_address() {
        let cases = [
            "a@x.com,b@y.com",
            "a@x.com;b@y.com",
            "\"a@x.com\"@y.com",
            "a@x.com\r\n",
            "\r\na@x.com",
            "a@x.com\nBcc: b@y.com",
            "a\r\nBcc:b@y.com",
            "<a@x.com>",
            "A <a@x.com>",
            "a(comment)@x.com",
            "a@x.com(comment)",
            "a@[127.0.0.1]",
            "a@x.com/",
            "ａ@x.com",
        ];
        for text in cases {
            assert_eq!(email_address(text), None, "{text:?}");
        }
    }

    #[test]
    fn phone_numbers_are_international() {
        assert_eq!(phone_number("+1 (555) 555-0100").as_deref(), Some("+15555550100"));
        for text in
            ["5555550100", "+05555550100", "+1555x", "+１５５５５５５０１００", "", "+123456"]
        {
            assert_eq!(phone_number(text), None, "{text}");
        }
    }

    #[test]
    fn wallets_are_addresses() {
        let wallet = "0xAb5801a7D398351b8bE11C439e05C5B3259aeC9B";
        assert_eq!(web3_wallet(wallet), Some(wallet.to_ascii_lowercase()));
        assert_eq!(web3_wallet("0x12"), None);
    }

    #[test]
    fn an_administrators_word_is_stored_as_it_is_recognised() {
        let stored = serde_json::to_string(&Verification::admin()).expect("written");
        assert_eq!(stored, ADMIN);
    }
}
