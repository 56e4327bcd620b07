//! Gives the component more stack than others have: the compiler of `.proto` files recurses, and so do nested messages.
//! The deepest possible are a message of 60 levels in a step (a script has 64 at most), types of 29 levels in a
//! `.proto` file (protox accepts no more than about 30) and a reply of 99 levels (prost accepts 100). 80 KiB are enough
//! for all of them and 64 KiB are not; the component has twice as much.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        println!("cargo::rustc-cdylib-link-arg=-zstack-size=163840");
    }
}
