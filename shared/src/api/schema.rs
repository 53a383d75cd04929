//! The schema of the specification's fields: the rules that hold while the webhook is away.
//!
//! Whatever the schema admits is judged again by [`crate::rules`], whose words the limits here are taken from.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::DeletionPolicy;
use crate::rules::{
    DailyWindow, ENTRY_LIMIT, Engine, EngineVersion, LIFECYCLE_SUPPORTS, LISTED_LIMIT, NAME_PATTERN, OBJECT_NAME_LIMIT,
    RoleFlags, STORAGE_TYPES, Size, WeeklyWindow,
};

/// Longest text where the rules have no limit of their own: it bounds the cost of the CEL rules.
const TEXT_LIMIT: usize = 64;

/// A CEL rule with its message.
pub(super) fn rule(rule: &str, message: &str) -> Value {
    json!({"rule": rule, "message": message})
}

pub(super) fn engine(_: &mut SchemaGenerator) -> Schema {
    one_of(&Engine::SPELLINGS)
}

pub(super) fn deletion_policy(_: &mut SchemaGenerator) -> Schema {
    one_of(&DeletionPolicy::ALL.map(DeletionPolicy::as_str))
}

/// One of some words, or null. A pattern, because an enum refuses null whether it lists it or not: kube-openapi only
/// compares what is not null (`validate.Enum`, seen on Kubernetes 1.34).
fn one_of(words: &[&str]) -> Schema {
    json_schema!({"type": "string", "nullable": true, "pattern": format!("^({})$", words.join("|"))})
}

pub(super) fn version(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "x-kubernetes-int-or-string": true,
        "nullable": true,
        "pattern": EngineVersion::PATTERN,
        "maxLength": TEXT_LIMIT,
    })
}

pub(super) fn size(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "nullable": true, "pattern": Size::PATTERN, "maxLength": TEXT_LIMIT})
}

pub(super) fn name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "nullable": true, "pattern": NAME_PATTERN, "maxLength": 63})
}

pub(super) fn class_name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "nullable": true,
        "pattern": r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        "maxLength": 253,
    })
}

pub(super) fn instance_class(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "nullable": true, "pattern": r"^db(\.[a-z0-9-]+){2,}$", "maxLength": TEXT_LIMIT})
}

pub(super) fn duration(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "nullable": true, "pattern": "^(0|[1-9][0-9]{0,5})[mhdw]$", "maxLength": 7})
}

pub(super) fn provider(_: &mut SchemaGenerator) -> Schema {
    one_of(&["aws"])
}

/// Magnetic storage is deprecated on RDS, and io1 and io2 need a number of IOPS, which a class has no word for yet.
pub(super) fn storage_type(_: &mut SchemaGenerator) -> Schema {
    one_of(&["gp3", "gp2"])
}

pub(super) fn storage_types(_: &mut SchemaGenerator) -> Schema {
    one_of(&STORAGE_TYPES)
}

pub(super) fn lifecycle_support(_: &mut SchemaGenerator) -> Schema {
    one_of(&LIFECYCLE_SUPPORTS)
}

pub(super) fn allowed_storage_types(_: &mut SchemaGenerator) -> Schema {
    allowed(&format!("^({})$", STORAGE_TYPES.join("|")), "A storage type such as `gp3`.")
}

pub(super) fn daily_window(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "nullable": true, "pattern": DailyWindow::PATTERN, "maxLength": 11})
}

pub(super) fn weekly_window(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "nullable": true, "pattern": WeeklyWindow::PATTERN, "maxLength": 19})
}

pub(super) fn snapshot(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "nullable": true, "pattern": "^(rds:)?[A-Za-z](-?[A-Za-z0-9])*$", "maxLength": 253})
}

pub(super) fn identifier(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "nullable": true, "pattern": "^[a-z](-?[a-z0-9])*$", "maxLength": 63})
}

pub(super) fn object_name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "nullable": true,
        "pattern": "^[a-z]([-a-z0-9]*[a-z0-9])?$",
        "maxLength": OBJECT_NAME_LIMIT,
    })
}

/// A moment with its offset from UTC, as RFC 3339 has it.
pub(super) fn timestamp(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "nullable": true,
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$",
        "maxLength": TEXT_LIMIT,
    })
}

/// Names of snapshots, each perhaps with a star at its end.
pub(super) fn snapshot_patterns(_: &mut SchemaGenerator) -> Schema {
    allowed("^(rds:)?[A-Za-z][A-Za-z0-9-]*\\*?$", "A name, or all that begin so: `legacy-*`.")
}

