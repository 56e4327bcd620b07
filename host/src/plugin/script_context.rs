//! The parts of the script that a plugin is given: data, environment, and the parameters of each step.

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use crate::data::DataSets;
use crate::metrics::sample::RowId;
use crate::secrets::Secrets;
use crate::template::Environment;

/// The parts of the script that templates and requests are built from, shared by all instances.
#[derive(Debug)]
pub struct ScriptContext {
    /// The script's data sets.
    pub data: DataSets,
    /// Environment variables.
    pub environment: Environment,
    /// Base that relative URLs are resolved against.
    pub base_url: Option<Url>,
    /// The script's folder, for the files that it names.
    pub folder: PathBuf,
    /// Secrets, which are never shown.
    pub secrets: Arc<Secrets>,
}

/// The parameters that a step gives to its plugin.
#[derive(Debug)]
pub struct StepParams {
    /// The step's name, for the log.
    pub step: String,
    /// Its row in the report; the number of its draft while the script is checked.
    pub row: RowId,
    /// The action's name.
    pub action: String,
    /// The step's own keys as a JSON object.
    pub params: serde_json::Value,
    /// The JSON text of these, which the plugin gets: its numbers have the digits typed in the script.
    pub json: String,
    /// Values of `{{env NAME}}` in this step, if they differ from those in other steps.
    pub environment: Option<Arc<Environment>>,
}
