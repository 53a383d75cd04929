//! DescribeDBEngineVersions.

use super::filters;
use crate::error::ApiError;
use crate::page::{Page, paginate};
use crate::params::Params;
use crate::versions::{Availability, EngineVersion};

const FILTERS: [&str; 5] = ["db-parameter-group-family", "engine", "engine-mode", "engine-version", "status"];

/// The versions on offer, with IncludeAll the deprecated ones too, or those of them that a request narrows them to.
pub fn describe_versions(params: &Params) -> Result<Page<(EngineVersion, Availability)>, ApiError> {
    let filters = filters::parse(params, &FILTERS)?;
    let asked = Asked::parse(params)?;
    let all = params.boolean("IncludeAll")?.unwrap_or(false);
    let accepted = EngineVersion::listed().filter(|(version, availability)| {
        (all || *availability == Availability::Available)
            && asked.accepts(*version)
            && filters::all(&filters, |name, value| accepts(*version, *availability, name, value))
    });
    let key = |(version, _): &(EngineVersion, _)| {
        let EngineVersion { major, minor, extended } = version;
        format!("{major:05}.{minor:05}.{:08}", extended.unwrap_or_default())
    };
    paginate(accepted, key, params)
}

/// What the parameters of its own narrow the listing to.
struct Asked<'a> {
    engine: &'a str,
    version: Option<&'a str>,
    family: Option<&'a str>,
    default_only: bool,
}

impl<'a> Asked<'a> {
    fn parse(params: &'a Params) -> Result<Self, ApiError> {
        Ok(Self {
            engine: params.text("Engine").unwrap_or("postgres"),
            version: params.text("EngineVersion"),
            family: params.text("DBParameterGroupFamily"),
            default_only: params.boolean("DefaultOnly")?.unwrap_or(false),
        })
    }

    /// Without a version or a family, the default is the one of the engine.
    fn accepts(&self, version: EngineVersion) -> bool {
        let narrowed = self.version.is_some() || self.family.is_some();
        self.engine == "postgres"
            && self.version.is_none_or(|asked| names(asked, version))
            && self.family.is_none_or(|family| family == version.family())
            && (!self.default_only
                || version.is_default() && (narrowed || EngineVersion::resolve(None) == Some(version)))
    }
}

/// A version is named in full or by its major.
fn names(text: &str, version: EngineVersion) -> bool {
    text == version.to_string() || text == version.major.to_string()
}

fn accepts(version: EngineVersion, availability: Availability, name: &str, value: &str) -> bool {
    match name {
        "db-parameter-group-family" => value == version.family(),
        "engine" => value == "postgres",
        "engine-mode" => value == "provisioned",
        "engine-version" => names(value, version),
        _ => value == availability.name(),
    }
}
