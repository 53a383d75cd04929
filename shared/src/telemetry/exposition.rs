//! Metrics as text, in the form that a scraper asks for.

use std::fmt::{self, Write as _};

use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// A text form of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus's own, 0.0.4, which everything reads.
    Prometheus,
}

impl Form {
    /// The form for a request with this header `Accept`: OpenMetrics for those who name it and like it no less than plain text.
    pub fn accepted(accept: Option<&str>) -> Self {
        let accept = accept.unwrap_or_default();
        let liking = |kind: &str| {
            let ranges = accept.split(',').map(str::trim).filter(|range| range.split(';').next() == Some(kind));
            ranges.map(quality).fold(0.0, f32::max)
        };
        let open = liking("application/openmetrics-text");
        if open > 0.0 && open >= liking("text/plain") { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// The `Content-Type` of the form.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// How much a media range is liked (RFC 9110, 12.4.2); wholly, where it does not say.
fn quality(range: &str) -> f32 {
    let weight = range.split(';').skip(1).find_map(|parameter| parameter.trim().strip_prefix("q="));
    weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0))
}

/// The registry's metrics.
///
/// # Errors
/// A metric could not be written.
pub fn encode(registry: &Registry, form: Form) -> Result<String, fmt::Error> {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry)?;
    match form {
        Form::OpenMetrics => Ok(text),
        Form::Prometheus => plain(&text),
    }
}

/// In the older form a family has the name of its samples, and neither units nor an end.
fn plain(open: &str) -> Result<String, fmt::Error> {
    let mut text = String::with_capacity(open.len());
    let mut help = None;
    for line in open.lines() {
        match line.strip_prefix("# ").and_then(|rest| rest.split_once(' ')) {
            Some(("HELP", rest)) => help = rest.split_once(' '),
            Some(("TYPE", rest)) => {
                let (name, kind) = rest.split_once(' ').unwrap_or((rest, "untyped"));
                let (end, kind) = match kind {
                    "counter" => ("_total", "counter"),
                    "info" => ("_info", "gauge"),
                    "unknown" => ("", "untyped"),
                    other => ("", other),
                };
                if let Some((_, words)) = help.take().filter(|(of, _)| *of == name) {
                    writeln!(text, "# HELP {name}{end} {words}")?;
                }
                writeln!(text, "# TYPE {name}{end} {kind}")?;
            }
            _ if line.starts_with('#') => {}
            _ => writeln!(text, "{line}")?,
        }
    }
    Ok(text)
}

/// Registers `<prefix>_build_info`, which is 1 and names the version.
pub fn register_build(registry: &mut Registry, version: &'static str) {
    registry.register("build", "The version that runs", Info::new(vec![("version", version)]));
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::family::Family;
    use prometheus_client::metrics::gauge::Gauge;
    use prometheus_client::metrics::histogram::Histogram;
    use prometheus_client::registry::Unit;

    use super::*;

    /// What Prometheus 3 sends.
    const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
        application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
        text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

    #[test]
    fn a_scraper_gets_the_form_that_it_asks_for() {
        for (accept, form) in [
            (Some(PROMETHEUS), Form::OpenMetrics),
            (Some("application/openmetrics-text"), Form::OpenMetrics),
            (Some("text/plain;version=0.0.4"), Form::Prometheus),
            (Some("text/plain, application/openmetrics-text; q=0.5"), Form::Prometheus),
            (Some("application/openmetrics-text;q=0"), Form::Prometheus),
            (Some("application/openmetrics-text;q=much"), Form::Prometheus),
            (Some("*/*"), Form::Prometheus),
            (None, Form::Prometheus),
        ] {
            assert_eq!(Form::accepted(accept), form, "{accept:?}");
        }
    }

    #[test]
    fn both_forms_have_the_same_samples_under_names_that_fit() {
        let mut registry = Registry::with_prefix("rds");
        register_build(&mut registry, "1.2.3");
        let calls = Family::<Vec<(&str, &str)>, Counter>::default();
        calls.get_or_create(&vec![("result", "o\"k")]).inc();
        registry.register("calls", "Calls", calls);
        registry.register_with_unit("took", "Time", Unit::Seconds, {
            let took = Histogram::new([0.5, 1.0]);
            took.observe(0.7);
            took
        });
        registry.register("leader", "Whether", Gauge::<i64>::default());

        let (open, plain) =
            (encode(&registry, Form::OpenMetrics).unwrap(), encode(&registry, Form::Prometheus).unwrap());
        let samples =
            |text: &str| text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(samples(&open), samples(&plain));
        assert!(open.ends_with("# EOF\n"), "{open}");
        for line in [
            "# TYPE rds_build_info gauge",
            "rds_build_info{version=\"1.2.3\"} 1",
            "# HELP rds_calls_total Calls.",
            "# TYPE rds_calls_total counter",
            "rds_calls_total{result=\"o\\\"k\"} 1",
            "# HELP rds_took_seconds Time.",
            "# TYPE rds_took_seconds histogram",
            "rds_took_seconds_bucket{le=\"1.0\"} 1",
            "# TYPE rds_leader gauge",
        ] {
            assert!(plain.lines().any(|found| found == line), "{line}: {plain}");
        }
        // A family of this form is told of before its first sample, by the name that the sample begins with.
        let mut family = String::new();
        for line in plain.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                family = rest.split(' ').next().unwrap_or_default().to_owned();
            } else if !line.starts_with('#') {
                assert!(line.starts_with(&family), "{line} belongs to {family}");
            }
        }
        assert!(!plain.contains("# UNIT") && !plain.contains("# EOF"), "{plain}");
    }
}
