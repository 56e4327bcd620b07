//! Where OTLP goes and with what, from the flag and from the variables that OpenTelemetry specifies. A variable for
//! one signal comes before that for all; an empty one is not set. Header values are secrets: no error repeats one.

use std::time::Duration;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use url::Url;

/// The endpoint that OpenTelemetry specifies.
const DEFAULT_ENDPOINT: &str = "http://localhost:4318";

/// The endpoint that OpenTelemetry specifies for gRPC.
const DEFAULT_GRPC_ENDPOINT: &str = "http://localhost:4317";

/// The time that a request may take, as OpenTelemetry specifies.
const DEFAULT_TIMEOUT: u64 = 10_000;

/// The time from one export to the next. A load test is shorter than what the specified minute is meant for.
const DEFAULT_INTERVAL: u64 = 10_000;

/// The settings of the sink.
#[derive(Debug)]
pub(super) struct OtlpConfig {
    /// Where metrics go; `None` if they are not sent.
    pub metrics: Option<SignalConfig>,
    /// Where traces go; `None` if they are not sent.
    pub traces: Option<SignalConfig>,
    /// The number of seconds from one export of metrics to the next.
    pub interval_seconds: u32,
    /// Names and values that describe the source.
    pub resource: Vec<(String, String)>,
}

/// The settings of one signal.
#[derive(Debug)]
pub(super) struct SignalConfig {
    /// The URL.
    pub url: Url,
    /// The header fields of each request, besides those of its content.
    pub headers: HeaderMap,
    /// The time that a request may take.
    pub timeout: Duration,
    /// `true` if bodies are compressed.
    pub is_gzip: bool,
    /// `true` if messages are sent as calls of gRPC.
    pub is_grpc: bool,
}

/// A kind of data that OTLP carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OtlpSignal {
    /// Numbers.
    Metrics,
    /// Spans.
    Traces,
}

