//! TLS on a connection that began in clear: the example of the SDK against a real mail server, and a guest that reads
//! too little.

use std::collections::BTreeMap;

use stampede_tests::{Authority, Finished, Identity, Report, SmtpCommands, SmtpServer, StartTls, guest};

use crate::shooter;

/// Sessions of each run.
const SESSIONS: usize = 20;

/// Runs the example against a server that the run trusts.
fn ran(authority: &Authority, server: &SmtpServer, more: &str) -> (Finished, Report) {
    let script = format!(
        "plugins: {{mail: {{source: '{}', allow: [localhost]}}}}\nsteps: [{{name: Mail, action: smtp, server: \
         'localhost:{}'{more}}}]\n",
        guest("starttls").display(),
        server.port()
    );
    let run = shooter().file("authority.pem", authority.pem()).script(&script);
    let run = run.args("--users 4 --iterations 5 --workers 2 --cacert authority.pem --fail-on never").report();
    let run = run.finish().exits(0);
    let report = run.report();
    report.assert_consistent();
    (run, report)
}

/// Asserts that each session failed in this way.
#[track_caller]
fn assert_failed(report: &Report, category: &str, text: &str) {
    let row = report.row("Mail");
    assert_eq!(row.errors(), BTreeMap::from([(category, SESSIONS as u64)]));
    assert!(row.example(category).contains(text), "{}", row.example(category));
}

#[test]
fn commands_go_over_tls_once_both_sides_agree() {
    let authority = Authority::default();
    let server = SmtpServer::start(authority.server(Identity::Valid, &[]), StartTls::Agrees);
    let (run, report) = ran(&authority, &server, "");
    let row = report.row("Mail");
    assert_eq!((row.ok(), row.err()), (SESSIONS as u64, 0), "{}", run.stdout);
    assert_eq!(row.at("/phases_us/tls/count").as_u64(), Some(SESSIONS as u64), "each handshake is timed");
    let SmtpCommands { clear, secure } = server.commands();
    let count = |commands: &[String], command: &str| commands.iter().filter(|it| *it == command).count();
    assert_eq!(
        (clear.len(), count(&clear, "EHLO client"), count(&clear, "STARTTLS")),
        (2 * SESSIONS, SESSIONS, SESSIONS)
    );
    assert_eq!(
        (secure.len(), count(&secure, "EHLO client"), count(&secure, "QUIT")),
        (2 * SESSIONS, SESSIONS, SESSIONS)
    );
}

#[test]
fn a_certificate_that_is_wrong_ends_the_connection_before_a_command() {
    for (identity, more, problem) in [
        (Identity::OtherName, "", "tls: certificate is for another name"),
        (Identity::Valid, ", certificate_name: other.test", "tls: certificate is for another name"),
        (Identity::UnknownIssuer, "", "tls: certificate of an unknown issuer"),
        (Identity::Expired, "", "tls: certificate has expired"),
    ] {
        let authority = Authority::default();
        let server = SmtpServer::start(authority.server(identity, &[]), StartTls::Agrees);
        let (_, report) = ran(&authority, &server, more);
        assert_failed(&report, "network", problem);
        assert_eq!(server.commands().secure, Vec::<String>::new(), "{identity:?}");
    }
    let authority = Authority::default();
    let server = SmtpServer::start(authority.server(Identity::OtherName, &[]), StartTls::Agrees);
    let (_, report) = ran(&authority, &server, ", certificate_name: elsewhere.test");
    assert_eq!(report.row("Mail").ok(), SESSIONS as u64, "the certificate is for the name that the options give");
}

#[test]
fn bytes_in_clear_that_come_with_the_agreement_are_refused() {
    let authority = Authority::default();
    let server = SmtpServer::start(authority.server(Identity::Valid, &[]), StartTls::Injects);
    let (_, report) = ran(&authority, &server, "");
    assert_failed(&report, "protocol", "the peer has sent bytes in clear before TLS began");
    assert_eq!(server.commands().secure, Vec::<String>::new());
}

#[test]
fn a_server_that_declines_or_never_answers_fails_the_task() {
    let authority = Authority::default();
    let server = SmtpServer::start(authority.server(Identity::Valid, &[]), StartTls::Declines);
    let (_, report) = ran(&authority, &server, "");
    assert_failed(&report, "check", "expected `220`, got `454 TLS not available`");
    let server = SmtpServer::start(authority.server(Identity::Valid, &[]), StartTls::FallsSilent);
    let (_, report) = ran(&authority, &server, ", timeout: 300ms");
    assert_failed(&report, "timeout", "in the TLS handshake");
}

#[test]
fn the_host_refuses_tls_while_bytes_are_unread_or_the_socket_is_busy() {
    let authority = Authority::default();
    let server = SmtpServer::start(authority.server(Identity::Valid, &[]), StartTls::Agrees);
    for (how, category, text) in [
        ("reads too little", "protocol", "the peer has sent bytes in clear before TLS began"),
        ("reads meanwhile", "plugin", "another operation of that kind is under way on the socket"),
        ("secures nothing", "network", "the socket is closed"),
    ] {
        let script = format!(
            "plugins: {{it: {{source: '{}', allow: [127.0.0.1]}}}}\nsteps: [{{name: Mail, action: misbehave, how: \
             {how}, port: {}}}]\n",
            guest("misuses_sockets").display(),
            server.port()
        );
        // Nothing is sent, so the exit code says that the target was not reached.
        let run = shooter().script(&script).args("--users 1 --iterations 20").report().finish();
        assert_failed(&run.report(), category, text);
    }
    assert_eq!(server.commands(), SmtpCommands::default());
}
