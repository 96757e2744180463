//! `COMPATIBILITY.md`: what of the published API is served, from the contract alone.

use std::{collections::BTreeMap, fmt::Write as _};

use wire::{Api, published};

const METHODS_2_9_4: &str = include_str!("../../../compatibility/methods-2.9.4.tsv");
const METHODS_LATEST: &str = include_str!("../../../compatibility/methods-latest.tsv");

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Served,
    Answers501,
    Unknown,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Answers501 => "answers 501",
            Self::Unknown => "unknown",
        }
    }
}

/// A method and a path without the names of its placeholders, within an API.
type Place = (Api, String, String);

fn place(api: Api, method: &str, path: &str) -> Place {
    let path = path.strip_prefix("/v1").unwrap_or(path).trim_end_matches('/');
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    (api, method.to_owned(), parts.collect::<Vec<_>>().join("/"))
}

struct States(BTreeMap<Place, State>);

impl States {
    fn new() -> Self {
        let mut states = BTreeMap::new();
        for operation in published::all() {
            let place = place(operation.api, operation.method.as_str(), operation.path);
            states.insert(place, State::Answers501);
        }
        for operation in domain::backend_api().0.into_iter().chain(domain::frontend_api().0) {
            let meta = operation.meta;
            states.insert(place(meta.api, meta.method.as_str(), meta.path), State::Served);
        }
        Self(states)
    }

    fn of(&self, api: Api, method: &str, path: &str) -> State {
        self.0.get(&place(api, method, path)).copied().unwrap_or(State::Unknown)
    }
}

/// The whole file.
pub fn render() -> String {
    let states = States::new();
    let sections = [
        operations(&states, Api::Backend),
        operations(&states, Api::Frontend),
        methods(&states, METHODS_2_9_4),
        methods(&states, METHODS_LATEST),
    ];
    let titles = [
        "Backend API, version 2026-05-12",
        "Frontend API, version 2026-05-12",
        "Methods of @clerk/backend 2.9.4",
        "Methods of the newest @clerk/backend",
    ];
    let mut text = "# Compatibility\n\n\
        Written by `cargo run -p testkit --example compatibility` from the declarations of the \
        operations; a test fails when it is stale. *Served* operations do what they say, what \
        *answers 501* is known and not built, with the code `not_supported_by_server`, and what \
        is *unknown* is no part of the published API and answers 404.\n\n\
        | | served | answers 501 | unknown |\n|---|---|---|---|\n"
        .to_owned();
    for (title, rows) in titles.iter().zip(&sections) {
        let count = |state| rows.iter().filter(|row| row.1 == state).count();
        let [served, missing, unknown] =
            [State::Served, State::Answers501, State::Unknown].map(count);
        let _ = writeln!(text, "| {title} | {served} | {missing} | {unknown} |");
    }
    for (title, rows) in titles.iter().zip(&sections) {
        let _ = write!(text, "\n## {title}\n\n| | operation | |\n|---|---|---|\n");
        for (row, state) in rows {
            let _ = writeln!(text, "| {row} | {} |", state.as_str());
        }
    }
    text
}

fn operations(states: &States, api: Api) -> Vec<(String, State)> {
    let of_api = published::all().filter(|operation| operation.api == api);
    let row = |operation: published::Published| {
        let (method, path) = (operation.method.as_str(), operation.path);
        let row = format!("{} | `{method} {path}`", operation.name);
        (row, states.of(api, method, path))
    };
    of_api.map(row).collect()
}

fn methods(states: &States, table: &str) -> Vec<(String, State)> {
    let rows = table.lines().skip(1).filter_map(|line| {
        let mut columns = line.split('\t');
        let (class, name) = (columns.next()?, columns.next()?);
        let (method, path) = (columns.next()?, columns.next()?);
        // `PATCH(+PUT)`, `/tokens[/{template}]`: the first is what is asked for as a rule.
        let method = method.split('(').next().unwrap_or(method);
        let path = path.split('[').next().unwrap_or(path);
        let row = format!("{class}.{name} | `{method} {path}`");
        Some((row, states.of(Api::Backend, method, path)))
    });
    rows.collect()
}
