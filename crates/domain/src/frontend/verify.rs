//! Links in mails.

use url::Url;
use wire::{
    NoContent, backend::verifications::VerificationStatus, frontend::verifications::Verify, refusal,
};

use super::{client_state, clients, identifications, redirects, sign_ins, sign_ups};
use crate::{
    Cx, Error, Operations, Outside, Result,
    proofs::{self, Opened, ProofRow},
};

/// What the Frontend API offers about them.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor_outside(verify)
}

/// Follow a link; leads back to the app.
async fn verify(outside: &Outside, request: Verify) -> Result<NoContent> {
    match outside.write(follow, request.clone()).await {
        // What it proves is of no use any more, such as an address that somebody else has by now.
        // The page that it leads to has to tell.
        Err(Error::Refused(refusal)) if refusal.status >= 429 => Err(refusal.into()),
        Err(Error::Refused(_) | Error::Taken { .. }) => outside.read(turn_away, request).await,
        other => other,
    }
}

async fn turn_away(cx: &mut Cx, request: Verify) -> Result<NoContent> {
    let (_, url) = find(cx, &request.token).await?;
    let location = redirects::with(url, &[("__clerk_status", "failed")]);
    cx.reply.headers.push(("location", location));
    Ok(NoContent)
}

/// The link, and where it leads.
async fn find(cx: &mut Cx, token: &str) -> Result<(ProofRow, Url)> {
    let Some(proof) = proofs::of_link(cx, token).await? else {
        let reason = "This link is not one that was sent, or a newer one took its place.";
        return Err(refusal::verification_link_token_invalid().because(reason).into());
    };
    let url = proof.redirect_url.as_deref().and_then(|url| Url::parse(url).ok());
    let url = url.ok_or_else(|| Error::Broken("a link leads nowhere".into()))?;
    Ok((proof, url))
}

async fn follow(cx: &mut Cx, request: Verify) -> Result<NoContent> {
    let (mut proof, url) = find(cx, &request.token).await?;
    let opener = clients::known(cx).await?;
    let is_own = opener.is_some() && opener == proof.client_id;
    let must_be_own = cx.instance.settings.attack_protection.email_link_require_same_client;
    let opened = match proof.status(cx.now) {
        VerificationStatus::Expired => Opened::with("expired"),
        VerificationStatus::Unverified if must_be_own && !is_own => Opened::with("client_mismatch"),
        VerificationStatus::Unverified if proofs::take_link(cx, &mut proof).await? => {
            match proof.owner_id.split_once('_') {
                Some(("sia", _)) => sign_ins::opened(cx, &proof, opener).await?,
                Some(("sua", _)) => sign_ups::opened(cx, &proof, opener).await?,
                Some(("idn", _)) => identifications::opened(cx, &proof, opener).await?,
                _ => Opened::with("failed"),
            }
        }
        _ => Opened::with("failed"),
    };
    let mut parameters = vec![("__clerk_status", opened.status)];
    if let Some(id) = &opened.session_id {
        parameters.push(("__clerk_created_session", id.as_str()));
        // The browser is told that somebody is signed in, as by any change.
        cx.reply.visit.state = client_state::read(cx, ()).await?.map(Box::new);
    }
    cx.reply.headers.push(("location", redirects::with(url, &parameters)));
    Ok(NoContent)
}
