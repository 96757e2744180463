//! Tickets: what this server hands out in links, and alone reads again.
//!
//! A ticket is a JWT under a symmetric key of the instance that nobody else has, so that many are
//! made at once without waiting for RSA. Only its digest is stored. The same row gives the same
//! ticket each time, so one that has to be shown again is made again.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use db::{Column as _, Record, Value};
use jwt::decode_unverified;
use serde::Serialize;
use wire::{Refusal, Timestamp, refusal};

use crate::{Cx, Error, Instance, Result, seal::digest_of_secret};

/// What a ticket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketKind {
    /// To sign in once.
    SignInToken,
    /// To sign up.
    Invitation,
    /// To sign in as somebody else.
    ActorToken,
    /// To act for somebody.
    AgentTask,
}

impl TicketKind {
    const ALL: [Self; 4] = [Self::SignInToken, Self::Invitation, Self::ActorToken, Self::AgentTask];

    /// Its name in the claims.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignInToken => "sign_in_token",
            Self::Invitation => "invitation",
            Self::ActorToken => "actor_token",
            Self::AgentTask => "agent_task",
        }
    }

    /// What a ticket says it is for. Nothing is proven by that: it tells where to look.
    pub fn of(ticket: &str) -> Option<Self> {
        let claims = decode_unverified(ticket).ok()?.payload;
        let said = claims.get("st")?.as_str()?.to_owned();
        Self::ALL.into_iter().find(|kind| kind.as_str() == said)
    }
}

/// A row whose ticket is out in the world.
pub(crate) trait Ticketed: Record {
    /// What its tickets are for.
    const KIND: TicketKind;
    /// What else is set when a row ends, behind a comma.
    const AT_END: &'static str = "";

    /// What its ticket says.
    fn ticket(&self) -> Ticket<'_>;
    /// The digest of its ticket.
    fn digest(&self) -> &str;
    /// When somebody took the ticket, and when it was revoked.
    fn ends(&self) -> (Option<Timestamp>, Option<Timestamp>);
    /// Why a ticket that somebody took is refused.
    fn taken() -> Refusal;
    /// Why a ticket that was revoked is refused.
    fn revoked() -> Refusal;
}

/// What differs from ticket to ticket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket<'a> {
    /// The row.
    pub(crate) id: &'a str,
    /// Seconds that it lives.
    pub(crate) lifetime_seconds: i64,
    /// When it ends.
    pub(crate) expires_at: Timestamp,
    /// Where it leads, if that was said.
    pub(crate) redirect_url: Option<&'a str>,
}

/// What a ticket says; the order of the members is part of it.
#[derive(Serialize)]
struct Claims<'a> {
    /// Seconds that it lives.
    eis: i64,
    /// When it expires, in seconds.
    exp: i64,
    /// The instance.
    iid: &'a str,
    /// Where it leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    rurl: Option<&'a str>,
    /// The row.
    sid: &'a str,
    /// What kind of ticket it is.
    st: &'static str,
}

/// A ticket, and what is stored of it.
#[derive(Clone, Debug)]
pub(crate) struct Minted {
    pub(crate) ticket: String,
    pub(crate) digest: String,
}

/// The ticket of a row, which need not be stored yet.
pub(crate) fn mint<R: Ticketed>(instance: &Instance, row: &R) -> Result<Minted> {
    let Ticket { id, lifetime_seconds, expires_at, redirect_url } = row.ticket();
    let claims = Claims {
        eis: lifetime_seconds,
        exp: expires_at.0.div_euclid(1000),
        iid: instance.id.as_str(),
        rurl: redirect_url,
        sid: id,
        st: R::KIND.as_str(),
    };
    let (key, header) = &instance.signer.tickets;
    let ticket = key.sign(header, &claims).map_err(|error| Error::Broken(error.into()))?;
    let digest = digest_of_secret(&ticket);
    Ok(Minted { ticket, digest })
}

/// The ticket of a stored row; nothing if it was made under a key that is no longer in use.
pub(crate) fn shown<R: Ticketed>(instance: &Instance, row: &R) -> Result<Option<String>> {
    let Minted { ticket, digest } = mint(instance, row)?;
    let same = verify_slices_are_equal(digest.as_bytes(), row.digest().as_bytes()).is_ok();
    Ok(same.then_some(ticket))
}

