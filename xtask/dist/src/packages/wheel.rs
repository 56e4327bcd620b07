//! The package for Python's installers (PyPA's "Binary distribution format"), which puts the binary beside Python's
//! own programs: `pip install`, `uv tool install`, `pipx run`.

use anyhow::Result;
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use super::{Package, PackageKind, zip};
use crate::contents::{Contents, PackedFile, Release};
use crate::targets::{Needs, TargetSystem};

/// Packs the binary and the licences.
pub(crate) fn pack(release: &Release, target: &TargetSystem, contents: &Contents) -> Result<Package> {
    let (version, tag) = (&release.version, platform_tag(target));
    let (data, info) = (format!("stampede_shooter-{version}.data"), format!("stampede_shooter-{version}.dist-info"));
    let text = |path: String, text: String| PackedFile { path, bytes: text.into_bytes(), is_program: false };
    let mut files =
        vec![PackedFile { path: format!("{data}/scripts/{}", target.binary()), ..contents.binary()?.clone() }];
    let metadata = format!(
        "Metadata-Version: 2.4\nName: stampede-shooter\nVersion: {version}\nSummary: {}\nProject-URL: Source, {}\n\
         License-File: LICENSE\nLicense-File: NOTICES.txt\n",
        release.description, release.repository
    );
    files.push(text(format!("{info}/METADATA"), metadata));
    let wheel =
        format!("Wheel-Version: 1.0\nGenerator: cargo xtask dist\nRoot-Is-Purelib: false\nTag: py3-none-{tag}\n");
    files.push(text(format!("{info}/WHEEL"), wheel));
    let licenses = contents.files.iter().filter(|file| ["LICENSE", "NOTICES.txt"].contains(&file.path.as_str()));
    files.extend(licenses.map(|file| PackedFile { path: format!("{info}/licenses/{}", file.path), ..file.clone() }));
    let boms = contents.files.iter().filter(|file| file.path == "sbom.cdx.json");
    files.extend(boms.map(|file| PackedFile { path: format!("{info}/sboms/{}", file.path), ..file.clone() }));
    let record: String = files.iter().map(record_line).collect();
    files.push(text(format!("{info}/RECORD"), format!("{record}{info}/RECORD,,\n")));
    let name = format!("stampede_shooter-{version}-py3-none-{tag}.whl");
    Ok(Package { name, triple: target.triple, kind: PackageKind::Wheel, bytes: zip(release, "", &files)? })
}

fn record_line(file: &PackedFile) -> String {
    format!("{},sha256={},{}\n", file.path, BASE64URL_NOPAD.encode(&Sha256::digest(&file.bytes)), file.bytes.len())
}

/// Returns the name of a system in Python's words. A static binary runs beside either C library.
fn platform_tag(target: &TargetSystem) -> String {
    match target.needs {
        Needs::Nothing => format!("manylinux_2_17_{0}.musllinux_1_1_{0}", target.arch),
        Needs::Glibc(major, minor) => format!("manylinux_{major}_{minor}_{}", target.arch),
        Needs::Windows => "win_amd64".into(),
    }
}
