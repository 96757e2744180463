//! The official components, as browsers fetch them: `/npm/@clerk/clerk-js@6/dist/…`.
//!
//! Files are found in an index of what is installed, never by joining paths that were asked for.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use domain::{Error, Result};

use super::version::Version;

/// Packages that are served.
pub const PACKAGES: [&str; 2] = ["@clerk/clerk-js", "@clerk/ui"];
/// Bytes of files that are kept in memory.
const KEPT_BYTES_MAX: usize = 96 << 20;
/// What is installed is looked up again this much later, if something is missing.
const STALE_MS: i64 = 1000;

/// Scripts of the official components in a folder, `@clerk/clerk-js/6.40.0/dist/….js`.
#[derive(Default)]
pub(crate) struct Scripts {
    folder: Option<PathBuf>,
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    index: Arc<Index>,
    looked_at: i64,
    kept: HashMap<PathBuf, Bytes>,
    kept_bytes: usize,
}

type Index = HashMap<&'static str, BTreeMap<Version, HashMap<String, Stored>>>;

/// A file that is there.
#[derive(Clone)]
struct Stored {
    path: PathBuf,
    /// The same, compressed, lies beside it.
    has_gzip: bool,
}

/// What a path asks for.
#[derive(Debug, PartialEq, Eq)]
struct Asked<'a> {
    package: &'static str,
    /// `6`, `6.40.0`, `latest`.
    tag: &'a str,
    file: &'a str,
}

/// `@clerk/clerk-js@6/dist/clerk.browser.js`
fn parse(path: &str) -> Option<Asked<'_>> {
    let package = PACKAGES.into_iter().find(|name| path.starts_with(name))?;
    let (tag, file) = path[package.len()..].split_once('/')?;
    let tag = match tag.strip_prefix('@') {
        Some(tag) => tag,
        None if tag.is_empty() => "latest",
        None => return None,
    };
    Some(Asked { package, tag, file: file.strip_prefix("dist/")? })
}

impl Scripts {
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, shelf: Mutex::default() }
    }

    /// True if these packages are there in versions that a page can load.
    pub(crate) async fn has(&self, wanted: &[(&'static str, &str)], now: i64) -> bool {
        let index = self.index(now, false).await;
        wanted.iter().all(|(package, tag)| newest(&index, package, tag).is_some())
    }

    /// `/npm/{path}`, at `now` in milliseconds.
    pub(crate) async fn serve(
        &self,
        path: &str,
        headers: &HeaderMap,
        now: i64,
    ) -> Result<Response<Body>> {
        let Some(asked) = parse(path) else {
            let text = format!("There is no such script. Served are {}.\n", PACKAGES.join(", "));
            return Ok(missing(text));
        };
        let mut found = find(&*self.index(now, false).await, &asked);
        if found.is_none() {
            found = find(&*self.index(now, true).await, &asked);
        }
        let Some((version, stored)) = found else {
            return Ok(missing(advice(&asked)));
        };
        let is_gzip = stored.has_gzip && takes_gzip(headers);
        let tag = format!("\"{version}{}\"", if is_gzip { "-gzip" } else { "" });
        let is_exact = asked.tag == version.to_string();
        if headers.get(header::IF_NONE_MATCH).is_some_and(|known| matches(known, &tag)) {
            return Ok(response(StatusCode::NOT_MODIFIED, Bytes::new(), &tag, is_exact));
        }
        let bytes = self.read(if is_gzip { gzipped(&stored.path) } else { stored.path }).await?;
        let mut response = response(StatusCode::OK, bytes, &tag, is_exact);
        let kind = media_type(asked.file);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if is_gzip {
            let gzip = HeaderValue::from_static("gzip");
            response.headers_mut().insert(header::CONTENT_ENCODING, gzip);
        }
        Ok(response)
    }

    /// What is installed; looked up at first, and again if something is missing.
    async fn index(&self, now: i64, again: bool) -> Arc<Index> {
        let (index, looked_at) = {
            let shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
            (Arc::clone(&shelf.index), shelf.looked_at)
        };
        let is_due = looked_at == 0 || (again && (now - looked_at).abs() >= STALE_MS);
        let Some(folder) = self.folder.clone().filter(|_| is_due) else {
            return index;
        };
        let index = tokio::task::spawn_blocking(move || scan(&folder)).await.unwrap_or_default();
        let index = Arc::new(index);
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.looked_at = now.max(1);
        shelf.index = Arc::clone(&index);
        index
    }

    /// A file's bytes: one copy of it for all who ask.
    async fn read(&self, path: PathBuf) -> Result<Bytes> {
        let kept =
            self.shelf.lock().unwrap_or_else(PoisonError::into_inner).kept.get(&path).cloned();
        if let Some(bytes) = kept {
            return Ok(bytes);
        }
        let from = path.clone();
        let read = tokio::task::spawn_blocking(move || std::fs::read(from)).await;
        let read = read.map_err(|error| Error::Broken(error.into()))?;
        let bytes = Bytes::from(read.map_err(|error| Error::Broken(error.into()))?);
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.kept_bytes + bytes.len() > KEPT_BYTES_MAX {
            shelf.kept.clear();
            shelf.kept_bytes = 0;
        }
        if shelf.kept.insert(path, bytes.clone()).is_none() {
            shelf.kept_bytes += bytes.len();
        }
        Ok(bytes)
    }
}

fn find(index: &Index, asked: &Asked<'_>) -> Option<(Version, Stored)> {
    let (version, files) = newest(index, asked.package, asked.tag)?;
    Some((version.clone(), files.get(asked.file)?.clone()))
}

/// The newest version that a tag means.
fn newest<'i>(
    index: &'i Index,
    package: &str,
    tag: &str,
) -> Option<(&'i Version, &'i HashMap<String, Stored>)> {
    let mut versions = index.get(package)?.iter().rev();
    versions.find(|(version, _)| version.is_meant_by(tag))
}

