//! Components from files, web sites and registries: the component that was named is the one that is loaded, and a
//! second start needs no network.

use std::fs;
use std::path::Path;

use stampede_tests::{Nginx, RawRequest, RawServer, Registry, Run, guest};
use tempfile::TempDir;

use crate::{assert_golden, sha256, shooter, tests_folder};

/// The media type of a component in a registry.
const WASM: &str = "application/wasm";

fn component(name: &str) -> Vec<u8> {
    fs::read(guest(name)).expect("the guest is there")
}

/// Returns a script with one step of the plugin that the entry describes.
fn script(entry: &str) -> String {
    format!(
        "base_url: http://127.0.0.1:1\nplugins:\n  it: {entry}\nsteps: [{{name: Step, action: misbehave, url: /}}]\n"
    )
}

/// Returns a call of a command on that script, with a cache of its own.
fn call(command: &str, entry: &str, cache: &Path) -> Run {
    let cache = cache.to_str().expect("a folder in UTF-8");
    shooter().env("STAMPEDE_CACHE_DIR", cache).args(command).script(&script(entry))
}

/// Returns a component of five MiB, most of it a section without a meaning; its size is in the message, which is the
/// same on every machine.
#[test]
fn compiling_a_large_component_is_reported_once_without_a_terminal() {
    let (folder, caches) = (TempDir::new().unwrap(), [TempDir::new().unwrap(), TempDir::new().unwrap()]);
    let mut bytes = component("fails_silently");
    // A custom section: its number, its length in LEB128, and its empty name.
    bytes.extend([&[0, 0x80, 0x80, 0xc0, 0x02][..], &vec![0; 5 << 20]].concat());
    let file = folder.path().join("it.wasm");
    fs::write(&file, &bytes).unwrap();
    let run = |cache: &TempDir, flags: &str| {
        let run = call("", &format!("{{source: '{}'}}", file.display()), cache.path());
        // The one task fails, as it always does.
        run.args("--users 1 --iterations 1").args(flags).finish().exits(9).stderr
    };
    let size = bytes.len() as f64 / f64::from(1 << 20);
    let notices = format!("compiling plugin `it` ({size:.1} MiB), once …\ncompiled plugin `it`\n");
    let first = run(&caches[0], "");
    assert!(first.contains(&notices), "{first}");
    for (cache, flags) in [(&caches[0], ""), (&caches[1], "--quiet")] {
        let said = run(cache, flags);
        assert!(!said.contains("compil"), "{said}");
    }
}

#[test]
fn a_component_of_a_web_site_is_fetched_once_and_verified_each_time() {
    let (folder, cache) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let bytes = component("fails_silently");
    fs::write(folder.path().join("it.wasm"), &bytes).unwrap();
    let site = Nginx::start_tls(&format!("location / {{ root {}; }}", folder.path().display()));
    let certificate = site.certificate().display().to_string();
    let entry = format!("{{source: '{}/it.wasm', sha256: {}}}", site.base_url(), sha256(&bytes));
    let check = || call("check", &entry, cache.path()).env("SSL_CERT_FILE", &certificate).finish();
    for _ in 0..2 {
        check().exits(0);
    }
    assert_eq!(site.log(1).len(), 1, "the second start takes what the first has kept");
    check().exits(0);
    fs::write(cache.path().join(format!("{}.wasm", sha256(&bytes))), "something else").unwrap();
    let run = check().exits(4);
    assert!(run.stderr.contains("cannot be reached: connection refused"), "{}", run.stderr);
}

