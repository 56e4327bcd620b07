//! Proofs about a binary that need no run of it.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, Object, elf};
use xtask::workspace::root;

use crate::targets::{Needs, TargetSystem};

/// Libraries that come with the GNU C library.
const GLIBC_LIBRARIES: [&str; 6] =
    ["ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1"];

/// Libraries that are part of Windows. `api-ms-win-` is a prefix of more.
const WINDOWS_LIBRARIES: [&str; 15] = [
    "advapi32.dll",
    "bcrypt.dll",
    "bcryptprimitives.dll",
    "crypt32.dll",
    "dbghelp.dll",
    "iphlpapi.dll",
    "kernel32.dll",
    "msvcrt.dll",
    "ntdll.dll",
    "ole32.dll",
    "psapi.dll",
    "secur32.dll",
    "shell32.dll",
    "userenv.dll",
    "ws2_32.dll",
];

/// Checks that a binary needs what its target says, and that nothing in it tells where it was built.
pub(crate) fn check(target: &TargetSystem, binary: &Path) -> Result<()> {
    let bytes = fs::read(binary).with_context(|| format!("cannot read `{}`", binary.display()))?;
    match target.needs {
        Needs::Nothing => check_static(&bytes, target)?,
        Needs::Glibc(major, minor) => check_glibc(&bytes, major, minor)?,
        Needs::Windows => check_windows(&bytes)?,
    }
    check_paths(&bytes)
}

/// The parts of a binary for Linux that name what it needs.
struct ElfNeeds {
    /// `true` if it can be loaded at any address.
    is_relocatable: bool,
    /// `true` if the system's loader starts it.
    has_interpreter: bool,
    /// The shared libraries.
    libraries: BTreeSet<String>,
    /// The versions of the GNU C library that its symbols have.
    versions: BTreeSet<(u32, u32)>,
}

impl ElfNeeds {
    fn read(bytes: &[u8]) -> Result<Self> {
        let file = ElfFile64::<Endianness>::parse(bytes)?;
        let (endian, sections) = (file.endian(), file.elf_section_table());
        let interpreter = file.elf_program_headers().iter().any(|header| header.p_type(endian) == elf::PT_INTERP);
        let mut needs = Self {
            is_relocatable: file.elf_header().e_type(endian) == elf::ET_DYN,
            has_interpreter: interpreter,
            libraries: BTreeSet::new(),
            versions: BTreeSet::new(),
        };
        for section in sections.iter().filter(|section| section.sh_type(endian) == elf::SHT_DYNAMIC) {
            let Some((entries, link)) = section.dynamic(endian, bytes)? else { continue };
            let strings = sections.strings(endian, bytes, link)?;
            for entry in entries.iter().filter(|entry| entry.d_tag.get(endian) == elf::DT_NEEDED) {
                let name = strings.get(entry.d_val.get(endian) as u32).ok().context("a library has no name")?;
                needs.libraries.insert(String::from_utf8_lossy(name).into_owned());
            }
        }
        for section in sections.iter().filter(|section| sections.section_name(endian, *section) == Ok(b".dynstr")) {
            let names = section.data(endian, bytes)?.split(|byte| *byte == 0);
            needs.versions.extend(names.filter_map(glibc_version));
        }
        Ok(needs)
    }
}

/// Parses `GLIBC_2.28`, or a version with more parts.
fn glibc_version(name: &[u8]) -> Option<(u32, u32)> {
    let mut parts = std::str::from_utf8(name).ok()?.strip_prefix("GLIBC_")?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn check_static(bytes: &[u8], target: &TargetSystem) -> Result<()> {
    let ElfNeeds { is_relocatable, has_interpreter, libraries, .. } = ElfNeeds::read(bytes)?;
    ensure!(!has_interpreter && libraries.is_empty(), "it is not static: it needs {libraries:?}");
    // The compiler makes static binaries that can be loaded at any address for this processor alone.
    ensure!(is_relocatable || target.arch != "x86_64", "it can be loaded at one address only");
    Ok(())
}

fn check_glibc(bytes: &[u8], major: u32, minor: u32) -> Result<()> {
    let ElfNeeds { is_relocatable, libraries, versions, .. } = ElfNeeds::read(bytes)?;
    let highest = versions.last().context("it needs no version of the GNU C library")?;
    ensure!(*highest <= (major, minor), "it needs version {}.{} of the GNU C library", highest.0, highest.1);
    let others: Vec<_> = libraries.iter().filter(|name| !GLIBC_LIBRARIES.contains(&name.as_str())).collect();
    ensure!(others.is_empty(), "it needs other libraries than the GNU C library: {others:?}");
    ensure!(is_relocatable, "it can be loaded at one address only");
    Ok(())
}

fn check_windows(bytes: &[u8]) -> Result<()> {
    let file = object::File::parse(bytes)?;
    for import in file.imports()? {
        let name = String::from_utf8_lossy(import.library()).to_lowercase();
        if !name.starts_with("api-ms-win-") && !WINDOWS_LIBRARIES.contains(&name.as_str()) {
            bail!("it needs `{name}`, which is not part of Windows");
        }
    }
    Ok(())
}

/// Checks that no folder of this machine is in the binary.
fn check_paths(bytes: &[u8]) -> Result<()> {
    let home = env::home_dir().context("the user has no home folder")?;
    let folders = [root().display().to_string(), format!("{}/", home.display())];
    for folder in folders.iter().map(String::as_str).chain(["/registry/src/", "/.rustup/"]) {
        let places: Vec<_> = places_of(bytes, folder.as_bytes());
        if let Some(first) = places.first() {
            let shown = &bytes[first.saturating_sub(40)..(first + 120).min(bytes.len())];
            bail!("`{folder}` is in it {} times: {}", places.len(), String::from_utf8_lossy(shown).escape_debug());
        }
    }
    Ok(())
}

/// Returns the places of a text.
fn places_of(bytes: &[u8], text: &[u8]) -> Vec<usize> {
    (0..bytes.len().saturating_sub(text.len())).filter(|start| bytes[*start..].starts_with(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::TARGETS;

    #[test]
    fn versions_of_the_c_library_are_compared_as_numbers() {
        assert_eq!(glibc_version(b"GLIBC_2.2.5"), Some((2, 2)));
        assert_eq!(glibc_version(b"GLIBC_2.28"), Some((2, 28)));
        assert_eq!(glibc_version(b"GLIBC_PRIVATE"), None);
        assert_eq!(glibc_version(b"memcpy"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_binary_tells_what_it_needs() {
        let own = fs::read(env::current_exe().unwrap()).unwrap();
        let needs = ElfNeeds::read(&own).unwrap();
        assert!(needs.has_interpreter && needs.is_relocatable);
        assert!(needs.libraries.contains("libc.so.6") && !needs.versions.is_empty());
        assert!(check_static(&own, &TARGETS[0]).unwrap_err().to_string().contains("libc.so.6"));
        let error = check_glibc(&own, 2, 1).unwrap_err().to_string();
        assert!(error.starts_with("it needs version 2."), "{error}");
    }

    #[test]
    fn a_folder_of_this_machine_is_found() {
        let text = format!("panicked at {}/host/src/main.rs", root().display());
        assert!(check_paths(text.as_bytes()).unwrap_err().to_string().contains("is in it 1 times"));
        check_paths(b"panicked at /stampede-shooter/host/src/main.rs").unwrap();
    }
}
