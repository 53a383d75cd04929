//! The parameters of PostgreSQL that a parameter group may set, as RDS offers them: what each is, by the family of the group.

mod formula;
mod value;

use std::sync::LazyLock;

use crate::versions::EngineVersion;

pub use formula::evaluate;
pub(crate) use value::check;

/// A parameter as DescribeEngineDefaultParameters shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// `work_mem`, `rds.force_ssl`.
    pub name: &'static str,
    /// Whether a change waits for a restart of the server.
    pub is_static: bool,
    /// `integer`, `boolean`, `float`, `string` or `list`.
    pub data_type: &'static str,
    /// `64-2147483647` or `none,ddl,mod,all`; none where any text is.
    pub allowed: Option<&'static str>,
    /// Whether a group may set it.
    pub modifiable: bool,
    /// What RDS sets, a number, a text or a formula; none where PostgreSQL's own default stands.
    pub value: Option<&'static str>,
    /// For people.
    pub description: &'static str,
    /// The first and the last major that has it so.
    majors: (u16, u16),
}

impl Parameter {
    /// The `ApplyType` of the API.
    pub fn apply_type(&self) -> &'static str {
        if self.is_static { "static" } else { "dynamic" }
    }

    /// The `Source` of the API while no group sets it.
    pub fn source(&self) -> &'static str {
        if self.value.is_some() { "system" } else { "engine-default" }
    }
}

/// By name. A part of what RDS has, with PostgreSQL's own ranges and descriptions (`postgres --describe-config`) and the values of the
/// default groups [RDS User Guide, "Parameters for RDS for PostgreSQL"].
static CATALOGUE: LazyLock<Vec<Parameter>> =
    LazyLock::new(|| include_str!("catalogue.tsv").lines().filter_map(read).collect());

/// A line of the catalogue; the first one names the columns.
fn read(line: &'static str) -> Option<Parameter> {
    let mut columns = line.split('\t');
    let name = columns.next().filter(|name| !name.starts_with('#'))?;
    let (first, last) = columns.next()?.split_once('-')?;
    let apply_type = columns.next()?;
    let data_type = columns.next()?;
    let allowed = columns.next()?;
    let modifiable = columns.next()?;
    let value = columns.next()?;
    Some(Parameter {
        name,
        is_static: apply_type == "static",
        data_type,
        allowed: Some(allowed).filter(|allowed| !allowed.is_empty()),
        modifiable: modifiable == "yes",
        value: Some(value).filter(|value| !value.is_empty()),
        description: columns.next()?,
        majors: (first.parse().ok()?, last.parse().ok()?),
    })
}

/// The major of a family: `postgres12` is 12.
pub(crate) fn major_of(family: &str) -> Option<u16> {
    EngineVersion::all().find(|version| version.family() == family).map(|version| version.major)
}

/// The parameters of a major, by name.
pub(crate) fn of_major(major: u16) -> impl Iterator<Item = &'static Parameter> {
    CATALOGUE.iter().filter(move |parameter| (parameter.majors.0..=parameter.majors.1).contains(&major))
}

/// One of them.
pub(crate) fn find(major: u16, name: &str) -> Option<&'static Parameter> {
    of_major(major).find(|parameter| parameter.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read_and_every_family_has_each_name_once_in_order() {
        let lines = include_str!("catalogue.tsv").lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(CATALOGUE.len(), lines);
        for major in 12..=18 {
            let names: Vec<_> = of_major(major).map(|parameter| parameter.name.to_ascii_lowercase()).collect();
            assert!(names.len() > 150 && names.is_sorted_by(|a, b| a < b), "{major}: {names:?}");
        }
    }

    #[test]
    fn what_rds_sets_is_among_what_it_allows() {
        for parameter in CATALOGUE.iter().filter(|parameter| parameter.modifiable) {
            if let Some(value) = parameter.value {
                assert_eq!(check(parameter, value), Ok(()), "{}", parameter.name);
            }
        }
    }

    #[test]
    fn majors_differ() {
        let force_ssl = |major| find(major, "rds.force_ssl").unwrap().value;
        assert_eq!((force_ssl(14), force_ssl(15)), (Some("0"), Some("1")));
        assert!(find(12, "wal_keep_segments").is_some() && find(13, "wal_keep_segments").is_none());
        assert!(find(16, "transaction_timeout").is_none() && find(17, "transaction_timeout").is_some());
        assert!(find(17, "shared_buffers").unwrap().is_static && !find(17, "work_mem").unwrap().is_static);
        assert_eq!((major_of("postgres18"), major_of("postgres11"), major_of("mysql8.4")), (Some(18), None, None));
    }
}
