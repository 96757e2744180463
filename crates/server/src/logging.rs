//! Logs on standard error: for people on a terminal, JSON for everyone else.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::{
    Layer as _, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::failure::{Failure, Result};

/// Reads what is to be logged.
pub(crate) fn parse(text: &str) -> std::result::Result<Targets, String> {
    let levels = "it must be error, warn, info, debug, trace, off, or as `warn,web=debug`";
    text.parse().map_err(|_| format!("log: cannot read {text:?}; {levels}"))
}

/// What commands other than `serve` log: what the flag says, or the variable, or `default`.
pub(crate) fn start_simply(flag: Option<String>, default: &str) -> Result<()> {
    let variable = || std::env::var("VESTRY_LOG").ok().filter(|text| !text.is_empty());
    let text = flag.or_else(variable).unwrap_or_else(|| default.to_owned());
    start(parse(&text).map_err(|problem| Failure::Settings(vec![problem]))?);
    Ok(())
}

/// Starts to log.
pub(crate) fn start(filter: Targets) {
    let lines = tracing_subscriber::fmt::layer().with_writer(stderr);
    let lines = if is_terminal() {
        lines.with_target(false).boxed()
    } else {
        lines.json().flatten_event(true).boxed()
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
}

/// True if somebody watches.
pub(crate) fn is_terminal() -> bool {
    stderr().is_terminal()
}
