//! The client: sends any endpoint, gives back its response.

use std::{fmt, time::Duration};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use wire::{Auth, Encoded, EncodedBody, Endpoint, Meta, NEWEST, Refusal, Version, encode};

use crate::{
    Error, Items, Pages,
    retry::{Failure, Retries},
};

/// Where Clerk's own Backend API is.
pub const DEFAULT_API_URL: &str = "https://api.clerk.com";

/// A connection to one instance; cheap to clone, and to be kept.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    api_url: String,
    authorization: HeaderValue,
    version: Version,
    retries: Retries,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("api_url", &self.api_url).finish_non_exhaustive()
    }
}

/// How a [`Client`] is to be.
///
/// ```
/// use std::time::Duration;
/// use vestry_sdk::{Client, api::Version};
///
/// let client = Client::builder()
///     .secret_key("sk_test_0123456789")
///     .api_url("http://127.0.0.1:8787")
///     .api_version(Version::parse("2025-04-10").expect("known"))
///     .timeout(Duration::from_secs(5))
///     .connect_timeout(Duration::from_secs(1))
///     .retries(3)
///     .user_agent("guestbook/1.0")
///     .build()?;
/// # Ok::<(), vestry_sdk::Error>(())
/// ```
#[derive(Clone)]
pub struct ClientBuilder {
    secret_key: Option<String>,
    api_url: String,
    version: Version,
    timeout: Duration,
    connect_timeout: Duration,
    retries: Retries,
    user_agent: String,
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("api_url", &self.api_url).finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// The instance's secret key, `sk_…`. There is no client without.
    #[must_use]
    pub fn secret_key(mut self, key: impl Into<String>) -> Self {
        self.secret_key = Some(key.into());
        self
    }

    /// Where the API is, without a path; [`DEFAULT_API_URL`] unless said.
    #[must_use]
    pub fn api_url(mut self, url: impl Into<String>) -> Self {
        self.api_url = url.into();
        self
    }

    /// The version to speak; the newest known unless said.
    #[must_use]
    pub fn api_version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// How long one attempt may take; 30 seconds unless said.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long connecting may take; 10 seconds unless said.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How many further attempts follow one that failed; 2 unless said.
    ///
    /// `GET` and `PUT` are asked again after 429, 502, 503, 504 and broken connections, `DELETE`
    /// only when it cannot have happened. A `Retry-After` is honoured, up to half a minute.
    #[must_use]
    pub fn retries(mut self, count: u32) -> Self {
        self.retries.count = count;
        self
    }

    /// Asks `POST` and `PATCH` again as well, where the server says that they did not happen.
    #[must_use]
    pub fn retry_posts(mut self, posts: bool) -> Self {
        self.retries.posts = posts;
        self
    }

    /// Name of the app, for the server's log.
    #[must_use]
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = name.into();
        self
    }

    /// The client.
    pub fn build(self) -> Result<Client, Error> {
        let wrong = |reason: &str| Error::Configuration(reason.to_owned());
        let key = self.secret_key.ok_or_else(|| wrong("the secret key is missing"))?;
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong("the secret key is not one"));
        }
        let mut authorization = HeaderValue::from_str(&format!("Bearer {key}"))
            .map_err(|_| wrong("the secret key is not one"))?;
        authorization.set_sensitive(true);
        let url = reqwest::Url::parse(&self.api_url)
            .map_err(|error| Error::Configuration(format!("the API URL is not one: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
            return Err(wrong("the API URL must begin with http or https and have no query"));
        }
        let http = reqwest::Client::builder()
            .timeout(self.timeout)
            .connect_timeout(self.connect_timeout)
            .user_agent(self.user_agent)
            // A redirection could carry the key to anybody.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Error::Configuration(error.to_string()))?;
        let api_url = url.as_str().trim_end_matches('/').to_owned();
        Ok(Client { http, api_url, authorization, version: self.version, retries: self.retries })
    }
}

