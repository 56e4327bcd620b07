//! Where OTLP goes and with what, from the flag and from the variables that OpenTelemetry specifies. A variable for
//! metrics comes before that for all signals; an empty one is not set. Header values are secrets: no error repeats one.

use std::time::Duration;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use url::Url;

/// The endpoint that OpenTelemetry specifies.
const DEFAULT_ENDPOINT: &str = "http://localhost:4318";

/// The time that a request may take, as OpenTelemetry specifies.
const DEFAULT_TIMEOUT: u64 = 10_000;

/// The time from one export to the next. A load test is shorter than what the specified minute is meant for.
const DEFAULT_INTERVAL: u64 = 10_000;

/// The settings of the sink.
#[derive(Debug)]
pub(super) struct OtlpConfig {
    /// The URL for metrics.
    pub url: Url,
    /// The header fields of each request, besides those of its content.
    pub headers: HeaderMap,
    /// The time that a request may take.
    pub timeout: Duration,
    /// `true` if bodies are compressed.
    pub is_gzip: bool,
    /// The number of seconds from one export to the next.
    pub interval_seconds: u32,
    /// Names and values that describe the source.
    pub resource: Vec<(String, String)>,
}

/// A variable that cannot be used, and why.
#[derive(Debug, PartialEq)]
pub(super) struct OtlpConfigError {
    /// The variable, or the flag.
    pub name: String,
    /// The reason.
    pub why: String,
}

impl OtlpConfig {
    /// Reads the settings. `endpoint` is the value of the flag; `variable` returns those of the environment.
    ///
    /// # Errors
    /// The first value that cannot be used.
    pub(super) fn read(endpoint: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, OtlpConfigError> {
        let set = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let variables = OtlpVariables { set };
        let protocol = variables.of_metrics("PROTOCOL");
        if let Some((name, value)) = protocol.filter(|(_, value)| value != "http/protobuf") {
            let value = if matches!(value.as_str(), "grpc" | "http/json") { value } else { "it".to_owned() };
            return Err(OtlpConfigError { name, why: format!("{value} is not supported, only http/protobuf is") });
        }
        let (is_gzip, timeout) = (variables.gzip()?, variables.milliseconds("TIMEOUT")?);
        let interval = variables.number("OTEL_METRIC_EXPORT_INTERVAL")?.unwrap_or(DEFAULT_INTERVAL);
        Ok(Self {
            url: variables.url(endpoint)?,
            headers: variables.headers()?,
            timeout: Duration::from_millis(timeout.unwrap_or(DEFAULT_TIMEOUT)),
            is_gzip,
            interval_seconds: u32::try_from(interval.div_ceil(1_000)).unwrap_or(u32::MAX).max(1),
            resource: variables.resource()?,
        })
    }
}

/// The variables of the environment.
struct OtlpVariables<F> {
    set: F,
}

impl<F: Fn(&str) -> Option<String>> OtlpVariables<F> {
    /// Returns the variable of metrics, or that of all signals, with its name.
    fn of_metrics(&self, last: &str) -> Option<(String, String)> {
        let names = [format!("OTEL_EXPORTER_OTLP_METRICS_{last}"), format!("OTEL_EXPORTER_OTLP_{last}")];
        names.into_iter().find_map(|name| (self.set)(&name).map(|value| (name, value)))
    }

    fn url(&self, flag: &str) -> Result<Url, OtlpConfigError> {
        let whole = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";
        if let Some(url) = (self.set)(whole).filter(|_| flag.is_empty()) {
            return parse_url(whole, &url);
        }
        let base = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let (name, text) = match (self.set)(base) {
            _ if !flag.is_empty() => ("--otlp", flag.to_owned()),
            Some(text) => (base, text),
            None => (base, DEFAULT_ENDPOINT.to_owned()),
        };
        let mut url = parse_url(name, &text)?;
        let path = format!("{}/v1/metrics", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(url)
    }

    fn headers(&self) -> Result<HeaderMap, OtlpConfigError> {
        let mut headers = HeaderMap::new();
        // Fields of all signals first, so that those of metrics replace them.
        for name in ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_METRICS_HEADERS"] {
            let error = |why: &str| OtlpConfigError { name: name.into(), why: why.into() };
            for (field, value) in self.pairs(name)? {
                let field: HeaderName = field.parse().map_err(|_| error("it has a key that is not a header name"))?;
                let mut value: HeaderValue =
                    value.parse().map_err(|_| error("it has a value that is not a header value"))?;
                value.set_sensitive(true);
                headers.insert(field, value);
            }
        }
        Ok(headers)
    }

    fn gzip(&self) -> Result<bool, OtlpConfigError> {
        let Some((name, value)) = self.of_metrics("COMPRESSION") else { return Ok(false) };
        match value.as_str() {
            "gzip" => Ok(true),
            "none" => Ok(false),
            _ => Err(OtlpConfigError { name, why: "it must be `gzip` or `none`".into() }),
        }
    }

