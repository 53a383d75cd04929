//! STS: who calls, and roles to assume.

use jiff::ToSpan;
use rds_model::ApiError;

use super::{Answer, Call};
use crate::wire::Node;

/// The keys handed out for an assumed role begin so, with the role's name after it.
const ROLE_KEY: &str = "ASIA";

/// GetCallerIdentity. A key from [`assume_role`] is its role; any other is a user of this account.
pub(super) fn caller(call: &Call<'_>) -> Vec<Node> {
    let account = &call.service.account.id;
    let key = &call.caller.access_key;
    let arn = match key.strip_prefix(ROLE_KEY) {
        Some(role) => format!("arn:aws:sts::{account}:assumed-role/{role}/session"),
        None => format!("arn:aws:iam::{account}:user/local"),
    };
    vec![Node::leaf("Arn", arn), Node::leaf("UserId", key), Node::leaf("Account", account)]
}

/// AssumeRole, for roles of this account. The credentials carry the role in their key, since nothing here is verified by a secret.
pub(super) fn assume_role(call: &Call<'_>) -> Answer {
    let role_arn = call.params.required("RoleArn")?;
    let session = call.params.required("RoleSessionName")?;
    let account = &call.service.account.id;
    let role = role_arn
        .strip_prefix(&format!("arn:aws:iam::{account}:role/"))
        .filter(|role| !role.is_empty())
        .ok_or_else(|| {
            ApiError::new(
                403,
                "AccessDenied",
                format!("User: arn:aws:iam::{account}:user/local is not authorized to perform: sts:AssumeRole on resource: {role_arn}"),
            )
        })?;
    let name = role.rsplit('/').next().unwrap_or(role);
    let credentials = vec![
        Node::leaf("AccessKeyId", format_args!("{ROLE_KEY}{name}")),
        Node::leaf("SecretAccessKey", "local"),
        Node::leaf("SessionToken", "local"),
        Node::time("Expiration", call.now + 1.hour()),
    ];
    let user = vec![
        Node::leaf("AssumedRoleId", format_args!("AROA{name}:{session}")),
        Node::leaf("Arn", format_args!("arn:aws:sts::{account}:assumed-role/{name}/{session}")),
    ];
    Ok(Some(vec![Node::tree("Credentials", credentials), Node::tree("AssumedRoleUser", user)]))
}
