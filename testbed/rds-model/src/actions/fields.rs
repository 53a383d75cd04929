//! The fields that several actions take, parsed by the rules of RDS.

use jiff::Timestamp;

use crate::error::ApiError;
use crate::fresh::Fresh;
use crate::params::Params;
use crate::state::Tags;
use crate::versions::EngineVersion;
use crate::windows;

/// Names RDS keeps for itself, besides everything that begins with `pg_` or `rds`.
const RESERVED_USERS: [&str; 2] = ["admin", "public"];
/// Classes are `db.<family>.<size>`; these families exist for PostgreSQL.
const FAMILIES: [&str; 24] = [
    "t3", "t4g", "m5", "m5d", "m6g", "m6gd", "m6i", "m6id", "m7g", "m7gd", "m7i", "m8g", "r5", "r5b", "r5d", "r6g",
    "r6gd", "r6i", "r6id", "r7g", "r7gd", "r7i", "r8g", "x2g",
];
const SIZES: [&str; 13] = [
    "micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge",
    "32xlarge", "48xlarge",
];

/// An identifier of an instance or a snapshot: lower case, 1 to `longest` long.
pub(super) fn identifier(params: &Params, name: &str, longest: usize) -> Result<String, ApiError> {
    let text = params.required(name)?;
    let valid = text.len() <= longest
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.ends_with('-')
        && !text.contains("--");
    if valid {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(ApiError::invalid_value(format!(
            "The parameter {name} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, \
             digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
        )))
    }
}

/// The identifier of an existing instance, as sent: what is not valid is not found.
pub fn instance_id(params: &Params) -> Result<String, ApiError> {
    Ok(params.required("DBInstanceIdentifier")?.to_ascii_lowercase())
}

/// PostgreSQL is the only engine here.
pub(super) fn postgres_only(engine: &str) -> Result<(), ApiError> {
    match engine {
        "postgres" => Ok(()),
        "mysql" => Err(ApiError::invalid_combination(
            "Engine mysql is not supported by this local server, whose instances are PostgreSQL servers",
        )),
        other => Err(ApiError::invalid_value(format!("Invalid DB engine: {other}"))),
    }
}

/// An engine version to create with.
pub(super) fn engine_version(params: &Params) -> Result<EngineVersion, ApiError> {
    let text = params.text("EngineVersion");
    EngineVersion::resolve(text).ok_or_else(|| {
        ApiError::invalid_combination(format!("Cannot find version {} for postgres", text.unwrap_or_default()))
    })
}

/// An instance class that exists.
pub(super) fn class(text: &str, version: EngineVersion) -> Result<String, ApiError> {
    let parts: Vec<&str> = text.split('.').collect();
    let ["db", family, size] = parts.as_slice() else {
        return Err(ApiError::invalid_value(format!("Invalid DB Instance class: {text}")));
    };
    if FAMILIES.contains(family) && sizes(family).contains(size) {
        return Ok(text.to_owned());
    }
    Err(ApiError::invalid_combination(format!(
        "RDS does not support creating a DB instance with the following combination: DBInstanceClass={text}, Engine=postgres, \
         EngineVersion={version}, LicenseModel=postgresql-license. For supported combinations of instance class and database engine \
         version, see the documentation."
    )))
}

/// Every class that exists.
pub(super) fn classes() -> impl Iterator<Item = String> {
    FAMILIES.iter().flat_map(|family| sizes(family).iter().map(move |size| format!("db.{family}.{size}")))
}

/// The sizes of a family: burstable classes are small.
fn sizes(family: &str) -> &'static [&'static str] {
    if family.starts_with('t') { &SIZES[..=5] } else { &SIZES[3..] }
}

/// The name of the master user.
pub(super) fn master_username(params: &Params) -> Result<String, ApiError> {
    let name = params.required("MasterUsername")?;
    let well_formed = name.len() <= 63
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !well_formed {
        return Err(ApiError::invalid_value(
            "The parameter MasterUsername must begin with a letter and contain 1 to 63 alphanumeric characters or underscores",
        ));
    }
    let lower = name.to_ascii_lowercase();
    if RESERVED_USERS.contains(&lower.as_str()) || lower.starts_with("pg_") || lower.starts_with("rds") {
        return Err(ApiError::invalid_value(format!(
            "MasterUsername {name} cannot be used as it is a reserved word used by the engine"
        )));
    }
    Ok(name.to_owned())
}

