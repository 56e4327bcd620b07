//! Text with helpers: compiled while a step is configured, rendered for the current user.

use crate::plugin::bindings::templates::{Host, TemplateError};
use crate::plugin::state::State;
use crate::template::{Scope, Template};

impl Host for State {
    fn compile(&mut self, source: String) -> wasmtime::Result<Result<u32, TemplateError>> {
        let guest = self.guest();
        guest.configuring()?;
        let compiled = {
            let mut variables = guest.variables.borrow_mut();
            let scripting = &guest.scripting;
            let mut scope =
                Scope { data: &scripting.data, variables: &mut variables, environment: &scripting.environment };
            Template::compile(&source, &mut scope)
        };
        Ok(match compiled {
            Ok(template) => {
                guest.templates.push(template);
                Ok(guest.templates.len() as u32 - 1)
            }
            Err(error) => {
                guest.configuring()?.mistake = Some((source, error.span));
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