    fn milliseconds(&self, last: &str) -> Result<Option<u64>, OtlpConfigError> {
        self.of_metrics(last).map(|(name, value)| parse_number(&name, &value)).transpose()
    }

    fn number(&self, name: &str) -> Result<Option<u64>, OtlpConfigError> {
        (self.set)(name).map(|value| parse_number(name, &value)).transpose()
    }

    fn resource(&self) -> Result<Vec<(String, String)>, OtlpConfigError> {
        let mut all = self.pairs("OTEL_RESOURCE_ATTRIBUTES")?;
        let name = (self.set)("OTEL_SERVICE_NAME");
        if name.is_some() || all.iter().all(|(key, _)| key != "service.name") {
            all.retain(|(key, _)| key != "service.name");
            all.push(("service.name".into(), name.unwrap_or_else(|| "stampede-shooter".into())));
        }
        Ok(all)
    }

    /// Returns the pairs of a list `key=value,key=value`, whose values may be percent-encoded.
    fn pairs(&self, name: &str) -> Result<Vec<(String, String)>, OtlpConfigError> {
        let text = (self.set)(name).unwrap_or_default();
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let pairs = parts.map(|part| {
            let (key, value) = part.split_once('=')?;
            let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
            Some((key.trim().to_owned(), value.into_owned())).filter(|(key, _)| !key.is_empty())
        });
        let why = "it must be `key=value`, with commas between several";
        pairs.collect::<Option<_>>().ok_or_else(|| OtlpConfigError { name: name.into(), why: why.into() })
    }
}

fn parse_url(name: &str, text: &str) -> Result<Url, OtlpConfigError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
    let why = "it must be a URL that begins with http:// or https://";
    url.ok_or_else(|| OtlpConfigError { name: name.into(), why: why.into() })
}

fn parse_number(name: &str, text: &str) -> Result<u64, OtlpConfigError> {
    let number = text.parse().ok().filter(|number| *number > 0);
    let why = "it must be a whole number of milliseconds above 0";
    number.ok_or_else(|| OtlpConfigError { name: name.into(), why: why.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flag: &str, variables: &[(&str, &str)]) -> Result<OtlpConfig, OtlpConfigError> {
        let find =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        OtlpConfig::read(flag, find)
    }

    #[test]
    fn the_endpoint_is_that_of_the_flag_the_metrics_or_all_signals() {
        let metrics = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://m:1/own");
        let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://a/base/");
        for (flag, variables, url) in [
            ("", vec![], "http://localhost:4318/v1/metrics"),
            ("http://c:4318", vec![metrics, all], "http://c:4318/v1/metrics"),
            ("", vec![metrics, all], "http://m:1/own"),
            ("", vec![all], "https://a/base/v1/metrics"),
            ("", vec![("OTEL_EXPORTER_OTLP_ENDPOINT", " ")], "http://localhost:4318/v1/metrics"),
        ] {
            assert_eq!(read(flag, &variables).unwrap().url.as_str(), url, "{flag} {variables:?}");
        }
    }

    #[test]
    fn all_variables_are_read() {
        let config = read(
            "",
            &[
                ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, x=1"),
                ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "x=2"),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
                ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
                ("OTEL_METRIC_EXPORT_INTERVAL", "1500"),
                ("OTEL_RESOURCE_ATTRIBUTES", "service.name=ignored,team=caf%C3%A9"),
                ("OTEL_SERVICE_NAME", "nightly"),
            ],
        );
        let config = config.unwrap();
        assert_eq!(
            (&config.headers["api-key"], &config.headers["x"]),
            (&HeaderValue::from_static("a b"), &HeaderValue::from_static("2"))
        );
        assert!(config.headers["api-key"].is_sensitive());
        assert_eq!((config.timeout, config.is_gzip, config.interval_seconds), (Duration::from_millis(1_500), true, 2));
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(config.resource, [pair("team", "café"), pair("service.name", "nightly")]);
        let config = read("", &[]).unwrap();
        assert_eq!((config.timeout, config.is_gzip, config.interval_seconds), (Duration::from_secs(10), false, 10));
        assert_eq!(config.resource, [pair("service.name", "stampede-shooter")]);
    }

    #[test]
    fn errors_name_the_variable_and_repeat_no_secret() {
        for (name, value, why) in [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "grpc is not supported"),
            ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "secret", "it is not supported"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "secret", "it must be `key=value`"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a b=secret", "a header name"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=secret%0A", "a header value"),
            ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "secret", "`gzip` or `none`"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "0", "a whole number"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "secret", "a whole number"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "secret:4317", "a URL"),
            ("OTEL_RESOURCE_ATTRIBUTES", "=secret", "it must be `key=value`"),
        ] {
            let error = read("", &[(name, value)]).unwrap_err();
            assert_eq!(error.name, name);
            assert!(error.why.contains(why) && !error.why.contains("secret"), "{}", error.why);
        }
        assert_eq!(read("ftp://x", &[]).unwrap_err().name, "--otlp");
    }
}