#[test]
fn replies_of_web_sites_are_checked() {
    let (folder, cache) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let bytes = component("fails_silently");
    fs::write(folder.path().join("it.wasm"), &bytes).unwrap();
    fs::File::create(folder.path().join("huge.wasm")).unwrap().set_len((64 << 20) + 1).unwrap();
    let site = Nginx::start_tls(&format!(
        "location / {{ root {}; }} location /away {{ return 302 http://127.0.0.1:1/; }} \
         location /round {{ return 302 /round; }} location /moved {{ return 302 /it.wasm; }}",
        folder.path().display()
    ));
    let certificate = site.certificate().display().to_string();
    let any = "0".repeat(64);
    let mut transcript = String::new();
    for path in ["it.wasm", "moved", "none.wasm", "huge.wasm", "away", "round"] {
        let entry = format!("{{source: '{}/{path}', sha256: '{any}'}}", site.base_url());
        let run = call("check", &entry, cache.path()).env("SSL_CERT_FILE", &certificate).finish().exits(4);
        transcript.push_str(&run.stderr);
    }
    let entry = format!("{{source: '{}/it.wasm', sha256: '{any}'}}", site.base_url());
    let run = call("check --insecure-tls", &entry, cache.path()).finish().exits(4);
    transcript.push_str(&run.stderr);
    // The text between is the script's line, whose length depends on the address.
    let said = transcript.lines().filter(|line| line.starts_with("error") || line.contains("= help"));
    let plain = |line: &str| line.replace(&site.base_url(), "SITE").replace(&sha256(&bytes), "DIGEST") + "\n";
    let said = said.map(plain).collect::<String>();
    assert_golden(&tests_folder().join("suites/golden/sources.txt"), &said);
}

#[test]
fn an_artifact_by_the_digest_of_its_manifest_is_pulled_once() {
    let (registry, cache) = (Registry::start(), TempDir::new().unwrap());
    let manifest = registry.push("team/it:1", WASM, &[&component("fails_silently")]);
    let entry = format!("oci://{}/team/it@sha256:{manifest}", registry.address());
    call("check", &entry, cache.path()).finish().exits(0);
    drop(registry);
    call("check", &entry, cache.path()).finish().exits(0);
    let other = format!("{{source: '{entry}', sha256: '{}'}}", "0".repeat(64));
    let run = call("check", &other, cache.path()).finish().exits(4);
    assert!(run.stderr.contains("does not have the digest given in the script"), "{}", run.stderr);
}

#[test]
fn a_tag_that_moved_does_not_matter_once_it_is_locked() {
    let registry = Registry::start();
    let (first, second) = (component("fails_silently"), component("prints"));
    registry.push("team/it:1", WASM, &[&first]);
    let entry = format!("oci://{}/team/it:1", registry.address());
    let cache = || TempDir::new().unwrap();

    let run = call("check", &entry, cache().path()).finish().exits(3);
    assert!(run.stderr.contains("`it` is fetched over the network and has no digest"), "{}", run.stderr);

    let locked = call("plugin lock", &entry, cache().path()).finish().exits(0);
    assert_eq!(locked.stdout, format!("{}  it  {entry}\n", sha256(&first)));
    let lock = locked.read("stampede.lock");
    assert!(lock.contains(&sha256(&first)), "{lock}");

    registry.push("team/it:1", WASM, &[&second]);
    for command in ["check", "check --locked", "plugins --locked"] {
        call(command, &entry, cache().path()).file("stampede.lock", &lock).finish().exits(0);
    }
    let renewed = call("plugin lock", &entry, cache().path()).file("stampede.lock", &lock).finish().exits(0);
    assert!(renewed.read("stampede.lock").contains(&sha256(&second)));
}

#[test]
fn a_file_that_changed_is_a_warning_and_with_locked_an_error() {
    let cache = TempDir::new().unwrap();
    let (old, new) = (component("prints"), component("fails_silently"));
    let lock = |source: &str| format!("plugins:\n  it:\n    source: {source}\n    sha256: {}\n", sha256(&old));
    let check = |command: &str| call(command, "it.wasm", cache.path()).file("it.wasm", &new);

    let run = check("check").file("stampede.lock", lock("it.wasm")).finish().exits(0);
    assert!(run.stderr.contains("WARN plugin `it` is not the one in `stampede.lock`"), "{}", run.stderr);
    let run = check("check --locked").file("stampede.lock", lock("it.wasm")).finish().exits(4);
    let expected = format!(
        "error[plugin::locked]: plugin `it` is not the one in `stampede.lock`, which has the digest {}
 --> script.yml:3:7
  |
3 |   it: it.wasm
  |       ^^^^^^^ another digest
  |
  = help: it has {}; if it is the one you mean, run `stampede-shooter plugin lock --script FILE`
",
        sha256(&old),
        sha256(&new)
    );
    assert_eq!(run.stderr, expected);

    for run in [check("check"), check("check").file("stampede.lock", lock("other.wasm"))] {
        let run = run.env("STAMPEDE_LOCKED", "true").finish().exits(4);
        let message = "error[plugin::locked]: plugin `it` is not in `stampede.lock` with this source\n";
        assert!(run.stderr.starts_with(message), "{}", run.stderr);
    }
    let run = check("check").file("stampede.lock", "[]").finish().exits(4);
    assert!(run.stderr.contains("cannot read `stampede.lock`: it is not as `plugin lock` writes it"), "{}", run.stderr);
}

