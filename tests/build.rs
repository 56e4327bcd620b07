//! Compiles the misbehaving plugins of `tests/guests/` and examples of the SDK, whose folder it passes on, and
//! generates the gRPC server.

use std::env;
use std::path::Path;

use prost::Message;

fn main() {
    if let Err(error) = build() {
        println!("cargo::error={error}");
    }
}

fn build() -> stampede_components::Result<()> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("..").canonicalize()?;
    for input in ["tests/build.rs", "tests/guests", "plugin-sdk", "wit", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(input).display());
    }
    let guests = ["--package=stampede-guests".into(), "--examples".into()];
    let compiled = stampede_components::compile(&root, "guest", &guests)?;
    let examples = ["--package=stampede-plugin", "--example=starttls", "--example=session"].map(Into::into);
    stampede_components::compile(&root, "guest", &examples)?;
    println!("cargo::rustc-env=STAMPEDE_GUESTS={}", compiled.join("examples").display());
    println!("cargo::rerun-if-changed=harness/protos");
    let service = protox::compile(["echo.proto"], ["harness/protos"])?;
    std::fs::write(Path::new(&env::var("OUT_DIR")?).join("echo.bin"), service.encode_to_vec())?;
    Ok(tonic_prost_build::configure().build_client(false).compile_fds(service)?)
}
