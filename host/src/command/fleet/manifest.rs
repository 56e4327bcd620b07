//! `fleet manifest`: what starts the machines of a run, for systems that start processes. A machine needs outgoing
//! connections to NATS alone, and credentials as a file.

use std::time::Duration;

use super::run_name::run_id;
use crate::cli::{FleetLauncher, FleetManifestArgs};
use crate::command::output::print;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::exit::Exit;

const KUBERNETES: &str = include_str!("../../../templates/fleet/kubernetes.yaml");
const NOMAD: &str = include_str!("../../../templates/fleet/nomad.hcl");
const SYSTEMD: &str = include_str!("../../../templates/fleet/systemd.service");
const COMPOSE: &str = include_str!("../../../templates/fleet/compose.yaml");

/// The longest time that a machine may take, if none is given.
const DEADLINE: Duration = Duration::from_secs(2 * 3_600);

/// Prints a manifest.
///
/// # Errors
/// A name or an address has characters that it may not have, or there is no image.
pub(super) fn manifest(args: &FleetManifestArgs) -> Result<Exit, Diagnostics> {
    let template = match args.launcher {
        FleetLauncher::Kubernetes => KUBERNETES,
        FleetLauncher::Nomad => NOMAD,
        FleetLauncher::Systemd => SYSTEMD,
        FleetLauncher::Compose => COMPOSE,
    };
    let run = run_id(&args.id)?;
    let image = match (&args.image, template.contains("@IMAGE@")) {
        (None, true) => {
            return Err(wrong("there is no image", "name one: `--image registry.example/stampede@sha256:…`"));
        }
        (image, _) => image.as_deref().unwrap_or_default(),
    };
    for (flag, text) in [("--nats", args.nats.as_str()), ("--image", image)] {
        check(flag, text)?;
    }
    let text = template
        .replace("@RUN@", run.as_str())
        .replace("@NAME@", &object_name(run.as_str()))
        .replace("@NODES@", &args.nodes.to_string())
        .replace("@NATS@", &args.nats)
        .replace("@IMAGE@", image)
        .replace("@SECONDS@", &args.deadline.unwrap_or(DEADLINE).as_secs().max(1).to_string());
    print(text.as_bytes())
}

fn wrong(message: &str, help: &str) -> Diagnostics {
    Diagnostic::new("usage::fleet", message).help(help).into()
}

/// Rejects texts that would mean something else in a manifest, and passwords.
fn check(flag: &str, text: &str) -> Result<(), Diagnostics> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@[]".contains(c);
    if !text.chars().all(is_plain) {
        return Err(wrong(&format!("`{flag}` has characters that it may not have"), "it is written into the manifest"));
    }
    if flag == "--nats" && text.contains('@') {
        return Err(wrong("`--nats` has a user name or a password in it", "the manifest mounts them as a file"));
    }
    Ok(())
}

/// Returns a name that objects of Kubernetes may have: lower case, and no `_`.
fn object_name(run: &str) -> String {
    let name: String = run.chars().map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect();
    format!("stampede-{}", name.trim_matches('-')).chars().take(52).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_kubernetes_takes() {
        assert_eq!(object_name("Match_1"), "stampede-match-1");
        assert_eq!(object_name(&"x".repeat(64)).len(), 52);
    }

    #[test]
    fn a_manifest_has_no_password_and_no_text_of_its_own() {
        assert!(check("--nats", "nats://me:hunter2@broker").is_err());
        assert!(check("--image", "a\nb: c").is_err());
        assert!(check("--image", "registry.example:5000/stampede@sha256:ab").is_ok());
    }
}