/// The SCRAM verifier of the master user's new password. The password itself goes no further.
pub(super) fn master_verifier(password: &str, fresh: &mut impl Fresh) -> Result<String, ApiError> {
    if !(8..=128).contains(&password.chars().count()) {
        return Err(ApiError::invalid_value(
            "The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters or longer than 128 characters.",
        ));
    }
    let printable = |byte: u8| (b'!'..=b'~').contains(&byte) && !b"/\"@".contains(&byte);
    if !password.bytes().all(printable) {
        return Err(ApiError::invalid_value(
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/', '@', '\"', ' ' may be used.",
        ));
    }
    Ok(fresh.verifier(password))
}

/// A database name.
pub(super) fn db_name(params: &Params) -> Result<Option<String>, ApiError> {
    let Some(name) = params.text("DBName") else {
        return Ok(None);
    };
    let valid = name.len() <= 63
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !["rdsadmin", "postgres", "template0", "template1"].contains(&name);
    if valid {
        Ok(Some(name.to_owned()))
    } else {
        Err(ApiError::invalid_value(format!(
            "DBName {name} cannot be used: it must begin with a letter, contain only letters, digits and underscores, and not be a word \
             reserved by the engine"
        )))
    }
}

/// Days of backup retention.
pub(super) fn backup_retention(params: &Params) -> Result<Option<u32>, ApiError> {
    let days: Option<i64> = params.parsed("BackupRetentionPeriod")?;
    days.map(|days| {
        u32::try_from(days).ok().filter(|days| *days <= 35).ok_or_else(|| {
            ApiError::invalid_value(format!("Invalid backup retention period: {days}. Must be between 0 and 35"))
        })
    })
    .transpose()
}

/// The backup and the maintenance window, where sent or else as they are: they must not overlap.
pub(super) fn check_windows(backup: &str, maintenance: &str) -> Result<(), ApiError> {
    let daily = windows::daily_minutes(backup).ok_or_else(|| {
        ApiError::invalid_value(format!(
            "Invalid backup window format: {backup}. Should be specified as a range hh24:mi-hh24:mi (24H Clock UTC). Example: 04:00-04:30"
        ))
    })?;
    let weekly = windows::weekly_minutes(maintenance).ok_or_else(|| {
        ApiError::invalid_value(format!(
            "Invalid maintenance window format: {maintenance}. Should be specified as a range ddd:hh24:mi-ddd:hh24:mi (24H Clock UTC). \
             Example: Sun:23:45-Mon:00:15"
        ))
    })?;
    if !windows::long_enough(daily) {
        return Err(ApiError::invalid_value("The backup window must be at least 30 minutes."));
    }
    if windows::overlap(daily, weekly) {
        return Err(ApiError::invalid_combination("The backup window and maintenance window must not overlap."));
    }
    Ok(())
}

/// Tags to put on a resource.
pub(super) fn tags(params: &Params) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for tag in params.list("Tags").unwrap_or_default() {
        let key = tag.required("Key")?;
        let value = tag.text("Value").unwrap_or_default();
        let allowed =
            |text: &str| text.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c));
        if key.chars().count() > 128 || value.chars().count() > 256 || !allowed(key) || !allowed(value) {
            return Err(ApiError::invalid_value(format!("Invalid tag: {key}")));
        }
        if key.starts_with("aws:") || key.starts_with("rds:") {
            return Err(ApiError::invalid_value(format!(
                "Invalid tag key: {key}. Tag keys must not begin with aws: or rds:"
            )));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(ApiError::invalid_value(format!("Duplicate tag key: {key}")));
        }
    }
    check_tag_count(&tags)?;
    Ok(tags)
}

/// Tags that a request puts on the automated backup, if it says anything about them.
pub(super) fn backup_tags(params: &Params) -> Result<Option<Tags>, ApiError> {
    let mut found = None;
    for specification in params.list("TagSpecifications").unwrap_or_default() {
        let resource = specification.required("ResourceType")?;
        if resource != "auto-backup" {
            return Err(ApiError::invalid_value(format!("Invalid resource type in TagSpecifications: {resource}")));
        }
        found = Some(tags(&specification)?);
    }
    Ok(found)
}

