//! Messages to people: what they say, and how a development server reads them again.
//!
//! A message is an event of the outbox, which holds it sealed: it lets somebody in.

use db::{Column, Mode, Record};
use serde_json::{Value, json};
use wire::{
    Id, Metadata, Tag, Timestamp,
    backend::messages::{Email, SmsMessage},
};

use crate::{
    Cx, Event, Message, Result, World, identifications::IdentificationRow, instances::InstanceId,
    outbox,
};

/// Messages that are read at once.
const READ_MAX: u32 = 100;
/// Messages are read when they are as old as this: older ones are written by then.
const SETTLED_MS: i64 = 500;

/// Sends a code to an e-mail address, to prove it or to reset a password with it.
pub(crate) async fn address_code(
    cx: &mut Cx,
    to: Recipient<'_>,
    is_reset: bool,
    code: &str,
) -> Result<()> {
    let (slug, what) = if is_reset {
        ("reset_password_code", "code to reset your password")
    } else {
        ("verification_code", "verification code")
    };
    let text = Text {
        slug,
        subject: format!("{code} is your {what}"),
        lines: [
            format!("Your {what} is {code}."),
            "It is good for ten minutes. If you did not ask for it, nothing needs to be done."
                .to_owned(),
        ],
    };
    email(cx, to, text, json!({ "otp_code": code })).await
}

/// What somebody does who follows a link.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LinkPurpose {
    /// They sign in.
    SignIn,
    /// They sign up.
    SignUp,
    /// They prove an address of theirs.
    Profile,
}

/// Sends a link that proves the e-mail address.
pub(crate) async fn email_link(
    cx: &mut Cx,
    to: Recipient<'_>,
    purpose: LinkPurpose,
    url: &str,
) -> Result<()> {
    let (slug, what) = match purpose {
        LinkPurpose::SignIn => ("magic_link_sign_in", "sign in"),
        LinkPurpose::SignUp => ("magic_link_sign_up", "sign up"),
        LinkPurpose::Profile => ("magic_link_user_profile", "verify your address"),
    };
    let text = Text {
        slug,
        subject: format!("Your link to {what}"),
        lines: [
            format!("Follow this link to {what}: {url}"),
            "It is good for ten minutes, and once. If you did not ask for it, do not follow it."
                .to_owned(),
        ],
    };
    email(cx, to, text, json!({ "magic_link": url, "ttl_minutes": 10 })).await
}

/// Tells a user that somebody guessed at their account until it was locked.
pub(crate) async fn account_locked(cx: &mut Cx, to: &IdentificationRow) -> Result<()> {
    let text = Text {
        slug: "account_locked",
        subject: "Your account was locked for a while".to_owned(),
        lines: [
            "There were too many failed attempts to sign in to your account.".to_owned(),
            "If this was not you, your password was not found out. Sessions that you have go on."
                .to_owned(),
        ],
    };
    email(cx, Recipient::from(to), text, json!({})).await
}

/// Tells a user that they are signed in where they never were before.
pub(crate) async fn new_device_sign_in(
    cx: &mut Cx,
    to: &IdentificationRow,
    device: &str,
) -> Result<()> {
    let text = Text {
        slug: "new_device_sign_in",
        subject: "A new device is signed in to your account".to_owned(),
        lines: [
            format!("Somebody signed in to your account from a new device: {device}."),
            "If this was not you, change your password and sign out of all devices.".to_owned(),
        ],
    };
    email(cx, Recipient::from(to), text, json!({ "device": device })).await
}

/// Tells a user that their password is another one.
pub(crate) async fn password_changed(cx: &mut Cx, to: &IdentificationRow) -> Result<()> {
    let text = Text {
        slug: "password_changed",
        subject: "Your password was changed".to_owned(),
        lines: [
            "The password of your account was changed.".to_owned(),
            "If this was not you, please get in touch with us.".to_owned(),
        ],
    };
    email(cx, Recipient::from(to), text, json!({})).await
}

