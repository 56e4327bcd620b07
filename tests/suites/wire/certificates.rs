//! Certificates of servers: which problem one has, what helps, and where trusted ones come from.

use std::io::Read;
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};
use stampede_tests::{Finished, Nginx};

use crate::shooter;

const PAGE: &str = "[{name: Page, url: /}]";
const OK: &str = "location / { return 200 ok; }";

/// A certificate for this name, valid for these years.
fn certificate(name: &str, years: (i32, i32)) -> (String, String) {
    let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
    params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}

/// Runs a request against a server, with the server's certificate trusted in the way that is named.
fn run(server: &Nginx, trust: &str) -> Finished {
    let run = shooter().script(PAGE).args("--iterations 1 --fail-on never --base-url").arg(server.base_url()).report();
    let run = match trust {
        "--cacert" => run.arg("--cacert").arg(server.certificate()),
        "SSL_CERT_FILE" => run.env("SSL_CERT_FILE", &server.certificate().display().to_string()),
        "--insecure-tls" => run.arg(trust),
        _ => run,
    };
    run.finish()
}

#[test]
fn each_problem_with_a_certificate_is_named_with_what_helps() {
    for (trust, name, years, text) in [
        (
            "nothing",
            "127.0.0.1",
            (2020, 2099),
            "tls: certificate of an unknown issuer; `--cacert FILE` or `SSL_CERT_FILE` trusts its issuer, \
             `--insecure-tls` any",
        ),
        ("--cacert", "127.0.0.1", (2020, 2021), "tls: certificate has expired; `--insecure-tls` accepts any"),
        ("--cacert", "127.0.0.1", (2098, 2099), "tls: certificate is not valid yet; `--insecure-tls` accepts any"),
        ("--cacert", "site.test", (2020, 2099), "tls: certificate is for another name; `--insecure-tls` accepts any"),
    ] {
        let server = Nginx::start_with_certificate(OK, &certificate(name, years));
        let failed = run(&server, trust).exits(5);
        assert_eq!(failed.report().row("Page").example("network"), text);
        let accepted = run(&server, "--insecure-tls").exits(0);
        assert_eq!(accepted.report().row("Page").ok(), 1, "{text}");
    }
}

#[test]
fn certificates_of_a_flag_and_of_a_variable_are_trusted() {
    let server = Nginx::start_tls(OK);
    for trust in ["--cacert", "SSL_CERT_FILE"] {
        let run = run(&server, trust).exits(0);
        assert_eq!((run.report().row("Page").ok(), run.stderr.as_str()), (1, ""), "{trust}");
    }
}

#[test]
fn certificates_that_cannot_be_read_are_told() {
    let check = |file: &str| {
        let run = shooter().file("script.yml", PAGE).file("empty.pem", "").file("text.pem", "no certificate\n");
        run.args("check --script script.yml --base-url https://127.0.0.1").env("SSL_CERT_FILE", file).finish().exits(0)
    };
    for (file, text) in [
        ("nowhere.pem", "`SSL_CERT_FILE=nowhere.pem`: no such file or directory"),
        ("empty.pem", "`SSL_CERT_FILE=empty.pem`: it has no certificate in PEM"),
        ("text.pem", "`SSL_CERT_FILE=text.pem`: it has no certificate in PEM"),
    ] {
        let run = check(file);
        assert!(run.stderr.contains(text), "{file}: {}", run.stderr);
    }
    for (file, reason) in [("nowhere.pem", "no such file or directory"), ("text.pem", "it has no certificate in PEM")] {
        let run = shooter().script(PAGE).file("text.pem", "no certificate\n").args("--cacert").arg(file);
        let run = run.args("--iterations 1 --base-url https://127.0.0.1").finish().exits(2);
        assert!(run.stderr.contains(&format!("error[usage::cacert]: `--cacert {file}`: {reason}")), "{}", run.stderr);
    }
}

#[test]
fn a_key_that_cannot_be_verified_is_accepted_with_any_certificate() {
    let certificate = openssl_certificate("ec -pkeyopt ec_paramgen_curve:P-521");
    for versions in ["TLSv1.2", "TLSv1.3"] {
        let server = Nginx::start_with_certificate(&format!("ssl_protocols {versions}; {OK}"), &certificate);
        let run = run(&server, "--insecure-tls").exits(0);
        assert_eq!(run.report().row("Page").ok(), 1, "{versions}\n{}", run.stdout);
    }
}

/// Makes a self-signed certificate with a key of a kind that only openssl makes.
fn openssl_certificate(key: &str) -> (String, String) {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let status = Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-subj", "/CN=127.0.0.1", "-out", "cert.pem", "-keyout", "key.pem", "-newkey"])
        .args(key.split(' '))
        .current_dir(folder.path())
        .stderr(Stdio::null())
        .status();
    let made = status.expect("openssl is missing: install it (Debian and Ubuntu: `apt-get install openssl`)");
    assert!(made.success(), "openssl makes a certificate");
    let read = |name| std::fs::read_to_string(folder.path().join(name)).expect("openssl has written it");
    (read("cert.pem"), read("key.pem"))
}

#[test]
fn a_server_that_asks_for_a_certificate_of_the_client_is_named() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let address = asking_server(version);
        let script = format!(
            "
- {{name: Page, url: 'https://{address}/'}}
- {{name: Say, action: tcp, address: '{address}', tls: true, send: hello, expect: x}}
"
        );
        let run = shooter().script(&script).args("--iterations 1 --fail-on never --insecure-tls").report();
        let report = run.finish().report();
        for name in ["Page", "Say"] {
            let text = report.row(name).example("network");
            let end = "; it asks for a client certificate, which is not supported";
            assert!(text.starts_with("tls: ") && text.ends_with(end), "{version:?}, {name}: {text}");
        }
    }
}

/// Starts a server that refuses clients without a certificate. Returns its address.
fn asking_server(version: &'static SupportedProtocolVersion) -> SocketAddr {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut authorities = RootCertStore::empty();
    authorities.add(cert.der().clone()).expect("an authority");
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), Arc::clone(&provider));
    let config = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[version]).expect("a version");
    let config = config.with_client_cert_verifier(verifier.build().expect("a verifier"));
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
    let config = Arc::new(config.with_single_cert(vec![cert.der().clone()], key).expect("a certificate"));
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    thread::spawn(move || {
        for mut tcp in listener.incoming().flatten() {
            let mut connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
            // It ends with an alert, which the error is about; the client reads it before the connection is closed.
            while connection.complete_io(&mut tcp).is_ok() && connection.is_handshaking() {}
            let _ = connection.complete_io(&mut tcp);
            let _ = tcp.shutdown(Shutdown::Write);
            let _ = tcp.read_to_end(&mut Vec::new());
        }
    });
    address
}
