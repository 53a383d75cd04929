//! Enhanced Monitoring, Performance Insights, Database Insights and exported logs.

use crate::account::Account;
use crate::error::ApiError;
use crate::params::Params;
use crate::state::{Insights, Monitoring, Retained};
use crate::versions::EngineVersion;

/// Days that Performance Insights keeps by default, for which nothing is paid.
const FREE: u32 = 7;
/// Days that the advanced mode of Database Insights asks for.
const ADVANCED: u32 = 465;

/// Enhanced Monitoring as a request wants it; what it does not name stays.
pub(super) fn monitoring(params: &Params, present: &Monitoring) -> Result<Monitoring, ApiError> {
    let interval = params.parsed("MonitoringInterval")?.unwrap_or(present.interval);
    if ![0, 1, 5, 10, 15, 30, 60].contains(&interval) {
        return Err(ApiError::invalid_value(format!(
            "Invalid value {interval} for MonitoringInterval. Must be one of 0, 1, 5, 10, 15, 30, 60"
        )));
    }
    let named = params.text("MonitoringRoleArn").map(str::to_owned);
    if interval == 0 {
        return if named.is_some() {
            Err(ApiError::invalid_combination(
                "You must specify a MonitoringInterval value other than 0 when you specify a MonitoringRoleARN value.",
            ))
        } else {
            Ok(Monitoring::default())
        };
    }
    match named.or_else(|| present.role.clone()) {
        None => Err(ApiError::invalid_combination(
            "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0.",
        )),
        Some(role) if !(role.starts_with("arn:aws") && role.contains(":iam::") && role.contains(":role/")) => {
            Err(ApiError::invalid_value(format!("Invalid MonitoringRoleARN: {role}")))
        }
        role => Ok(Monitoring { interval, role }),
    }
}

/// Performance Insights as a request wants it.
pub(super) fn insights(account: &Account, params: &Params, present: &Insights) -> Result<Insights, ApiError> {
    let enabled = params.boolean("EnablePerformanceInsights")?.unwrap_or(present.enabled.is_some());
    let days: Option<u32> = params.parsed("PerformanceInsightsRetentionPeriod")?;
    let key = params.text("PerformanceInsightsKMSKeyId");
    let advanced = match params.text("DatabaseInsightsMode") {
        None => present.advanced,
        Some("standard") => false,
        Some("advanced") => true,
        Some(other) => return Err(ApiError::invalid_value(format!("Invalid DatabaseInsightsMode: {other}"))),
    };
    if !enabled {
        if days.is_some() || key.is_some() || advanced {
            return Err(ApiError::invalid_combination(
                "To specify PerformanceInsightsKMSKeyId, PerformanceInsightsRetentionPeriod or the advanced mode of Database Insights, \
                 Performance Insights must be enabled.",
            ));
        }
        return Ok(Insights::default());
    }
    let present = present.enabled.as_ref();
    if let (Some(present), Some(key)) = (present, key)
        && present.kms_key != account.key_arn(key)
    {
        return Err(ApiError::invalid_combination("You can't change the Performance Insights KMS key."));
    }
    let days = days.or(present.map(|present| present.days)).unwrap_or(FREE);
    let months = days.is_multiple_of(31) && (1..=23).contains(&(days / 31));
    if !(days == FREE || days == 731 || months) {
        return Err(ApiError::invalid_value(format!(
            "Invalid Performance Insights retention period: {days}. Valid values are 7, 731 and the multiples of 31 up to 713"
        )));
    }
    if advanced && days < ADVANCED {
        return Err(ApiError::invalid_combination(format!(
            "The advanced mode of Database Insights needs a PerformanceInsightsRetentionPeriod of at least {ADVANCED} days."
        )));
    }
    let kms_key = match (key, present) {
        (Some(key), _) => account.key_arn(key),
        (None, Some(present)) => present.kms_key.clone(),
        (None, None) => account.key_arn("aws-rds-default"),
    };
    Ok(Insights { enabled: Some(Retained { days, kms_key }), advanced })
}

/// The log types of every version.
pub const LOGS: [&str; 3] = ["postgresql", "upgrade", "iam-db-auth-error"];

/// Log types to export to CloudWatch.
pub(super) fn check_logs(names: &[String], version: EngineVersion) -> Result<(), ApiError> {
    match names.iter().find(|name| !LOGS.contains(&name.as_str())) {
        Some(name) => Err(ApiError::invalid_combination(format!(
            "You cannot use the log types '{name}' with engine version postgres {version}. For supported log types, see the documentation."
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monitoring_and_its_role_come_together() {
        let role = "arn:aws:iam::000000000000:role/rds-monitoring";
        let on = Monitoring { interval: 60, role: Some(role.into()) };
        let read = |body: &str, present: &Monitoring| monitoring(&Params::parse(body), present);
        assert_eq!(
            read(&format!("MonitoringInterval=60&MonitoringRoleArn={role}"), &Monitoring::default()),
            Ok(on.clone())
        );
        assert_eq!(read("MonitoringInterval=5", &on), Ok(Monitoring { interval: 5, ..on.clone() }));
        assert_eq!(read("MonitoringInterval=0", &on), Ok(Monitoring::default()));
        for bad in [
            "MonitoringInterval=60",
            "MonitoringInterval=2",
            "MonitoringRoleArn=x",
            "MonitoringInterval=1&MonitoringRoleArn=x",
        ] {
            assert!(read(bad, &Monitoring::default()).is_err(), "{bad}");
        }
    }
}