impl OtlpSignal {
    /// Returns the name, as paths have it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Metrics => "metrics",
            Self::Traces => "traces",
        }
    }

    /// Returns the name as variables have it.
    fn in_variables(self) -> String {
        self.name().to_ascii_uppercase()
    }

    /// Returns the path of the call of gRPC.
    const fn call(self) -> &'static str {
        match self {
            Self::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
            Self::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        }
    }
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
        let interval = variables.number("OTEL_METRIC_EXPORT_INTERVAL")?.unwrap_or(DEFAULT_INTERVAL);
        Ok(Self {
            metrics: variables.signal(OtlpSignal::Metrics, endpoint)?,
            traces: variables.signal(OtlpSignal::Traces, endpoint)?,
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
    /// Reads the settings of a signal; `None` if it is not to be sent.
    fn signal(&self, signal: OtlpSignal, flag: &str) -> Result<Option<SignalConfig>, OtlpConfigError> {
        if !self.is_exported(signal)? {
            return Ok(None);
        }
        let is_grpc = self.is_grpc(signal)?;
        let timeout = self.milliseconds(signal, "TIMEOUT")?;
        Ok(Some(SignalConfig {
            url: self.url(signal, flag, is_grpc)?,
            headers: self.headers(signal)?,
            timeout: Duration::from_millis(timeout.unwrap_or(DEFAULT_TIMEOUT)),
            is_gzip: self.is_gzip(signal)?,
            is_grpc,
        }))
    }

    /// Returns the variable of a signal, or that of all signals, with its name.
    fn of_signal(&self, signal: OtlpSignal, last: &str) -> Option<(String, String)> {
        let own = format!("OTEL_EXPORTER_OTLP_{}_{last}", signal.in_variables());
        let names = [own, format!("OTEL_EXPORTER_OTLP_{last}")];
        names.into_iter().find_map(|name| (self.set)(&name).map(|value| (name, value)))
    }

    fn is_exported(&self, signal: OtlpSignal) -> Result<bool, OtlpConfigError> {
        let name = format!("OTEL_{}_EXPORTER", signal.in_variables());
        match (self.set)(&name).as_deref() {
            None | Some("otlp") => Ok(true),
            Some("none") => Ok(false),
            Some(_) => Err(OtlpConfigError { name, why: "it must be `otlp` or `none`".into() }),
        }
    }

    fn is_grpc(&self, signal: OtlpSignal) -> Result<bool, OtlpConfigError> {
        let Some((name, value)) = self.of_signal(signal, "PROTOCOL") else { return Ok(false) };
        match value.as_str() {
            "grpc" => Ok(true),
            "http/protobuf" => Ok(false),
            _ => {
                let value = if value == "http/json" { value } else { "it".to_owned() };
                Err(OtlpConfigError { name, why: format!("{value} is not supported, only http/protobuf and grpc are") })
            }
        }
    }

    /// Returns the URL of a signal. A base for all signals gets the path of the signal; a call of gRPC has its own.
    fn url(&self, signal: OtlpSignal, flag: &str, is_grpc: bool) -> Result<Url, OtlpConfigError> {
        let whole = format!("OTEL_EXPORTER_OTLP_{}_ENDPOINT", signal.in_variables());
        let base = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let own = (self.set)(&whole).filter(|_| flag.is_empty());
        let is_base = own.is_none();
        let (name, text) = match (own, (self.set)(base)) {
            (Some(own), _) => (whole.as_str(), own),
            _ if !flag.is_empty() => ("--otlp", flag.to_owned()),
            (None, Some(text)) => (base, text),
            (None, None) if is_grpc => (base, DEFAULT_GRPC_ENDPOINT.to_owned()),
            (None, None) => (base, DEFAULT_ENDPOINT.to_owned()),
        };
        let mut url = parse_url(name, &text)?;
        if is_grpc {
            url.set_path(signal.call());
        } else if is_base {
            let path = format!("{}/v1/{}", url.path().trim_end_matches('/'), signal.name());
            url.set_path(&path);
        }
        Ok(url)
    }

    fn headers(&self, signal: OtlpSignal) -> Result<HeaderMap, OtlpConfigError> {
        let mut headers = HeaderMap::new();
        // Fields of all signals first, so that those of one replace them.
        let own = format!("OTEL_EXPORTER_OTLP_{}_HEADERS", signal.in_variables());
        for name in ["OTEL_EXPORTER_OTLP_HEADERS", &own] {
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

    fn is_gzip(&self, signal: OtlpSignal) -> Result<bool, OtlpConfigError> {
        let Some((name, value)) = self.of_signal(signal, "COMPRESSION") else { return Ok(false) };
        match value.as_str() {
            "gzip" => Ok(true),
            "none" => Ok(false),
            _ => Err(OtlpConfigError { name, why: "it must be `gzip` or `none`".into() }),
        }
    }

    fn milliseconds(&self, signal: OtlpSignal, last: &str) -> Result<Option<u64>, OtlpConfigError> {
        self.of_signal(signal, last).map(|(name, value)| parse_number(&name, &value)).transpose()
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

    /// Returns the URLs for metrics and traces.
    fn urls(flag: &str, variables: &[(&str, &str)]) -> [String; 2] {
        let OtlpConfig { metrics, traces, .. } = read(flag, variables).unwrap();
        [metrics, traces].map(|signal| signal.map(|signal| signal.url.to_string()).unwrap_or_default())
    }

    #[test]
    fn the_endpoint_is_that_of_the_flag_the_signal_or_all_signals() {
        let metrics = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://m:1/own");
        let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://a/base/");
        for (flag, variables, of_metrics, of_traces) in [
            ("", vec![], "http://localhost:4318/v1/metrics", "http://localhost:4318/v1/traces"),
            ("http://c:4318", vec![metrics, all], "http://c:4318/v1/metrics", "http://c:4318/v1/traces"),
            ("", vec![metrics, all], "http://m:1/own", "https://a/base/v1/traces"),
            ("", vec![all], "https://a/base/v1/metrics", "https://a/base/v1/traces"),
            (
                "",
                vec![("OTEL_EXPORTER_OTLP_ENDPOINT", " ")],
                "http://localhost:4318/v1/metrics",
                "http://localhost:4318/v1/traces",
            ),
            ("", vec![("OTEL_METRICS_EXPORTER", "none")], "", "http://localhost:4318/v1/traces"),
            ("", vec![("OTEL_TRACES_EXPORTER", "none")], "http://localhost:4318/v1/metrics", ""),
        ] {
            assert_eq!(urls(flag, &variables), [of_metrics, of_traces], "{flag} {variables:?}");
        }
    }

    #[test]
    fn a_call_of_grpc_has_the_path_of_its_service() {
        let call = |base: &str, signal: OtlpSignal| format!("{base}{}", signal.call());
        let all = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
        let default = "http://localhost:4317";
        let both = [call(default, OtlpSignal::Metrics), call(default, OtlpSignal::Traces)];
        assert_eq!(urls("", &[all]), both);
        let both = [call("https://c:1", OtlpSignal::Metrics), call("https://c:1", OtlpSignal::Traces)];
        assert_eq!(urls("https://c:1/base", &[all]), both);
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc");
        let both = ["http://localhost:4318/v1/metrics".to_owned(), call(default, OtlpSignal::Traces)];
        assert_eq!(urls("", &[traces]), both);
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
        let (metrics, traces) = (config.metrics.unwrap(), config.traces.unwrap());
        assert!(metrics.headers["api-key"] == "a b" && metrics.headers["x"] == "2");
        assert!(traces.headers["x"] == "1" && metrics.headers["api-key"].is_sensitive());
        assert_eq!(
            (metrics.timeout, metrics.is_gzip, config.interval_seconds),
            (Duration::from_millis(1_500), true, 2)
        );
        assert_eq!((traces.timeout, traces.is_gzip, traces.is_grpc), (Duration::from_millis(1_500), true, false));
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(config.resource, [pair("team", "café"), pair("service.name", "nightly")]);
        let config = read("", &[]).unwrap();
        let metrics = config.metrics.unwrap();
        assert_eq!((metrics.timeout, metrics.is_gzip, config.interval_seconds), (Duration::from_secs(10), false, 10));
        assert_eq!(config.resource, [pair("service.name", "stampede-shooter")]);
    }

    #[test]
    fn errors_name_the_variable_and_repeat_no_secret() {
        for (name, value, why) in [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "http/json is not supported"),
            ("OTEL_TRACES_EXPORTER", "secret", "`otlp` or `none`"),
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
