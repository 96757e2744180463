//! Which operation a method and a path mean.
//!
//! Both APIs may be reached on one host, where some pairs of method and path belong to both; the
//! caller's credentials decide then. Every path is served with and without its `/v1`.

use std::{collections::HashMap, fmt::Write as _, sync::Arc};

use domain::{Operation, Operations};
use wire::{Api, Method, Published};

/// What a method and a path mean in one API.
#[derive(Clone)]
pub enum Target {
    /// It is served.
    Served(Arc<Operation>),
    /// It is part of the API, and not built yet.
    Missing(&'static str),
}

/// All routes of a server.
pub struct Routes {
    paths: matchit::Router<Path>,
}

#[derive(Default)]
struct Path(HashMap<(Api, Method), (Target, Vec<String>)>);

/// What became of a method and a path.
pub enum Found {
    /// It means this, with these values in the path.
    Target(Target, Vec<(String, String)>),
    /// The path exists, the method does not.
    OtherMethod,
    /// There is no such path.
    Nothing,
}

impl Routes {
    /// The routes of what is served, and of all else that is published.
    pub fn new(
        served: Vec<(Api, Operations)>,
        published: impl IntoIterator<Item = Published>,
    ) -> Self {
        let mut paths: HashMap<String, Path> = HashMap::new();
        let mut add = |api, method, template: &str, target| {
            let (shape, names) = shape(template);
            paths.entry(shape).or_default().0.entry((api, method)).or_insert((target, names));
        };
        for (api, operations) in served {
            for operation in operations.0 {
                let (method, path) = (operation.meta.method, operation.meta.path);
                add(api, method, path, Target::Served(Arc::new(operation)));
            }
        }
        for Published { api, method, path, .. } in published {
            add(api, method, path, Target::Missing(path));
        }
        let mut routes = Self { paths: matchit::Router::new() };
        for (shape, path) in paths {
            // Two templates of one shape are one entry, so none is refused.
            let _ = routes.paths.insert(shape, path);
        }
        routes
    }

    /// Finds what `method` and `path` mean in `api`.
    pub fn find(&self, api: Api, method: &str, path: &str) -> Found {
        let Ok(matched) = self.paths.at(without_version(path)) else {
            return Found::Nothing;
        };
        let of_api = || matched.value.0.iter().filter(|((other, _), _)| *other == api);
        match of_api().find(|((_, candidate), _)| candidate.as_str() == method) {
            Some((_, (target, names))) => {
                let values = matched.params.iter().map(|(_, value)| percent_decoded(value));
                match values.collect::<Option<Vec<_>>>() {
                    Some(values) => {
                        let pairs = names.iter().cloned().zip(values).collect();
                        Found::Target(target.clone(), pairs)
                    }
                    None => Found::Nothing,
                }
            }
            None if of_api().next().is_some() => Found::OtherMethod,
            None => Found::Nothing,
        }
    }

    /// Every operation that is served.
    pub fn served(&self, api: Api, method: &str, path: &str) -> bool {
        matches!(self.find(api, method, path), Found::Target(Target::Served(_), _))
    }
}

fn without_version(path: &str) -> &str {
    match path.strip_prefix("/v1") {
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

/// `/v1/users/{user_id}` as `/users/{0}`, and its names.
fn shape(template: &str) -> (String, Vec<String>) {
    let (mut shape, mut names) = (String::new(), Vec::new());
    for part in without_version(template).split('/').skip(1) {
        shape.push('/');
        match part.strip_prefix('{').and_then(|part| part.split_once('}')) {
            // A placeholder takes its whole segment, with whatever ending the template gives it.
            Some((name, _)) => {
                let _ = write!(shape, "{{p{}}}", names.len());
                names.push(name.to_owned());
            }
            None => shape.push_str(part),
        }
    }
    (shape, names)
}

/// Text of a path segment; nothing if it is not UTF-8, or hides a NUL.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let hex = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(hex, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::{percent_decoded, shape};

    #[test]
    fn templates_of_one_shape_are_told_by_their_names_only() {
        let (users, names) = shape("/v1/users/{user_id}/ban");
        assert_eq!((users.as_str(), names), ("/users/{p0}/ban", vec!["user_id".to_owned()]));
    }

    #[test]
    fn a_segment_that_is_no_text_is_nothing() {
        assert_eq!(percent_decoded("a%2Fb"), Some("a/b".to_owned()));
        for bad in ["%", "%4", "%zz", "%ff", "%00"] {
            assert_eq!(percent_decoded(bad), None, "{bad}");
        }
    }
}
