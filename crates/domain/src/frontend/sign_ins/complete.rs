//! How a sign-in ends: with a session.

use db::{Column as _, Value};
use wire::{backend::sessions::SessionActivity, refusal};

use super::{
    Facts,
    machine::State,
    row::{Attempt, Part},
};
use crate::{
    Cx, Result,
    frontend::{sessions, sign_ups},
    identifications, messages, proofs,
    sessions::Beginning,
    users,
};

impl Attempt {
    /// Goes on as far as it can: to a session, if there is nothing left to prove.
    pub(super) async fn advance(mut self, cx: &mut Cx) -> Result<Facts> {
        match self.state(cx) {
            State::Ready => self.complete(cx).await?,
            _ => self.save(cx).await?,
        }
        Ok(self.into())
    }

    async fn complete(&mut self, cx: &mut Cx) -> Result<()> {
        let done = refusal::verification_already_verified;
        let user_id = self.user().map(|user| user.id.clone()).ok_or_else(done)?;
        if self.user().is_some_and(|user| user.banned) {
            let reason = "This account is banned. Please contact support.";
            return Err(refusal::user_banned().because(reason).into());
        }
        if !cx.instance.settings.session.single_session {
            sessions::refuse_second(cx, Some(&user_id)).await?;
        }
        // Of any number who prove the same at once, one has a session of it.
        let sql = "update sign_ins set is_open = false
                   where instance_id = $1 and id = $2 and is_open and created_session_id is null
                   returning id";
        let values = vec![Value::Text(cx.instance_id()), self.row.id.to_value()];
        if cx.tx.rows(sql, values).await?.is_empty() {
            return Err(done().into());
        }
        sign_ups::close(cx, &self.row.client_id).await?;
        users::succeeded(cx, &user_id).await?;
        let strategy = self.row.verification(Part::First, cx.now).map(|first| first.strategy);
        let second = self.row.verification(Part::Second, cx.now);
        let beginning = Beginning {
            actor: self.detail.actor.clone(),
            lifetime_seconds: self.detail.session_lifetime_seconds,
            has_second_factor: second.is_some(),
            ..Beginning::of(user_id.clone())
        };
        let session = sessions::begin(cx, beginning, &strategy.unwrap_or_default()).await?;
        let told = session.latest_activity.clone();
        self.row.is_open = false;
        self.row.created_session_id = Some(session.id);
        self.person = Some(users::load(cx, &user_id).await?);
        self.announce(cx, told.as_deref()).await?;
        self.save(cx).await
    }

    /// Tells the user of a device they were never on, where devices have to be trusted.
    async fn announce(&self, cx: &mut Cx, activity: Option<&str>) -> Result<()> {
        let is_new = cx.instance.settings.sign_in.client_trust && !self.detail.is_known_device;
        let Some((user, all)) = self.person.as_ref().filter(|_| is_new) else { return Ok(()) };
        let Some(address) = users::primary_address(user, all) else { return Ok(()) };
        let activity: Option<SessionActivity> =
            activity.and_then(|text| serde_json::from_str(text).ok());
        let parts = activity.map(|own| [own.browser_name, own.device_type, own.ip_address]);
        let parts: Vec<String> = parts.into_iter().flatten().flatten().collect();
        let device = if parts.is_empty() { "unknown".to_owned() } else { parts.join(", ") };
        messages::new_device_sign_in(cx, address, &device).await
    }

    /// Notes that an address or a number was proven, if that is news.
    pub(super) async fn note_proven(&mut self, cx: &mut Cx, id: Option<&str>) -> Result<()> {
        let verification = self.row.verification(Part::First, cx.now);
        let (Some(verification), Some((user, all))) = (verification, &mut self.person) else {
            return Ok(());
        };
        let proven = all.iter().find(|row| Some(row.id.as_str()) == id && !row.is_verified());
        let Some(mut proven) = proven.cloned() else { return Ok(()) };
        proven.set_verified(&verification)?;
        let kind = proofs::kind_of(&verification.strategy);
        proven.save(cx, kind).await?;
        identifications::put(all, &proven);
        users::save(cx, user, all).await.map(drop)
    }
}
