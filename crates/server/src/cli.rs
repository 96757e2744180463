//! What can be said on the command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};

const ABOUT_EXIT: &str = "\
Exit codes: 0 done, 1 failed, 2 asked for something impossible.";

const LOG: &str = "\
What is logged: error, warn, info, debug, trace, or as warn,web=debug [env: VESTRY_LOG]";

const GEOIP_FILE: &str = "Database of places, .mmdb, to show people where their devices are";
const UI_DIR: &str = "\
Folder with the official components [default: ui in the folder of the data] [env: VESTRY_UI_DIR]";

const EXAMPLES: &str = "\
Examples:
  vestry dev                                     a development instance on 127.0.0.1:8787
  vestry dev --listen 127.0.0.1:0 --ephemeral --json
  vestry instance create --data /var/lib/vestry --public-url https://auth.example.com
  vestry serve --listen 127.0.0.1:8787 --data /var/lib/vestry --public-url https://auth.example.com
  vestry keys --json

Exit codes: 0 done, 1 failed, 2 asked for something impossible.";

const DEV_EXAMPLES: &str = "\
Examples:
  vestry dev                                     keeps everything in ./.vestry
  vestry dev --listen 127.0.0.1:9000 --data /tmp/shop
  vestry dev --listen 127.0.0.1:0 --ephemeral --json
  vestry dev --database-url postgres://postgres@127.0.0.1/shop
  vestry dev --tls --listen 127.0.0.1:443        for apps that take nothing but the key";

const SERVE_EXAMPLES: &str = "\
Examples:
  vestry serve --listen 127.0.0.1:8787 --data /var/lib/vestry --public-url https://auth.example.com
  vestry serve --config /etc/vestry.toml

Each setting may also be a variable, VESTRY_PUBLIC_URL, or a line of the configuration file,
public_url = \"https://auth.example.com\". Flags win over variables, variables over the file.
A database URL with a password belongs into VESTRY_DATABASE_URL or the file: everybody on a
machine can read the command lines of its processes.

The root key is 32 random bytes in base64, `head -c 32 /dev/urandom | base64`, in a file that
VESTRY_ROOT_KEY_FILE names or in VESTRY_ROOT_KEY. With --data it is made at first start, as root.key.";

const KEYS_EXAMPLES: &str = "\
Examples:
  vestry keys                                    of `vestry dev` in this folder
  vestry keys --env > .env                       for an app
  vestry keys --json --data /var/lib/vestry

Works while a server runs. The secret key of a production instance is shown once, when it is made;
here it is null.";

const CREATE_EXAMPLES: &str = "\
Examples:
  vestry instance create --data /var/lib/vestry --public-url https://auth.example.com
  vestry instance create --config /etc/vestry.toml --name Shop --json

Works before the first start of the server, and beside it.";

const CONFIG_EXAMPLES: &str = "\
Examples:
  vestry config get sign_up.mode
  vestry config set sign_up.mode waitlist
  vestry config pull settings.toml
  vestry config apply settings.toml --yes
  vestry config schema > settings.schema.json

Documents are TOML, or JSON if their names end in .json. What one does not mention stays as it is.
What would change is shown before it changes. Works while servers run.";

const UI_EXAMPLES: &str = "\
Examples:
  vestry ui add                                  the versions this server was tested with
  vestry ui add @clerk/clerk-js@6.40.0           one more; also while a server runs
  vestry ui add --file clerk-ui-1.36.0.tgz       from what `npm pack` made elsewhere
  vestry ui list

npm fetches the packages, as its own configuration says. A package whose content is not the one
that was published is refused.";

const ROOT_KEY_EXAMPLES: &str = "\
Examples:
  vestry root-key check --data /var/lib/vestry
  vestry root-key rotate --data /var/lib/vestry

A file with root keys may hold several, one a line, and VESTRY_ROOT_KEY several with commas between
them: the first seals, the others only open. To rotate, put a new key first, restart the servers,
run `vestry root-key rotate` beside them, and take the older key away once it says so. Servers that
share a database get the new key as the second one first, each of them, before any has it first.";