/// Two scripts of one folder call different plugins `it`.
#[test]
fn each_script_is_locked_to_its_own_plugins() {
    let folder = TempDir::new().unwrap();
    let script =
        |file: &str| format!("plugins: {{it: {file}}}\nsteps: [{{name: S, action: misbehave, url: 'http://a/'}}]\n");
    for (name, file, guest) in [("a.yml", "one.wasm", "prints"), ("b.yml", "two.wasm", "finishes_early")] {
        fs::write(folder.path().join(name), script(file)).unwrap();
        fs::write(folder.path().join(file), component(guest)).unwrap();
    }
    let call =
        |command: &str, name: &str| shooter().current_dir(folder.path()).args(command).args("--script").arg(name);
    for name in ["a.yml", "b.yml"] {
        call("plugin lock", name).finish().exits(0);
    }
    for name in ["a.yml", "b.yml"] {
        call("check --locked", name).finish().exits(0);
    }
    let lock = fs::read_to_string(folder.path().join("stampede.lock")).unwrap();
    assert!(lock.contains("  a.yml:\n    it:\n") && lock.contains("  b.yml:\n    it:\n"), "{lock}");
}

#[test]
fn plugins_of_other_scripts_stay_in_the_lock() {
    let cache = TempDir::new().unwrap();
    let other = format!("plugins:\n  other:\n    source: x.wasm\n    sha256: {}\n", "1".repeat(64));
    let it = component("prints");
    let run = call("plugin lock", "./it.wasm", cache.path()).file("it.wasm", &it).file("stampede.lock", &other);
    let expected = format!(
        "# Written by `stampede-shooter plugin lock`. Keep it with the scripts.\nscripts:\n  script.yml:\n    it:\n      \
         source: ./it.wasm\n      sha256: {}\nplugins:\n  other:\n    source: x.wasm\n    sha256: \"{}\"\n",
        sha256(&it),
        "1".repeat(64)
    );
    assert_eq!(run.finish().exits(0).read("stampede.lock"), expected);
}

#[test]
fn artifacts_that_are_not_plugins_are_rejected() {
    let (registry, cache) = (Registry::start(), TempDir::new().unwrap());
    let bytes = component("prints");
    registry.push("team/it:text", "text/plain", &[b"hello"]);
    registry.push("team/it:two", WASM, &[&bytes, b"\0asm"]);
    let address = registry.address();
    for (tag, said) in [
        ("text", "does not name exactly one layer of type `application/wasm`".to_owned()),
        ("two", "does not name exactly one layer of type `application/wasm`".to_owned()),
        ("none", format!("`http://{address}` has no `team/it` with manifests/none")),
    ] {
        let run = call("plugin lock", &format!("oci://{address}/team/it:{tag}"), cache.path()).finish().exits(4);
        assert!(run.stderr.contains(&said), "{}", run.stderr);
    }
}