/// Tells the one who had this address as their primary one that it no longer is.
pub(crate) async fn primary_email_address_changed(
    cx: &mut Cx,
    to: &IdentificationRow,
    new: &str,
) -> Result<()> {
    let text = Text {
        slug: "primary_email_address_changed",
        subject: "Your primary e-mail address was changed".to_owned(),
        lines: [
            format!("Your primary e-mail address is now {new}."),
            "If this was not you, please get in touch with us.".to_owned(),
        ],
    };
    email(cx, Recipient::from(to), text, json!({ "new_email_address": new })).await
}

/// An invitation, as its mail has it.
pub(crate) struct Invited<'a> {
    /// Which mail.
    pub(crate) template: &'static str,
    /// Whom it goes to.
    pub(crate) email_address: &'a str,
    /// Where one signs up.
    pub(crate) url: &'a str,
    /// How long it is good for.
    pub(crate) days: i64,
}

/// Sends an invitation to the address.
pub(crate) async fn invitation(cx: &mut Cx, invited: Invited<'_>) -> Result<()> {
    let Invited { template, email_address, url, days } = invited;
    let text = Text {
        slug: template,
        subject: "You are invited to sign up".to_owned(),
        lines: [
            format!("Follow this link to sign up: {url}"),
            format!("It is good for {days} days, once, and for this address alone."),
        ],
    };
    let data = json!({ "action_url": url, "invitation": { "expires_in_days": days } });
    email(cx, Recipient::from(email_address), text, data).await
}

/// Tells the address that it is on the waitlist.
pub(crate) async fn waitlist_confirmation(cx: &mut Cx, email_address: &str) -> Result<()> {
    let text = Text {
        slug: "waitlist_confirmation",
        subject: "You are on the waitlist".to_owned(),
        lines: [
            "You are on the waitlist.".to_owned(),
            "As soon as there is a place for you, we shall send you an invitation.".to_owned(),
        ],
    };
    email(cx, Recipient::from(email_address), text, json!({})).await
}

struct Text {
    slug: &'static str,
    subject: String,
    lines: [String; 2],
}

/// Whom a message goes to.
#[derive(Clone, Copy)]
pub(crate) struct Recipient<'a> {
    value: &'a str,
    /// Where the address is a user's.
    identification: Option<&'a IdentificationRow>,
}

impl<'a> Recipient<'a> {
    /// The address or the number.
    pub(crate) fn value(&self) -> &'a str {
        self.value
    }
}

impl<'a> From<&'a IdentificationRow> for Recipient<'a> {
    fn from(row: &'a IdentificationRow) -> Self {
        Self { value: &row.value, identification: Some(row) }
    }
}

impl<'a> From<&'a str> for Recipient<'a> {
    fn from(value: &'a str) -> Self {
        Self { value, identification: None }
    }
}

async fn email(cx: &mut Cx, to: Recipient<'_>, text: Text, data: Value) -> Result<()> {
    if is_test(cx, to.value) {
        return Ok(());
    }
    let body: Vec<_> = text.lines.iter().map(|line| format!("<p>{}</p>", escape(line))).collect();
    let email = Email {
        id: cx.id(),
        object: Tag::new(),
        slug: Some(text.slug.to_owned()),
        from_email_name: cx.instance.settings.from_email_address.clone(),
        to_email_address: Some(to.value.to_owned()),
        email_address_id: to.identification.map(|row| row.id.as_str().into()),
        user_id: to.identification.map(|row| row.user_id.clone()),
        subject: Some(text.subject),
        body: Some(body.concat()),
        body_plain: Some(text.lines.join("\n\n")),
        status: Some("queued".to_owned()),
        data: Some(variables(cx, data)),
        delivered_by_clerk: true,
        suppression_reason: None,
        reply_to_email_name: None,
    };
    cx.emit(Event::EmailCreated(&email)).await
}