const CLOCK_EXAMPLES: &str = "\
Examples:
  vestry instance clock                          of `vestry dev` in this folder
  vestry instance clock ins_… --advance 2h
  vestry instance clock ins_… --reset

A running server goes by it within a second. Tokens that leave the instance tell its time too, so
that whoever verifies them by a clock that was not moved may refuse them.";

/// The identity platform that speaks Clerk's API, on your own machine.
#[derive(Parser)]
#[command(version, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[arg(long, global = true, value_name = "LEVEL", help = LOG)]
    pub(crate) log: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve a development instance, without any configuration.
    #[command(after_help = DEV_EXAMPLES)]
    Dev(Dev),
    /// Serve in production.
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Serve),
    /// Show the keys of an instance, also while a server runs.
    #[command(after_help = KEYS_EXAMPLES)]
    Keys(Keys),
    /// Make and look after instances.
    #[command(after_help = ABOUT_EXIT)]
    Instance {
        #[command(subcommand)]
        command: InstanceCommand,
    },
    /// Read and change the settings of an instance.
    #[command(after_help = CONFIG_EXAMPLES)]
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Look after the key that secrets at rest are sealed under.
    #[command(after_help = ROOT_KEY_EXAMPLES)]
    RootKey {
        #[command(subcommand)]
        command: RootKeyCommand,
    },
    /// Install the official components, for pages to load from this server.
    #[command(after_help = UI_EXAMPLES)]
    Ui {
        #[command(subcommand)]
        command: UiCommand,
    },
    /// Print completions for a shell.
    #[command(after_help = "Example: vestry completions bash > /etc/bash_completion.d/vestry")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Args)]
pub(crate) struct Dev {
    /// Address to listen on; port 0 picks one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8787")]
    pub(crate) listen: SocketAddr,
    /// Folder that keeps everything.
    #[arg(long, value_name = "DIR", default_value = ".vestry")]
    pub(crate) data: PathBuf,
    /// Keep everything but the root key in PostgreSQL.
    #[arg(long, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// Keep data in a temporary folder that goes with the process.
    #[arg(long, conflicts_with_all = ["data", "database_url"])]
    pub(crate) ephemeral: bool,
    #[arg(long, value_name = "DIR", help = UI_DIR)]
    pub(crate) ui_dir: Option<PathBuf>,
    #[arg(long, value_name = "FILE", help = GEOIP_FILE)]
    pub(crate) geoip_file: Option<PathBuf>,
    /// Serve HTTPS as well, on the same port, with a certificate made for this machine.
    #[arg(long)]
    pub(crate) tls: bool,
    /// The same with a certificate of one's own, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key", conflicts_with = "tls")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Its key, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Answer requests that send or take codes so much later, as in 300ms: for test suites that
    /// only then begin to wait for the answer.
    #[arg(long, value_name = "TIME", value_parser = pause)]
    pub(crate) verification_delay: Option<Milliseconds>,
    /// Print keys and addresses as one line of JSON, once ready.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where data are, and the key to them.
#[derive(Args, Clone, Default)]
pub(crate) struct Storage {
    #[arg(long, value_name = "FILE", help = "Configuration file, TOML [env: VESTRY_CONFIG]")]
    pub(crate) config: Option<PathBuf>,
    /// Folder that keeps everything.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<String>,
    /// Keep everything in PostgreSQL instead.
    #[arg(long, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// File with the root key; while keys are rotated with several, the first of which seals.
    #[arg(long, value_name = "FILE")]
    pub(crate) root_key_file: Option<String>,
}

#[derive(Args)]
pub(crate) struct Serve {
    /// Address to listen on.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    #[command(flatten)]
    pub(crate) storage: Storage,
    /// Where browsers reach the server.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// Where servers reach the Backend API, if it has a host of its own.
    #[arg(long, value_name = "URL")]
    pub(crate) api_url: Option<String>,
    #[arg(long, value_name = "DIR", help = UI_DIR)]
    pub(crate) ui_dir: Option<String>,
    #[arg(long, value_name = "FILE", help = GEOIP_FILE)]
    pub(crate) geoip_file: Option<String>,
    /// Certificate and those above it, PEM; without one a proxy ends TLS.
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_cert: Option<String>,
    /// The certificate's key, PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<String>,
    /// Proxies in front, such as 127.0.0.1,10.0.0.0/8, that say in X-Forwarded-For who asks.
    #[arg(long, value_name = "NETWORKS")]
    pub(crate) trusted_proxies: Option<String>,
    /// Path under which apps may forward the Frontend API [default: /__clerk].
    #[arg(long, value_name = "PATH")]
    pub(crate) proxy_path: Option<String>,
    /// Seconds between saying on /healthz that the server stops, and stopping [default: 0].
    #[arg(long, value_name = "N")]
    pub(crate) stop_delay_seconds: Option<String>,
}

#[derive(Args)]
pub(crate) struct Keys {
    #[command(flatten)]
    pub(crate) storage: Storage,
    /// The instance; without it the oldest one.
    #[arg(long, value_name = "ID")]
    pub(crate) instance: Option<String>,
    /// Print one line of JSON.
    #[arg(long, conflicts_with = "env")]
    pub(crate) json: bool,
    /// Print variables, for the environment of an app or its file .env.
    #[arg(long)]
    pub(crate) env: bool,
}

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show one setting, or all.
    #[command(after_help = CONFIG_EXAMPLES)]
    Get {
        /// Such as `sign_up.mode`.
        path: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        of: ConfigOf,
    },
    /// Change one setting.
    #[command(after_help = CONFIG_EXAMPLES)]
    Set {
        /// Such as `sign_up.mode`.
        path: String,
        /// As JSON; what is no JSON is a text.
        value: String,
        /// Change it without asking.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        of: ConfigOf,
    },
    /// Write all settings into a file, or print them.
    #[command(after_help = CONFIG_EXAMPLES)]
    Pull {
        /// The file.
        file: Option<PathBuf>,
        #[command(flatten)]
        of: ConfigOf,
    },
    /// Change what a file says.
    #[command(after_help = CONFIG_EXAMPLES)]
    Apply {
        /// The file.
        file: PathBuf,
        /// Change it without asking.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        of: ConfigOf,
    },
    /// Print the JSON Schema of the settings.
    #[command(after_help = CONFIG_EXAMPLES)]
    Schema,
}

