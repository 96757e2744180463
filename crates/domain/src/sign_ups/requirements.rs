//! What a sign-up needs before it becomes a user.
//!
//! All of it follows from the settings and the row; the browser is told, and asks for what is
//! missing. The rules:
//!
//! - An attribute that is on is required or optional, as its settings say. So are the terms, where
//!   they must be accepted. Social providers that are on are optional.
//! - A required field is missing until something is given. A password is not asked of those who
//!   come with a wallet or an account elsewhere, since these let them in.
//! - Nobody becomes a user without being known by something, nor without a way back in: where the
//!   settings leave both open, the first identifier that is on, or a password, is missing all the
//!   same.
//! - An address, a number or a wallet that was given is unverified until it is proven, even if its
//!   attribute was switched off since: it would become a verified one of the user. Where the
//!   settings do not ask for a proof, the user has it without one.

use crate::{Settings, identifications::IdentificationKind, settings::Attribute};

use super::SignUpRow;

/// Kinds that have to be proven, in the order people are asked.
const PROVEN: [IdentificationKind; 3] = [
    IdentificationKind::EmailAddress,
    IdentificationKind::PhoneNumber,
    IdentificationKind::Web3Wallet,
];

/// Wallets of Ethereum sign with these.
const ETHEREUM: [&str; 4] = [
    "web3_metamask_signature",
    "web3_base_signature",
    "web3_coinbase_wallet_signature",
    "web3_okx_wallet_signature",
];

/// The fields of a sign-up by what is to be done about them, each in the order people are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// Nobody signs up without them.
    pub required: Vec<String>,
    /// They may be given.
    pub optional: Vec<String>,
    /// They must be given and are not yet.
    pub missing: Vec<String>,
    /// They were given and are not proven yet.
    pub unverified: Vec<String>,
}

/// A field, as the settings and the row have it.
struct Field {
    name: &'static str,
    enabled: bool,
    required: bool,
    given: bool,
    /// A user is known by it.
    identifies: bool,
    /// A user can sign in with it, and with nothing else.
    lets_in: bool,
}

/// What a sign-up needs under these settings.
pub fn requirements(settings: &Settings, row: &SignUpRow) -> Requirements {
    let fields = fields(settings, row);
    let named = |chosen: &dyn Fn(&Field) -> bool| -> Vec<String> {
        fields.iter().filter(|field| chosen(field)).map(|field| field.name.to_owned()).collect()
    };
    let providers = settings.social.iter().filter(|(_, provider)| provider.enabled);
    let mut optional = named(&|field| field.enabled && !field.required);
    optional.extend(providers.map(|(strategy, _)| strategy.clone()));
    let has_account = row.is_verified(IdentificationKind::ExternalAccount);
    let nameless = if has_account { None } else { nameless(&fields) };
    let has_wallet =
        fields.iter().any(|field| field.name == "web3_wallet" && field.given && field.lets_in);
    let is_expected = |field: &Field| field.given || field.required || Some(field.name) == nameless;
    let has_way_in = has_account || fields.iter().any(|field| field.lets_in && is_expected(field));
    let missing = named(&|field| {
        let asked = match field.name {
            "password" => (field.required && !has_account && !has_wallet) || !has_way_in,
            name => field.required || Some(name) == nameless,
        };
        field.enabled && asked && !field.given
    });
    let unproven = PROVEN.iter().filter(|kind| row.value(**kind).is_some());
    let unproven = unproven.filter(|kind| must_be_proven(settings, **kind));
    let unproven = unproven.filter(|kind| !row.is_verified(**kind));
    Requirements {
        required: named(&|field| field.enabled && field.required),
        optional,
        missing,
        unverified: unproven.map(|kind| kind.as_str().to_owned()).collect(),
    }
}

/// True unless the settings let it in without a proof.
pub(crate) fn must_be_proven(settings: &Settings, kind: IdentificationKind) -> bool {
    let attribute = match kind {
        IdentificationKind::EmailAddress => &settings.attributes.email_address,
        IdentificationKind::PhoneNumber => &settings.attributes.phone_number,
        _ => return true,
    };
    attribute.verify_at_sign_up || !attribute.enabled
}

