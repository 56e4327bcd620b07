//! One plugin of the script, from its entry to compiled code: its source, the digest that its bytes must have, and its
//! entry in the lock.

use std::path::Path;
use std::sync::Arc;

use wasmtime::component::Component;

use super::compile::{self, CompileCaps};
use super::fetch::fetch_component;
use super::identify::sha256;
use super::loader::{BUILTIN, LoadedPlugin, PluginLoader};
use super::lock_file::{LOCK_FILE_NAME, LockFile, script_key};
use super::policy;
use super::source::{ArtifactVersion, PluginSource};
use crate::diagnostic::{self, Diagnostic, Diagnostics};
use crate::plugin::native::{NativeLibrary, is_native};
use crate::plugin::policy::PluginPolicy;
use crate::script::model::{PluginSpec, Script, Spanned};
use crate::script::value_of;

/// Help of messages about the lock.
const LOCK_HELP: &str = "run `stampede-shooter plugin lock --script FILE`";

/// Options that decide which plugins of the script may be loaded.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PluginLoadOptions {
    /// True to load only plugins whose digests are those of the lock.
    pub locked: bool,
    /// True to load native libraries too, which run outside the sandbox.
    pub allow_native: bool,
    /// True to print no notice when compiling takes long.
    pub quiet: bool,
}

/// Code of a plugin, ready to be loaded.
pub(crate) enum Artifact {
    /// A compiled component.
    Component(Component),
    /// An opened native library.
    Native(Arc<NativeLibrary>),
}

impl Artifact {
    /// Asks it which actions it offers.
    ///
    /// # Errors
    /// The text says why it does not load.
    pub(crate) fn load(&self, loader: &PluginLoader, policy: PluginPolicy) -> Result<LoadedPlugin, String> {
        match self {
            Self::Component(component) => loader.load(policy, false, component),
            Self::Native(library) => loader.load_native(policy, library),
        }
    }
}

/// Returns the diagnostic for a native library that the user did not allow.
pub(crate) fn native_not_allowed(name: &str) -> Diagnostic {
    let message =
        format!("`{name}` is a native library, which runs outside the sandbox with all your rights and without limits");
    Diagnostic::new("plugin::native", message).help("if you trust it, add `--allow-native`")
}

/// A plugin of the script, before it is loaded.
pub(crate) struct UserPlugin<'a> {
    /// The name the script gives it.
    pub name: &'a str,
    /// Its source, as typed.
    pub typed_source: &'a Spanned<String>,
    script: &'a Arc<diagnostic::SourceText>,
    spec: &'a PluginSpec,
    source: PluginSource,
}

impl<'a> UserPlugin<'a> {
    /// Iterates over the plugins that the script names, without built-in ones. A malformed entry is an error.
    pub(crate) fn all(script: &'a Script) -> impl Iterator<Item = Result<Self, Diagnostic>> {
        script.plugins.iter().filter_map(|(name, entry)| Self::from_spec(&script.source, name, entry).transpose())
    }

    /// Reads an entry; `None` if the plugin is built in.
    fn from_spec(
        script: &'a Arc<diagnostic::SourceText>,
        name: &'a Spanned<String>,
        entry: &'a PluginSpec,
    ) -> Result<Option<Self>, Diagnostic> {
        let is_builtin = BUILTIN.iter().any(|plugin| plugin.name == name.value);
        let wrong =
            |code, message: String, help: &str| Diagnostic::new(code, message).at(script, name.span, "").help(help);
        let name = name.value.as_str();
        let Some(typed) = entry.source.as_ref() else {
            let message = format!("plugin `{name}` has no `source` and is not built in");
            let help = "add where the component is, for example `source: ./mqtt.wasm`";
            return if is_builtin { Ok(None) } else { Err(wrong("script::missing-key", message, help)) };
        };
        if is_builtin {
            let message = format!("`{name}` is a built-in plugin and has no `source`");
            return Err(wrong("script::plugin", message, "give your plugin another name"));
        }
        match PluginSource::parse(&typed.value) {
            Ok(source) => Ok(Some(Self { name, typed_source: typed, script, spec: entry, source })),
            Err(error) => {
                let message = format!("plugin `{name}`: {}", error.message);
                Err(Diagnostic::new("script::source", message).at(script, typed.span, "").help(error.help))
            }
        }
    }

    /// Returns the policy that it runs under.
    ///
    /// # Errors
    /// Texts in its list of hosts that are not hosts.
    pub(crate) fn policy(&self) -> Result<PluginPolicy, Diagnostics> {
        policy::plugin_policy(self.name, Some(self.spec), self.script)
    }

