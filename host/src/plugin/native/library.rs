//! An opened shared library, and its description of itself. It is never closed: a vendor's threads may still run in it.

use std::mem::ManuallyDrop;
use std::path::Path;

use wasmtime::Engine;

use super::abi::{STAMPEDE_VERSION, stampede_plugin};
use super::pointer_reader::{PointerReader, flag};
use crate::plugin::contract::bindings::{ActionDescription, Description};

/// The name of the function that a library exports, with the version of the contract.
const EXPORT: &str = "stampede_plugin_v1";

/// Maximum size of a library's description of itself, in bytes.
const MAX_DESCRIPTION_BYTES: usize = 1 << 20;

/// First bytes of shared libraries: ELF, Mach-O of both widths and byte orders and for several processors, PE.
const MAGIC: [&[u8]; 7] = [
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",
    b"\xce\xfa\xed\xfe",
    b"\xfe\xed\xfa\xcf",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"MZ",
];

/// Returns `true` if bytes begin like a shared library. Code compiled by wasmtime is an ELF file too, but not a
/// library.
pub(crate) fn is_native(bytes: &[u8]) -> bool {
    MAGIC.iter().any(|magic| bytes.starts_with(magic)) && Engine::detect_precompiled(bytes).is_none()
}

/// An opened library with this host's version of the contract.
pub struct NativeLibrary {
    plugin: *const stampede_plugin,
    _library: ManuallyDrop<libloading::Library>,
}

// SAFETY: by the contract, the table that a library returns does not change, and its functions may be called from
// several threads, each for an instance of its own.
unsafe impl Send for NativeLibrary {}
// SAFETY: as above.
unsafe impl Sync for NativeLibrary {}

impl NativeLibrary {
    /// Opens a library. Its initializers run here, with all rights of this process.
    ///
    /// # Errors
    /// It cannot be opened, or is not a plugin with this host's version of the contract; the text says which.
    pub fn open(path: &Path) -> Result<Self, String> {
        if cfg!(all(target_env = "musl", target_feature = "crt-static")) {
            let why = "a static build of this program cannot load libraries: use the download for `linux-gnu`";
            return Err(why.into());
        }
        // A name without a folder would be searched for in the system's folders.
        let path = std::path::absolute(path).map_err(|error| error.to_string())?;
        // SAFETY: the user has allowed the library to do anything (`--allow-native`).
        let library = unsafe { libloading::Library::new(&path) };
        let library = ManuallyDrop::new(library.map_err(|error| format!("it cannot be opened: {error}"))?);
        // SAFETY: by the contract, the function with this name has this type.
        let export = unsafe { library.get::<unsafe extern "C" fn() -> *const stampede_plugin>(EXPORT) };
        let export =
            export.map_err(|_| format!("it is a native library, but not a plugin: it does not export `{EXPORT}`"))?;
        // SAFETY: by the contract, it takes nothing and may be called at any time.
        let plugin = unsafe { export() };
        // SAFETY: the pointer is null, or leads to the table of a plugin, which begins with the version in every
        // version.
        let version = unsafe { plugin.cast::<u32>().as_ref() };
        match version {
            None => Err(format!("its `{EXPORT}` returns a null pointer")),
            Some(&STAMPEDE_VERSION) => {
                let opened = Self { plugin, _library: library };
                opened.check()?;
                Ok(opened)
            }
            Some(other) => Err(format!(
                "it speaks version {other} of the contract of native plugins; this host speaks {STAMPEDE_VERSION}"
            )),
        }
    }

    /// Returns the table of the library.
    pub const fn plugin(&self) -> &stampede_plugin {
        // SAFETY: it is not null, of the right version, does not change and is never unloaded.
        unsafe { &*self.plugin }
    }

    /// Returns the version of its contract, for users.
    pub fn contract(&self) -> String {
        format!("native {}", self.plugin().version)
    }

    /// Returns its description of itself.
    ///
    /// # Errors
    /// A text of it is null, not UTF-8, or too long.
    pub fn describe(&self) -> wasmtime::Result<Description> {
        let plugin = self.plugin();
        let mut reader = PointerReader::new(MAX_DESCRIPTION_BYTES);
        // SAFETY: by the contract, the library's texts and actions stay valid.
        unsafe {
            let actions = reader.list(plugin.actions, plugin.action_count)?.iter();
            let actions = actions.map(|action| {
                Ok(ActionDescription {
                    name: reader.text(action.name)?,
                    summary: reader.text(action.summary)?,
                    params_schema: reader.text(action.params_schema)?,
                    sets_variables: flag(action.sets_variables)?,
                })
            });
            let actions = actions.collect::<wasmtime::Result<_>>()?;
            Ok(Description { name: reader.text(plugin.name)?, version: reader.text(plugin.release)?, actions })
        }
    }

    fn check(&self) -> Result<(), String> {
        let plugin = self.plugin();
        let missing = [
            ("configure", plugin.configure.is_none()),
            ("start", plugin.start.is_none()),
            ("resume", plugin.resume.is_none()),
        ];
        match missing.iter().find(|(_, missing)| *missing) {
            Some((name, _)) => Err(format!("it has no function `{name}`")),
            None => Ok(()),
        }
    }
}
