//! An independent OCI registry, to which an independent client pushes.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use oci_client::client::{ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::manifest::OciImageManifest;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use tempfile::TempDir;

use crate::wait_for;

/// Attempts to find a port; another process may take a free one first.
const ATTEMPTS: usize = 10;

/// A registry on a loopback address. Dropping it stops it.
pub struct Registry {
    child: Child,
    addr: SocketAddr,
    _folder: TempDir,
}

impl Registry {
    /// Starts an empty registry.
    pub fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        for _ in 0..ATTEMPTS {
            let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
            let addr = listener.local_addr().expect("a bound listener has an address");
            drop(listener);
            let storage = folder.path().join("storage");
            let settings = format!(
                "version: 0.1\nlog: {{level: error}}\nhttp: {{addr: '{addr}'}}\nstorage: {{filesystem: {{rootdirectory: '{}'}}}}\n",
                storage.display()
            );
            let file = folder.path().join("config.yml");
            fs::write(&file, settings).expect("a config file");
            let mut command = Command::new("docker-registry");
            command.arg("serve").arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = command.spawn().expect(
                "docker-registry is missing: install it (Debian and Ubuntu: `apt-get install docker-registry`)",
            );
            let mut ended = false;
            wait_for("the registry to listen", || {
                ended = child.try_wait().expect("the registry can be waited for").is_some();
                ended || TcpStream::connect(addr).is_ok()
            });
            if !ended {
                return Self { child, addr, _folder: folder };
            }
        }
        panic!("no port stayed free for the registry");
    }

    /// Returns `127.0.0.1:port`.
    pub fn address(&self) -> String {
        self.addr.to_string()
    }

    /// Pushes layers of a media type as `repository:tag`, and returns the digest of the manifest without `sha256:`.
    pub fn push(&self, name: &str, media_type: &str, layers: &[&[u8]]) -> String {
        // Another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = Client::new(ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() });
        let reference: Reference = format!("{}/{name}", self.addr).parse().expect("a reference");
        let layer = |bytes: &&[u8]| ImageLayer::new(bytes.to_vec(), media_type.to_owned(), None);
        let layers: Vec<_> = layers.iter().map(layer).collect();
        let config = Config::new(b"{}".to_vec(), "application/vnd.wasm.config.v0+json".to_owned(), None);
        let manifest = OciImageManifest::build(&layers, &config, None);
        runtime.block_on(async {
            let anyone = RegistryAuth::Anonymous;
            client.push(&reference, &layers, config, &anyone, Some(manifest)).await.expect("the registry takes it");
            let digest = client.fetch_manifest_digest(&reference, &anyone).await.expect("the registry has it");
            digest.strip_prefix("sha256:").expect("a SHA-256 digest").to_owned()
        })
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // The process has ended only if a test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
