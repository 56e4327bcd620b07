//! One plugin of the script's own, from its entry to compiled code: where it comes from, which bytes it must have, and
//! what stands in the lock.

use std::path::Path;
use std::sync::Arc;

use wasmtime::component::Component;

use super::compile::{self, CompileCaps};
use super::fetch::fetch_component;
use super::identify::sha256;
use super::loader::{BUILTIN, LoadedPlugin, PluginLoader};
use super::lock_file::{LOCK_FILE_NAME, LockFile};
use super::policy;
use super::source::{ArtifactVersion, PluginSource};
use crate::diagnostic::{self, Diagnostic, Diagnostics};
use crate::plugin::native::{NativeLibrary, is_native};
use crate::plugin::policy::PluginPolicy;
use crate::script::model::{PluginSpec, Script, Spanned};
use crate::script::value_of;

/// How the lock is written, for messages.
const LOCK_HELP: &str = "run `stampede-shooter plugin lock --script FILE`";

/// Of plugins of the script's own, which are loaded at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct PluginLoadOptions {
    /// Only those that are in the lock, as they are.
    pub locked: bool,
    /// Native ones too, which no sandbox holds.
    pub allow_native: bool,
    /// Whether nothing is said of what takes long.
    pub quiet: bool,
}

/// What a plugin was made into.
pub enum Artifact {
    /// A component, compiled.
    Component(Component),
    /// A native library, opened.
    Native(Arc<NativeLibrary>),
}

impl Artifact {
    /// Asks it what it offers.
    ///
    /// # Errors
    /// What it says of itself is not as it should be; the text says why.
    pub fn load(&self, registry: &PluginLoader, terms: PluginPolicy) -> Result<LoadedPlugin, String> {
        match self {
            Self::Component(component) => registry.load((terms, false), component),
            Self::Native(library) => registry.load_native(terms, library),
        }
    }
}

/// What is said of a native library that nobody vouched for.
pub fn native_not_allowed(name: &str) -> Diagnostic {
    let message = format!(
        "`{name}` is a native library, which no sandbox holds; it would run with all your rights, and no limit would \
         hold it"
    );
    Diagnostic::new("plugin::native", message).help("if you trust it, say so with `--allow-native`")
}

/// A plugin of the script's own, before it is loaded.
pub struct UserPlugin<'a> {
    /// The name the script gives it.
    pub name: &'a str,
    /// Where it comes from, as typed.
    pub typed_source: &'a Spanned<String>,
    script: &'a Arc<diagnostic::SourceText>,
    spec: &'a PluginSpec,
    source: PluginSource,
}

impl<'a> UserPlugin<'a> {
    /// All that the script names, built-in ones left out; what is malformed is a mistake.
    pub fn all(script: &'a Script) -> impl Iterator<Item = Result<Self, Diagnostic>> {
        script.plugins.iter().filter_map(|(name, entry)| Self::from_spec(&script.source, name, entry).transpose())
    }

    /// What an entry says; nothing if the plugin is built in.
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
            let message = format!("plugin `{name}` has no `source`, and none of that name is built in");
            let help = "say where the component is, for example `source: ./mqtt.wasm`";
            return if is_builtin { Ok(None) } else { Err(wrong("script::missing-key", message, help)) };
        };
        if is_builtin {
            let message = format!("`{name}` is a built-in plugin and has no `source`");
            return Err(wrong("script::plugin", message, "give your plugin another name"));
        }
        match PluginSource::parse(&typed.value) {
            Ok(source) => Ok(Some(Self { name, typed_source: typed, script, spec: entry, source })),
            Err(fault) => {
                let message = format!("plugin `{name}`: {}", fault.message);
                Err(Diagnostic::new("script::source", message).at(script, typed.span, "").help(fault.help))
            }
        }
    }

    /// The terms that it runs on.
    pub fn policy(&self) -> Result<PluginPolicy, Diagnostics> {
        policy::plugin_policy(self.name, Some(self.spec), self.script)
    }

    /// Fetches and compiles it, or opens it, as far as the policy lets it.
    pub fn artifact(
        &self,
        engine: &wasmtime::Engine,
        folder: &Path,
        lock: &LockFile,
        policy: PluginLoadOptions,
    ) -> Result<Artifact, Diagnostic> {
        let locked_digest = lock.digest(self.name, &self.typed_source.value);
        if policy.locked && locked_digest.is_none() {
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
        self.check_lock(&sha256(&bytes), locked_digest, policy.locked)?;
        if is_native(&bytes) {
            return self.open_library(folder, policy).map(|library| Artifact::Native(Arc::new(library)));
        }
        let name = (!policy.quiet).then_some(self.name);
        let component = compile::compile_untrusted(engine, name, &bytes, self.caps());
        let compiled =
            component.map_err(|refusal| Diagnostic { help: refusal.help, ..self.load_error(&refusal.message) });
        compiled.map(Artifact::Component)
    }

    /// Opens it as a native library: one that lies on this machine, and only if the user says so.
    fn open_library(&self, folder: &Path, policy: PluginLoadOptions) -> Result<NativeLibrary, Diagnostic> {
        let PluginSource::File(path) = &self.source else {
            return Err(self.load_error("it is a native library, and only components come over the network"));
        };
        if !policy.allow_native {
            return Err(native_not_allowed(self.name).at(self.script, self.typed_source.span, "this file"));
        }
        NativeLibrary::open(&folder.join(path)).map_err(|why| self.load_error(&why))
    }

    /// Its digest as it is today: what the lock is to say.
    pub fn current_digest(&self, folder: &Path) -> Result<String, Diagnostic> {
        Ok(sha256(&self.verified_bytes(folder, self.pinned_digest())?))
    }

    /// A message about it, at its source.
    pub fn diagnostic(&self, code: &'static str, message: String, label: &str) -> Diagnostic {
        Diagnostic::new(code, message).at(self.script, self.typed_source.span, label)
    }

    /// It does not load, because of what it is.
    pub fn load_error(&self, why: &str) -> Diagnostic {
        let label = if matches!(self.source, PluginSource::File(_)) { "this file" } else { "this component" };
        self.diagnostic("plugin::load", format!("plugin `{}` does not load: {why}", self.name), label)
    }

    /// The digest that the script asks for.
    fn pinned_digest(&self) -> Option<&str> {
        self.spec.sha256.as_ref().map(|digest| digest.value.as_str())
    }

    /// Its bytes, which have the digest that the script asks for, if it does.
    fn verified_bytes(&self, folder: &Path, wanted: Option<&str>) -> Result<Vec<u8>, Diagnostic> {
        let bytes = fetch_component(&self.source, folder, wanted).map_err(|why| self.load_error(&why))?;
        let actual = sha256(&bytes);
        match &self.spec.sha256 {
            Some(asked) if asked.value != actual => {
                let message = format!("plugin `{}` does not have the digest that the script asks for", self.name);
                let help = format!("if it is the one you mean, write `sha256: {actual}`");
                Err(Diagnostic::new("plugin::digest", message).at(self.script, asked.span, "another digest").help(help))
            }
            _ => Ok(bytes),
        }
    }

    /// Holds it against the lock: what came over the network must be what was locked, unless the script says otherwise.
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

    /// Nothing says which bytes are meant.
    fn missing_digest(&self) -> Diagnostic {
        let message = format!("plugin `{}` comes over the network and has no digest", self.name);
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
