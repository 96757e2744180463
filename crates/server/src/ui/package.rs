//! A packed npm package, of which only scripts and the licence are taken.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::Path,
};

use aws_lc_rs::digest::{SHA512, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::Deserialize;
use web::pages::{PACKAGES, Version};

use crate::failure::Result;

/// Bytes of one script.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// Bytes of all that is looked at.
const UNPACKED_BYTES_MAX: u64 = 256 << 20;
/// Files that are looked at.
const FILES_MAX: usize = 20_000;

/// A package that was looked into.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: Version,
    /// Paths below the package's folder, and their contents.
    files: Vec<(String, Vec<u8>)>,
}

#[derive(Deserialize)]
struct Manifest {
    name: String,
    version: String,
}

/// What npm calls the integrity of a packed package.
pub(crate) fn integrity(bytes: &[u8]) -> String {
    format!("sha512-{}", STANDARD.encode(digest(&SHA512, bytes)))
}

impl Package {
    /// Looks into a packed package. Paths in it decide nothing: what is taken has a known form.
    pub(crate) fn unpack(bytes: &[u8]) -> std::result::Result<Self, String> {
        let broken = |error: std::io::Error| format!("the package cannot be read: {error}");
        let mut archive = tar::Archive::new(GzDecoder::new(bytes).take(UNPACKED_BYTES_MAX));
        let (mut manifest, mut files) = (None, Vec::new());
        for (number, entry) in archive.entries().map_err(broken)?.enumerate() {
            let mut entry = entry.map_err(broken)?;
            let path = entry.path_bytes();
            let Some(path) = std::str::from_utf8(&path).ok().and_then(wanted) else { continue };
            if number >= FILES_MAX || entry.size() > FILE_BYTES_MAX {
                return Err("the package is too large".to_owned());
            }
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let mut contents = Vec::new();
            entry.read_to_end(&mut contents).map_err(broken)?;
            if path == "package.json" {
                let read: Manifest = serde_json::from_slice(&contents)
                    .map_err(|error| format!("its package.json cannot be read: {error}"))?;
                manifest = Some(read);
            }
            files.push((path, contents));
        }
        let Manifest { name, version } = manifest.ok_or("the package has no package.json")?;
        if !PACKAGES.contains(&name.as_str()) {
            return Err(format!("{name} is none of {}", PACKAGES.join(", ")));
        }
        let version = Version::parse(&version).ok_or(format!("{version} is no version"))?;
        if !files.iter().any(|(path, _)| path.starts_with("dist/")) {
            return Err(format!("{name}@{version} has no scripts"));
        }
        Ok(Self { name, version, files })
    }

    /// Writes the scripts, each with a compressed twin, whole or not at all.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let versions = folder.join(&self.name);
        fs::create_dir_all(&versions)?;
        let new = tempfile::Builder::new().prefix(".new-").tempdir_in(&versions)?;
        fs::create_dir(new.path().join("dist"))?;
        for (path, contents) in &self.files {
            let path = new.path().join(path);
            fs::write(&path, contents)?;
            if path.parent().is_some_and(|parent| parent.ends_with("dist")) {
                let mut twin = path.into_os_string();
                twin.push(".gz");
                let mut encoder = GzEncoder::new(fs::File::create(twin)?, Compression::best());
                encoder.write_all(contents)?;
                encoder.finish()?.sync_all()?;
            }
        }
        let place = versions.join(self.version.to_string());
        let readable = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
        fs::set_permissions(new.path(), readable)?;
        let kept = new.keep();
        fs::rename(&kept, &place).or_else(|error| {
            let _ = fs::remove_dir_all(&kept);
            // Somebody else was faster: a version is the same wherever it comes from.
            if place.exists() { Ok(()) } else { Err(error.into()) }
        })
    }
}

/// The path of a file that is taken, below the folder that packages begin with.
fn wanted(path: &str) -> Option<String> {
    let (_, path) = path.split_once('/')?;
    if matches!(path, "package.json" | "LICENSE") {
        return Some(path.to_owned());
    }
    let name = path.strip_prefix("dist/")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let is_plain = !name.starts_with('.') && name.bytes().all(plain);
    let ends = [".js", ".mjs", ".css", ".txt"];
    (is_plain && ends.iter().any(|end| name.ends_with(end))).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::{Package, wanted};

    /// A packed package with these files; paths are written as they are.
    fn packed(files: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, contents) in files {
            let mut header = tar::Header::new_gnu();
            header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
            header.set_size(contents.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            archive.append(&header, contents.as_bytes()).expect("added");
        }
        let mut encoder = archive.into_inner().expect("ended");
        encoder.flush().expect("written");
        encoder.finish().expect("compressed")
    }

    const MANIFEST: (&str, &str) =
        ("package/package.json", r#"{"name": "@clerk/ui", "version": "1.2.3"}"#);

    #[test]
    fn inp_paths_that_lead_elsewhere_are_not_taken() {
        let bytes = packed(&[
            MANIFEST,
            ("package/dist/ui.browser.js", "1"),
            ("package/dist/../../../escaped.js", "2"),
            ("/absolute/dist/x.js", "3"),
            ("../../dist/x/y.js", "4"),
            ("package/LICENSE", "MIT"),
            ("package/dist/.hidden.js", "5"),
        ]);
        let package = Package::unpack(&bytes).expect("read");
        let folder = tempfile::tempdir().expect("a folder");
        package.write(folder.path()).expect("written");
        package.write(folder.path()).expect("the second time as well");

        let place = folder.path().join("@clerk/ui/1.2.3");
        let mut names: Vec<_> = ["", "dist"]
            .iter()
            .flat_map(|part| std::fs::read_dir(place.join(part)).expect("listed").flatten())
            .map(|entry| entry.file_name().into_string().expect("a name"))
            .collect();
        names.sort();
        assert_eq!(names, ["LICENSE", "dist", "package.json", "ui.browser.js", "ui.browser.js.gz"]);
        let beside = std::fs::read_dir(folder.path().join("@clerk/ui")).expect("listed").count();
        assert_eq!(beside, 1, "nothing half done is left");
    }

    #[test]
    fn other_packages_and_broken_ones_are_refused() {
        let script = ("package/dist/a.js", "1");
        let other = ("package/package.json", r#"{"name": "left-pad", "version": "1.2.3"}"#);
        let path = ("package/package.json", r#"{"name": "@clerk/ui", "version": "../../1.2.3"}"#);
        for files in [&[script][..], &[MANIFEST], &[script, other], &[script, path]] {
            assert!(Package::unpack(&packed(files)).is_err(), "{files:?}");
        }
        assert!(Package::unpack(b"no archive").is_err());
    }

    #[test]
    fn only_scripts_are_taken() {
        assert_eq!(wanted("package/dist/a.js").as_deref(), Some("dist/a.js"));
        for path in [
            "package/dist/a.d.ts",
            "package/dist/a.js.map",
            "package/dist/x/a.js",
            "a.js",
            "package/src/a.js",
            "package/dist/..js/../a.js",
        ] {
            assert_eq!(wanted(path), None, "{path}");
        }
    }
}