/// Whose settings.
#[derive(Args)]
pub(crate) struct ConfigOf {
    #[command(flatten)]
    pub(crate) storage: Storage,
    /// The instance; without it the oldest one.
    #[arg(long, value_name = "ID")]
    pub(crate) instance: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum RootKeyCommand {
    /// Count the secrets under each key, and open all of them; 1 if other keys are still needed.
    #[command(after_help = ROOT_KEY_EXAMPLES)]
    Check(RootKey),
    /// Seal every secret under the first key, also while servers run; may be begun again.
    #[command(after_help = ROOT_KEY_EXAMPLES)]
    Rotate(RootKey),
}

#[derive(Args)]
pub(crate) struct RootKey {
    #[command(flatten)]
    pub(crate) storage: Storage,
    /// Print one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum UiCommand {
    /// Install packages with the official components.
    #[command(after_help = UI_EXAMPLES)]
    Add(UiAdd),
    /// List what is installed.
    #[command(after_help = "Example: vestry ui list --data /var/lib/vestry")]
    List {
        #[command(flatten)]
        place: UiPlace,
    },
}

#[derive(Args)]
pub(crate) struct UiAdd {
    /// Packages such as @clerk/clerk-js@6.40.0; none: those this server was tested with.
    #[arg(value_name = "PACKAGE@VERSION")]
    pub(crate) packages: Vec<String>,
    /// A packed package instead of one that npm fetches.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Vec<PathBuf>,
    /// What the one package has to be, as npm says it: sha512-…
    #[arg(long, value_name = "SHA512")]
    pub(crate) integrity: Option<String>,
    #[command(flatten)]
    pub(crate) place: UiPlace,
}

/// Where components are kept.
#[derive(Args)]
pub(crate) struct UiPlace {
    /// Folder with the data of the server.
    #[arg(long, value_name = "DIR", default_value = ".vestry")]
    pub(crate) data: PathBuf,
    #[arg(long, value_name = "DIR", help = UI_DIR)]
    pub(crate) ui_dir: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum InstanceCommand {
    /// Make an instance, and show its keys for the only time.
    #[command(after_help = CREATE_EXAMPLES)]
    Create(Create),
    /// List the instances.
    #[command(after_help = "Example: vestry instance list --data /var/lib/vestry")]
    List {
        #[command(flatten)]
        storage: Storage,
        /// Print one line of JSON for each.
        #[arg(long)]
        json: bool,
    },
    /// Replace the secret key of an instance; the old one ends at once.
    #[command(
        after_help = "Example: vestry instance rotate-key --data /var/lib/vestry --instance ins_…"
    )]
    RotateKey(Keys),
    /// Show or move the clock of a development instance, to see what happens later.
    #[command(after_help = CLOCK_EXAMPLES)]
    Clock(Clock),
}

