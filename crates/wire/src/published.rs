//! Every operation that is published: those of version 2026-05-12 of both APIs, and those that
//! only an official SDK calls. What is not served of them is answered, and listed, as missing.

use crate::Method;

/// An API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Api {
    /// For servers that hold a secret key.
    Backend,
    /// For browsers and apps.
    Frontend,
}

/// A published operation.
#[derive(Clone, Copy, Debug)]
pub struct Published {
    /// Its API.
    pub api: Api,
    /// Its method.
    pub method: Method,
    /// Its path template.
    pub path: &'static str,
    /// Its published name.
    pub name: &'static str,
}

/// All of them.
pub fn all() -> impl Iterator<Item = Published> {
    include_str!("published.tsv").lines().filter_map(|line| {
        let mut parts = line.split('\t');
        let api = match parts.next()? {
            "frontend" => Api::Frontend,
            _ => Api::Backend,
        };
        let method = Method::parse(parts.next()?)?;
        Some(Published { api, method, path: parts.next()?, name: parts.next()? })
    })
}