#[test]
fn a_registry_that_wants_a_token_gives_an_anonymous_one() {
    let cache = TempDir::new().unwrap();
    let bytes = component("fails_silently");
    let digest = sha256(&bytes);
    let registry = RawServer::start(move |request: &RawRequest| {
        let port = request.header("host");
        if request.line.starts_with("GET /token?service=r&scope=repository%3Ateam%2Fit%3Apull ") {
            return answer("200 OK", "", b"{\"access_token\": \"t0ken\"}");
        }
        if request.header("authorization") != "Bearer t0ken" {
            let challenge = format!("www-authenticate: Bearer realm=\"http://{port}/token\",service=\"r\"\r\n");
            return answer("401 Unauthorized", &challenge, b"{}");
        }
        answer("200 OK", "", &bytes)
    });
    let address = registry.base_url().replace("http://", "");
    let entry = format!("{{source: 'oci://{address}/team/it:1', sha256: {digest}}}");
    call("check", &entry, cache.path()).finish().exits(0);
    let lines: Vec<_> = registry.take().into_iter().map(|request| request.line).collect();
    let blob = format!("GET /v2/team/it/blobs/sha256:{digest} HTTP/1.1");
    assert_eq!((lines.len(), &lines[0], &lines[2]), (3, &blob, &blob), "{lines:?}");
}

#[test]
fn a_token_is_requested_over_tls_alone_and_credentials_are_never_sent() {
    let cache = TempDir::new().unwrap();
    for (challenge, said) in [
        ("Bearer realm=\"http://site.example/token\"", "for tokens, which is not encrypted"),
        ("Basic realm=\"r\"", "requires authentication, which is not supported"),
    ] {
        let challenge = format!("www-authenticate: {challenge}\r\n");
        let registry = RawServer::start(move |_: &RawRequest| answer("401 Unauthorized", &challenge, b""));
        let address = registry.base_url().replace("http://", "");
        let run = call("plugin lock", &format!("oci://{address}/team/it:1"), cache.path()).finish().exits(4);
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
}

#[test]
fn rejections_of_a_registry_are_reported() {
    let cache = TempDir::new().unwrap();
    let wanted = "requires authentication, which is not supported";
    for (status, fields, body, said) in [
        ("401 Unauthorized", "", "", wanted),
        ("403 Forbidden", "", r#"{"errors": [{"code": "DENIED"}]}"#, wanted),
        ("429 Too Many Requests", "", r#"{"errors": [{"code": "TOOMANYREQUESTS"}]}"#, "answered with status 429"),
        ("500 Internal Server Error", "", "", "answered with status 500"),
        ("200 OK", "", "hello", "its manifest is not one of an OCI artifact"),
    ] {
        let registry = RawServer::start(move |_: &RawRequest| answer(status, fields, body.as_bytes()));
        let run = call("plugin lock", &format!("{}/team/it:1", oci(&registry)), cache.path()).finish().exits(4);
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
}

#[test]
fn a_manifest_or_a_component_that_was_swapped_is_rejected() {
    let cache = TempDir::new().unwrap();
    let (meant, other) = (sha256(&component("fails_silently")), component("prints"));
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.wasm.config.v0+json", "digest": format!("sha256:{meant}"), "size": 2},
        "layers": [{"mediaType": WASM, "digest": format!("sha256:{meant}"), "size": other.len()}],
    });
    let manifest = manifest.to_string();
    let by_digest = sha256(manifest.as_bytes());
    let registry = RawServer::start(move |request: &RawRequest| match request.line.contains("/manifests/") {
        true => answer("200 OK", "", manifest.as_bytes()),
        false => answer("200 OK", "", &other),
    });
    let address = oci(&registry);
    let swapped = "0".repeat(64);
    for (version, said) in [
        (":1".to_owned(), "returned another component for this digest"),
        (format!("@sha256:{by_digest}"), "returned another component for this digest"),
        (format!("@sha256:{swapped}"), "returned another manifest for this digest"),
    ] {
        let run = call("plugin lock", &format!("{address}/team/it{version}"), cache.path()).finish().exits(4);
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
    let kept = fs::read_dir(cache.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "wasm"));
    assert_eq!(kept.count(), 0, "what was swapped is not kept");
}

/// Returns the `oci://` address of a server that acts as a registry.
fn oci(registry: &RawServer) -> String {
    registry.base_url().replace("http://", "oci://")
}

fn answer(status: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{fields}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}
