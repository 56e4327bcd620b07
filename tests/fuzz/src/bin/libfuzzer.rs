//! One target under libFuzzer, which brings `main`: the one that `STAMPEDE_FUZZ_TARGET` names.

#![no_main]

use std::env;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use stampede_fuzz::{FuzzTarget, target};

static TARGET: LazyLock<&FuzzTarget> = LazyLock::new(|| {
    let name = env::var("STAMPEDE_FUZZ_TARGET").expect("`cargo xtask fuzz` names the target");
    target(&name).expect("a target of `cargo xtask fuzz --list`")
});

fuzz_target!(|bytes: &[u8]| (TARGET.run)(bytes));
