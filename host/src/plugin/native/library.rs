//! A shared library that was opened, and what it says it is. It is never closed: a vendor's threads may still be in it.

use std::mem::ManuallyDrop;
use std::path::Path;

use wasmtime::Engine;

use super::abi::{STAMPEDE_VERSION, stampede_plugin};
use super::pointer_reader::{PointerReader, flag};
use crate::plugin::contract::bindings::{ActionDescription, Description};

/// The name of the function that a library exports; its version is that of the contract.
const EXPORT: &str = "stampede_plugin_v1";

/// Most bytes of all that a library says it is.
const MAX_DESCRIPTION_BYTES: usize = 1 << 20;

/// How shared libraries begin: ELF, Mach-O of both widths and byte orders and for several processors, PE.
const MAGIC: [&[u8]; 7] = [
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",
    b"\xce\xfa\xed\xfe",
    b"\xfe\xed\xfa\xcf",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"MZ",
];

/// Whether bytes begin as a shared library does. What wasmtime compiled before is an ELF file too, and is none.
pub fn is_native(bytes: &[u8]) -> bool {
    MAGIC.iter().any(|magic| bytes.starts_with(magic)) && Engine::detect_precompiled(bytes).is_none()
}

/// An opened library of this host's version.
pub struct NativeLibrary {
    plugin: *const stampede_plugin,
    _library: ManuallyDrop<libloading::Library>,
}

// SAFETY: the table that a library gives does not change, as the contract says, and its functions may be called from
// several threads, each for an instance of its own.
unsafe impl Send for NativeLibrary {}
// SAFETY: as above.
unsafe impl Sync for NativeLibrary {}

impl NativeLibrary {
    /// Opens a library. Its initializers run here, with all rights of this process.
    ///
    /// # Errors
    /// It cannot be opened, or is no plugin of this host's version; the text says why.
    pub fn open(path: &Path) -> Result<Self, String> {
        // A name without a folder would be searched for in those of the system.
        let path = std::path::absolute(path).map_err(|error| error.to_string())?;
        // SAFETY: whoever runs this has said that the library may do whatever it likes.
        let library = unsafe { libloading::Library::new(&path) };
        let library = ManuallyDrop::new(library.map_err(|error| format!("it cannot be opened: {error}"))?);
        // SAFETY: by its name, this is a function of that type.
        let export = unsafe { library.get::<unsafe extern "C" fn() -> *const stampede_plugin>(EXPORT) };
        let export =
            export.map_err(|_| format!("it is a native library, but no plugin: it does not export `{EXPORT}`"))?;
        // SAFETY: the contract says that it takes nothing and may be called at any time.
        let plugin = unsafe { export() };
        // SAFETY: the pointer is null, or leads to the table of a plugin, of which every version begins alike.
        let version = unsafe { plugin.cast::<u32>().as_ref() };
        match version {
            None => Err(format!("its `{EXPORT}` gives a null pointer")),
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

    /// The table that it gave.
    pub const fn plugin(&self) -> &stampede_plugin {
        // SAFETY: it is not null, of the right version, does not change and is never unloaded.
        unsafe { &*self.plugin }
    }

    /// The contract that it speaks, in words.
    pub fn contract(&self) -> String {
        format!("native {}", self.plugin().version)
    }

    /// What it says it is.
    ///
    /// # Errors
    /// A text of it is none, or too long.
    pub fn describe(&self) -> wasmtime::Result<Description> {
        let plugin = self.plugin();
        let mut incoming = PointerReader::new(MAX_DESCRIPTION_BYTES);
        // SAFETY: the library says that its texts and actions are there, and that they stay.
        unsafe {
            let actions = incoming.list(plugin.actions, plugin.action_count)?.iter();
            let actions = actions.map(|action| {
                Ok(ActionDescription {
                    name: incoming.text(action.name)?,
                    summary: incoming.text(action.summary)?,
                    params_schema: incoming.text(action.params_schema)?,
                    sets_variables: flag(action.sets_variables)?,
                })
            });
            let actions = actions.collect::<wasmtime::Result<_>>()?;
            Ok(Description { name: incoming.text(plugin.name)?, version: incoming.text(plugin.release)?, actions })
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
