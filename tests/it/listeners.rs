//! Where the server listens: the admin API apart from the store, and TLS with a certificate that is renewed.

use std::{
    fs,
    io::{self, Read, Write},
    net::TcpStream,
    path::Path,
    sync::Arc,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::blocking::Client;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName},
};

use crate::support::{
    app::TOKEN,
    database,
    process::{Instance, aisle},
    waiting::{PATIENCE, wait_until},
};

const NAME: &str = "catalogue.test";

/// Writes a new certificate and its key; gives the certificate.
fn renew(folder: &Path) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec![NAME.to_owned()]).expect("a certificate");
    fs::write(folder.join("key.pem"), signing_key.serialize_pem()).expect("a key");
    fs::write(folder.join("cert.pem"), cert.pem()).expect("a certificate");
    cert.der().clone()
}

/// Asks for a path over TLS; the client trusts that certificate alone.
fn ask(url: &str, trusted: &CertificateDer<'static>, path: &str) -> io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).expect("a root");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(NAME).expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
    let socket = TcpStream::connect(url.trim_start_matches("https://"))?;
    let mut stream = StreamOwned::new(connection, socket);
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    match stream.read_to_string(&mut answer) {
        // The server closes without saying so in TLS.
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        _ => Ok(answer),
    }
}

fn status(url: &str, path: &str, token: Option<&str>) -> u16 {
    let request = Client::new().get(format!("{url}{path}"));
    let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
    request.send().expect("an answer").status().as_u16()
}

#[test]
fn admin_api_and_metrics_are_at_their_own_address_only() {
    let database = database();
    let instance = Instance::serve(&[
        ("DATABASE_URL", &database.url),
        ("AISLE_ADMIN_LISTEN", "127.0.0.1:0"),
        ("AISLE_ADMIN_TOKEN", TOKEN),
    ]);
    let output = instance.output();
    let line = output.iter().find_map(|line| line.strip_prefix("admin API ")).expect("where it is");
    let admin = line.trim().trim_end_matches("/v1/admin");
    for path in ["/v1/admin/products", "/metrics"] {
        assert_eq!(status(&instance.url, path, Some(TOKEN)), 404, "{path}");
        assert_eq!(status(admin, path, Some(TOKEN)), 200, "{path}");
    }
    // Strangers cannot tell its paths from others, nor what is no path of it.
    for path in ["/v1/admin/products", "/v1/admin/no-such-thing", "/v1/admin"] {
        assert_eq!(status(&instance.url, path, None), 404, "{path}");
        assert_eq!(status(admin, path, None), 401, "{path}");
    }
    for url in [&instance.url, admin] {
        assert_eq!(status(url, "/v1/store/products", None), 200);
        assert_eq!(status(url, "/readyz", None), 200);
    }
}

#[test]
fn tls_is_served_with_a_certificate_that_is_renewed_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = renew(folder.path());
    let database = database();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (chain, key) = (file("cert.pem"), file("key.pem"));
    let instance = Instance::serve(&[
        ("DATABASE_URL", &database.url),
        ("AISLE_TLS_CERT", &chain),
        ("AISLE_TLS_KEY", &key),
    ]);
    assert!(instance.url.starts_with("https://"), "{}", instance.url);
    let answer = ask(&instance.url, &first, "/v1/store/products").unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    // Without TLS nothing is said.
    let mut plain = TcpStream::connect(instance.url.trim_start_matches("https://")).unwrap();
    plain.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut said = Vec::new();
    drop(plain.read_to_end(&mut said));
    assert!(!said.starts_with(b"HTTP"), "{said:?}");

    // A broken renewal changes nothing; a good one replaces the certificate.
    fs::write(&chain, "not a certificate").unwrap();
    wait_until(PATIENCE, "it is noticed", || instance.log().contains("the old one is kept"));
    ask(&instance.url, &first, "/livez").unwrap();
    let second = renew(folder.path());
    wait_until(PATIENCE, "the new certificate", || ask(&instance.url, &second, "/livez").is_ok());
    assert!(ask(&instance.url, &first, "/livez").is_err(), "the old one is still there");
}

#[test]
fn what_cannot_be_served_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    renew(folder.path());
    let (chain, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let other = tempfile::tempdir().unwrap();
    renew(other.path());
    let database = database();
    for (cert, key, says) in [
        (&chain, &folder.path().join("missing.pem"), "missing.pem"),
        (&key, &key, "no certificate in it"),
        (&chain, &other.path().join("key.pem"), "certificate and key"),
    ] {
        let run = aisle()
            .args(["serve", "--listen", "127.0.0.1:0", "--tls-cert"])
            .arg(cert)
            .arg("--tls-key")
            .arg(key)
            .env("DATABASE_URL", &database.url)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(!run.status.success() && said.contains(says), "{says}: {said}");
    }
}
