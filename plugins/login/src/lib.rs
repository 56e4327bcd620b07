//! The `login` action: signs a user in and sets the header fields of its later requests. This folder's `README.md`
//! lists the parameters, with an example.
//!
//! Without `set_headers` every later request carries the credential headers too, with one text, although they may hold
//! helpers that render differently each time. So they are rendered once and set on the user *before* the request, which
//! then carries them like any other request of the user. With `set_headers` only the sign-in carries them.

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::http::Request;
use stampede_plugin::parameters::{BodyParameters, ExpectStatus};
use stampede_plugin::{Action, ConfigError, Failure, Fields, JsonTemplate, Outcome, Task, Template, plugin};

/// The parameters of `login`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The request method; `POST` if absent.
    #[serde(default = "post")]
    method: String,
    /// An absolute URL, or one relative to the script's `base_url`.
    url: Template,
    /// The credential headers; sent with every later request as well, unless there is `set_headers`.
    #[serde(default)]
    headers: Fields,
    /// The header fields of every later request in place of `headers`; `{{var …}}` reads the values of `capture`.
    set_headers: Option<Fields>,
    /// A JSON body: its text, or the mapping or list itself.
    json_body: Option<JsonTemplate>,
    /// A form: names and values, sent as `application/x-www-form-urlencoded`.
    form_body: Option<Fields>,
    /// The status codes of success: a code such as `302`, a class such as `2xx`, or a list of these; `2xx` if absent.
    expect_status: Option<ExpectStatus>,
}

fn post() -> String {
    "POST".to_owned()
}

/// A configured login block.
pub struct Login {
    request: Request,
    /// Set on the user before the request.
    before: Fields,
    /// Set on the user after a successful reply.
    after: Fields,
    /// The statuses of success; 2xx if there are none.
    expect_status: Option<ExpectStatus>,
}

impl Action for Login {
    const NAME: &'static str = "login";
    const SUMMARY: &'static str = "signs a user in and sets the headers of its later requests";
    const PARAMS_SCHEMA: Option<&'static str> = Some(include_str!("../schema/login.json"));
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        let form_body = params.form_body.clone();
        let body = BodyParameters { json_body: params.json_body, form_body, ..BodyParameters::default() }.choose()?;
        check_names(&params)?;
        let (own, before, after) = match params.set_headers {
            Some(after) => (params.headers, Fields::default(), after),
            None => (Fields::default(), params.headers, Fields::default()),
        };
        let request =
            Request::builder(params.method.to_ascii_uppercase(), params.url).headers(own).body(body).prepare()?;
        Ok(Self { request, before, after, expect_status: params.expect_status })
    }

    async fn run(&self, task: &Task) -> Outcome {
        set_on_user(&self.before, task)?;
        let reply = self.request.send(task).await?;
        self.judge(reply.status)?;
        set_on_user(&self.after, task)
    }
}

impl Login {
    fn judge(&self, status: u16) -> Outcome {
        let text = match &self.expect_status {
            Some(expected) if expected.accepts(status) => return Ok(()),
            Some(expected) => format!("expected status {expected}, got {status}"),
            None if (200..300).contains(&status) => return Ok(()),
            // Forms are often answered so, by a site that lets the user in and by one that does not.
            None if (300..400).contains(&status) => {
                format!("expected status 2xx, got {status}; `expect_status: {status}` accepts it")
            }
            None => format!("expected status 2xx, got {status}"),
        };
        Err(Failure::status(text))
    }
}

/// Renders each value once, and sets it on the user.
fn set_on_user(headers: &Fields, task: &Task) -> Outcome {
    headers.iter().try_for_each(|(name, value)| task.user().set_header(name, &value.render(task)))
}

/// Has the host check the header names before the run: a request with all of them is prepared and never sent.
fn check_names(params: &Params) -> Result<(), ConfigError> {
    for (pointer, headers) in [("/headers", Some(&params.headers)), ("/set_headers", params.set_headers.as_ref())] {
        let request = Request::get(params.url).headers(headers.cloned().unwrap_or_default());
        request.prepare().map_err(|error| error.at(pointer))?;
        // The user keeps one value of each name.
        if let Some(name) = headers.and_then(Fields::repeated_name) {
            return Err(
                ConfigError::new(format!("`{name}` is sent with every later request, and takes one value")).at(pointer)
            );
        }
    }
    Ok(())
}

plugin!(Login);

#[cfg(test)]
mod tests;
