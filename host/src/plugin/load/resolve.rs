//! One plugin of the script's own, from its entry to compiled code: where it comes from, which bytes it must have, and
//! what stands in the lock.

use std::path::Path;
use std::sync::Arc;

use wasmtime::component::Component;

use super::compile::{self, Caps};
use super::fetch::obtain;
use super::locate::sha256;
use super::lock::{FILE, Lock};
use super::policy;
use super::registry::{BUILTIN, Loaded, Registry};
use super::source::{Source, Version};
use crate::diagnostic::{self, Diagnostic, Diagnostics};
use crate::plugin::native::{Library, is_native};
use crate::plugin::policy::Terms;
use crate::script::model::{PluginEntry, Script, Spanned};
use crate::script::value_of;

/// How the lock is written, for messages.
const LOCK_HELP: &str = "run `stampede-shooter plugin lock --script FILE`";

/// Of plugins of the script's own, which are loaded at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policy {
    /// Only those that are in the lock, as they are.
    pub locked: bool,
    /// Native ones too, which no sandbox holds.
    pub allow_native: bool,
    /// Whether nothing is said of what takes long.
    pub quiet: bool,
}

/// What a plugin was made into.
pub enum Made {
    /// A component, compiled.
    Component(Component),
    /// A native library, opened.
    Native(Arc<Library>),
}

impl Made {
    /// Asks it what it offers.
    ///
    /// # Errors
    /// What it says of itself is not as it should be; the text says why.
    pub fn load(&self, registry: &Registry, terms: Terms) -> Result<Loaded, String> {
        match self {
            Self::Component(component) => registry.load((terms, false), component),
            Self::Native(library) => registry.load_native(terms, library),
        }
    }
}

/// What is said of a native library that nobody vouched for.
pub fn native_refused(name: &str) -> Diagnostic {
    let message = format!(
        "`{name}` is a native library, which no sandbox holds; it would run with all your rights, and no limit would \
         hold it"
    );
    Diagnostic::new("plugin::native", message).help("if you trust it, say so with `--allow-native`")
}

/// A plugin of the script's own, before it is loaded.
pub struct Own<'a> {
    /// The name the script gives it.
    pub name: &'a str,
    /// Where it comes from, as typed.
    pub typed: &'a Spanned<String>,
    script: &'a Arc<diagnostic::Source>,
    entry: &'a PluginEntry,
    source: Source,
}

impl<'a> Own<'a> {
    /// All that the script names, built-in ones left out; what is malformed is a mistake.
    pub fn all(script: &'a Script) -> impl Iterator<Item = Result<Self, Diagnostic>> {
        script.plugins.iter().filter_map(|(name, entry)| Self::of(&script.source, name, entry).transpose())
    }

    /// What an entry says; nothing if the plugin is built in.
    fn of(
        script: &'a Arc<diagnostic::Source>,
        name: &'a Spanned<String>,
        entry: &'a PluginEntry,
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
        match Source::parse(&typed.value) {
            Ok(source) => Ok(Some(Self { name, typed, script, entry, source })),
            Err(fault) => {
                let message = format!("plugin `{name}`: {}", fault.message);
                Err(Diagnostic::new("script::source", message).at(script, typed.span, "").help(fault.help))
            }
        }
    }

    /// The terms that it runs on.
    pub fn terms(&self) -> Result<Terms, Diagnostics> {
        policy::terms(self.name, Some(self.entry), self.script)
    }

    /// Fetches and compiles it, or opens it, as far as the policy lets it.
    pub fn made(
        &self,
        engine: &wasmtime::Engine,
        folder: &Path,
        lock: &Lock,
        policy: Policy,
    ) -> Result<Made, Diagnostic> {
        let locked = lock.digest(self.name, &self.typed.value);
        if policy.locked && locked.is_none() {
            let message = format!("plugin `{}` is not in `{FILE}` with this source", self.name);
            return Err(self.mistake("plugin::locked", message, "not locked").help(LOCK_HELP));
        }
        let is_file = matches!(self.source, Source::File(_));
        let wanted = self.asked().or(locked.filter(|_| !is_file));
        let pinned = matches!(&self.source, Source::Oci(it) if matches!(it.version, Version::Manifest(_)));
        if !is_file && !pinned && wanted.is_none() {
            return Err(self.undetermined());
        }
        let bytes = self.bytes(folder, wanted)?;
        self.check_lock(&sha256(&bytes), locked, policy.locked)?;
        if is_native(&bytes) {
            return self.open(folder, policy).map(|library| Made::Native(Arc::new(library)));
        }
        let name = (!policy.quiet).then_some(self.name);
        let compiled = compile::stranger(engine, name, &bytes, self.caps());
        let compiled = compiled.map_err(|refusal| Diagnostic { help: refusal.help, ..self.refused(&refusal.message) });
        compiled.map(Made::Component)
    }