/// All fields, in the order people are asked.
fn fields(settings: &Settings, row: &SignUpRow) -> [Field; 8] {
    let all = &settings.attributes;
    let field = |name, attribute: &Attribute, value: &Option<String>| Field {
        name,
        enabled: attribute.enabled,
        required: attribute.enabled && attribute.required,
        given: value.is_some(),
        identifies: false,
        lets_in: false,
    };
    let identifier = |name, attribute: &Attribute, value: &Option<String>| Field {
        identifies: true,
        lets_in: attribute.enabled && attribute.used_for_first_factor,
        ..field(name, attribute, value)
    };
    let consent = settings.sign_up.legal_consent;
    [
        identifier("email_address", &all.email_address, &row.email_address),
        identifier("phone_number", &all.phone_number, &row.phone_number),
        // A username says who somebody is, and proves nothing.
        Field { lets_in: false, ..identifier("username", &all.username, &row.username) },
        identifier("web3_wallet", &all.web3_wallet, &row.web3_wallet),
        field("first_name", &all.first_name, &row.first_name),
        field("last_name", &all.last_name, &row.last_name),
        field("password", &all.password, &row.password),
        Field {
            name: "legal_accepted",
            enabled: consent,
            required: consent,
            given: row.legal_accepted_at.is_some(),
            identifies: false,
            lets_in: false,
        },
    ]
}

/// The identifier to ask for where none was given and the settings require none.
fn nameless(fields: &[Field]) -> Option<&'static str> {
    let known = fields.iter().any(|field| field.identifies && (field.given || field.required));
    let first = fields.iter().find(|field| field.identifies && field.enabled)?;
    (!known).then_some(first.name)
}

