//! Requests of browsers and apps: from where they come, what they show, what they may read.

use std::{net::IpAddr, sync::Arc};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Response, header},
};
use domain::{
    Answer, Caller, Credentials, Instance, Operation, Outside, Rate, Result, Visitor,
    testing_tokens, visitors,
};
use wire::{Api, Auth, Decode, Payload, Timestamp, refusal};

use crate::{
    App, Found, Target, authenticate, payload, render,
    serve::{Trace, missing},
    versions,
};

/// Mutations of one address that are no people's any more.
const MUTATIONS: Rate = Rate { requests: 300, seconds: 10 };
/// Headers of answers that pages may read.
const READABLE: HeaderValue =
    HeaderValue::from_static("Authorization, Clerk-Db-Jwt, X-Country, Retry-After");
const SECRET_KEY: HeaderName = HeaderName::from_static("clerk-secret-key");

/// Who asks: who is at the other end of the connection, or whom a proxy there forwards for.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// What is in the head of a request besides its headers.
pub(crate) struct Head {
    /// The method that is meant.
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// The host that names the instance.
    pub(crate) host: Option<String>,
}

/// The method that is meant: browsers send `POST` for all that is no `GET`.
pub(crate) fn method(method: &str, query: &str) -> String {
    let meant = parameter(query, "_method").map(|meant| meant.to_ascii_uppercase());
    match meant {
        Some(meant) if method == "POST" && matches!(&*meant, "PUT" | "PATCH" | "DELETE") => meant,
        _ => method.to_owned(),
    }
}

/// A server with several instances may be asked for each under `/_/<host>`.
pub(crate) fn named_instance(path: &str) -> Option<(String, String)> {
    let (host, rest) = path.strip_prefix("/_/")?.split_once('/')?;
    Some((host.to_owned(), format!("/{rest}")))
}

/// Answers a request to the Frontend API.
pub(crate) async fn respond(
    app: &App,
    head: Head,
    request: Request,
    trace: &mut Trace,
) -> Result<Response<Body>> {
    let headers = request.headers();
    let origin = headers.get(header::ORIGIN).cloned();
    trace.cors = Some(Cors { origin: None });
    let instance = instance(app, &head, headers).await?;
    let text = origin.as_ref().and_then(|origin| origin.to_str().ok());
    let is_public = head.path.starts_with("/.well-known/");
    if origin.is_some() && !is_public {
        if !text.is_some_and(|origin| visitors::is_allowed(&instance, origin)) {
            let reason = "Pages of this origin may not use this instance.";
            return Err(refusal::origin_invalid().because(reason).into());
        }
        trace.cors = Some(Cors { origin });
    }
    if head.method == "OPTIONS" {
        return Ok(preflight(headers));
    }
    let (target, values) = match app.routes.find(Api::Frontend, &head.method, trimmed(&head.path)) {
        Found::Target(target, values) => (target, values),
        Found::OtherMethod => return Err(refusal::method_not_allowed().into()),
        Found::Nothing => {
            let reason = "There is nothing at this path.";
            return Err(refusal::resource_not_found().because(reason).into());
        }
    };
    let operation = match target {
        Target::Served(operation) => operation,
        Target::Missing(path) => return Err(missing(path)),
    };
    trace.operation = operation.meta.name;
    let answer = run(app, &operation, instance, values, &head, request).await?;
    Ok(render::answer(answer, &trace.id))
}

