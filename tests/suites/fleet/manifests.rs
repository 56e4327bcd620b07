//! Manifests are complete: each form has the run, its size and the server in it, and no password.

use crate::shooter;

fn manifest(arguments: &str) -> stampede_tests::Finished {
    let common = "--nats tls://broker.example:4222 --run cup-1 --nodes 40 --deadline 90m";
    shooter().args(&format!("fleet manifest {arguments} {common}")).finish()
}

#[test]
fn each_system_gets_what_it_starts_machines_by() {
    for (system, image, texts) in [
        (
            "kubernetes",
            true,
            &["completionMode: Indexed", "completions: 40", "name: stampede-cup-1", "activeDeadlineSeconds: 5400"][..],
        ),
        ("nomad", true, &["job \"stampede-cup-1\"", "count = 40", "JOB_COMPLETION_INDEX"]),
        ("systemd", false, &["--segment %i/40", "RuntimeMaxSec=5400", "LoadCredential"]),
        ("compose", true, &["replicas: 40", "secrets: [nats]"]),
    ] {
        let image = if image { "--image registry.example/stampede@sha256:ab" } else { "" };
        let run = manifest(&format!("{system} {image}")).exits(0);
        for text in texts.iter().chain(&["tls://broker.example:4222", "cup-1", "nats-creds"]) {
            assert!(run.stdout.contains(text), "{system}: {text}\n{}", run.stdout);
        }
        assert!(!run.stdout.contains("@RUN@") && !run.stdout.contains("@NODES@"), "{}", run.stdout);
    }
}

#[test]
fn containers_need_an_image_and_no_password_is_written() {
    assert!(manifest("kubernetes").exits(2).stderr.contains("there is no image"));
    let common = "fleet manifest systemd --run a --nodes 1 --nats nats://me:hunter2@broker";
    let run = shooter().args(common).finish().exits(2);
    assert!(run.stderr.contains("a user name or a password") && !run.stderr.contains("hunter2"), "{}", run.stderr);
}