#[derive(Args)]
pub(crate) struct Clock {
    /// The instance; without it the oldest one.
    #[arg(value_name = "INSTANCE")]
    pub(crate) instance: Option<String>,
    #[command(flatten)]
    pub(crate) storage: Storage,
    /// So much further: 90s, 15m, 2h, 7d, or several of them as in 1h30m.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) advance: Option<Milliseconds>,
    /// Back to the server's own time; what was made in the future stays there.
    #[arg(long, conflicts_with = "advance")]
    pub(crate) reset: bool,
    /// Print one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A time that passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Milliseconds(pub(crate) i64);

impl From<Milliseconds> for std::time::Duration {
    fn from(Milliseconds(milliseconds): Milliseconds) -> Self {
        Self::from_millis(milliseconds.unsigned_abs())
    }
}

/// More would be longer than requests may take.
const PAUSE_MS_MAX: i64 = 20_000;

/// Reads `300ms` or `2s`.
fn pause(text: &str) -> Result<Milliseconds, String> {
    let read = match text.strip_suffix("ms") {
        Some(number) => number.parse().ok().map(Milliseconds),
        None => duration(text).ok(),
    };
    read.filter(|Milliseconds(time)| (0..=PAUSE_MS_MAX).contains(time))
        .ok_or_else(|| "a time is like 300ms or 2s, at most 20s".to_owned())
}

/// Letters of units of time, and their milliseconds.
const UNITS: [(char, i64); 4] = [('d', 86_400_000), ('h', 3_600_000), ('m', 60_000), ('s', 1000)];

/// Reads `1h30m`.
fn duration(text: &str) -> Result<Milliseconds, String> {
    let wrong = || "a time is like 90s, 15m, 2h, 7d or 1h30m".to_owned();
    let (mut total, mut number) = (0_i64, String::new());
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            number.push(letter);
            continue;
        }
        let (_, unit) = UNITS.iter().find(|(known, _)| *known == letter).ok_or_else(wrong)?;
        let count: i64 = number.parse().map_err(|_| wrong())?;
        let part = count.checked_mul(*unit).ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        number.clear();
    }
    if total == 0 || !number.is_empty() { Err(wrong()) } else { Ok(Milliseconds(total)) }
}

/// Writes `1h30m`.
pub(crate) fn spelled(milliseconds: i64) -> String {
    let mut rest = milliseconds;
    let mut text = String::new();
    for (letter, unit) in UNITS {
        if rest >= unit {
            text = format!("{text}{}{letter}", rest / unit);
            rest %= unit;
        }
    }
    text
}

#[derive(Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) storage: Storage,
    /// Where browsers will reach it: its host becomes part of the publishable key.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// What it is for.
    #[arg(long, value_name = "KIND", default_value = "production")]
    pub(crate) environment: Environment,
    /// Name of its application.
    #[arg(long, default_value = "My application")]
    pub(crate) name: String,
    /// Print one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What an instance is for.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Environment {
    /// For real users.
    Production,
    /// For trying things out; its secret key can be shown again.
    Development,
}