/// How what a sign-up says of one kind can be proven.
pub fn supported_strategies(
    settings: &Settings,
    row: &SignUpRow,
    kind: IdentificationKind,
) -> Vec<String> {
    let strategies: &[&str] = match kind {
        IdentificationKind::EmailAddress => {
            let ways = &settings.attributes.email_address.verifications;
            return ways.iter().map(|way| way.as_str().to_owned()).collect();
        }
        IdentificationKind::PhoneNumber => &["phone_code"],
        IdentificationKind::Web3Wallet => match row.value(kind) {
            Some(wallet) if !wallet.starts_with("0x") => &["web3_solana_signature"],
            _ => &ETHEREUM,
        },
        IdentificationKind::Passkey | IdentificationKind::ExternalAccount => &[],
    };
    strategies.iter().map(|strategy| (*strategy).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use wire::{
        Timestamp,
        backend::verifications::{Verification, VerificationObject, VerificationStatus},
    };

    use super::*;
    use crate::settings::SocialProvider;

    fn row() -> SignUpRow {
        SignUpRow::blank("sua_1".into(), "ins_1".to_owned(), "client_1".into(), Timestamp(0))
    }

    /// Settings where nothing but what a case switches on is on.
    fn settings(change: impl FnOnce(&mut Settings)) -> Settings {
        let mut settings = Settings::default();
        let all = &mut settings.attributes;
        for attribute in [
            &mut all.email_address,
            &mut all.phone_number,
            &mut all.username,
            &mut all.web3_wallet,
            &mut all.first_name,
            &mut all.last_name,
            &mut all.password,
        ] {
            (attribute.enabled, attribute.required) = (false, false);
        }
        change(&mut settings);
        settings
    }

    fn on(attribute: &mut Attribute, required: bool) {
        (attribute.enabled, attribute.required) = (true, required);
        attribute.used_for_first_factor = true;
        attribute.verify_at_sign_up = true;
    }

    fn proof(status: VerificationStatus) -> Verification {
        Verification::new(VerificationObject::Otp, status, "email_code")
    }

    /// The four lists, each joined: required, optional, missing, unverified.
    fn lists(settings: &Settings, row: &SignUpRow) -> [String; 4] {
        let Requirements { required, optional, missing, unverified } = requirements(settings, row);
        [required, optional, missing, unverified].map(|fields| fields.join(" "))
    }

    fn give(row: &mut SignUpRow, kind: IdentificationKind, value: &str) {
        row.set_value(kind, Some(value)).expect("a value of its kind");
    }

    type Case = (&'static str, fn(&mut Settings), fn(&mut SignUpRow), [&'static str; 4]);

    const EMAIL: IdentificationKind = IdentificationKind::EmailAddress;
    const PHONE: IdentificationKind = IdentificationKind::PhoneNumber;
    const WALLET: IdentificationKind = IdentificationKind::Web3Wallet;
    const ACCOUNT: IdentificationKind = IdentificationKind::ExternalAccount;
    const ETHEREUM_WALLET: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

    fn email_and_password(settings: &mut Settings) {
        on(&mut settings.attributes.email_address, true);
        on(&mut settings.attributes.password, true);
    }

    fn email_or_phone(settings: &mut Settings) {
        on(&mut settings.attributes.email_address, false);
        on(&mut settings.attributes.phone_number, false);
    }

    fn username_and_password(settings: &mut Settings) {
        on(&mut settings.attributes.username, true);
        on(&mut settings.attributes.password, false);
    }

    fn account(row: &mut SignUpRow) {
        row.external_account = Some("{}".to_owned());
        let verified = proof(VerificationStatus::Verified);
        row.set_verification(ACCOUNT, &verified).expect("written");
    }

    #[rustfmt::skip]
    const CASES: &[Case] = &[
        ("nothing is known yet", email_and_password, |_| {},
            ["email_address password", "", "email_address password", ""]),
        ("an address without a proof", email_and_password, |row| give(row, EMAIL, "a@example.com"),
            ["email_address password", "", "password", "email_address"]),
        ("an address whose proof is under way", email_and_password, |row| {
            give(row, EMAIL, "a@example.com");
            row.set_verification(EMAIL, &proof(VerificationStatus::Unverified)).expect("written");
        }, ["email_address password", "", "password", "email_address"]),
        ("all that is asked", email_and_password, |row| {
            give(row, EMAIL, "a@example.com");
            row.set_verification(EMAIL, &proof(VerificationStatus::Verified)).expect("written");
            row.password = Some("digest".to_owned());
        }, ["email_address password", "", "", ""]),
        ("another address is to be proven anew", email_and_password, |row| {
            give(row, EMAIL, "a@example.com");
            row.set_verification(EMAIL, &proof(VerificationStatus::Verified)).expect("written");
            give(row, EMAIL, "b@example.com");
            row.password = Some("digest".to_owned());
        }, ["email_address password", "", "", "email_address"]),
        ("the same address in another spelling is not", email_and_password, |row| {
            give(row, EMAIL, "a@example.com");
            row.set_verification(EMAIL, &proof(VerificationStatus::Verified)).expect("written");
            give(row, EMAIL, " A@Example.com");
        }, ["email_address password", "", "password", ""]),
        ("an account elsewhere needs no password", email_and_password, |row| {
            account(row);
            give(row, EMAIL, "a@example.com");
            row.set_verification(EMAIL, &proof(VerificationStatus::Verified)).expect("written");
        }, ["email_address password", "", "", ""]),
        ("an account elsewhere without an address does need that", email_and_password, account,
            ["email_address password", "", "email_address", ""]),
        ("an account elsewhere that is not proven counts for nothing", email_and_password, |row| {
            row.external_account = Some("{}".to_owned());
        }, ["email_address password", "", "email_address password", ""]),
        ("nobody is nameless", email_or_phone, |_| {},
            ["", "email_address phone_number", "email_address", ""]),
        ("a number is a name", email_or_phone, |row| give(row, PHONE, "+12015550123"),
            ["", "email_address phone_number", "", "phone_number"]),
        ("an account elsewhere is a name", email_or_phone, account,
            ["", "email_address phone_number", "", ""]),
        ("what is given is proven, even if it is optional", email_or_phone, |row| {
            give(row, PHONE, "+12015550123");
            give(row, EMAIL, "a@example.com");
        }, ["", "email_address phone_number", "", "email_address phone_number"]),
        ("a username alone opens nothing", username_and_password, |_| {},
            ["username", "password", "username password", ""]),
        ("a username with a password does", username_and_password, |row| {
            row.username = Some("ada".to_owned());
            row.password = Some("digest".to_owned());
        }, ["username", "password", "", ""]),
        ("a username with an address does", |settings| {
            username_and_password(settings);
            on(&mut settings.attributes.email_address, false);
        }, |row| {
            row.username = Some("ada".to_owned());
            give(row, EMAIL, "a@example.com");
        }, ["username", "email_address password", "", "email_address"]),
        ("an address that nobody signs in with does not", |settings| {
            username_and_password(settings);
            on(&mut settings.attributes.email_address, false);
            settings.attributes.email_address.used_for_first_factor = false;
        }, |row| {
            row.username = Some("ada".to_owned());
            give(row, EMAIL, "a@example.com");
        }, ["username", "email_address password", "password", "email_address"]),
        ("a wallet needs no password", |settings| {
            on(&mut settings.attributes.web3_wallet, false);
            on(&mut settings.attributes.password, true);
        }, |row| give(row, WALLET, ETHEREUM_WALLET),
            ["password", "web3_wallet", "", "web3_wallet"]),
        ("names and terms", |settings| {
            email_or_phone(settings);
            on(&mut settings.attributes.first_name, true);
            on(&mut settings.attributes.last_name, false);
            settings.sign_up.legal_consent = true;
        }, |row| give(row, PHONE, "+12015550123"),
            ["first_name legal_accepted", "email_address phone_number last_name",
             "first_name legal_accepted", "phone_number"]),
        ("terms that were accepted", |settings| {
            email_or_phone(settings);
            settings.sign_up.legal_consent = true;
        }, |row| {
            give(row, PHONE, "+12015550123");
            row.legal_accepted_at = Some(Timestamp(1));
        }, ["legal_accepted", "email_address phone_number", "", "phone_number"]),
        ("what is required but off is not asked", |settings| {
            email_or_phone(settings);
            settings.attributes.username.required = true;
        }, |row| give(row, PHONE, "+12015550123"),
            ["", "email_address phone_number", "", "phone_number"]),
        ("what was given before it was switched off is still to be proven", |settings| {
            on(&mut settings.attributes.phone_number, true);
        }, |row| {
            give(row, PHONE, "+12015550123");
            give(row, EMAIL, "a@example.com");
        }, ["phone_number", "", "", "email_address phone_number"]),
        ("providers that are switched on are optional", |settings| {
            email_or_phone(settings);
            for (strategy, enabled) in [("oauth_github", true), ("oauth_google", false)] {
                let provider = SocialProvider { enabled, ..SocialProvider::default() };
                settings.social.insert(strategy.to_owned(), provider);
            }
        }, |row| give(row, PHONE, "+12015550123"),
            ["", "email_address phone_number oauth_github", "", "phone_number"]),
    ];

    #[test]
    fn what_is_needed_follows_from_settings_and_row() {
        for (what, change, fill, expected) in CASES {
            let settings = settings(change);
            let mut row = row();
            fill(&mut row);
            assert_eq!(lists(&settings, &row), *expected, "{what}");
            let met = expected[2].is_empty() && expected[3].is_empty();
            let Requirements { missing, unverified, .. } = requirements(&settings, &row);
            assert_eq!(missing.is_empty() && unverified.is_empty(), met, "{what}");
        }
    }

    #[test]
    fn a_new_application_asks_for_an_address_and_a_password() {
        let [required, optional, missing, unverified] = lists(&Settings::development(), &row());
        let needed = "email_address password";
        assert_eq!([&*required, &*missing, &*unverified], [needed, needed, ""]);
        assert_eq!(optional, "first_name last_name");
    }

    #[test]
    fn wallets_sign_as_their_chain_does() {
        let mut row = row();
        give(&mut row, WALLET, ETHEREUM_WALLET);
        assert_eq!(supported_strategies(&Settings::default(), &row, WALLET).len(), ETHEREUM.len());
        give(&mut row, WALLET, "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv");
        assert_eq!(
            supported_strategies(&Settings::default(), &row, WALLET),
            ["web3_solana_signature"]
        );
    }
}
