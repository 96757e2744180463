//! Settings: of flags, of `VESTRY_…` variables, of a file. Flags win over variables, those over
//! the file; whatever is wrong with them is told all at once.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use domain::RootKeys;
use server::{Proxies, outbound::Reach};
use tracing_subscriber::filter::Targets;
use url::{Host, Url};

use crate::{
    cli,
    data::{Folder, read_root_keys},
    failure::{Failure, Result},
    logging,
};

/// A setting, and how to give it.
struct Known {
    name: &'static str,
    flag: Option<&'static str>,
    in_file: bool,
}

const fn known(name: &'static str, flag: &'static str) -> Known {
    Known { name, flag: Some(flag), in_file: true }
}

const KNOWN: &[Known] = &[
    known("listen", "--listen ADDR"),
    known("data", "--data DIR"),
    known("database_url", "--database-url URL"),
    known("public_url", "--public-url URL"),
    known("api_url", "--api-url URL"),
    known("proxy_path", "--proxy-path PATH"),
    known("ui_dir", "--ui-dir DIR"),
    known("geoip_file", "--geoip-file FILE"),
    known("tls_cert", "--tls-cert FILE"),
    known("tls_key", "--tls-key FILE"),
    known("trusted_proxies", "--trusted-proxies NETWORKS"),
    known("root_key_file", "--root-key-file FILE"),
    // Command lines and configuration files are read by too many.
    Known { name: "root_key", flag: None, in_file: false },
    // For stand-ins; Amazon's own are known.
    Known { name: "cognito_url", flag: None, in_file: true },
    Known { name: "outbound_private", flag: None, in_file: true },
    known("log", "--log LEVEL"),
    known("stop_delay_seconds", "--stop-delay-seconds N"),
    // Nobody should have it by accident.
    Known { name: "accountless", flag: None, in_file: true },
];

const PREFIX: &str = "VESTRY_";
/// A setting whose name is this similar is what was meant.
const SIMILAR: f64 = 0.7;

/// What was given, and what is wrong with it so far.
#[derive(Default)]
pub(crate) struct Given {
    values: HashMap<&'static str, Value>,
    problems: Vec<String>,
}

struct Value {
    text: String,
    /// Where it was said, for messages.
    from: String,
}

/// Where data are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// In a folder.
    Folder(Folder),
    /// In PostgreSQL.
    Postgres(String),
}

/// How `vestry serve` is to serve.
pub(crate) struct Serve {
    pub(crate) listen: SocketAddr,
    pub(crate) store: Store,
    /// None: the folder has them.
    pub(crate) root_keys: Option<RootKeys>,
    pub(crate) public_url: Url,
    pub(crate) api_url: Option<Url>,
    pub(crate) proxy_path: String,
    /// None: the folder of the data may have it.
    pub(crate) ui_dir: Option<PathBuf>,
    /// Where addresses are.
    pub(crate) geoip_file: Option<PathBuf>,
    /// Certificate and key, if no proxy ends TLS.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    /// Who is believed in whom they forward for.
    pub(crate) trusted_proxies: Proxies,
    pub(crate) cognito_url: Option<String>,
    /// Which addresses URLs that users of the API name may lead to.
    pub(crate) reach: Reach,
    pub(crate) log: Targets,
    pub(crate) stop_delay: Duration,
    /// Anybody may have a development instance without asking.
    pub(crate) accountless: bool,
}

impl cli::Storage {
    /// These flags by the names of their settings.
    pub(crate) fn settings(self) -> Vec<(&'static str, Option<String>)> {
        vec![
            ("data", self.data),
            ("database_url", self.database_url),
            ("root_key_file", self.root_key_file),
        ]
    }
}