    /// Fetches and compiles it, or opens it, as far as the options allow.
    ///
    /// # Errors
    /// It has no digest or not the right one, cannot be fetched or does not compile, or the options do not allow it.
    pub(crate) fn artifact(
        &self,
        engine: &wasmtime::Engine,
        folder: &Path,
        lock: &LockFile,
        options: PluginLoadOptions,
    ) -> Result<Artifact, Diagnostic> {
        let locked_digest = lock.digest(script_key(self.script), self.name, &self.typed_source.value);
        if options.locked && locked_digest.is_none() {
            let message = format!("plugin `{}` is not in `{LOCK_FILE_NAME}` with this source", self.name);
            return Err(self.diagnostic("plugin::locked", message, "not locked").help(LOCK_HELP));
        }
        let is_file = matches!(self.source, PluginSource::File(_));
        let expected_digest = self.pinned_digest().or(locked_digest.filter(|_| !is_file));
        let pinned =
            matches!(&self.source, PluginSource::Oci(it) if matches!(it.version, ArtifactVersion::Manifest(_)));
        if !is_file && !pinned && expected_digest.is_none() {
            return Err(self.missing_digest());
        }
        let bytes = self.verified_bytes(folder, expected_digest)?;
        self.check_lock(&sha256(&bytes), locked_digest, options.locked)?;
        if is_native(&bytes) {
            return self.open_library(folder, options).map(|library| Artifact::Native(Arc::new(library)));
        }
        let name = (!options.quiet).then_some(self.name);
        let component = compile::compile_untrusted(engine, name, &bytes, self.caps());
        let compiled = component.map_err(|error| Diagnostic { help: error.help, ..self.load_error(&error.message) });
        compiled.map(Artifact::Component)
    }

    /// Opens it as a native library, which must be a file on this machine and allowed by the user.
    fn open_library(&self, folder: &Path, options: PluginLoadOptions) -> Result<NativeLibrary, Diagnostic> {
        let PluginSource::File(path) = &self.source else {
            return Err(self.load_error("it is a native library; only components may be fetched over the network"));
        };
        if !options.allow_native {
            return Err(native_not_allowed(self.name).at(self.script, self.typed_source.span, "this file"));
        }
        NativeLibrary::open(&folder.join(path)).map_err(|why| self.load_error(&why))
    }

    /// Returns its current digest, for the lock.
    ///
    /// # Errors
    /// It cannot be fetched, or does not have the digest that the script gives.
    pub(crate) fn current_digest(&self, folder: &Path) -> Result<String, Diagnostic> {
        Ok(sha256(&self.verified_bytes(folder, self.pinned_digest())?))
    }

    /// Creates a diagnostic that points at its source.
    pub(crate) fn diagnostic(&self, code: &'static str, message: String, label: &str) -> Diagnostic {
        Diagnostic::new(code, message).at(self.script, self.typed_source.span, label)
    }

    /// Creates the diagnostic for a plugin that does not load.
    pub(crate) fn load_error(&self, why: &str) -> Diagnostic {
        let label = if matches!(self.source, PluginSource::File(_)) { "this file" } else { "this component" };
        self.diagnostic("plugin::load", format!("plugin `{}` does not load: {why}", self.name), label)
    }

    /// Returns the digest that the script gives.
    fn pinned_digest(&self) -> Option<&str> {
        self.spec.sha256.as_ref().map(|digest| digest.value.as_str())
    }

    /// Returns its bytes, after checking the digest that the script gives, if any.
    fn verified_bytes(&self, folder: &Path, wanted: Option<&str>) -> Result<Vec<u8>, Diagnostic> {
        let bytes = fetch_component(&self.source, folder, wanted).map_err(|why| self.load_error(&why))?;
        let actual = sha256(&bytes);
        match &self.spec.sha256 {
            Some(asked) if asked.value != actual => {
                let message = format!("plugin `{}` does not have the digest given in the script", self.name);
                let help = format!("if it is the one you mean, write `sha256: {actual}`");
                Err(Diagnostic::new("plugin::digest", message).at(self.script, asked.span, "another digest").help(help))
            }
            _ => Ok(bytes),
        }
    }

    /// Compares its digest with the lock. A plugin from the network must have the locked digest, unless the script
    /// gives one itself.
    fn check_lock(&self, actual: &str, locked: Option<&str>, strict: bool) -> Result<(), Diagnostic> {
        let Some(locked) = locked.filter(|locked| *locked != actual) else { return Ok(()) };
        let message =
            format!("plugin `{}` is not the one in `{LOCK_FILE_NAME}`, which has the digest {locked}", self.name);
        let replaceable = matches!(self.source, PluginSource::File(_)) || self.pinned_digest().is_some();
        if strict || !replaceable {
            let help = format!("it has {actual}; if it is the one you mean, {LOCK_HELP}");
            return Err(self.diagnostic("plugin::locked", message, "another digest").help(help));
        }
        tracing::warn!("{message}; it has {actual}");
        Ok(())
    }

    /// Creates the diagnostic for a plugin from the network without a digest.
    fn missing_digest(&self) -> Diagnostic {
        let message = format!("plugin `{}` is fetched over the network and has no digest", self.name);
        let help = format!("write `{}: {{source: …, sha256: …}}`, or {LOCK_HELP}", self.name);
        let code = "script::missing-digest";
        self.diagnostic(code, message, "may be something else tomorrow").help(help)
    }

    fn caps(&self) -> CompileCaps {
        let (limits, usual) = (&self.spec.limits, CompileCaps::default());
        CompileCaps {
            memory: value_of(limits.compile_memory.as_ref()).unwrap_or(usual.memory),
            time: value_of(limits.compile_time.as_ref()).unwrap_or(usual.time),
        }
    }
}
