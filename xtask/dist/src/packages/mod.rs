//! The forms of packages. Each is made of the same files, and of nothing that differs between two builds.

mod archive;
mod debian;
mod image;
mod npm;
mod wheel;

pub(crate) use npm::pack_launcher;

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use data_encoding::HEXLOWER;
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};

use crate::contents::{Contents, PackedFile, Release};
use crate::targets::{Needs, TargetSystem};

/// A package.
pub(crate) struct Package {
    /// Its file name.
    pub(crate) name: String,
    /// The triple of its target.
    pub(crate) triple: &'static str,
    /// Its kind.
    pub(crate) kind: PackageKind,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

/// A form of packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PackageKind {
    /// An archive of a folder: `.tar.gz`, or `.zip` for Windows.
    Archive,
    /// A package of Debian.
    Debian,
    /// A package of Python.
    Wheel,
    /// A package of npm.
    Npm,
    /// An image of a container, in the layout of OCI, as a `.tar`.
    Image,
}

impl Package {
    /// Returns the SHA-256 digest, in hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        digest(&self.bytes)
    }

    /// Writes it into a folder.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let file = folder.join(&self.name);
        fs::write(&file, &self.bytes).with_context(|| format!("cannot write `{}`", file.display()))
    }
}

/// Makes all packages of a target.
pub(crate) fn pack(release: &Release, target: &TargetSystem, contents: &Contents) -> Result<Vec<Package>> {
    let mut packages = vec![archive::pack(release, target, contents)?, wheel::pack(release, target, contents)?];
    if matches!(target.needs, Needs::Nothing) {
        packages.push(debian::pack(release, target, contents)?);
        packages.push(image::pack(release, target, contents)?);
    }
    packages.extend(npm::pack(release, target, contents)?);
    Ok(packages)
}

/// Returns the SHA-256 digest of bytes, in hexadecimal.
fn digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// Writes files into a tar archive, below a prefix, owned by root.
fn tar(release: &Release, prefix: &str, files: &[PackedFile]) -> Result<Vec<u8>> {
    let mut tarball = Tarball::new(release, prefix);
    files.iter().try_for_each(|file| tarball.add(file))?;
    tarball.finish()
}

/// A tar archive that is being written, with an entry for each folder before what is in it.
struct Tarball<'r> {
    release: &'r Release,
    prefix: &'r str,
    archive: tar::Builder<Vec<u8>>,
    folders: Vec<String>,
}

impl<'r> Tarball<'r> {
    fn new(release: &'r Release, prefix: &'r str) -> Self {
        Self { release, prefix, archive: tar::Builder::new(Vec::new()), folders: Vec::new() }
    }

    /// Adds a file, and the folders above it that are not there yet.
    fn add(&mut self, file: &PackedFile) -> Result<()> {
        let path = format!("{}{}", self.prefix, file.path);
        for (end, _) in path.match_indices('/') {
            let folder = &path[..=end];
            if folder != "./" && !self.folders.iter().any(|known| known == folder) {
                self.add_folder(folder, 0o755, 0)?;
            }
        }
        let mut header = self.header(if file.is_program { 0o755 } else { 0o644 });
        header.set_size(file.bytes.len() as u64);
        Ok(self.archive.append_data(&mut header, &path, &*file.bytes)?)
    }

    /// Adds a folder, whose path ends with a slash, that belongs to a user.
    fn add_folder(&mut self, folder: &str, mode: u32, user: u64) -> Result<()> {
        let mut header = self.header(mode);
        header.set_entry_type(tar::EntryType::Directory);
        header.set_uid(user);
        header.set_gid(user);
        header.set_size(0);
        self.archive.append_data(&mut header, folder, std::io::empty())?;
        self.folders.push(folder.to_owned());
        Ok(())
    }

    fn header(&self, mode: u32) -> tar::Header {
        let mut header = tar::Header::new_ustar();
        header.set_mode(mode);
        header.set_mtime(self.release.time);
        header
    }

    fn finish(self) -> Result<Vec<u8>> {
        Ok(self.archive.into_inner()?)
    }
}

/// Compresses bytes with gzip, without a name and a time.
fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = GzBuilder::new().write(Vec::new(), Compression::best());
    out.write_all(bytes)?;
    Ok(out.finish()?)
}

/// Writes files into a zip archive, below a prefix.
fn zip(release: &Release, prefix: &str, files: &[PackedFile]) -> Result<Vec<u8>> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    // MS-DOS knows neither zones nor times before 1980.
    let time = zip::DateTime::try_from_msdos(dos_date(release.time), 0)?;
    for file in files {
        let mode = if file.is_program { 0o755 } else { 0o644 };
        let options = zip::write::SimpleFileOptions::default().last_modified_time(time).unix_permissions(mode);
        archive.start_file(format!("{prefix}{}", file.path), options)?;
        archive.write_all(&file.bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

/// Returns the day of a time in seconds since the Unix epoch, as MS-DOS writes it: years since 1980, month, day in 7, 4
/// and 5 bits. The calendar is that of "chrono-Compatible Low-Level Date Algorithms" (H. Hinnant), `civil_from_days`.
fn dos_date(time: u64) -> u16 {
    let days = time / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year.saturating_sub(1980).min(127) << 9 | month << 5 | day) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_msdos_are_those_of_the_calendar() {
        let date = |year: u16, month: u16, day: u16| (year - 1980) << 9 | month << 5 | day;
        assert_eq!(dos_date(946_684_800), date(2000, 1, 1));
        assert_eq!(dos_date(951_782_400 + 86_399), date(2000, 2, 29));
        assert_eq!(dos_date(1_796_079_911), date(2026, 11, 30));
    }

    #[test]
    fn archives_are_equal_each_time_and_have_their_modes() {
        let none = String::new;
        let release = Release { version: none(), time: 1_796_079_911, repository: none(), description: none() };
        let file = |path: &str, is_program| PackedFile { path: path.into(), bytes: path.into(), is_program };
        let files = [file("a/b.txt", false), file("c", true)];
        let packed = || gzip(&tar(&release, "x/", &files).expect("memory")).expect("memory");
        assert_eq!(packed(), packed());
        let packed = packed();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&*packed));
        let entries = archive.entries().expect("an archive").map(|entry| {
            let entry = entry.expect("an entry");
            let header = entry.header();
            assert_eq!(header.mtime().expect("a time"), release.time);
            (String::from_utf8_lossy(&entry.path_bytes()).into_owned(), header.mode().expect("a mode"))
        });
        let expected = [("x/", 0o755), ("x/a/", 0o755), ("x/a/b.txt", 0o644), ("x/c", 0o755)];
        assert_eq!(entries.collect::<Vec<_>>(), expected.map(|(path, mode)| (path.to_owned(), mode)));
    }
}