impl Given {
    /// Puts together what flags, variables and the configuration file say.
    pub(crate) fn gather(
        flags: Vec<(&'static str, Option<String>)>,
        config: Option<PathBuf>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut given = Self::default();
        let variables: Vec<_> = variables
            .into_iter()
            .filter(|(name, text)| name.starts_with(PREFIX) && !text.is_empty())
            .collect();
        let named = variables.iter().find(|(name, _)| name == "VESTRY_CONFIG");
        let file = config.or_else(|| named.map(|(_, path)| path.into()));
        if let Some(file) = file {
            given.read_file(&file);
        }
        for (name, text) in variables.into_iter().filter(|(name, _)| name != "VESTRY_CONFIG") {
            given.read_variable(&name, text);
        }
        for (name, text) in flags {
            if let Some(text) = text {
                given.put(name, text, format!("--{}", name.replace('_', "-")));
            }
        }
        given
    }

    fn read_file(&mut self, path: &Path) {
        let shown = path.display();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return self.problem(format!("cannot read {shown}: {error}")),
        };
        let table: toml::Table = match toml::from_str(&text) {
            Ok(table) => table,
            // The message without the lines it is about: they may hold a secret.
            Err(error) => {
                let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
                return self.problem(format!("{shown}, line {line}: {}", error.message()));
            }
        };
        for (key, value) in table {
            let Some(setting) = KNOWN.iter().find(|known| known.in_file && known.name == key)
            else {
                let names = KNOWN.iter().filter(|known| known.in_file).map(|known| known.name);
                let meant = meant(&key, names.map(str::to_owned));
                self.problem(format!("{key} in {shown} is not a setting{meant}"));
                continue;
            };
            match value {
                toml::Value::String(text) => self.put(setting.name, text, shown.to_string()),
                toml::Value::Integer(number) => {
                    self.put(setting.name, number.to_string(), shown.to_string());
                }
                toml::Value::Boolean(truth) => {
                    self.put(setting.name, truth.to_string(), shown.to_string());
                }
                _ => self.problem(format!("{key} in {shown} must be a text")),
            }
        }
    }

    fn read_variable(&mut self, name: &str, text: String) {
        let variable = |known: &Known| format!("{PREFIX}{}", known.name.to_ascii_uppercase());
        if let Some(setting) = KNOWN.iter().find(|known| variable(known) == name) {
            return self.put(setting.name, text, name.to_owned());
        }
        // Kubernetes gives such variables to the neighbours of a service named vestry.
        if name.starts_with("VESTRY_SERVICE_") || name.starts_with("VESTRY_PORT") {
            return;
        }
        let meant = meant(name, KNOWN.iter().map(variable).chain(["VESTRY_CONFIG".to_owned()]));
        self.problem(format!("{name} is not a setting{meant}"));
    }

    fn put(&mut self, name: &'static str, text: String, from: String) {
        self.values.insert(name, Value { text, from });
    }

    fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.values.remove(name)
    }

    fn required(&mut self, name: &'static str) -> Option<Value> {
        let value = self.take(name);
        if value.is_none() {
            self.problem(format!("{name} is missing: {}", ways(name)));
        }
        value
    }

    /// The value of a setting as `parse` reads it.
    fn read<T>(
        &mut self,
        value: Option<Value>,
        name: &str,
        parse: impl FnOnce(&str) -> std::result::Result<T, String>,
    ) -> Option<T> {
        let Value { text, from } = value?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.problem(format!("{name} ({from}): {problem}"));
                None
            }
        }
    }

    /// Where data are kept; nothing if that was not said.
    pub(crate) fn store(&mut self) -> Option<Store> {
        match (self.take("data"), self.take("database_url")) {
            (Some(data), Some(url)) => {
                let (data, url) = (data.from, url.from);
                let text = format!("data ({data}) and database_url ({url}) contradict each other");
                self.problem(format!("{text}: give one of them"));
                None
            }
            (Some(data), None) => Some(Store::Folder(Folder(data.text.into()))),
            (None, url) => self.read(url, "database_url", |url| {
                let known = ["postgres://", "postgresql://"];
                if known.iter().any(|scheme| url.starts_with(scheme)) {
                    return Ok(Store::Postgres(url.to_owned()));
                }
                Err("it must begin with postgres://; for a folder there is data".to_owned())
            }),
        }
    }

    /// The root keys, if they were given apart from the data.
    pub(crate) fn root_keys(&mut self) -> Option<RootKeys> {
        match (self.take("root_key"), self.take("root_key_file")) {
            (Some(_), Some(file)) => {
                let from = file.from;
                self.problem(format!(
                    "VESTRY_ROOT_KEY and root_key_file ({from}) contradict each other: give one"
                ));
                None
            }
            (key, None) => self.read(key, "root_key", |text| {
                RootKeys::from_base64(text).map_err(|error| error.to_string())
            }),
            (None, file) => self.read(file, "root_key_file", |path| {
                read_root_keys(Path::new(path)).map_err(|failure| match failure {
                    Failure::Other(text) => text,
                    Failure::Settings(texts) => texts.join("; "),
                })
            }),
        }
    }

    /// A URL at which the server is reached.
    pub(crate) fn public_url(&mut self, name: &'static str) -> Option<Url> {
        let value = self.take(name);
        self.read(value, name, public_url)
    }

    /// Whether a switch is on, if that was said.
    fn truth(&mut self, name: &'static str) -> Option<bool> {
        let value = self.take(name);
        self.read(value, name, |text| {
            text.parse().map_err(|_| "it must be true or false".to_owned())
        })
    }

    /// The files of a certificate; both or none.
    fn tls(&mut self) -> Option<(PathBuf, PathBuf)> {
        match (self.take("tls_cert"), self.take("tls_key")) {
            (Some(certificate), Some(key)) => Some((certificate.text.into(), key.text.into())),
            (None, None) => None,
            (certificate, _) => {
                let missing = if certificate.is_some() { "tls_key" } else { "tls_cert" };
                self.problem(format!("{missing} is missing: {}", ways(missing)));
                None
            }
        }
    }

    /// Where the server keeps data, and the keys that it is given to them.
    fn store_and_keys(&mut self) -> (Option<Store>, Option<RootKeys>) {
        let undecided = !["data", "database_url"].iter().any(|name| self.values.contains_key(name));
        if undecided {
            let (data, url) = (ways("data"), ways("database_url"));
            self.problem(format!("data or database_url is missing: {data}; {url}"));
        }
        let store = self.store();
        let keyed = ["root_key", "root_key_file"].iter().any(|name| self.values.contains_key(name));
        match &store {
            Some(Store::Postgres(_)) if !keyed => {
                let ways = ways("root_key_file");
                self.problem(format!(
                    "root_key_file is missing, as every server on the database needs the same \
                     key: {ways}, or VESTRY_ROOT_KEY"
                ));
            }
            Some(Store::Folder(folder)) if !keyed => self.problems.extend(folder.lost_root_key()),
            _ => {}
        }
        (store, self.root_keys())
    }

    /// What `vestry serve` needs, or all that is wrong with it.
    pub(crate) fn serve(mut self) -> Result<Serve> {
        let listen = self.required("listen");
        let listen = self.read(listen, "listen", |text| {
            text.parse().map_err(|_| "it must be like 127.0.0.1:8787".to_owned())
        });
        let (store, root_keys) = self.store_and_keys();
        if !self.values.contains_key("public_url") {
            self.problem(format!("public_url is missing: {}", ways("public_url")));
        }
        let public_url = self.public_url("public_url");
        let api_url = self.public_url("api_url");
        let hosts = [&public_url, &api_url].map(|url| url.as_ref().and_then(Url::host_str));
        if api_url.is_some() && hosts[0] == hosts[1] {
            let text = "api_url has the host of public_url; leave it out, or give it its own host";
            self.problem(text.to_owned());
        }
        let proxy_path = self.take("proxy_path");
        let proxy_path = self.read(proxy_path, "proxy_path", proxy_path_of);
        let ui_dir = self.take("ui_dir").map(|value| value.text.into());
        let geoip_file = self.take("geoip_file").map(|value| value.text.into());
        let tls = self.tls();
        let trusted_proxies = self.take("trusted_proxies");
        let trusted_proxies = self.read(trusted_proxies, "trusted_proxies", str::parse);
        let cognito_url = self.take("cognito_url").map(|value| value.text);
        let is_private = self.truth("outbound_private");
        let log = self.take("log");
        let log = self.read(log, "log", logging::parse);
        let delay = self.take("stop_delay_seconds");
        let delay = self.read(delay, "stop_delay_seconds", |text| {
            let seconds = text.parse().ok().filter(|seconds| *seconds <= 600);
            seconds.ok_or_else(|| "it must be a number from 0 to 600".to_owned())
        });
        let accountless = self.truth("accountless");
        self.finish()?;
        let (Some(listen), Some(store), Some(public_url)) = (listen, store, public_url) else {
            return Err(Failure::new("the settings are incomplete"));
        };
        Ok(Serve {
            listen,
            store,
            root_keys,
            public_url,
            api_url,
            proxy_path: proxy_path.unwrap_or_else(|| "/__clerk".to_owned()),
            ui_dir,
            geoip_file,
            tls,
            trusted_proxies: trusted_proxies.unwrap_or_default(),
            cognito_url,
            reach: if is_private == Some(true) { Reach::Private } else { Reach::Public },
            log: log.unwrap_or_else(|| Targets::new().with_default(tracing::Level::INFO)),
            stop_delay: Duration::from_secs(delay.unwrap_or(0)),
            accountless: accountless.unwrap_or(false),
        })
    }

    /// Fails with all that is wrong, if anything is.
    pub(crate) fn finish(&mut self) -> Result<()> {
        if self.problems.is_empty() {
            return Ok(());
        }
        Err(Failure::Settings(std::mem::take(&mut self.problems)))
    }
}