/// Sends a code to a phone number, to prove it or to reset a password with it.
pub(crate) async fn phone_code(
    cx: &mut Cx,
    to: Recipient<'_>,
    is_reset: bool,
    code: &str,
) -> Result<()> {
    if is_test(cx, to.value) {
        return Ok(());
    }
    let (slug, what) = if is_reset {
        ("reset_password_code", "code to reset your password")
    } else {
        ("verification_code", "verification code")
    };
    let sms = SmsMessage {
        id: cx.id(),
        object: Tag::new(),
        slug: Some(slug.to_owned()),
        // Whoever delivers it has the number.
        from_phone_number: String::new(),
        to_phone_number: to.value.to_owned(),
        phone_number_id: to.identification.map(|row| row.id.as_str().into()),
        user_id: to.identification.map(|row| row.user_id.clone()),
        message: format!("{code} is your {what}. Tell it to nobody."),
        status: "queued".to_owned(),
        data: Some(variables(cx, json!({ "otp_code": code }))),
        delivered_by_clerk: true,
        created_at_ms: Some(cx.wall),
    };
    cx.emit(Event::SmsCreated(&sms)).await
}

/// What templates can speak of. Nothing in it was written by the one who asks.
fn variables(cx: &Cx, data: Value) -> Metadata {
    let Value::Object(mut data) = data else {
        return Metadata::new();
    };
    data.insert("app".to_owned(), json!({ "domain_name": cx.instance.frontend_host }));
    data
}

/// True for identities that tests use: nothing is sent to them, and their code is known.
pub(crate) fn is_test(cx: &Cx, value: &str) -> bool {
    cx.instance.settings.test_mode && is_test_identity(value)
}

/// `ada+clerk_test@example.com`, or `+1XXX55501XX`.
fn is_test_identity(value: &str) -> bool {
    if let Some((local, _)) = value.rsplit_once('@') {
        return local.ends_with("+clerk_test");
    }
    let number = value.strip_prefix("+1").and_then(|digits| digits.get(3..));
    number.is_some_and(|number| number.len() == 7 && number.starts_with("55501"))
}

/// Text that is safe within HTML and its attributes.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A message as one reads it.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Its id in the outbox, from which to read on.
    pub id: Id<Message>,
    /// E-mail address or phone number.
    pub to: String,
    /// `email.created` or `sms.created`.
    pub kind: String,
    /// What it is about, such as `verification_code`.
    pub slug: Option<String>,
    /// Its subject, if it is an e-mail.
    pub subject: Option<String>,
    /// The code in it, if there is one.
    pub code: Option<String>,
    /// The first link in it, if there is one.
    pub link: Option<String>,
    /// All it says, without markup.
    pub body: String,
    /// When it was sent, by the wall clock.
    pub sent_at: Timestamp,
}

