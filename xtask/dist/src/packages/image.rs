//! The image of a container, from nothing: the static binary, the certificates of authorities, and a user without
//! rights. It is a layout of OCI's image specification 1.1 in a tar archive, which podman, skopeo and docker load.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{Package, PackageKind, Tarball, digest, gzip, tar};
use crate::contents::{Contents, PackedFile, Release};
use crate::targets::TargetSystem;

/// The file with the certificates of authorities, where the binary looks for it, and where Debian has it.
const CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";

/// The number of the user, who has no rights: the one that most systems keep for that.
const USER: u64 = 65_534;

/// The folders of the user: for compiled plugins, and the one that the program starts in.
const FOLDERS: [&str; 2] = ["cache/", "work/"];

/// Packs an image.
pub(crate) fn pack(release: &Release, target: &TargetSystem, contents: &Contents) -> Result<Package> {
    let certificates = std::fs::read(format!("/{CERTIFICATES}"));
    let certificates =
        certificates.context("the certificates of authorities are missing: `apt-get install ca-certificates`")?;
    let file = |path: &str, bytes: Vec<u8>| PackedFile { path: path.into(), bytes, is_program: false };
    let mut files = vec![
        file(CERTIFICATES, certificates),
        file("etc/passwd", format!("stampede:x:{USER}:{USER}::/work:\n").into_bytes()),
        PackedFile { path: "usr/bin/stampede-shooter".into(), ..contents.binary()?.clone() },
    ];
    let licenses = contents.files.iter().filter(|file| ["LICENSE", "NOTICES.txt"].contains(&file.path.as_str()));
    files.extend(licenses.map(|licence| PackedFile { path: format!("licenses/{}", licence.path), ..licence.clone() }));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut layer = Tarball::new(release, "");
    FOLDERS.iter().try_for_each(|folder| layer.add_folder(folder, 0o700, USER))?;
    files.iter().try_for_each(|file| layer.add(file))?;
    let layer = layer.finish()?;
    let packed = gzip(&layer)?;
    let arch = if target.arch == "aarch64" { "arm64" } else { "amd64" };
    let config = json!({
        "architecture": arch, "os": "linux",
        "config": {
            "Entrypoint": ["/usr/bin/stampede-shooter"], "User": format!("{USER}:{USER}"), "WorkingDir": "/work",
            "Env": ["STAMPEDE_CACHE_DIR=/cache", "PATH=/usr/bin"],
            "Labels": {
                "org.opencontainers.image.source": release.repository,
                "org.opencontainers.image.version": release.version,
                "org.opencontainers.image.description": release.description,
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", digest(&layer))]},
    });
    let config = config.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &packed)],
    });
    let manifest = manifest.to_string().into_bytes();
    let mut entry = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest);
    entry["annotations"] = json!({"org.opencontainers.image.ref.name": release.version});
    let index = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry],
    });
    let mut layout: Vec<_> = [config, manifest, packed]
        .into_iter()
        .map(|blob| file(&format!("blobs/sha256/{}", digest(&blob)), blob))
        .collect();
    layout.push(file("index.json", index.to_string().into_bytes()));
    layout.push(file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()));
    layout.sort_by(|a, b| a.path.cmp(&b.path));
    let name = format!("stampede-shooter-{}-{arch}.oci.tar", release.version);
    Ok(Package { name, triple: target.triple, kind: PackageKind::Image, bytes: tar(release, "", &layout)? })
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": format!("sha256:{}", digest(bytes)), "size": bytes.len()})
}
