//! Where frameworks send whoever has an application without an account; shows nothing of it.

use std::{borrow::Cow, sync::Arc};

use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use domain::{Result, World, accountless_applications};

use super::{Asked, html};

/// Where somebody says that an application is theirs.
pub(super) const PATH: &str = "/apps/claim";

/// Answers what is asked below `/apps/`. Only a form that is sent changes anything.
pub(super) async fn serve(world: &Arc<World>, asked: &Asked<'_>) -> Result<Response<Body>> {
    let token = if asked.path == PATH { token(asked.query) } else { None };
    let claimed = match &token {
        Some(token) if asked.posts => accountless_applications::claim(world, token).await?,
        Some(token) => accountless_applications::is_claimed(world, token).await?,
        None => None,
    };
    let (title, said) = match claimed {
        Some(true) => ("Your application is yours", "<p>It is claimed.</p>"),
        // The form is sent to where the page is, token and all.
        Some(false) => (
            "Your application is here",
            "<p>Nobody has claimed it yet. Once you do, it says so no more.</p>\
             <form method=\"post\"><button>Claim the application</button></form>",
        ),
        None => ("Your application is here", ""),
    };
    let advice = format!(
        "{said}<p>The application is on this server, and on no other. To keep it, put its keys \
         into the environment of your app. They are shown where the server’s data are:</p>\
         <pre>vestry instance list\nvestry keys --instance ins_…</pre>"
    );
    Ok(html::notice_with_form(StatusCode::OK, asked.prefix, title, &advice))
}

fn token(query: &str) -> Option<Cow<'_, str>> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "token").map(|(_, token)| token)
}
