//! The package for Debian and its descendants (deb(5)). It holds the static binary, so it depends on nothing.

use anyhow::Result;

use super::{Package, PackageKind, gzip, tar};
use crate::contents::{Contents, PackedFile, Release};
use crate::targets::TargetSystem;

/// The places of the package's files; the others go to `usr/share/doc/stampede-shooter/`.
const PLACES: [(&str, &str); 5] = [
    ("stampede-shooter", "usr/bin/stampede-shooter"),
    ("man/stampede-shooter.1", "usr/share/man/man1/stampede-shooter.1.gz"),
    ("completions/stampede-shooter.bash", "usr/share/bash-completion/completions/stampede-shooter"),
    ("completions/_stampede-shooter", "usr/share/zsh/vendor-completions/_stampede-shooter"),
    ("completions/stampede-shooter.fish", "usr/share/fish/vendor_completions.d/stampede-shooter.fish"),
];

/// Packs the files.
pub(crate) fn pack(release: &Release, target: &TargetSystem, contents: &Contents) -> Result<Package> {
    let arch = match target.arch {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let mut files = Vec::new();
    for file in &contents.files {
        let place = PLACES.iter().find(|(path, _)| *path == file.path).map(|(_, place)| (*place).to_owned());
        let other = || {
            let is_other_shell = file.path.starts_with("completions/");
            let name = if file.path == "LICENSE" { "copyright" } else { &file.path };
            (!is_other_shell).then(|| format!("usr/share/doc/stampede-shooter/{name}"))
        };
        let Some(path) = place.or_else(other) else { continue };
        let bytes = if path.ends_with(".gz") { gzip(&file.bytes)? } else { file.bytes.clone() };
        files.push(PackedFile { path, bytes, is_program: file.is_program });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let size: usize = files.iter().map(|file| file.bytes.len().div_ceil(1024)).sum();
    let control = format!(
        "Package: stampede-shooter\nVersion: {}-1\nArchitecture: {arch}\nMaintainer: The stampede-shooter project <{}>\n\
         Installed-Size: {size}\nSection: net\nPriority: optional\nHomepage: {}\nDescription: {}\n",
        release.version, release.repository, release.repository, release.description
    );
    let control = [PackedFile { path: "control".into(), bytes: control.into_bytes(), is_program: false }];
    let members = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", gzip(&tar(release, "./", &control)?)?),
        ("data.tar.gz", gzip(&tar(release, "./", &files)?)?),
    ];
    let mut archive = ar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = ar::Header::new(name.into(), bytes.len() as u64);
        header.set_mode(0o100_644);
        header.set_mtime(release.time);
        archive.append(&header, &*bytes)?;
    }
    let name = format!("stampede-shooter_{}-1_{arch}.deb", release.version);
    Ok(Package { name, triple: target.triple, kind: PackageKind::Debian, bytes: archive.into_inner()? })
}