impl Client {
    /// A client of one's own making; see [`ClientBuilder`].
    pub fn builder() -> ClientBuilder {
        ClientBuilder {
            secret_key: None,
            api_url: DEFAULT_API_URL.to_owned(),
            version: NEWEST,
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            retries: Retries { count: 2, posts: false },
            user_agent: concat!("vestry-sdk/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    /// A client of what `CLERK_SECRET_KEY` and, if it is set, `CLERK_API_URL` name.
    ///
    /// ```no_run
    /// let client = vestry_sdk::Client::from_env()?;
    /// # Ok::<(), vestry_sdk::Error>(())
    /// ```
    pub fn from_env() -> Result<Self, Error> {
        let mut builder = Self::builder();
        if let Ok(key) = std::env::var("CLERK_SECRET_KEY") {
            builder = builder.secret_key(key);
        }
        if let Ok(url) = std::env::var("CLERK_API_URL") {
            builder = builder.api_url(url);
        }
        builder.build().map_err(|error| {
            Error::Configuration(format!("CLERK_SECRET_KEY or CLERK_API_URL: {error}"))
        })
    }

    /// Sends `request`.
    ///
    /// ```no_run
    /// # use vestry_sdk::{Client, Error, api::backend::users::{GetUser, User, UserId}};
    /// # async fn run(client: &Client, id: UserId) -> Result<Option<User>, Error> {
    /// match client.send(&GetUser::new(id)).await {
    ///     Ok(user) => Ok(Some(user)),
    ///     Err(error) if error.code() == Some("resource_not_found") => Ok(None),
    ///     Err(error) => Err(error),
    /// }
    /// # }
    /// ```
    pub async fn send<E: Endpoint>(&self, request: &E) -> Result<E::Response, Error> {
        let encoded = encode(request).map_err(Error::Encode)?;
        let (status, body) = self.exchange(&E::META, &encoded).await?;
        // An answer without a body is `null` to whoever reads types.
        let text: &[u8] = if body.is_empty() { b"null" } else { &body };
        let read = match E::META.media {
            // A page for browsers is a text to it.
            Some(_) => serde_json::from_value(String::from_utf8_lossy(text).into()),
            None => serde_json::from_slice(text),
        };
        match read {
            Ok(response) => Ok(response),
            Err(cause) => Err(Error::Decode { status, body, cause }),
        }
    }

    /// The items of a list, one after the other, asked for page by page.
    ///
    /// Only requests with `limit` and `offset` compile. What is added or removed meanwhile may
    /// appear twice or not at all.
    ///
    /// ```no_run
    /// # use vestry_sdk::{Client, Error, api::backend::users::GetUserList};
    /// # async fn run(client: &Client) -> Result<(), Error> {
    /// let mut users = client.pages(GetUserList::new());
    /// while let Some(user) = users.next().await {
    ///     println!("{}", user?.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn pages<E: Endpoint>(&self, request: E) -> Pages<E>
    where
        E::Response: Items,
    {
        Pages::new(self.clone(), request)
    }

    /// All that need not be compiled once per endpoint.
    async fn exchange(&self, meta: &Meta, encoded: &Encoded) -> Result<(u16, Vec<u8>), Error> {
        let mut attempt = 0;
        loop {
            let (failure, error) = match self.attempt(meta, encoded).await {
                Ok((status, _, body)) if (200..300).contains(&status) => return Ok((status, body)),
                Ok((status, headers, body)) => {
                    (Failure::Status(status), refused(status, &headers, body))
                }
                Err(error) => {
                    let unsent = error.is_connect() || error.is_builder();
                    let failure = if unsent { Failure::Unsent } else { Failure::Unknown };
                    (failure, Error::Transport(error.into()))
                }
            };
            let wait = self.retries.wait(meta.method, failure, error.retry_after(), attempt);
            let Some(wait) = wait else {
                return Err(error);
            };
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn attempt(
        &self,
        meta: &Meta,
        encoded: &Encoded,
    ) -> reqwest::Result<(u16, HeaderMap, Vec<u8>)> {
        let method =
            reqwest::Method::from_bytes(meta.method.as_str().as_bytes()).unwrap_or_default();
        let mut request = self
            .http
            .request(method, format!("{}{}", self.api_url, encoded.path))
            .header("clerk-api-version", self.version.as_str());
        if meta.auth != Auth::Public {
            request = request.header(AUTHORIZATION, self.authorization.clone());
        }
        let request = match &encoded.body {
            EncodedBody::None => request,
            EncodedBody::Json(json) => {
                request.header(CONTENT_TYPE, "application/json").body(json.clone())
            }
            EncodedBody::Upload(upload, texts) => request.multipart(form(upload, texts)?),
        };
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok((status, headers, response.bytes().await?.to_vec()))
    }
}

fn form(
    upload: &wire::Upload,
    texts: &[(String, String)],
) -> reqwest::Result<reqwest::multipart::Form> {
    let file = reqwest::multipart::Part::bytes(upload.bytes.clone()).file_name("file");
    let file = match &upload.content_type {
        Some(content_type) => file.mime_str(content_type)?,
        None => file,
    };
    let form = reqwest::multipart::Form::new().part("file", file);
    Ok(texts.iter().fold(form, |form, (name, text)| form.text(name.clone(), text.clone())))
}

fn refused(status: u16, headers: &HeaderMap, body: Vec<u8>) -> Error {
    let retry_after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    match serde_json::from_slice::<Refusal>(&body) {
        Ok(refusal) => Error::Refused(Refusal { status, retry_after, ..refusal }),
        Err(cause) => Error::Decode { status, body, cause },
    }
}
