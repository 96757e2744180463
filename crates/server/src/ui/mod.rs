//! `vestry ui`: the official components, of packages that npm fetches.

mod package;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::Deserialize;
use serde_json::Value;
use web::pages::{PACKAGES, Version};

use crate::{
    cli::{self, UiCommand},
    data::Folder,
    failure::{Failure, Result},
    logging,
};
use package::Package;

/// What this server was tested with.
const PINNED: &str = include_str!("pinned.toml");
/// Bytes of a packed package.
const PACKED_BYTES_MAX: u64 = 64 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pinned {
    package: Vec<Pin>,
}

/// A version whose content is known.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pin {
    name: String,
    version: String,
    integrity: String,
}

/// Does what was asked.
pub(crate) fn run(command: UiCommand, log: Option<String>) -> Result<()> {
    logging::start_simply(log, "warn")?;
    match command {
        UiCommand::Add(add) => self::add(add)?,
        UiCommand::List { place } => list(&place.folder()),
    }
    Ok(())
}

impl cli::UiPlace {
    /// The folder with the components.
    pub(crate) fn folder(&self) -> PathBuf {
        let variable = || std::env::var_os("VESTRY_UI_DIR").filter(|path| !path.is_empty());
        let given = self.ui_dir.clone().or_else(|| variable().map(PathBuf::from));
        given.unwrap_or_else(|| self.data.join("ui"))
    }

