//! Parameter groups in RDS's words.

use aws_sdk_rds::types::Parameter as RdsParameter;

use super::bucket::Purpose;
use super::client::Aws;
use super::convert::tags;
use super::errors::{cloud_error, endless};
use super::marks;
use crate::providers::error::{CloudError, ErrorClass};
use crate::providers::parameters::{Allowed, Group, Offered, Parameter, Values};

/// What people read of a group at the console.
pub(super) const DESCRIPTION: &str = "Made by the RDS operator for all databases that ask for these settings";
/// Groups and parameters have at most so many a page.
const PAGE: i32 = 100;
/// Far more than any family of servers and any account has.
const MOST_PAGES: usize = 30;
/// One of those that every account has.
const DEFAULT: &str = "default.";

/// A parameter by its name.
pub fn parameter(from: &RdsParameter) -> Option<(String, Parameter)> {
    let allowed = allowed(from.data_type().unwrap_or_default(), from.allowed_values().unwrap_or_default());
    Some((from.parameter_name()?.to_owned(), Parameter { modifiable: from.is_modifiable().unwrap_or(false), allowed }))
}

/// `64-2147483647` is a range of numbers, `none,ddl,mod,all` are words. What is neither, RDS judges itself.
fn allowed(data_type: &str, text: &str) -> Allowed {
    let words = || text.split(',').map(|word| word.trim().to_owned()).collect();
    match data_type {
        _ if text.is_empty() => Allowed::Any,
        "integer" | "float" => range(text).map_or(Allowed::Any, |(least, most)| Allowed::Range(least, most)),
        "list" => Allowed::Words(words(), true),
        "boolean" => Allowed::Words(words(), false),
        _ if text.contains(',') => Allowed::Words(words(), false),
        _ => Allowed::Any,
    }
}

/// The first may be negative, and the last have an exponent.
fn range(text: &str) -> Option<(f64, f64)> {
    text.match_indices('-').find_map(|(at, _)| Some((text[..at].parse().ok()?, text[at + 1..].parse().ok()?)))
}

impl Aws {
    pub(super) async fn named_group(&self, name: &str) -> Result<Option<Group>, CloudError> {
        let action = "DescribeDBParameterGroups";
        let call = self.rds.describe_db_parameter_groups().db_parameter_group_name(name);
        let page = match self
            .call(action, Purpose::Read, async { call.send().await.map_err(|e| cloud_error(action, &e)) })
            .await
        {
            Err(error) if error.class == ErrorClass::NotFound => return Ok(None),
            other => other?,
        };
        let found = page.db_parameter_groups().iter().find_map(|group| {
            let (arn, family) = (group.db_parameter_group_arn()?, group.db_parameter_group_family()?);
            Some((arn.to_owned(), family.to_owned()))
        });
        let Some((arn, family)) = found else {
            let message = format!("RDS answered without the parameter group {name} and without an error");
            return Err(CloudError::new(action, "EmptyAnswer", message, ErrorClass::Transient));
        };
        let action = "ListTagsForResource";
        let call = self.rds.list_tags_for_resource().resource_name(arn);
        let listed = match self
            .call(action, Purpose::Read, async { call.send().await.map_err(|e| cloud_error(action, &e)) })
            .await
        {
            Err(error) if error.class == ErrorClass::NotFound => return Ok(None),
            other => other?,
        };
        let cluster = marks::read(&tags(listed.tag_list())).cluster;
        match self.values_of(name).await {
            Err(error) if error.class == ErrorClass::NotFound => Ok(None),
            values => Ok(Some(Group { name: name.to_owned(), family, cluster, values: values? })),
        }
    }

    async fn values_of(&self, name: &str) -> Result<Values, CloudError> {
        let action = "DescribeDBParameters";
        let all = self.pages(action, MOST_PAGES, |marker| {
            let call = self.rds.describe_db_parameters().db_parameter_group_name(name).source("user");
            let call = call.max_records(PAGE).set_marker(marker);
            async move {
                let page = call.send().await.map_err(|e| cloud_error(action, &e))?;
                let value =
                    |from: &RdsParameter| Some((from.parameter_name()?.to_owned(), from.parameter_value()?.to_owned()));
                Ok((page.parameters().iter().filter_map(value).collect(), page.marker))
            }
        });
        Ok(all.await?.into_iter().collect())
    }

    pub(super) async fn group_names(&self) -> Result<Vec<String>, CloudError> {
        let action = "DescribeDBParameterGroups";
        self.pages(action, MOST_PAGES, |marker| {
            let call = self.rds.describe_db_parameter_groups().max_records(PAGE).set_marker(marker);
            async move {
                let page = call.send().await.map_err(|e| cloud_error(action, &e))?;
                let names = page.db_parameter_groups().iter().filter_map(|group| group.db_parameter_group_name());
                let names = names.filter(|name| !name.starts_with(DEFAULT)).map(str::to_owned);
                Ok((names.collect(), page.marker))
            }
        })
        .await
    }

    pub(super) async fn offered(&self, family: &str) -> Result<Offered, CloudError> {
        let action = "DescribeEngineDefaultParameters";
        let all = self.pages(action, MOST_PAGES, |marker| {
            let call = self.rds.describe_engine_default_parameters().db_parameter_group_family(family);
            let call = call.max_records(PAGE).set_marker(marker);
            async move {
                let page = call.send().await.map_err(|e| cloud_error(action, &e))?;
                let page = page.engine_defaults.ok_or_else(|| endless(action))?;
                Ok((page.parameters().iter().filter_map(parameter).collect(), page.marker))
            }
        });
        Ok(all.await?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rds_allows_is_read() {
        let words = |text: &str, several| Allowed::Words(text.split(',').map(str::to_owned).collect(), several);
        for (data_type, text, expected) in [
            ("integer", "64-2147483647", Allowed::Range(64.0, 2_147_483_647.0)),
            ("integer", "-1-2147483647", Allowed::Range(-1.0, 2_147_483_647.0)),
            ("float", "0-1.79769e+308", Allowed::Range(0.0, 1.79769e308)),
            ("integer", "a number", Allowed::Any),
            ("boolean", "0,1", words("0,1", false)),
            ("string", "none,ddl,mod,all", words("none,ddl,mod,all", false)),
            ("list", "auto_explain,pg_stat_statements", words("auto_explain,pg_stat_statements", true)),
            ("string", "", Allowed::Any),
        ] {
            assert_eq!(allowed(data_type, text), expected, "{data_type} {text}");
        }
    }
}