async fn run(
    app: &App,
    operation: &Operation,
    instance: Arc<Instance>,
    values: Vec<(String, String)>,
    head: &Head,
    request: Request,
) -> Result<Answer> {
    let meta = &operation.meta;
    let wall = (app.world.seeds.clock)();
    let now = Timestamp(wall.0.saturating_add(instance.clock_offset_ms));
    let visitor = visitor((&instance, now), meta, head, &request)?;
    let limits = &instance.settings.rate_limits;
    if let (true, Some(network)) = (limits.enabled && head.method != "GET", visitor.network()) {
        let who = format!("{} from {network}", instance.id);
        app.limiter.count(who, &MUTATIONS, wall)?;
    }
    let version = versions::asked(request.headers(), &head.query)?;
    let visitor = Arc::new(visitor);
    let outside = || {
        let (world, instance) = (Arc::clone(&app.world), Arc::clone(&instance));
        Outside::new(world, meta.name, instance, Caller::Visitor(Arc::clone(&visitor)))
    };
    let payload = if meta.body == wire::Body::Upload {
        visitor.admit(&instance, meta.auth)?;
        upload(app, &outside(), request).await?
    } else {
        payload::read(Api::Frontend, false, request).await?
    };
    visitor.admit(&instance, meta.auth)?;
    let parts = Decode { path: values, query: head.query.clone(), payload, version };
    let (id, outside) = (instance.id.clone(), outside());
    let mut answer = operation.run(outside, parts).await?;
    answer.body = versions::downgrade(answer.body, version, id.as_str());
    Ok(answer)
}

/// Reads a file. There is room in memory for a few, and none for those who are not signed in.
async fn upload(app: &App, outside: &Outside, request: Request) -> Result<Payload> {
    let full = |_| refusal::too_many_requests().retry_after(1).into();
    let is_signed_in = domain::frontend::must_be_signed_in(outside).await;
    match is_signed_in.and_then(|()| app.uploads.try_acquire().map_err(full)) {
        Ok(_place) => payload::read(Api::Frontend, true, request).await,
        Err(error) => {
            payload::drain(request.into_body());
            Err(error)
        }
    }
}

/// The instance that a request means.
async fn instance(app: &App, head: &Head, headers: &HeaderMap) -> Result<Arc<Instance>> {
    let invalid = || refusal::host_invalid();
    if headers.get_all(header::HOST).iter().count() > 1 {
        return Err(invalid().into());
    }
    if let Some(key) = headers.get(SECRET_KEY) {
        // An app's own server forwards for its browsers. It is believed in what it says of them,
        // so that its key must be right wherever it asks.
        let key = key.to_str().unwrap_or_default();
        let found = domain::instances::by_secret_key(&app.world, key).await?;
        let found = found.filter(|found| {
            head.host.as_ref().is_none_or(|host| found.frontend_host.eq_ignore_ascii_case(host))
        });
        return Ok(found.ok_or_else(refusal::clerk_key_invalid)?);
    }
    let host = head.host.as_deref().or_else(|| authenticate::host(headers));
    let found = domain::instances::by_host(&app.world, host.unwrap_or_default()).await?;
    Ok(found.ok_or_else(|| invalid().because("There is no instance yet."))?)
}

/// Who asks, from what the request shows.
fn visitor(
    (instance, now): (&Instance, Timestamp),
    meta: &wire::Meta,
    head: &Head,
    request: &Request,
) -> Result<Visitor> {
    let headers = request.headers();
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::to_owned);
    let parameter = |name: &str| parameter(&head.query, name).filter(|value| !value.is_empty());
    let is_native = parameter("_is_native").is_some_and(|value| value == "1" || value == "true");
    let origin = text(header::ORIGIN);
    if is_native && origin.as_deref().is_some_and(|origin| origin.starts_with("http")) {
        return Err(refusal::origin_authorization_headers_conflict().into());
    }
    let forwarded = text(HeaderName::from_static("x-forwarded-for"))
        .filter(|_| headers.contains_key(SECRET_KEY))
        .and_then(|all| all.split(',').next().map(|first| first.trim().to_owned()))
        .filter(|first| first.parse::<IpAddr>().is_ok());
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.to_string());
    let visitor = Visitor {
        host: authenticate::host(headers).unwrap_or_default().to_ascii_lowercase(),
        user_agent: text(header::USER_AGENT),
        address: forwarded.or(peer),
        session_id: parameter("_clerk_session_id").map(Into::into),
        is_testing: parameter("__clerk_testing_token")
            .is_some_and(|token| testing_tokens::is_valid(instance, &token, now)),
        dev_browser: parameter("__clerk_db_jwt"),
        is_native,
        origin: origin.or_else(|| own_page(instance, headers)),
        ..Visitor::default()
    };
    if meta.auth == Auth::Public {
        return Ok(visitor);
    }
    Ok(visitor.recognize(instance, &credentials(instance, head, headers, is_native)))
}

