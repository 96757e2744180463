//! TLS to PostgreSQL.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use db::{BoxFuture, Db, Error, Mode, Result, Tx};

use crate::{
    fixture::on_postgres,
    server::Server,
    units::{MIGRATIONS, names, put, unit},
};

/// Certificates of two authorities, and one of `localhost` that the first signed.
struct Certificates {
    folder: tempfile::TempDir,
}

impl Certificates {
    fn make() -> Self {
        let made = Self { folder: tempfile::tempdir().expect("a folder") };
        for authority in ["ours", "theirs"] {
            made.openssl(&format!(
                "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN={authority} \
                 -keyout {authority}.key -out {authority}.crt"
            ));
        }
        made.openssl(
            "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
        );
        let names = "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n";
        std::fs::write(made.path("names"), names).expect("written");
        made.openssl(
            "x509 -req -days 30 -in server.csr -CA ours.crt -CAkey ours.key -CAcreateserial \
             -extfile names -out server.crt",
        );
        made
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .output()
            .expect("this test makes certificates with `openssl`: install the package `openssl`");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

async fn encrypted(db: &Db) -> bool {
    let work = |mut tx: Tx| -> BoxFuture<Result<bool>> {
        Box::pin(async move {
            let sql = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
            tx.rows(sql, vec![]).await?.pop().map_or(Ok(false), |mut row| row.take())
        })
    };
    db.run(unit("encrypted", Mode::Scan), work).await.expect("asked")
}

fn url(server: &Server, host: &str, mode: &str, roots: Option<&Path>) -> String {
    let roots = roots.map_or_else(String::new, |path| format!("&sslrootcert={}", path.display()));
    let address = server.url.replace("127.0.0.1", host);
    format!("{address}/postgres?sslmode={mode}{roots}")
}

async fn refusal(url: &str) -> String {
    match Db::open(url, MIGRATIONS).await {
        Ok(_) => "opened".to_owned(),
        Err(Error::Unavailable(text) | Error::Open(text)) => text,
        Err(error) => panic!("another error: {error:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_reached_by_tls_and_proves_who_it_is() {
    if !on_postgres() {
        return;
    }
    let certificates = Certificates::make();
    let server = Server::start("");
    assert!(refusal(&url(&server, "localhost", "require", None)).await.contains("TLS"));
    server.speak_tls(&certificates.path("server.crt"), &certificates.path("server.key"));
    let (ours, theirs) = (certificates.path("ours.crt"), certificates.path("theirs.crt"));

    for (mode, roots) in [
        ("require", None),
        ("prefer", None),
        ("require", Some(&*ours)),
        ("verify-full", Some(&*ours)),
    ] {
        for host in ["localhost", "127.0.0.1"] {
            let url = url(&server, host, mode, roots);
            let db = Db::open(&url, MIGRATIONS).await.unwrap_or_else(|error| {
                panic!("{url}: {error}");
            });
            assert!(encrypted(&db).await, "{url}");
            db.close().await;
        }
    }
    let db = Db::open(&url(&server, "localhost", "verify-full", Some(&ours)), MIGRATIONS).await;
    let db = db.expect("opened");
    put(&db, "ada", 1).await.expect("put");
    assert_eq!(names(&db).await, ["ada"]);

    for (mode, roots) in
        [("verify-full", Some(&*theirs)), ("require", Some(&*theirs)), ("verify-full", None)]
    {
        let text = refusal(&url(&server, "localhost", mode, roots)).await;
        assert!(text.contains("certificate"), "{mode} {roots:?}: {text}");
    }
    let text = refusal(&url(&server, "localhost", "disable", None)).await;
    assert!(text.contains("no encryption"), "{text}");
    let text = refusal(&url(&server, "localhost", "verify-ca", None)).await;
    assert_eq!(text, "sslmode=verify-ca is not known");
    let missing = certificates.path("missing.crt");
    let text = refusal(&url(&server, "localhost", "verify-full", Some(&missing))).await;
    assert!(text.starts_with("cannot read certificates of "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_name_is_refused() {
    if !on_postgres() {
        return;
    }
    let certificates = Certificates::make();
    std::fs::write(
        certificates.path("names"),
        "subjectAltName=DNS:db.example\nbasicConstraints=CA:FALSE\n",
    )
    .expect("written");
    certificates.openssl(
        "x509 -req -days 30 -in server.csr -CA ours.crt -CAkey ours.key -extfile names \
         -out other.crt",
    );
    let server = Server::start("");
    server.speak_tls(&certificates.path("other.crt"), &certificates.path("server.key"));
    let ours = certificates.path("ours.crt");
    let text = refusal(&url(&server, "localhost", "verify-full", Some(&ours))).await;
    assert!(text.contains("not valid for name"), "{text}");
    // Without proof nobody asks for the name.
    assert_eq!(refusal(&url(&server, "localhost", "require", None)).await, "opened");
}