    /// Opens it as a native library: one that lies on this machine, and only if the user says so.
    fn open(&self, folder: &Path, policy: Policy) -> Result<Library, Diagnostic> {
        let Source::File(path) = &self.source else {
            return Err(self.refused("it is a native library, and only components come over the network"));
        };
        if !policy.allow_native {
            return Err(native_refused(self.name).at(self.script, self.typed.span, "this file"));
        }
        Library::open(&folder.join(path)).map_err(|why| self.refused(&why))
    }

    /// Its digest as it is today: what the lock is to say.
    pub fn digest(&self, folder: &Path) -> Result<String, Diagnostic> {
        Ok(sha256(&self.bytes(folder, self.asked())?))
    }

    /// A message about it, at its source.
    pub fn mistake(&self, code: &'static str, message: String, label: &str) -> Diagnostic {
        Diagnostic::new(code, message).at(self.script, self.typed.span, label)
    }

    /// It does not load, because of what it is.
    pub fn refused(&self, why: &str) -> Diagnostic {
        let label = if matches!(self.source, Source::File(_)) { "this file" } else { "this component" };
        self.mistake("plugin::load", format!("plugin `{}` does not load: {why}", self.name), label)
    }

    /// The digest that the script asks for.
    fn asked(&self) -> Option<&str> {
        self.entry.sha256.as_ref().map(|digest| digest.value.as_str())
    }

    /// Its bytes, which have the digest that the script asks for, if it does.
    fn bytes(&self, folder: &Path, wanted: Option<&str>) -> Result<Vec<u8>, Diagnostic> {
        let bytes = obtain(&self.source, folder, wanted).map_err(|why| self.refused(&why))?;
        let found = sha256(&bytes);
        match &self.entry.sha256 {
            Some(asked) if asked.value != found => {
                let message = format!("plugin `{}` does not have the digest that the script asks for", self.name);
                let help = format!("if it is the one you mean, write `sha256: {found}`");
                Err(Diagnostic::new("plugin::digest", message).at(self.script, asked.span, "another digest").help(help))
            }
            _ => Ok(bytes),
        }
    }

    /// Holds it against the lock: what came over the network must be what was locked, unless the script says otherwise.
    fn check_lock(&self, found: &str, locked: Option<&str>, strict: bool) -> Result<(), Diagnostic> {
        let Some(locked) = locked.filter(|locked| *locked != found) else { return Ok(()) };
        let message = format!("plugin `{}` is not the one in `{FILE}`, which has the digest {locked}", self.name);
        let replaceable = matches!(self.source, Source::File(_)) || self.asked().is_some();
        if strict || !replaceable {
            let help = format!("it has {found}; if it is the one you mean, {LOCK_HELP}");
            return Err(self.mistake("plugin::locked", message, "another digest").help(help));
        }
        tracing::warn!("{message}; it has {found}");
        Ok(())
    }

    /// Nothing says which bytes are meant.
    fn undetermined(&self) -> Diagnostic {
        let message = format!("plugin `{}` comes over the network and has no digest", self.name);
        let help = format!("write `{}: {{source: …, sha256: …}}`, or {LOCK_HELP}", self.name);
        let code = "script::missing-digest";
        self.mistake(code, message, "may be something else tomorrow").help(help)
    }

    fn caps(&self) -> Caps {
        let (limits, usual) = (&self.entry.limits, Caps::default());
        Caps {
            memory: value_of(limits.compile_memory.as_ref()).unwrap_or(usual.memory),
            time: value_of(limits.compile_time.as_ref()).unwrap_or(usual.time),
        }
    }
}
