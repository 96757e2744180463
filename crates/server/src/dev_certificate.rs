//! A certificate for development: made on request, kept with the data.
//!
//! An authority of its own signs it, whose key is forgotten at once: whoever trusts it trusts this
//! one certificate and nothing else, ever.

use std::{
    fs,
    io::Write as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

use crate::failure::{Failure, Result};

/// As long as browsers take one for.
const DAYS: i64 = 800;
/// One that ends sooner is made anew.
const DAYS_LEFT_MIN: i64 = 30;

/// Files of a certificate.
pub(crate) struct Files {
    /// What to trust.
    pub(crate) authority: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// The certificate in `folder` for this machine and `host`; made if there is none that lasts.
pub(crate) fn of(folder: &Path, host: &str, now_ms: i64) -> Result<Files> {
    let files = Files {
        authority: folder.join("authority.pem"),
        certificate: folder.join("certificate.pem"),
        key: folder.join("key.pem"),
    };
    let now = OffsetDateTime::from_unix_timestamp(now_ms / 1000)
        .map_err(|error| Failure::new(error.to_string()))?;
    // What it was made for stands beside it: a certificate is not read here.
    let about = folder.join("made_for");
    let made_for = fs::read_to_string(&about).unwrap_or_default();
    let lasts = made_for.split_once('\n').is_some_and(|(name, ends)| {
        let least = (now + Duration::days(DAYS_LEFT_MIN)).unix_timestamp();
        name == host && ends.trim().parse().is_ok_and(|ends: i64| ends > least)
    });
    if lasts && files.authority.exists() && files.certificate.exists() && files.key.exists() {
        return Ok(files);
    }
    fs::create_dir_all(folder)?;
    let ends = now + Duration::days(DAYS);
    let made = make(host, now - Duration::days(1), ends);
    let (authority, certificate, key) = made.map_err(|error| Failure::new(error.to_string()))?;
    write(folder, &files.authority, &authority)?;
    write(folder, &files.certificate, &certificate)?;
    write(folder, &files.key, &key)?;
    write(folder, &about, &format!("{host}\n{}\n", ends.unix_timestamp()))?;
    Ok(files)
}

/// Authority, certificate and the latter's key, as PEM.
fn make(
    host: &str,
    begins: OffsetDateTime,
    ends: OffsetDateTime,
) -> std::result::Result<(String, String, String), rcgen::Error> {
    let mut authority = CertificateParams::new(Vec::new())?;
    let name = format!("Vestry development ({host})");
    authority.distinguished_name.push(DnType::CommonName, name);
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    (authority.not_before, authority.not_after) = (begins, ends);
    let secret = KeyPair::generate()?;
    let trusted = authority.self_signed(&secret)?.pem();
    let issuer = Issuer::new(authority, secret);

    let names = [host, "localhost", "*.localhost"].map(str::to_owned);
    let mut certificate = CertificateParams::new(names)?;
    let here = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    certificate.subject_alt_names.extend(here.map(SanType::IpAddress));
    certificate.distinguished_name.push(DnType::CommonName, host);
    certificate.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    certificate.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    certificate.use_authority_key_identifier_extension = true;
    (certificate.not_before, certificate.not_after) = (begins, ends);
    let key = KeyPair::generate()?;
    let signed = certificate.signed_by(&key, &issuer)?.pem();
    Ok((trusted, signed, key.serialize_pem()))
}

/// Writes a file for its owner only, whole or not at all.
fn write(folder: &Path, path: &Path, text: &str) -> Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map_err(|error| Failure::from(error.error))?;
    Ok(())
}
