//! Templates: compiled while a step is configured, rendered for the current user.

use crate::plugin::contract::bindings::templates::{Host, TemplateError};
use crate::plugin::contract::state::StoreData;
use crate::plugin::instance::limits;
use crate::template::{CompileScope, Template, environment_names};

impl Host for StoreData {
    fn compile(&mut self, source: String) -> wasmtime::Result<Result<u32, TemplateError>> {
        let guest = self.guest();
        let named = &guest.configuring()?.environment;
        if let Some(other) = environment_names(&source).into_iter().find(|name| !named.contains(name)) {
            return Ok(Err(not_named(&other)));
        }
        if guest.templates.len() >= limits::TEMPLATES {
            let message = format!("a plugin may compile {} templates", limits::TEMPLATES);
            return Ok(Err(TemplateError { message, help: None }));
        }
        guest.charge(source.len())?;
        let own = guest.configuring()?.environment_override.clone();
        let compiled = {
            let mut variables = guest.worker_plugin.variables.borrow_mut();
            let script_context = &guest.worker_plugin.script_context;
            let environment = own.as_deref().unwrap_or(&script_context.environment);
            let mut scope = CompileScope { data: &script_context.data, variables: &mut variables, environment };
            Template::compile(&source, &mut scope)
        };
        Ok(match compiled {
            Ok(template) => {
                guest.templates.push(template);
                Ok(guest.templates.len() as u32 - 1)
            }
            Err(error) => {
                guest.configuring()?.template_error = Some((source, error.span));
                Err(TemplateError { message: error.message, help: error.help })
            }
        })
    }

    fn render(&mut self, template: u32) -> wasmtime::Result<String> {
        let guest = self.guest();
        let mut out = String::new();
        guest.session()?.render(guest.template(template)?, &mut out);
        Ok(out)
    }
}

/// Returns the error for a template of the plugin's own that reads a variable which the step does not name: the plugin
/// could send the value anywhere.
fn not_named(variable: &str) -> TemplateError {
    TemplateError {
        message: format!("the plugin reads the environment variable `{variable}`, which the step does not name"),
        help: Some(format!("write `{{{{env {variable}}}}}` in the step if the plugin may know it")),
    }
}
