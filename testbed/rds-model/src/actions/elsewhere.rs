//! Parameters of RDS that no PostgreSQL instance can have here: those of other engines, of clusters and of services that this account does
//! not use. They are refused, never dropped.
//!
//! The codes are those of the service model. The words are RDS's where they are known, and say the same where they are not.

use crate::error::ApiError;
use crate::params::Params;

/// A parameter that is only taken with the value that changes nothing.
struct Elsewhere {
    parameter: &'static str,
    /// What it may say all the same.
    harmless: Option<&'static str>,
    code: &'static str,
    /// `{}` is the value.
    message: &'static str,
}

const fn elsewhere(
    parameter: &'static str,
    harmless: Option<&'static str>,
    code: &'static str,
    message: &'static str,
) -> Elsewhere {
    Elsewhere { parameter, harmless, code, message }
}

const COMBINATION: &str = "InvalidParameterCombination";
const VALUE: &str = "InvalidParameterValue";
const FALSE: Option<&str> = Some("false");

const ELSEWHERE: &[Elsewhere] = &[
    // Other engines.
    elsewhere(
        "AdditionalStorageVolumes",
        None,
        COMBINATION,
        "Additional storage volumes aren't supported for engine postgres.",
    ),
    elsewhere("AutomationMode", None, COMBINATION, "AutomationMode is only valid for RDS Custom DB instances."),
    elsewhere("CharacterSetName", None, COMBINATION, "CharacterSetName isn't supported for engine postgres."),
    elsewhere(
        "CustomIamInstanceProfile",
        None,
        COMBINATION,
        "CustomIamInstanceProfile is only valid for RDS Custom DB instances.",
    ),
    elsewhere("DBSystemId", None, COMBINATION, "DBSystemId isn't supported for engine postgres."),
    elsewhere("DomainAuthSecretArn", None, COMBINATION, "DomainAuthSecretArn isn't supported for engine postgres."),
    elsewhere("DomainDnsIps", None, COMBINATION, "DomainDnsIps isn't supported for engine postgres."),
    elsewhere("DomainFqdn", None, COMBINATION, "DomainFqdn isn't supported for engine postgres."),
    elsewhere("DomainOu", None, COMBINATION, "DomainOu isn't supported for engine postgres."),
    elsewhere("MultiTenant", FALSE, COMBINATION, "The multi-tenant configuration isn't supported for engine postgres."),
    elsewhere("NcharCharacterSetName", None, COMBINATION, "NcharCharacterSetName isn't supported for engine postgres."),
    elsewhere("ProcessorFeatures", None, COMBINATION, "Processor features can't be specified for engine postgres."),
    elsewhere("PromotionTier", None, COMBINATION, "PromotionTier is only valid for Aurora DB instances."),
    elsewhere("ReplicaMode", None, COMBINATION, "ReplicaMode isn't supported for engine postgres."),
    elsewhere(
        "ResumeFullAutomationModeMinutes",
        None,
        COMBINATION,
        "Automation is only paused on RDS Custom DB instances.",
    ),
    elsewhere("TdeCredentialArn", None, COMBINATION, "TdeCredentialArn isn't supported for engine postgres."),
    elsewhere("TdeCredentialPassword", None, COMBINATION, "TdeCredentialPassword isn't supported for engine postgres."),
    elsewhere("Timezone", None, COMBINATION, "Timezone isn't supported for engine postgres."),
    elsewhere(
        "UseDefaultProcessorFeatures",
        FALSE,
        COMBINATION,
        "Processor features can't be specified for engine postgres.",
    ),
    elsewhere(
        "LicenseModel",
        Some("postgresql-license"),
        VALUE,
        "Invalid license model '{}' for engine 'postgres'. Valid license models are: postgresql-license.",
    ),
    // What this account does not have.
    elsewhere("AwsBackupRecoveryPointArn", None, "BackupPolicyNotFoundFault", "The recovery point {} was not found."),
    elsewhere(
        "BackupTarget",
        Some("region"),
        COMBINATION,
        "BackupTarget {} is only valid for DB instances on an Outpost.",
    ),
    elsewhere(
        "DBCapacityReservationIdentifier",
        None,
        "DBCapacityReservationNotFound",
        "Capacity reservation {} not found.",
    ),
    elsewhere("DBClusterIdentifier", None, "DBClusterNotFoundFault", "DBCluster {} not found."),
    elsewhere("DBClusterSnapshotIdentifier", None, "DBClusterSnapshotNotFoundFault", "DBClusterSnapshot {} not found."),
    elsewhere(
        "DBSecurityGroups",
        None,
        COMBINATION,
        "Database Security Groups can only be associated with VPC DB Instances using API versions 2012-01-10 through 2012-09-17.",
    ),
    elsewhere("DetachFromDBCapacityReservation", FALSE, COMBINATION, "The DB instance is in no capacity reservation."),
    elsewhere("DisableDomain", FALSE, COMBINATION, "The DB instance is in no domain."),
    elsewhere("Domain", None, "DomainNotFoundFault", "Domain {} not found."),
    elsewhere("DomainIAMRoleName", None, COMBINATION, "DomainIAMRoleName can't be specified without Domain."),
    elsewhere(
        "EnableCustomerOwnedIp",
        FALSE,
        COMBINATION,
        "Customer-owned IP addresses are only valid for DB instances on an Outpost.",
    ),
    elsewhere(
        "NetworkType",
        Some("IPV4"),
        "NetworkTypeNotSupported",
        "The network type {} isn't supported by the DB subnet group, which has no IPv6 addresses.",
    ),
    // What this server cannot play.
    elsewhere(
        "ManageMasterUserPassword",
        FALSE,
        COMBINATION,
        "ManageMasterUserPassword is not supported by this local server: pass a MasterUserPassword",
    ),
    elsewhere(
        "MasterUserAuthenticationType",
        Some("password"),
        COMBINATION,
        "MasterUserAuthenticationType {} is not supported by this local server: pass a MasterUserPassword",
    ),
    elsewhere(
        "MasterUserSecretKmsKeyId",
        None,
        COMBINATION,
        "MasterUserSecretKmsKeyId can only be specified with ManageMasterUserPassword.",
    ),
    elsewhere(
        "RotateMasterUserPassword",
        FALSE,
        COMBINATION,
        "You can't rotate the master user password of a DB instance whose password isn't managed by RDS in Secrets Manager.",
    ),
];

