//! DescribeOrderableDBInstanceOptions.

use super::storage_types::{STORAGE_TYPES, StorageType};
use super::{fields, filters};
use crate::error::ApiError;
use crate::page::{Page, paginate};
use crate::params::Params;
use crate::versions::{Availability, EngineVersion};

/// A combination that a new instance can have.
#[derive(Clone, Debug)]
pub struct Orderable {
    /// On offer.
    pub version: EngineVersion,
    /// `db.t4g.micro`.
    pub class: String,
    /// With what can be chosen of it.
    pub storage: StorageType,
}

/// Every combination of version, class and storage type, or those that a request narrows them to. Each version has each class here.
pub fn describe_orderable(params: &Params) -> Result<Page<Orderable>, ApiError> {
    filters::parse(params, &[])?;
    let engine = params.required("Engine")?;
    if !["postgres", "mysql"].contains(&engine) {
        return Err(ApiError::invalid_value(format!("Unrecognized engine name: {engine}")));
    }
    let (version, class, license) =
        (params.text("EngineVersion"), params.text("DBInstanceClass"), params.text("LicenseModel"));
    let somewhere_else =
        params.boolean("Vpc")? == Some(false) || license.is_some_and(|name| name != "postgresql-license");
    let offered = engine == "postgres" && !somewhere_else;
    let versions = EngineVersion::listed().filter(|(listed, availability)| {
        offered && *availability == Availability::Available && version.is_none_or(|named| named == listed.to_string())
    });
    let all = versions.flat_map(|(version, _)| {
        let classes = fields::classes().filter(|listed| class.is_none_or(|named| named == listed));
        classes.flat_map(move |class| STORAGE_TYPES.map(|storage| Orderable { version, class: class.clone(), storage }))
    });
    let mut all: Vec<_> = all.collect();
    all.sort_by_key(key);
    paginate(all, key, params)
}

fn key(option: &Orderable) -> String {
    let Orderable { version, class, storage } = option;
    let EngineVersion { major, minor, extended } = version;
    format!("{major:05}.{minor:05}.{:08} {class} {}", extended.unwrap_or_default(), storage.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(body: &str) -> Result<Vec<Orderable>, String> {
        let mut all = Vec::new();
        let mut marker = String::new();
        loop {
            let params = Params::parse(&format!("{body}&Marker={marker}"));
            let page = describe_orderable(&params).map_err(|error| error.code)?;
            all.extend(page.items);
            match page.marker {
                Some(next) => marker = next,
                None => return Ok(all),
            }
        }
    }

    #[test]
    fn a_class_of_a_version_has_each_storage_type() {
        let found = options("Engine=postgres&EngineVersion=17.11&DBInstanceClass=db.t4g.micro").unwrap();
        let names: Vec<_> = found.iter().map(|option| option.storage.name).collect();
        assert_eq!(names, ["gp2", "gp3", "io1", "io2"]);
        assert!(options("Engine=postgres&DBInstanceClass=db.t4g.16xlarge").unwrap().is_empty());
        assert!(options("Engine=postgres&EngineVersion=12.15").unwrap().is_empty(), "deprecated");
        assert!(options("Engine=mysql").unwrap().is_empty());
        assert_eq!(options("Engine=mangodb").unwrap_err(), "InvalidParameterValue");
        assert_eq!(options("").unwrap_err(), "MissingParameter");
    }

    #[test]
    fn pages_hold_everything_once_and_every_class_can_be_had() {
        let all = options("Engine=postgres&EngineVersion=18.6").unwrap();
        assert!(all.len() > 400 && all.iter().map(key).collect::<Vec<_>>().is_sorted_by(|a, b| a < b));
        for option in all {
            assert_eq!(fields::class(&option.class, option.version), Ok(option.class.clone()));
        }
    }
}