/// The newest messages of an instance, to somebody or to all, at most `limit`, from `since` on; the
/// newest one first.
///
/// This opens what the outbox seals, so it is for development, where nobody delivers them.
pub async fn newest(
    world: &World,
    instance_id: &InstanceId,
    to: Option<&str>,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<Sent>> {
    let instance = instance_id.to_value();
    let recipient = to.map(outbox::digest_of_recipient);
    let rows = world.everywhere("newest_messages", Mode::Read, move |mut tx| {
        let (instance, recipient) = (instance.clone(), recipient.clone());
        Box::pin(async move {
            let mut rows = Message::select(&tx)
                .filter("is_sealed and instance_id = ?", [instance])
                .filter("happened_at >= ?", [since.to_value()])
                .order("happened_at desc, id desc")
                .limit(limit);
            if let Some(recipient) = recipient {
                rows = rows.filter("recipient = ?", [db::Value::Text(recipient)]);
            }
            Ok(rows.all(&mut tx).await?)
        })
    });
    rows.await?.iter().map(|row| sent(world, row)).collect()
}

/// Messages of an instance in their order, from the one after `after` on, or from the beginning.
///
/// This opens what the outbox seals, so it is for development, where nobody delivers them.
pub async fn recent(
    world: &World,
    instance_id: &InstanceId,
    after: Option<&Id<Message>>,
) -> Result<Vec<Sent>> {
    let (instance, after) = (instance_id.to_value(), after.cloned());
    let settled = Timestamp((world.seeds.clock)().0 - SETTLED_MS);
    let rows = world.everywhere("messages", Mode::Read, move |mut tx| {
        let (instance, after) = (instance.clone(), after.clone());
        Box::pin(async move {
            let mut rows = Message::select(&tx)
                .filter("is_sealed and instance_id = ?", [instance])
                .filter("happened_at <= ?", [settled.to_value()])
                .order("happened_at, id")
                .limit(READ_MAX);
            let last = match after {
                Some(after) => Message::find(&mut tx, &after).await?,
                None => None,
            };
            if let Some(last) = last {
                let time = last.happened_at.to_value();
                let values = [time.clone(), time, last.id.to_value()];
                rows = rows.filter("happened_at >= ? and (happened_at > ? or id > ?)", values);
            }
            Ok(rows.all(&mut tx).await?)
        })
    });
    rows.await?.iter().map(|row| sent(world, row)).collect()
}

fn sent(world: &World, row: &Message) -> Result<Sent> {
    let data: Value = serde_json::from_slice(&row.data(&world.sealer)?)?;
    let text = |names: [&str; 2]| {
        let found = names.iter().find_map(|name| data.get(name)?.as_str());
        found.unwrap_or_default().to_owned()
    };
    let own = |path| data.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let body = text(["body_plain", "message"]);
    Ok(Sent {
        id: row.id.clone(),
        to: text(["to_email_address", "to_phone_number"]),
        kind: row.kind.clone(),
        slug: own("/slug"),
        subject: own("/subject"),
        code: own("/data/otp_code"),
        link: first_link(&body).map(str::to_owned),
        body,
        sent_at: row.happened_at,
    })
}

/// The first link in a text.
fn first_link(text: &str) -> Option<&str> {
    let mut words = text.split(|letter: char| letter.is_whitespace() || "<>\"".contains(letter));
    let link = words.find(|word| word.starts_with("https://") || word.starts_with("http://"))?;
    // The full stop of the sentence it stands in.
    Some(link.trim_end_matches(['.', ',', ')']))
}

#[cfg(test)]
mod tests {
    use super::{escape, first_link, is_test_identity};

    #[test]
    fn a_link_ends_before_the_sentence_does() {
        let text = "Ada,\n\nfollow https://a.example/v1/verify?token=x.y.z&r=%2F. Or http://no";
        assert_eq!(first_link(text), Some("https://a.example/v1/verify?token=x.y.z&r=%2F"));
        assert_eq!(first_link("Your code is 123456."), None);
    }

    #[test]
    fn test_identities_are_told_by_their_looks() {
        let tests = ["ada+clerk_test@example.com", "+12015550100", "+12015550199"];
        assert!(tests.iter().all(|value| is_test_identity(value)));
        let others = [
            "ada@example.com",
            "clerk_test@example.com",
            "ada+clerk_test+news@example.com",
            "ada@clerk_test.com",
            "+12015550200",
            "+120155501000",
            "+1201555010",
            "+442015550100",
            "+1",
            "",
        ];
        for value in others {
            assert!(!is_test_identity(value), "{value}");
        }
    }

    #[test]
    fn otp_15_markup_is_escaped() {
        let text = "<a href=\"https://evil.example\">Ada & 'Co'</a>";
        let expected =
            "&lt;a href=&quot;https://evil.example&quot;&gt;Ada &amp; &#39;Co&#39;&lt;/a&gt;";
        assert_eq!(escape(text), expected);
    }
}