/// Everything installed in `folder`; what cannot be read is not there.
fn scan(folder: &Path) -> Index {
    let mut index = Index::new();
    for package in PACKAGES {
        let versions = index.entry(package).or_default();
        for (name, path) in entries(&folder.join(package)) {
            let Some(version) = Version::parse(&name) else { continue };
            let listed = entries(&path.join("dist"));
            let names: Vec<_> = listed.iter().map(|(name, _)| name.clone()).collect();
            let files = listed.into_iter().filter(|(_, path)| !is_compressed(path));
            let files = files.map(|(name, path)| {
                let has_gzip = names.contains(&format!("{name}.gz"));
                (name, Stored { path, has_gzip })
            });
            versions.insert(version, files.collect());
        }
    }
    index
}

fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "gz")
}

fn entries(folder: &Path) -> Vec<(String, PathBuf)> {
    let Ok(listed) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let named = listed.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        // What is being installed has a dot before its name.
        (!name.starts_with('.')).then(|| (name, entry.path()))
    });
    named.collect()
}

fn gzipped(path: &Path) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(".gz");
    path.into()
}

fn media_type(file: &str) -> &'static str {
    match file.rsplit_once('.') {
        Some((_, "js" | "mjs" | "cjs")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "json")) => "application/json",
        _ => "application/octet-stream",
    }
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok());
    codings.flat_map(|value| value.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

/// True if a header `If-None-Match` has this tag.
pub(crate) fn matches(known: &HeaderValue, tag: &str) -> bool {
    let known = known.to_str().unwrap_or_default();
    known
        .split(',')
        .any(|one| matches!(one.trim(), one if one == "*" || one.trim_start_matches("W/") == tag))
}

fn response(status: StatusCode, bytes: Bytes, tag: &str, is_exact: bool) -> Response<Body> {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    // A version never changes; what a tag means does.
    let cached =
        if is_exact { "public, max-age=31536000, immutable" } else { "public, max-age=300" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cached));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    open(headers);
    response
}

/// Pages of any origin may load scripts.
fn open(headers: &mut HeaderMap) {
    let pairs = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN.as_str(), "*"),
        ("cross-origin-resource-policy", "cross-origin"),
        (header::X_CONTENT_TYPE_OPTIONS.as_str(), "nosniff"),
    ];
    for (name, value) in pairs {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// What to do about a script that is not there.
fn advice(asked: &Asked<'_>) -> String {
    let Asked { package, tag, file } = asked;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    // Only what can be said back is said back.
    let wanted =
        if !tag.is_empty() && tag.bytes().all(plain) && tag.len() <= 40 { tag } else { "latest" };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let file = if file.bytes().all(plain) && file.len() <= 120 { file } else { "this file" };
    format!(
        "{package}@{wanted} is not installed on this server, or has no {file}. Install it:\n\n    \
         vestry ui add {package}@{wanted}\n\nWithout a version, `vestry ui add` installs the \
         versions this server was tested with.\n"
    )
}

fn missing(text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::NOT_FOUND;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    open(headers);
    response
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::{Asked, advice, matches, parse, takes_gzip};

    #[test]
    fn a_path_names_package_tag_and_file() {
        let asked = |package, tag, file| Some(Asked { package, tag, file });
        let js = "@clerk/clerk-js";
        assert_eq!(parse("@clerk/clerk-js@6/dist/a.js"), asked(js, "6", "a.js"));
        assert_eq!(parse("@clerk/clerk-js@5.128.0/dist/a.js"), asked(js, "5.128.0", "a.js"));
        assert_eq!(parse("@clerk/ui/dist/ui.js"), asked("@clerk/ui", "latest", "ui.js"));
        for bad in
            ["@clerk/clerk-js@6/package.json", "@clerk/backend@1/dist/a.js", "@clerk/uix/dist/a"]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn advice_repeats_nothing_strange() {
        let asked = |tag, file| Asked { package: "@clerk/ui", tag, file };
        assert!(advice(&asked("1.2.3", "ui.js")).contains("vestry ui add @clerk/ui@1.2.3\n"));
        let text = advice(&asked("$(rm)", "<script>"));
        assert!(!text.contains('<') && !text.contains('$'), "{text}");
    }

    #[test]
    fn codings_and_tags_are_read_as_lists() {
        let mut headers = HeaderMap::new();
        assert!(!takes_gzip(&headers));
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("br, gzip;q=0"));
        assert!(!takes_gzip(&headers));
        headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static("deflate, GZip;q=0.5"));
        assert!(takes_gzip(&headers));
        let known = HeaderValue::from_static("\"a\", W/\"b\"");
        assert!(matches(&known, "\"b\"") && !matches(&known, "\"c\""));
    }
}
