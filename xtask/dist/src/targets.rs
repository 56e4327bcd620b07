//! The systems that packages are built for.

use std::env::consts;

/// A system that a binary is built for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TargetSystem {
    /// The triple of the compiler.
    pub(crate) triple: &'static str,
    /// The processor, as the compiler calls it.
    pub(crate) arch: &'static str,
    /// The libraries that the binary needs from the system.
    pub(crate) needs: Needs,
}

/// The libraries that a binary needs from the system.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// None: a static binary for Linux.
    Nothing,
    /// The GNU C library of Linux, of this version or a later one.
    Glibc(u32, u32),
    /// Libraries that are part of Windows.
    Windows,
}

/// All targets. The static ones come first: they are what most people want.
pub(crate) const TARGETS: [TargetSystem; 4] = [
    TargetSystem { triple: "x86_64-unknown-linux-musl", arch: "x86_64", needs: Needs::Nothing },
    TargetSystem { triple: "aarch64-unknown-linux-musl", arch: "aarch64", needs: Needs::Nothing },
    // For native plugins, which a static binary cannot load. 2.28 is that of Debian 10 and RHEL 8.
    TargetSystem { triple: "x86_64-unknown-linux-gnu", arch: "x86_64", needs: Needs::Glibc(2, 28) },
    TargetSystem { triple: "x86_64-pc-windows-gnu", arch: "x86_64", needs: Needs::Windows },
];

impl TargetSystem {
    /// Returns the file name of the binary.
    pub(crate) const fn binary(&self) -> &'static str {
        if self.is_windows() { "stampede-shooter.exe" } else { "stampede-shooter" }
    }

    /// Returns `true` if it is Windows.
    pub(crate) const fn is_windows(&self) -> bool {
        matches!(self.needs, Needs::Windows)
    }

    /// Returns `true` if the binary is static.
    pub(crate) const fn is_static(&self) -> bool {
        matches!(self.needs, Needs::Nothing)
    }

    /// Returns `true` if the binary runs on this machine as it is.
    pub(crate) fn runs_here(&self) -> bool {
        !self.is_windows() && consts::OS == "linux" && consts::ARCH == self.arch
    }
}