pub(super) fn region(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "nullable": true, "pattern": "^[a-z]{2,}(-[a-z0-9]+)+$", "maxLength": TEXT_LIMIT})
}

pub(super) fn role_arn(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "nullable": true, "pattern": "^arn:[a-z-]+:iam::[0-9]{12}:role/.+$", "maxLength": 2048})
}

pub(super) fn endpoint(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "nullable": true, "pattern": "^https?://[^ ]+$", "maxLength": 2048})
}

pub(super) fn text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "nullable": true, "minLength": 1, "maxLength": 255})
}

pub(super) fn long_text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "nullable": true, "minLength": 1, "maxLength": 2048})
}

pub(super) fn security_groups(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "nullable": true,
        "maxItems": 16,
        "x-kubernetes-list-type": "set",
        "items": {"type": "string", "pattern": "^sg-[0-9a-f]+$", "maxLength": TEXT_LIMIT},
    })
}

/// Most tags of a class, and of a specification. RDS admits 50 on a resource, of which the operator needs some.
pub(crate) const TAG_LIMIT: usize = 40;

pub(super) fn tags(_: &mut SchemaGenerator) -> Schema {
    tags_of(&json!({"type": "string", "maxLength": 256}))
}

/// Those of a specification, where null means absent. One owner at a time, as of users.
pub(super) fn nullable_tags(_: &mut SchemaGenerator) -> Schema {
    let mut schema = tags_of(&json!({"type": "string", "nullable": true, "maxLength": 256}));
    schema.insert("x-kubernetes-map-type".into(), "atomic".into());
    schema
}

fn tags_of(value: &Value) -> Schema {
    json_schema!({
        "type": "object",
        "nullable": true,
        "maxProperties": TAG_LIMIT,
        "additionalProperties": value,
        "x-kubernetes-validations": [rule(
            "self.all(key, size(key) <= 128 && !key.startsWith('aws:') && !key.startsWith('rds:') && \
             !key.startsWith('matrixmind.cloud/'))",
            "keys of tags have at most 128 characters and do not begin with aws:, rds: or matrixmind.cloud/",
        )],
    })
}

/// Most parameters of a class, and of a specification.
pub(crate) const PARAMETER_LIMIT: usize = 50;

/// A value is a text, a number or a boolean, which no schema of Kubernetes' has words for. One owner at a time, as of users.
pub(super) fn parameters(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "nullable": true,
        "maxProperties": PARAMETER_LIMIT,
        "x-kubernetes-map-type": "atomic",
        "additionalProperties": {"nullable": true, "x-kubernetes-preserve-unknown-fields": true},
    })
}

/// Names of parameters, each perhaps with a star at its end.
pub(super) fn parameter_patterns(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "nullable": true,
        "maxItems": ALLOWED_LIMIT,
        "x-kubernetes-list-type": "set",
        "items": {
            "description": "A name, or all that begin so: `log_*`.",
            "type": "string",
            "pattern": "^[A-Za-z][A-Za-z0-9_.-]*\\*?$",
            "maxLength": TEXT_LIMIT,
        },
    })
}

pub(super) fn deletion_policies(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "nullable": true,
        "minItems": 1,
        "maxItems": DeletionPolicy::ALL.len(),
        "x-kubernetes-list-type": "set",
        "items": {"type": "string", "enum": DeletionPolicy::ALL.map(DeletionPolicy::as_str)},
    })
}

/// Most entries of a class's lists of instance classes and versions. There are some hundred instance classes, in fewer families.
const ALLOWED_LIMIT: usize = 64;

/// Names of instance classes, and families of them: a star stands at the end, after a dot.
pub(super) fn instance_class_patterns(_: &mut SchemaGenerator) -> Schema {
    let pattern = r"^db((\.[a-z0-9-]+){2,}|(\.[a-z0-9-]+)*\.\*)$";
    allowed(pattern, "A name such as `db.t4g.micro`, or a family such as `db.t4g.*`.")
}

pub(super) fn versions(_: &mut SchemaGenerator) -> Schema {
    allowed(EngineVersion::PATTERN, "A major version such as \"17\", or an exact one such as \"16.4\".")
}

fn allowed(pattern: &str, description: &str) -> Schema {
    json_schema!({
        "type": "array",
        "nullable": true,
        "minItems": 1,
        "maxItems": ALLOWED_LIMIT,
        "x-kubernetes-list-type": "set",
        "items": {"description": description, "type": "string", "pattern": pattern, "maxLength": TEXT_LIMIT},
    })
}

