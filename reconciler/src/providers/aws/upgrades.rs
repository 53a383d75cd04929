//! Where RDS lets a version go, and what its checks before an upgrade have found in the way.

use jiff::Timestamp;
use shared::rules::Engine;

use super::bucket::Purpose;
use super::client::Aws;
use super::convert::engine_name;
use super::errors::cloud_error;
use crate::providers::error::{CloudError, ErrorClass};
use crate::providers::model::UpgradeReport;

/// Lines of a report that are read.
const LINES: i32 = 200;
/// Characters of it that are told.
const TOLD: usize = 600;

/// The targets of one version.
///
/// Source: RDS user guide, "Choosing a major version for an upgrade": what can be reached depends on the minor version.
pub(super) async fn targets(aws: &Aws, engine: Engine, version: &str) -> Result<Vec<String>, CloudError> {
    let action = "DescribeDBEngineVersions";
    let call = aws.rds.describe_db_engine_versions().engine(engine_name(engine)).engine_version(version);
    let page =
        aws.call(action, Purpose::Read, async { call.send().await.map_err(|e| cloud_error(action, &e)) }).await?;
    let targets = page.db_engine_versions().iter().flat_map(aws_sdk_rds::types::DbEngineVersion::valid_upgrade_target);
    Ok(targets.filter_map(|target| target.engine_version().map(str::to_owned)).collect())
}

/// The newest report, which RDS writes where something was found.
///
/// Source: RDS user guide, "Performing a major version upgrade": the names of the logs.
pub(super) async fn report(aws: &Aws, engine: Engine, identifier: &str) -> Result<Option<UpgradeReport>, CloudError> {
    let action = "DescribeDBLogFiles";
    let call = aws.rds.describe_db_log_files().db_instance_identifier(identifier).filename_contains(log(engine));
    let page =
        aws.call(action, Purpose::Read, async { call.send().await.map_err(|e| cloud_error(action, &e)) }).await?;
    let newest = page.describe_db_log_files().iter().max_by_key(|file| file.last_written());
    let Some((file, written)) = newest.and_then(|file| Some((file.log_file_name()?, file.last_written()?))) else {
        return Ok(None);
    };
    let action = "DownloadDBLogFilePortion";
    let call = aws
        .rds
        .download_db_log_file_portion()
        .db_instance_identifier(identifier)
        .log_file_name(file)
        .number_of_lines(LINES);
    let answer =
        aws.call(action, Purpose::Read, async { call.send().await.map_err(|e| cloud_error(action, &e)) }).await;
    let text = match answer {
        Ok(page) => told(page.log_file_data().unwrap_or_default()),
        // It was rotated away a moment ago.
        Err(error) if error.class == ErrorClass::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let written = Timestamp::from_millisecond(written).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(Some(UpgradeReport { written, text }))
}

fn log(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgresql => "pg_upgrade_precheck",
        Engine::MySql => "PrePatchCompatibility",
    }
}

/// What was found, without what RDS writes above it, in one line. Users choose names that are in it.
fn told(report: &str) -> String {
    let lines = || report.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut found: Vec<_> = lines().filter(|line| line.starts_with('*')).collect();
    if found.is_empty() {
        found = lines().filter(|line| !line.starts_with("---")).collect();
    }
    let line = found.iter().map(|line| line.trim_start_matches(['*', ' '])).collect::<Vec<_>>().join(" ");
    let mut told: String = line.chars().filter(|character| !character.is_control()).take(TOLD).collect();
    if line.chars().nth(TOLD).is_some() {
        told.push('…');
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_told_by_what_was_found() {
        let report = "------------\nUpgrade could not be run on Mon Nov 30 21:00:00 2026\n------------\n\
             The instance could not be upgraded from 12.22 to 17.6 for the following reasons.\n\
             Please take appropriate action and try again.\n\n\
             * There are open prepared transactions.\n\
             ** The database has columns of a reg* type: \"public\u{7}.t\".\n";
        assert_eq!(
            told(report),
            "There are open prepared transactions. The database has columns of a reg* type: \"public.t\"."
        );
        assert_eq!(told("something else\n"), "something else");
        assert_eq!(told(&"* long".repeat(1000)).chars().count(), TOLD + 1);
    }
}
