//! The table of sign-ins.

use db::{Column as _, Record as _, Value};
use macros::Record;
use serde::{Deserialize, Serialize};
use wire::{
    Metadata, Timestamp,
    backend::{
        clients::ClientId,
        sessions::SessionId,
        sign_ins::SignInId,
        users::UserId,
        verifications::{Verification, VerificationStatus},
    },
};

use super::{identify::Identified, machine::State};
use crate::{
    Cx, Result, error,
    frontend::{client_state::Person, clients},
    identifications::{IdentificationKind, IdentificationRow},
    users::{self, UserRow},
};

/// A sign-in that nobody finished by then is given up: a day.
const ABANDON_MS: i64 = 24 * 3600 * 1000;

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "sign_ins")]
pub(crate) struct SignInRow {
    /// `sia_…`
    pub(crate) id: SignInId,
    pub(crate) instance_id: String,
    /// Where it is under way.
    pub(crate) client_id: ClientId,
    /// It is the one that the client shows.
    pub(crate) is_open: bool,
    /// As it was given.
    pub(crate) identifier: Option<String>,
    /// Who signs in, once that is known.
    pub(crate) user_id: Option<UserId>,
    /// JSON of a `Verification`.
    first_factor_verification: Option<String>,
    /// JSON of a `Verification`.
    second_factor_verification: Option<String>,
    /// The identification that the first factor was prepared with.
    pub(super) first_factor_id: Option<String>,
    /// The identification that the second factor was prepared with.
    pub(super) second_factor_id: Option<String>,
    /// JSON of a `Detail`.
    detail: Option<String>,
    /// What came of it.
    pub(crate) created_session_id: Option<SessionId>,
    /// When it is given up.
    pub(crate) abandon_at: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// What only some sign-ins have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Detail {
    /// What the identifier turned out to be.
    pub(super) identified: Option<Identified>,
    /// Whoever is unknown may go on and sign up.
    pub(super) sign_up_if_missing: bool,
    /// The user was signed in on this client before.
    pub(super) is_known_device: bool,
    /// A new password is due.
    pub(super) is_password_due: bool,
    /// As of when the password is that was right.
    pub(super) password_as_of: Option<Timestamp>,
    /// Who acts as the user.
    pub(super) actor: Option<Metadata>,
    /// Seconds that the session lives at most.
    pub(super) session_lifetime_seconds: Option<i64>,
}

/// One of the two proofs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    First,
    Second,
}

impl Part {
    /// Its name among proofs.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::First => "first_factor",
            Self::Second => "second_factor",
        }
    }
}

impl SignInRow {
    fn new(cx: &Cx, client_id: ClientId) -> Self {
        Self {
            id: cx.id(),
            instance_id: cx.instance_id(),
            client_id,
            is_open: true,
            identifier: None,
            user_id: None,
            first_factor_verification: None,
            second_factor_verification: None,
            first_factor_id: None,
            second_factor_id: None,
            detail: None,
            created_session_id: None,
            abandon_at: Timestamp(cx.now.0 + ABANDON_MS),
            created_at: cx.now,
            updated_at: cx.now,
        }
    }

    /// How a factor is being or was proven, at `now`.
    pub(super) fn verification(&self, part: Part, now: Timestamp) -> Option<Verification> {
        let text = match part {
            Part::First => &self.first_factor_verification,
            Part::Second => &self.second_factor_verification,
        };
        let mut verification: Verification = serde_json::from_str(text.as_deref()?).ok()?;
        let is_late = verification.expire_at.is_some_and(|end| end <= now);
        if is_late && verification.status == VerificationStatus::Unverified {
            verification.status = VerificationStatus::Expired;
        }
        Some(verification)
    }

    /// What only some sign-ins have.
    pub(super) fn detail(&self) -> Detail {
        let detail = self.detail.as_deref().and_then(|text| serde_json::from_str(text).ok());
        detail.unwrap_or_default()
    }
}

/// A sign-in, all of it.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) row: SignInRow,
    pub(super) detail: Detail,
    /// Who signs in.
    pub(super) person: Option<Person>,
}