/// The link that takes whoever follows it to where a ticket leads.
pub(crate) fn accept_url(cx: &Cx, ticket: &str) -> String {
    format!("{}/v1/tickets/accept?ticket={ticket}", cx.own_url())
}

/// Takes a ticket, which is worth nothing from then on, and gives the row it stands for.
///
/// Of any number who come with the same ticket one is let in, since looking and writing are one
/// statement; if the transaction is undone, the ticket stays good.
pub(crate) async fn redeem<R: Ticketed>(cx: &mut Cx, ticket: &str) -> Result<R> {
    // It is found by its digest, so the time this takes tells nothing about other tickets. Whoever
    // knows the ticket that belongs to a digest got it from here: there is nothing left for its
    // signature to prove, and none of its claims is believed.
    take(cx, "digest", digest_of_secret(ticket)).await
}

/// The row of a ticket that is good, which it stays.
pub(crate) async fn find<R: Ticketed>(cx: &mut Cx, ticket: &str) -> Result<R> {
    let digest = Value::Text(digest_of_secret(ticket));
    let row = R::select(&cx.tx).filter("digest = ?", [digest]).first(&mut cx.tx).await?;
    let row = row.ok_or_else(refusal::ticket_invalid_code)?;
    let is_good = row.ends() == (None, None) && row.ticket().expires_at > cx.now;
    if is_good { Ok(row) } else { Err(refusal_of(&row).into()) }
}

/// Takes the ticket of the row with this id, as [`redeem`] does.
pub(crate) async fn accept<R: Ticketed>(cx: &mut Cx, id: &str) -> Result<R> {
    take(cx, "id", id.to_owned()).await
}

async fn take<R: Ticketed>(cx: &mut Cx, key: &'static str, value: String) -> Result<R> {
    let value = Value::Text(value);
    if let Some(row) = end::<R>(cx, "accepted_at", (key, value.clone()), true).await? {
        return Ok(row);
    }
    let row = R::select(&cx.tx).filter(&format!("{key} = ?"), [value]).first(&mut cx.tx).await?;
    Err(row.map_or_else(refusal::ticket_invalid_code, |row| refusal_of(&row)).into())
}

fn refusal_of<R: Ticketed>(row: &R) -> Refusal {
    match row.ends() {
        (Some(_), _) => R::taken(),
        (None, Some(_)) => R::revoked(),
        (None, None) => refusal::ticket_expired_code(),
    }
}

/// Revokes the ticket of the row with this id, if it is neither taken nor revoked, and not expired
/// either unless `even_expired`.
pub(crate) async fn revoke<R: Ticketed>(
    cx: &mut Cx,
    id: &str,
    even_expired: bool,
) -> Result<Option<R>> {
    end(cx, "revoked_at", ("id", Value::Text(id.to_owned())), !even_expired).await
}

/// Ends a row that has not ended.
async fn end<R: Ticketed>(
    cx: &mut Cx,
    end: &'static str,
    (key, value): (&'static str, Value),
    in_time: bool,
) -> Result<Option<R>> {
    let live = if in_time { "and expires_at > $1" } else { "" };
    let sql = format!(
        "update {} set {end} = $1, updated_at = $1{}
         where instance_id = $2 and {key} = $3
             and accepted_at is null and revoked_at is null {live}
         returning {}",
        R::TABLE,
        R::AT_END,
        R::COLUMNS.join(", ")
    );
    let values = vec![cx.now.to_value(), Value::Text(cx.instance_id()), value];
    let rows = cx.tx.rows(&sql, values).await?;
    let row = rows.into_iter().next().map(|mut row| R::read(&mut row));
    Ok(row.transpose()?)
}

#[cfg(test)]
mod tests {
    use super::TicketKind;

    #[test]
    fn a_ticket_says_what_it_is_for_or_nothing() {
        let key = jwt::SigningKey::from_secret(jwt::Algorithm::Hs256, &[7; 32]).expect("a key");
        let header = jwt::PreparedHeader::new(jwt::Algorithm::Hs256);
        let said = |st: &str| {
            let claims = serde_json::json!({ "st": st });
            TicketKind::of(&key.sign(&header, &claims).expect("signed"))
        };
        for kind in TicketKind::ALL {
            assert_eq!(said(kind.as_str()), Some(kind));
        }
        assert_eq!(said("session"), None);
        assert_eq!(TicketKind::of("abc"), None);
    }
}
