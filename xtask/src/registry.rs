//! docker-registry: the OCI registry that the tests push components to and pull them from.

use std::path::PathBuf;

use crate::program::Program;
use crate::step::Failure;

const REGISTRY: Program = Program {
    name: "docker-registry",
    package: "docker-registry",
    missing: "docker-registry is missing: install it (Debian and Ubuntu: `apt-get install docker-registry`, elsewhere: \
              the program `registry` of the CNCF Distribution project, by this name on the PATH)",
};

/// Where it is. Installs it where that needs no question.
pub fn ensure() -> Result<PathBuf, Failure> {
    REGISTRY.ensure()
}
