//! What a plugin is given of the script: its data, its environment, and the parameters of each step.

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use crate::data::DataSets;
use crate::secrets::Secrets;
use crate::template::Environment;

/// What the script says that templates and requests are made from; the same for every instance.
#[derive(Debug)]
pub struct ScriptContext {
    /// The script's data sets.
    pub data: DataSets,
    /// Environment variables.
    pub environment: Environment,
    /// What relative URLs are resolved against.
    pub base_url: Option<Url>,
    /// The script's folder, for files it names.
    pub folder: PathBuf,
    /// What is never shown.
    pub secrets: Arc<Secrets>,
}

/// What a step gives to its plugin.
#[derive(Debug)]
pub struct StepParams {
    /// The step's name, for the log.
    pub step: String,
    /// The action's name.
    pub action: String,
    /// The step's own keys as a JSON object.
    pub params: serde_json::Value,
    /// What `{{env NAME}}` gives in this step, if that is not what it gives in others.
    pub environment: Option<Arc<Environment>>,
}
