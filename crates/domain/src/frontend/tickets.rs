//! Links of tickets: they lead to the page that takes the ticket, and take nothing themselves, so
//! that whoever looks at a link beforehand, such as a mail server, spends nothing.

use url::Url;
use wire::{NoContent, frontend::tickets::AcceptTicket, refusal};

use super::environment;
use crate::{
    Cx, Error, Operations, Outside, Result, TicketKind,
    identifications::{self, IdentificationKind},
    invitations, sign_in_tokens,
};

/// What the Frontend API offers about them.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor_outside(accept)
}

/// Where a ticket leads.
struct Way {
    /// What is to be done with it.
    status: &'static str,
    /// The page, if whoever made the ticket said so.
    redirect_url: Option<String>,
}

/// Follow the link of a ticket.
async fn accept(outside: &Outside, request: AcceptTicket) -> Result<NoContent> {
    let way = outside.read(way, request.ticket.clone()).await?;
    let pages = environment::display(outside);
    let usual = if way.status == "sign_in" { &pages.sign_in_url } else { &pages.sign_up_url };
    let broken = |error: url::ParseError| Error::Broken(error.into());
    let mut url = match &way.redirect_url {
        // A path is one of the app's own.
        Some(place) => Url::parse(&pages.home_url).and_then(|home| home.join(place)),
        None => Url::parse(usual),
    }
    .map_err(broken)?;
    url.query_pairs_mut()
        .append_pair("__clerk_ticket", &request.ticket)
        .append_pair("__clerk_status", way.status);
    outside.with_reply(|reply| reply.headers.push(("location", url.into())));
    Ok(NoContent)
}

async fn way(cx: &mut Cx, ticket: String) -> Result<Way> {
    match TicketKind::of(&ticket) {
        Some(TicketKind::Invitation) => {
            let (address, redirect_url) = invitations::destination(cx, &ticket).await?;
            let kind = IdentificationKind::EmailAddress;
            let users = identifications::claimed(cx, kind, &[address]);
            let status = if users.exists(&mut cx.tx).await? { "sign_in" } else { "sign_up" };
            Ok(Way { status, redirect_url })
        }
        Some(TicketKind::SignInToken) => {
            sign_in_tokens::look(cx, &ticket).await?;
            Ok(Way { status: "sign_in", redirect_url: None })
        }
        _ => Err(refusal::ticket_invalid_code().into()),
    }
}