/// 7d or more, by a pattern: fewer than 7 would refuse the retention that admission writes where a specification says nothing.
pub(super) fn max_retention(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "nullable": true, "pattern": "^(([7-9]|[1-9][0-9]{1,3})d|[1-9][0-9]{0,2}w)$", "maxLength": 5})
}

pub(super) fn users(_: &mut SchemaGenerator) -> Schema {
    let flags = json!({"type": "string", "pattern": flag_pattern(), "maxLength": 16});
    lists(&flags, RoleFlags::WORDS.len(), &key_rules("users"))
}

pub(super) fn databases(_: &mut SchemaGenerator) -> Schema {
    let user = json!({"type": "string", "pattern": NAME_PATTERN, "maxLength": 63});
    let mut rules = key_rules("databases");
    // Each name counts with its quotes and its comma; names are ASCII.
    rules.push(rule(
        &format!(
            "self.map(d, type(self[d]) == null_type || size(self[d]) == 0 ? 0 : size(self[d].join('\",\"')) + 3).sum() <= {LISTED_LIMIT}"
        ),
        &format!("the users listed over all databases take at most {LISTED_LIMIT} bytes: no more fit beside their status in what Kubernetes stores"),
    ));
    lists(&user, ENTRY_LIMIT, &rules)
}

/// A map from names to lists of texts. Both are atomic: a granular one that loses its last owned item under server-side apply reaches
/// admission as null instead of `{}` or `[]`, and a set costs more in `managedFields` than in the specification.
fn lists(items: &Value, most_items: usize, rules: &[Value]) -> Schema {
    json_schema!({
        "type": "object",
        "nullable": true,
        "maxProperties": ENTRY_LIMIT,
        "x-kubernetes-map-type": "atomic",
        "x-kubernetes-validations": rules,
        "additionalProperties": {
            "type": "array",
            "nullable": true,
            "maxItems": most_items,
            "x-kubernetes-list-type": "atomic",
            "items": items,
        },
    })
}

/// Patterns for map keys, which a schema has no other words for.
fn key_rules(what: &str) -> Vec<Value> {
    vec![
        rule(
            &format!("self.all(name, size(name) <= 63 && name.matches('{NAME_PATTERN}'))"),
            &format!(
                "names of {what} have lower-case letters, digits and _, first a letter, last a letter or digit, at most 63"
            ),
        ),
        rule(
            "!self.exists(name, name in ['master', 'public', 'none', 'rdsadmin'])",
            &format!("names of {what} are not master, public, none or rdsadmin"),
        ),
    ]
}

/// The role flags in lower or upper case, by letter, because RE2's `(?i)` is not portable to other validators.
fn flag_pattern() -> String {
    let any_case = |word: &str| -> String {
        word.chars().map(|c| format!("[{}{}]", c.to_ascii_lowercase(), c.to_ascii_uppercase())).collect()
    };
    let words: Vec<String> = RoleFlags::WORDS.into_iter().map(any_case).collect();
    format!("^({})?({})$", any_case("no"), words.join("|"))
}

/// The ranges of both durations, and how many copies may be kept.
pub(super) fn backup_rules() -> Vec<Value> {
    let minutes = |field: &str| {
        format!(
            "int(self.{field}.substring(0, size(self.{field}) - 1)) * \
             {{'m': 1, 'h': 60, 'd': 1440, 'w': 10080}}[self.{field}.substring(size(self.{field}) - 1)]"
        )
    };
    let absent = |field: &str| format!("!has(self.{field})");
    let (every, retention) = (minutes("every"), minutes("retention"));
    vec![
        rule(
            &format!("{} || ({every} >= 30 && {every} <= 525600)", absent("every")),
            "the time between two backups (every) is 30m to 365d",
        ),
        rule(
            &format!(
                "{} || ({retention} >= 1440 && {retention} <= 5256000 && {retention} % 1440 == 0)",
                absent("retention")
            ),
            "retention is a whole number of days, 1d to 3650d",
        ),
        rule(
            &format!(
                "{} || (has(self.every) ? ({every} <= 1440 && {retention} <= 50400) || {retention} <= {every} * 20 : {retention} <= 50400)",
                absent("retention")
            ),
            "beyond a retention of 35d, or an interval (every) of 24h, at most 20 copies are kept of one database",
        ),
    ]
}
