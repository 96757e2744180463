//! What a user can have, how it is proven, and what it is good for at sign-in.

use serde::{Deserialize, Serialize};

/// A way to prove an attribute, or to sign in with it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    schemars::JsonSchema,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// A code by e-mail.
    EmailCode,
    /// A link by e-mail.
    EmailLink,
    /// A code by text message.
    PhoneCode,
    /// A code of an authenticator app.
    Totp,
    /// One of the codes that were written down.
    BackupCode,
    /// A passkey.
    Passkey,
    /// A signature of this wallet.
    Web3MetamaskSignature,
    /// A signature of this wallet.
    Web3BaseSignature,
    /// A signature of this wallet.
    Web3CoinbaseWalletSignature,
    /// A signature of this wallet.
    Web3OkxWalletSignature,
    /// A signature of this wallet.
    Web3SolanaSignature,
}

use Strategy::{
    BackupCode, EmailCode, EmailLink, Passkey, PhoneCode, Totp, Web3BaseSignature,
    Web3CoinbaseWalletSignature, Web3MetamaskSignature, Web3OkxWalletSignature,
    Web3SolanaSignature,
};

const EMAIL: &[Strategy] = &[EmailCode, EmailLink];
const WEB3: &[Strategy] = &[
    Web3MetamaskSignature,
    Web3BaseSignature,
    Web3CoinbaseWalletSignature,
    Web3OkxWalletSignature,
    Web3SolanaSignature,
];

impl Strategy {
    /// As the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            EmailCode => "email_code",
            EmailLink => "email_link",
            PhoneCode => "phone_code",
            Totp => "totp",
            BackupCode => "backup_code",
            Passkey => "passkey",
            Web3MetamaskSignature => "web3_metamask_signature",
            Web3BaseSignature => "web3_base_signature",
            Web3CoinbaseWalletSignature => "web3_coinbase_wallet_signature",
            Web3OkxWalletSignature => "web3_okx_wallet_signature",
            Web3SolanaSignature => "web3_solana_signature",
        }
    }
}

settings! {
    /// What an attribute is good for; written, it is as the Frontend API's environment shows it.
    Attribute {
        /// It exists; all else counts only while it does.
        enabled: bool = false,
        /// Nobody signs up without it.
        required: bool = false,
        /// One can sign in with it.
        used_for_first_factor: bool = false,
        /// How, beside a password.
        first_factors: Vec<Strategy> = Vec::new(),
        /// It can be the second proof at sign-in.
        used_for_second_factor: bool = false,
        /// How.
        second_factors: Vec<Strategy> = Vec::new(),
        /// How it is proven to be somebody's.
        verifications: Vec<Strategy> = Vec::new(),
        /// A sign-up is not complete before it is proven.
        verify_at_sign_up: bool = false,
        /// Whoever has it cannot change it.
        immutable: bool = false,
    }

    /// What a user can have, and must have.
    Attributes {
        /// E-mail addresses.
        email_address: Attribute = Attribute {
            enabled: true,
            required: true,
            used_for_first_factor: true,
            first_factors: vec![EmailCode],
            verifications: vec![EmailCode],
            verify_at_sign_up: true,
            ..Attribute::default()
        },
        /// Phone numbers.
        phone_number: Attribute = Attribute {
            first_factors: vec![PhoneCode],
            verifications: vec![PhoneCode],
            verify_at_sign_up: true,
            ..Attribute::default()
        },
        /// Usernames.
        username: Attribute = Attribute::default(),
        /// Web3 wallets.
        web3_wallet: Attribute = Attribute::default(),
        /// First names.
        first_name: Attribute = Attribute { enabled: true, ..Attribute::default() },
        /// Last names.
        last_name: Attribute = Attribute { enabled: true, ..Attribute::default() },
        /// Passwords.
        password: Attribute = Attribute { enabled: true, required: true, ..Attribute::default() },
        /// Authenticator apps, as a second factor.
        authenticator_app: Attribute = Attribute {
            second_factors: vec![Totp],
            verifications: vec![Totp],
            ..Attribute::default()
        },
        /// Tickets, such as invitations.
        ticket: Attribute = Attribute { enabled: true, ..Attribute::default() },
        /// Backup codes, as a second factor.
        backup_code: Attribute =
            Attribute { second_factors: vec![BackupCode], ..Attribute::default() },
        /// Passkeys.
        passkey: Attribute = Attribute {
            first_factors: vec![Passkey],
            verifications: vec![Passkey],
            ..Attribute::default()
        },
    }
}

/// What an attribute may name: for a first factor, for a second one, as its proof.
struct Possible(&'static [Strategy], &'static [Strategy], &'static [Strategy]);

impl Attribute {
    fn validate(&self, name: &str, possible: &Possible, wrong: &mut Vec<String>) {
        let lists = [
            ("first_factors", &self.first_factors, possible.0),
            ("second_factors", &self.second_factors, possible.1),
            ("verifications", &self.verifications, possible.2),
        ];
        for (list, named, possible) in lists {
            if let Some(odd) = named.iter().find(|strategy| !possible.contains(strategy)) {
                wrong.push(format!("attributes.{name}.{list} cannot hold {}", odd.as_str()));
            }
            let twice = named.iter().enumerate().find(|(at, item)| named[..*at].contains(item));
            if let Some((_, item)) = twice {
                wrong.push(format!("attributes.{name}.{list} holds {} twice", item.as_str()));
            }
        }
        let mut rule = |holds: bool, text: &str| {
            if !holds {
                wrong.push(format!("attributes.{name}.{text}"));
            }
        };
        rule(
            !self.used_for_second_factor || !self.second_factors.is_empty(),
            "used_for_second_factor needs second_factors",
        );
        rule(
            !self.verify_at_sign_up || !self.verifications.is_empty(),
            "verify_at_sign_up needs verifications",
        );
    }
}

impl Attributes {
    /// By the names that the API has for them.
    pub fn named(&self) -> [(&'static str, &Attribute); 11] {
        [
            ("email_address", &self.email_address),
            ("phone_number", &self.phone_number),
            ("username", &self.username),
            ("web3_wallet", &self.web3_wallet),
            ("first_name", &self.first_name),
            ("last_name", &self.last_name),
            ("password", &self.password),
            ("authenticator_app", &self.authenticator_app),
            ("ticket", &self.ticket),
            ("backup_code", &self.backup_code),
            ("passkey", &self.passkey),
        ]
    }

    pub(super) fn validate(&self, wrong: &mut Vec<String>) {
        for (name, attribute) in self.named() {
            let possible = match name {
                "email_address" => Possible(EMAIL, EMAIL, EMAIL),
                "phone_number" => Possible(&[PhoneCode], &[PhoneCode], &[PhoneCode]),
                "web3_wallet" => Possible(WEB3, &[], WEB3),
                "authenticator_app" => Possible(&[], &[Totp], &[Totp]),
                "backup_code" => Possible(&[], &[BackupCode], &[]),
                "passkey" => Possible(&[Passkey], &[], &[Passkey]),
                _ => Possible(&[], &[], &[]),
            };
            attribute.validate(name, &possible, wrong);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{EMAIL, Strategy, WEB3};

    #[test]
    fn strategies_are_stored_as_the_api_spells_them() {
        let others = [Strategy::PhoneCode, Strategy::Totp, Strategy::BackupCode, Strategy::Passkey];
        for strategy in EMAIL.iter().chain(WEB3).chain(&others) {
            let text = serde_json::to_string(strategy).expect("JSON");
            assert_eq!(text, format!("\"{}\"", strategy.as_str()));
        }
    }
}