    /// The same, made if it is not there.
    fn make(&self) -> Result<PathBuf> {
        let folder = self.folder();
        if folder.starts_with(&self.data) {
            // Data are for their owner only, whoever comes first.
            Folder(self.data.clone()).make()?;
        }
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

fn add(add: cli::UiAdd) -> Result<()> {
    let pinned: Pinned = toml::from_str(PINNED).map_err(|error| Failure::new(error.to_string()))?;
    let pinned = pinned.package;
    let folder = add.place.make()?;
    for file in &add.file {
        let bytes = read(file)?;
        let expected = match &add.integrity {
            Some(integrity) => integrity.clone(),
            None => known(&pinned, &bytes, file)?,
        };
        install(&folder, &bytes, &expected, None)?;
    }
    let mut wanted = add.packages;
    if wanted.is_empty() && add.file.is_empty() {
        let all = pinned.iter().map(|pin| format!("{}@{}", pin.name, pin.version));
        wanted = all.collect();
    }
    for spec in wanted {
        fetch(&folder, &spec, &pinned, add.integrity.as_deref())?;
    }
    Ok(())
}

/// The integrity of a file that is one of those pinned.
fn known(pinned: &[Pin], bytes: &[u8], file: &Path) -> Result<String> {
    let found = package::integrity(bytes);
    let pin = pinned.iter().find(|pin| pin.integrity == found);
    let pin = pin.ok_or_else(|| {
        let (file, text) = (file.display(), "is none of the versions this server was tested with");
        Failure::Other(format!("{file} {text}: say by --integrity what it has to be ({found})"))
    });
    Ok(pin?.integrity.clone())
}

/// Installs `@clerk/clerk-js@6.40.0` as npm's registry has it.
fn fetch(folder: &Path, spec: &str, pinned: &[Pin], integrity: Option<&str>) -> Result<()> {
    let (name, version) = parse(spec)?;
    if let Some(exact) = Version::parse(&version)
        && folder.join(&name).join(exact.to_string()).exists()
    {
        tell(&format!("{spec} is there already"));
        return Ok(());
    }
    let temporary = tempfile::tempdir()?;
    let into = temporary.path().display().to_string();
    let words = ["pack", &format!("{name}@{version}"), "--pack-destination", &into, "--json"];
    let packed: Value = npm(&[words.as_slice(), &["--ignore-scripts"]].concat())?;
    let said = |name: &str| packed.pointer(&format!("/0/{name}")).and_then(Value::as_str);
    let (Some(file), Some(version)) = (said("filename"), said("version")) else {
        return Err(Failure::Other(format!("npm did not say what it packed for {spec}")));
    };
    // Only its last part: npm's word on where things are is not needed.
    let file = Path::new(file).file_name().unwrap_or_default();
    let bytes = read(&temporary.path().join(file))?;
    let pin = pinned.iter().find(|pin| pin.name == name && pin.version == version);
    let expected = match (integrity, pin) {
        (Some(integrity), _) => integrity.to_owned(),
        (None, Some(pin)) => pin.integrity.clone(),
        (None, None) => {
            let words = ["view", &format!("{name}@{version}"), "dist.integrity", "--json"];
            let said: Value = npm(&words)?;
            said.as_str().unwrap_or_default().to_owned()
        }
    };
    install(folder, &bytes, &expected, Some((&name, version)))
}

/// `@clerk/clerk-js@6`, or without a version.
fn parse(spec: &str) -> Result<(String, String)> {
    let (name, version) = match spec.rsplit_once('@') {
        Some((name, version)) if !name.is_empty() => (name, version),
        _ => (spec, "latest"),
    };
    // It becomes an argument of npm: a flag or an address would mean something else.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    let is_plain = !version.is_empty() && version.bytes().all(plain) && !version.starts_with('-');
    if PACKAGES.contains(&name) && is_plain {
        return Ok((name.to_owned(), version.to_owned()));
    }
    let known = PACKAGES.join(" or ");
    Err(Failure::Settings(vec![format!("{spec}: it must be {known}, like @clerk/clerk-js@6.40.0")]))
}

/// Checks a packed package, and puts its scripts where the server finds them.
fn install(folder: &Path, bytes: &[u8], expected: &str, asked: Option<(&str, &str)>) -> Result<()> {
    let found = package::integrity(bytes);
    if found != expected {
        let text =
            format!("the package has the integrity {found}, not {expected}; nothing was installed");
        return Err(Failure::Other(text));
    }
    let package = Package::unpack(bytes).map_err(Failure::Other)?;
    let (name, version) = (package.name.as_str(), package.version.to_string());
    if asked.is_some_and(|asked| asked != (name, &version)) {
        return Err(Failure::Other(format!("npm packed {name}@{version}, which nobody asked for")));
    }
    package.write(folder)?;
    tell(&format!("{name}@{version} is installed in {}", folder.display()));
    Ok(())
}

/// What npm prints as JSON.
fn npm(words: &[&str]) -> Result<Value> {
    let output =
        Command::new("npm").args(words).stdin(Stdio::null()).stderr(Stdio::piped()).output();
    let output = output.map_err(|error| {
        let text = "npm cannot be started; install Node.js, or give a packed file by --file";
        Failure::Other(format!("{text}: {error}"))
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let errors: Vec<_> = said.lines().filter(|line| line.starts_with("npm error")).collect();
        return Err(Failure::Other(format!("npm {} failed:\n{}", words[0], errors.join("\n"))));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::Other(format!("npm {} printed no JSON: {error}", words[0])))
}

fn read(file: &Path) -> Result<Vec<u8>> {
    let cannot = |error| Failure::Other(format!("cannot read {}: {error}", file.display()));
    if fs::metadata(file).map_err(cannot)?.len() > PACKED_BYTES_MAX {
        return Err(Failure::Other(format!("{} is too large for a package", file.display())));
    }
    fs::read(file).map_err(cannot)
}

fn list(folder: &Path) {
    for name in PACKAGES {
        let listed = fs::read_dir(folder.join(name)).into_iter().flatten().flatten();
        let versions = listed.filter_map(|entry| Version::parse(entry.file_name().to_str()?));
        let mut versions: Vec<_> = versions.collect();
        versions.sort();
        for version in versions {
            tell(&format!("{name}@{version}"));
        }
    }
}

#[expect(clippy::print_stdout, reason = "what was asked for")]
fn tell(text: &str) {
    println!("{text}");
}

#[cfg(test)]
mod tests {
    use super::{PINNED, Pinned, parse};

    #[test]
    fn only_packages_of_components_are_asked_for() {
        let known = parse("@clerk/ui@1").ok();
        assert_eq!(known, Some(("@clerk/ui".to_owned(), "1".to_owned())));
        let latest = parse("@clerk/clerk-js").ok();
        assert_eq!(latest, Some(("@clerk/clerk-js".to_owned(), "latest".to_owned())));
        for bad in [
            "left-pad@1",
            "@clerk/ui@",
            "@clerk/ui@--registry=x",
            "@clerk/ui@file:../x",
            "@clerk/ui@https://evil.example/x.tgz",
            "@clerk/ui@1 --x",
            "@clerk/backend@3",
            "",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn both_lines_of_the_sdk_are_pinned() {
        let pinned: Pinned = toml::from_str(PINNED).expect("read");
        let has = |name: &str, major: &str| {
            pinned.package.iter().any(|pin| pin.name == name && pin.version.starts_with(major))
        };
        assert!(
            has("@clerk/clerk-js", "6.") && has("@clerk/clerk-js", "5.") && has("@clerk/ui", "1.")
        );
    }
}