/// The origin of a page that reads from where it is from itself, as behind an app's own server:
/// browsers do not name the origin then, but the page.
fn own_page(instance: &Instance, headers: &HeaderMap) -> Option<String> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok();
    text(HeaderName::from_static("sec-fetch-site")).filter(|site| *site == "same-origin")?;
    visitors::origin_of_page(instance, text(header::REFERER)?)
}

fn credentials(
    instance: &Instance,
    head: &Head,
    headers: &HeaderMap,
    is_native: bool,
) -> Credentials {
    if is_native {
        let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.map(|token| token.strip_prefix("Bearer ").unwrap_or(token));
        let client = token.filter(|token| !token.is_empty()).map(str::to_owned);
        return Credentials { client, dev_browser: None };
    }
    let in_query = parameter(&head.query, "__clerk_db_jwt").filter(|token| !token.is_empty());
    if !are_cookies_meant(headers, &head.method) {
        return Credentials { dev_browser: in_query, client: None };
    }
    let suffixed = format!("__clerk_db_jwt_{}", instance.cookie_suffix());
    let dev_browser = in_query
        .or_else(|| cookie(headers, &suffixed))
        .or_else(|| cookie(headers, "__clerk_db_jwt"));
    Credentials { dev_browser, client: cookie(headers, "__client") }
}

/// Browsers send cookies with whatever form any page submits. A change counts if the page's origin
/// was allowed, or the browser says that the page is the server's own.
fn are_cookies_meant(headers: &HeaderMap, method: &str) -> bool {
    if method == "GET" || headers.contains_key(header::ORIGIN) {
        return true;
    }
    let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    matches!(site, Some("same-origin" | "none"))
}

/// The one cookie of this name; of two it is not known which is meant.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut values = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter_map(|(own, value)| (own == name && !value.is_empty()).then_some(value));
    let first = values.next()?;
    values.all(|other| other == first).then(|| first.to_owned())
}

/// A parameter of the query, decoded.
fn parameter(query: &str, name: &str) -> Option<String> {
    // Most queries name it not at all.
    if !query.contains(name) {
        return None;
    }
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find_map(|(own, value)| (own == name).then(|| value.into_owned()))
}

fn trimmed(path: &str) -> &str {
    if path.len() > 1 { path.trim_end_matches('/') } else { path }
}

/// What pages may read of an answer.
pub(crate) struct Cors {
    /// The page's origin, if it is one of the instance's.
    origin: Option<HeaderValue>,
}

impl Cors {
    /// Says so in the answer.
    pub(crate) fn allow(self, headers: &mut HeaderMap) {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            let yes = HeaderValue::from_static("true");
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, READABLE);
        }
    }
}

/// What a browser asks before it asks.
fn preflight(headers: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = axum::http::StatusCode::NO_CONTENT;
    let methods = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    if let Some(asked) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::{cookie, method, named_instance, parameter, trimmed};

    #[test]
    fn methods_travel_in_the_query_of_a_post() {
        assert_eq!(method("POST", "a=1&_method=PATCH"), "PATCH");
        assert_eq!(method("GET", "_method=DELETE"), "GET");
        assert_eq!(method("POST", "_method=GET"), "POST");
    }

    #[test]
    fn of_two_cookies_none_is_meant() {
        let mut headers = HeaderMap::new();
        headers.insert("cookie", "a=1; __client=x; b=".parse().expect("text"));
        assert_eq!(cookie(&headers, "__client").as_deref(), Some("x"));
        assert_eq!(cookie(&headers, "b"), None);
        headers.append("cookie", "__client=y".parse().expect("text"));
        assert_eq!(cookie(&headers, "__client"), None);
    }

    #[test]
    fn paths_and_queries_are_read_as_browsers_write_them() {
        assert_eq!(parameter("a=1&__clerk_db_jwt=d%2B", "__clerk_db_jwt").as_deref(), Some("d+"));
        assert_eq!(trimmed("/v1/me/backup_codes/"), "/v1/me/backup_codes");
        let named = named_instance("/_/a.example/v1/client");
        assert_eq!(named, Some(("a.example".to_owned(), "/v1/client".to_owned())));
    }
}