impl Attempt {
    /// A new one on the visitor's client, which gives up the one before it.
    pub(super) async fn begin(cx: &mut Cx) -> Result<Self> {
        let client = clients::ensure(cx).await?;
        let sql = "update sign_ins set is_open = false, updated_at = $1
                   where instance_id = $2 and client_id = $3 and is_open";
        let instance = Value::Text(cx.instance_id());
        cx.tx.execute(sql, vec![cx.now.to_value(), instance, client.id.to_value()]).await?;
        let row = SignInRow::new(cx, client.id);
        row.insert(&mut cx.tx).await?;
        Ok(Self { row, detail: Detail::default(), person: None })
    }

    /// The sign-in of the visitor's client with this id.
    pub(super) async fn own(cx: &mut Cx, id: &SignInId) -> Result<Self> {
        let client = clients::find(cx).await?.ok_or_else(|| not_found(id))?;
        let row = SignInRow::select(&cx.tx)
            .filter("id = ? and client_id = ?", [id.to_value(), client.id.to_value()]);
        let row = row.first(&mut cx.tx).await?;
        Self::of(cx, row.ok_or_else(|| not_found(id))?).await
    }

    /// The sign-in of this row.
    pub(super) async fn of(cx: &mut Cx, row: SignInRow) -> Result<Self> {
        let person = match &row.user_id {
            Some(id) => Some(users::load(cx, id).await?),
            None => None,
        };
        Ok(Self { detail: row.detail(), row, person })
    }

    /// Notes who signs in.
    pub(super) async fn is_of(&mut self, cx: &mut Cx, person: Person) -> Result<()> {
        let sql = "select id from sessions where instance_id = $1 and client_id = $2
                       and user_id = $3 limit 1";
        let (client, user) = (self.row.client_id.to_value(), person.0.id.to_value());
        let values = vec![Value::Text(cx.instance_id()), client, user];
        self.detail.is_known_device = !cx.tx.rows(sql, values).await?.is_empty();
        self.row.user_id = Some(person.0.id.clone());
        self.person = Some(person);
        Ok(())
    }

    /// Notes how a factor is being or was proven.
    pub(super) fn set_verification(&mut self, part: Part, now: &Verification) -> Result<()> {
        let text = Some(serde_json::to_string(now)?);
        match part {
            Part::First => self.row.first_factor_verification = text,
            Part::Second => self.row.second_factor_verification = text,
        }
        Ok(())
    }

    /// How far it is.
    pub(super) fn state(&self, cx: &Cx) -> State {
        super::machine::state(super::progress(
            &cx.instance.settings,
            cx.now,
            (&self.row, &self.detail),
            self.person.as_ref(),
        ))
    }

    /// Writes it back.
    pub(super) async fn save(&mut self, cx: &mut Cx) -> Result<()> {
        let is_usual = self.detail == Detail::default();
        self.row.detail = (!is_usual).then(|| serde_json::to_string(&self.detail)).transpose()?;
        self.row.updated_at = cx.now;
        Ok(self.row.update(&mut cx.tx).await?)
    }

    /// The user.
    pub(super) fn user(&self) -> Option<&UserRow> {
        self.person.as_ref().map(|(user, _)| user)
    }

    /// The user's identification with this id, or with the one that was made up for it.
    pub(super) fn identification(&self, id: &str) -> Option<&IdentificationRow> {
        let named = self.detail.identified.as_ref().filter(|own| own.id.as_deref() == Some(id));
        let is_meant =
            |row: &&IdentificationRow| row.id == id || named.is_some_and(|named| named.is_of(row));
        self.person.as_ref()?.1.iter().find(is_meant)
    }
}

pub(super) fn not_found(id: &SignInId) -> wire::Refusal {
    error::not_found("sign-in", id.as_str())
}

/// What somebody unknown has proven in the sign-in of a client: it waits to become a sign-up.
pub(crate) async fn transferable(
    cx: &mut Cx,
    client_id: &ClientId,
) -> Result<Option<(IdentificationKind, String, Verification)>> {
    let row = SignInRow::select(&cx.tx).filter(
        "client_id = ? and is_open and abandon_at > ?",
        [client_id.to_value(), cx.now.to_value()],
    );
    let Some(row) = row.first(&mut cx.tx).await? else { return Ok(None) };
    let first = row.verification(Part::First, cx.now);
    let proven = first.filter(|one| one.status == VerificationStatus::Transferable);
    let (Some(mut verification), Some(identified)) = (proven, row.detail().identified) else {
        return Ok(None);
    };
    verification.status = VerificationStatus::Verified;
    Ok(identified.kind().map(|kind| (kind, identified.value, verification)))
}