/// A resource has 50 tags at most.
pub(super) fn check_tag_count(tags: &Tags) -> Result<(), ApiError> {
    if tags.len() > 50 {
        return Err(ApiError::invalid_value("The number of tags exceeds the limit of 50 per resource"));
    }
    Ok(())
}

/// The port a caller asks for: checked, though every instance here gets a free one.
pub(super) fn check_port(params: &Params, name: &str) -> Result<(), ApiError> {
    match params.parsed::<i64>(name)? {
        Some(port) if !(1150..=65_535).contains(&port) => {
            Err(ApiError::invalid_value(format!("Invalid port: {port}. Must be between 1150 and 65535")))
        }
        _ => Ok(()),
    }
}

/// RDS's words for an instance that goes on into Extended Support, and for one that does not.
pub(crate) const EXTENDED_SUPPORT: &str = "open-source-rds-extended-support";
pub(crate) const EXTENDED_SUPPORT_DISABLED: &str = "open-source-rds-extended-support-disabled";

/// What a request says of Extended Support.
pub(super) fn lifecycle_support(params: &Params) -> Result<Option<&str>, ApiError> {
    match params.text("EngineLifecycleSupport") {
        Some(word) if ![EXTENDED_SUPPORT, EXTENDED_SUPPORT_DISABLED].contains(&word) => {
            Err(ApiError::invalid_value(format!("Invalid EngineLifecycleSupport: {word}")))
        }
        word => Ok(word),
    }
}

/// Whether a version may be created without Extended Support today.
pub(super) fn check_lifecycle(support: &str, version: EngineVersion, now: Timestamp) -> Result<(), ApiError> {
    if support == EXTENDED_SUPPORT_DISABLED && version.standard_support_ended(now) {
        return Err(ApiError::invalid_combination(format!(
            "You can't create a DB instance with engine version {version}, which is past its end of standard support, without enrolling it in \
             RDS Extended Support"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Counted;

    fn one(name: &str, value: &str) -> Params {
        Params::parse(&format!("{name}={value}"))
    }

    #[test]
    fn identifiers() {
        let read = |text| identifier(&one("DBInstanceIdentifier", text), "DBInstanceIdentifier", 63);
        assert_eq!(read("Orders-1").unwrap(), "orders-1");
        let too_long = "a".repeat(64);
        for bad in ["1a", "a-", "a--b", "a_b", "-a", too_long.as_str()] {
            assert_eq!(read(bad).unwrap_err().code, "InvalidParameterValue", "{bad}");
        }
        assert_eq!(read("").unwrap_err().code, "MissingParameter");
    }

    #[test]
    fn master_users() {
        let read = |text| master_username(&one("MasterUsername", text));
        for good in ["sysadmin", "postgres", "Admin_1"] {
            assert!(read(good).is_ok(), "{good}");
        }
        for bad in ["admin", "rdsadmin", "pg_me", "rds_superuser", "1a", "a-b"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn passwords_become_verifiers() {
        assert_eq!(master_verifier("correct-horse", &mut Counted::default()).unwrap(), "SCRAM-SHA-256$1");
        for bad in ["short12", "with space", "slash/slash", "at@at@at@", "quote\"quote", "ümlauts-too"] {
            let error = master_verifier(bad, &mut Counted::default()).unwrap_err();
            assert_eq!(error.code, "InvalidParameterValue", "{bad}");
            assert!(!error.message.contains(bad));
        }
    }

    #[test]
    fn classes() {
        let version = EngineVersion::default_of(12).unwrap();
        assert!(class("db.t4g.micro", version).is_ok());
        assert!(class("db.r6g.16xlarge", version).is_ok());
        for (bad, code) in [
            ("t4g.micro", "InvalidParameterValue"),
            ("db.t4g.16xlarge", "InvalidParameterCombination"),
            ("db.m6g.micro", "InvalidParameterCombination"),
            ("db.z9.large", "InvalidParameterCombination"),
        ] {
            assert_eq!(class(bad, version).unwrap_err().code, code, "{bad}");
        }
    }

    #[test]
    fn extended_support_can_be_declined_only_before_its_time() {
        let declined = EXTENDED_SUPPORT_DISABLED;
        let now: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
        let check = |major| check_lifecycle(declined, EngineVersion::default_of(major).unwrap(), now);
        assert!(check(12).is_err() && check(13).is_err() && check(14).is_ok());
    }
}