/// The ways to give a setting.
fn ways(name: &str) -> String {
    let flag = KNOWN.iter().find(|known| known.name == name).and_then(|known| known.flag);
    let variable = format!("{PREFIX}{}", name.to_ascii_uppercase());
    flag.map_or_else(
        || variable.clone(),
        |flag| format!("{flag}, {variable}, or {name} in the configuration file"),
    )
}

/// `; did you mean …?`, if there is something similar.
fn meant(name: &str, known: impl Iterator<Item = String>) -> String {
    let name = name.replace('-', "_");
    let similar = known.map(|known| (strsim::jaro_winkler(&name, &known), known));
    let best = similar.max_by(|one, other| one.0.total_cmp(&other.0));
    best.filter(|(similarity, _)| *similarity > SIMILAR)
        .map_or_else(String::new, |(_, known)| format!("; did you mean {known}?"))
}

fn public_url(text: &str) -> std::result::Result<Url, String> {
    let url =
        Url::parse(text).map_err(|_| "it must be like https://auth.example.com".to_owned())?;
    let host = url.host_str().unwrap_or_default();
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let problem = if !matches!(url.scheme(), "http" | "https") {
        "it must begin with https://"
    } else if url.scheme() == "http" && !here {
        "it must begin with https://, but on this machine itself; TLS ends at a proxy before it"
    } else if !host.contains('.') {
        "its host must have a dot, as official SDKs take no other for a host"
    } else if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        "it must end with its host"
    } else if !url.username().is_empty() || url.password().is_some() {
        "it must not have a user"
    } else {
        return Ok(url);
    };
    Err(problem.to_owned())
}

/// The host of a URL as publishable keys spell it: with its port, if that is unusual.
pub(crate) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// A URL as official SDKs want it: without a slash at its end.
pub(crate) fn text_of(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

fn proxy_path_of(text: &str) -> std::result::Result<String, String> {
    let path = text.trim_end_matches('/');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    if path.starts_with('/') && !path.contains("//") && path.bytes().all(plain) && path != "/v1" {
        return Ok(path.to_owned());
    }
    Err("it must be a path like /__clerk".to_owned())
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