/// Refuses what no instance here can have.
pub(super) fn refuse(params: &Params) -> Result<(), ApiError> {
    let sent = params.sent();
    let asked = |rule: &&Elsewhere| {
        let value = params.text(rule.parameter);
        let harmless = rule.harmless.zip(value).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b));
        sent.contains(rule.parameter) && !harmless
    };
    match ELSEWHERE.iter().find(asked) {
        Some(rule) => {
            let value = params.text(rule.parameter).unwrap_or_default();
            Err(ApiError::of(rule.code, rule.message.replace("{}", value)))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_nothing_is_taken_and_the_rest_has_the_code_of_the_model() {
        let cases = [
            ("NetworkType=ipv4&EnableCustomerOwnedIp=false&LicenseModel=postgresql-license", None),
            ("Domain=&Timezone=", None),
            ("NetworkType=DUAL", Some(("NetworkTypeNotSupported", 400))),
            ("Domain=d-1", Some(("DomainNotFoundFault", 404))),
            ("ProcessorFeatures.ProcessorFeature.1.Name=coreCount", Some((COMBINATION, 400))),
            ("MultiTenant=true", Some((COMBINATION, 400))),
        ];
        for (body, expected) in cases {
            let seen = refuse(&Params::parse(body)).err();
            let seen = seen.as_ref().map(|error| (error.code.as_str(), error.status));
            assert_eq!(seen, expected, "{body}");
        }
    }
}
