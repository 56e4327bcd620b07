//! nginx: a server nobody here wrote, which the tests run against beside the sample site, and which is the target of the
//! benchmarks.

use std::path::PathBuf;

use crate::program::Program;
use crate::step::Failure;

const NGINX: Program = Program {
    name: "nginx",
    package: "nginx-light",
    missing: "nginx is missing: install it (Debian and Ubuntu: `apt-get install nginx-light`, macOS: \
              `brew install nginx`, Windows: put nginx.exe on the PATH)",
};

/// Where it is. Installs it where that needs no question.
pub fn ensure() -> Result<PathBuf, Failure> {
    NGINX.ensure()
}
