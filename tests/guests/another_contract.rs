//! Speaks a version of the contract that no host knows so far.

#[allow(missing_docs, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        inline: "
            package stampede:plugin@9.9.9;

            interface action {
                describe: func();
            }

            world plugin {
                export action;
            }
        ",
    });

    #[cfg(target_arch = "wasm32")]
    export!(AnotherContract with_types_in self);

    #[cfg(target_arch = "wasm32")]
    use super::AnotherContract;
}

/// The guest.
pub struct AnotherContract;

impl bindings::exports::stampede::plugin::action::Guest for AnotherContract {
    fn describe() {}
}
