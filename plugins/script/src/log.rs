//! `log`: a line for the person who runs the test.

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::{Action, ConfigError, Outcome, Task, Template, log};

/// The parameters of `log`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// The line.
    message: Template,
    /// `error`, `warn`, `info` or `debug`; `info` if absent. `--log` sets the levels to show.
    #[serde(default)]
    level: Level,
}

/// The severity of a line.
#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Level {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
}

/// One configured step.
pub(crate) struct Log(Params);

impl Action for Log {
    const NAME: &'static str = "log";
    const SUMMARY: &'static str = "writes a line to the log";
    const PARAMS_SCHEMA: Option<&'static str> = Some(include_str!("../schema/log.json"));
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        Ok(Self(params))
    }

    async fn run(&self, task: &Task) -> Outcome {
        let write = match self.0.level {
            Level::Error => log::error,
            Level::Warn => log::warn,
            Level::Info => log::info,
            Level::Debug => log::debug,
        };
        write(&self.0.message.render(task));
        Ok(())
    }
}
