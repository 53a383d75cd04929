//! The rules that span several fields or compare with what was, in CEL, for the API server to keep on its own.
//!
//! Facts of Kubernetes 1.34 they rest on: a null field counts as absent for `has` and `?`, a null entry of a map does
//! not and has `null_type`; a rule about an old value sits on the root, because deeper it is skipped when the field
//! goes and comes back; lower-casing is too costly to be admitted, lists of spellings are not.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::ValidationRule;

use crate::rules::{DefaultVersions, Engine, MASTER_USER, MajorVersion, OBJECT_NAME_LIMIT, offered_versions};

fn rule(rule: impl Into<String>, message: impl Into<String>) -> ValidationRule {
    ValidationRule { rule: rule.into(), message: Some(message.into()), ..ValidationRule::default() }
}

fn at(field_path: &str, reason: &str, rule: ValidationRule) -> ValidationRule {
    ValidationRule { field_path: Some(field_path.to_owned()), reason: Some(reason.to_owned()), ..rule }
}

/// A rule that a field under `spec` keeps its value, where absence counts as the default.
///
/// Spelt out by cases, because `orValue` makes the cost estimate forget how long the texts are.
fn keeps(field: &str, same: impl Fn(&str, &str) -> String, is_default: impl Fn(&str) -> String) -> String {
    keeps_or(field, same, &is_default, &is_default)
}

/// The same, with a rule of its own for a value where there was none before.
fn keeps_or(
    field: &str,
    same: impl Fn(&str, &str) -> String,
    appears: impl Fn(&str) -> String,
    goes: impl Fn(&str) -> String,
) -> String {
    let has = |object: &str| format!("has({object}.spec) && has({object}.spec.{field})");
    let (new, old) = (format!("self.spec.{field}"), format!("oldSelf.spec.{field}"));
    format!(
        "{} ? ({} ? {} : {}) : ({} ? {} : true)",
        has("self"),
        has("oldSelf"),
        same(&new, &old),
        appears(&new),
        has("oldSelf"),
        goes(&old)
    )
}

/// Rules of a whole `RDSDatabase`. An absent field counts as its default, as it does for the reconciler.
pub(super) fn database_rules() -> Vec<ValidationRule> {
    const MYSQL: &str = "in ['MySQL', 'mysql']";
    let majors: Vec<String> = majors().map(|major| format!("'{major}'")).collect();
    let same_major = |new: &str, old: &str| {
        format!("[{}].all(v, string({new}).startsWith(v) == string({old}).startsWith(v))", majors.join(", "))
    };
    // Nobody here knows the platform's default versions; what runs is known, and what it admits is below.
    let unknown = |_: &str| "!(has(oldSelf.status) && has(oldSelf.status.engineVersion))".to_owned();
    let keeps_major = keeps_or("version", same_major, unknown, |value| {
        let built_in = |engine| format!("string({value}).startsWith('{}')", DefaultVersions::BUILT_IN.of(engine));
        format!("({})", Engine::ALL.map(built_in).join(" || "))
    });
    // Somebody may have upgraded the server past this object; then its specification follows.
    let follows = format!(
        "has(self.spec) && has(self.spec.version) && has(oldSelf.status) && has(oldSelf.status.engineVersion) && {}",
        same_major("self.spec.version", "oldSelf.status.engineVersion")
    );
    // Which way it goes, the service that admits tells, and the reconciler.
    let allowed = "has(self.spec) && has(self.spec.allowMajorVersionUpgrade) && self.spec.allowMajorVersionUpgrade";
    // After a restore the instance may have another master user than was written; then the specification follows.
    let same_master =
        keeps("masteruser", |new, old| format!("{new} == {old}"), |value| format!("{value} == '{MASTER_USER}'"));
    let follows_master = "has(self.spec) && has(self.spec.masteruser) && has(oldSelf.status) && has(oldSelf.status.instance) && \
         has(oldSelf.status.instance.masterUser) && self.spec.masteruser == oldSelf.status.instance.masterUser";
    vec![
        rule(
            format!(
                "size(self.metadata.name) <= {OBJECT_NAME_LIMIT} && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')"
            ),
            format!(
                "metadata.name has at most {OBJECT_NAME_LIMIT} lower-case letters, digits and -, first a letter and last a \
                 letter or digit"
            ),
        ),
        at(
            ".spec.type",
            "FieldValueForbidden",
            rule(
                keeps(
                    "type",
                    |new, old| format!("({new} {MYSQL}) == ({old} {MYSQL})"),
                    |value| format!("!({value} {MYSQL})"),
                ),
                "the engine never changes: another one needs a new object",
            ),
        ),
        at(
            ".spec.masteruser",
            "FieldValueForbidden",
            rule(format!("({same_master}) || ({follows_master})"), "RDS cannot rename the master user"),
        ),
        at(
            ".spec.version",
            "FieldValueForbidden",
            rule(
                format!("({keeps_major}) || ({follows}) || ({allowed})"),
                "the major version rises with spec.allowMajorVersionUpgrade: true alone, and RDS cannot go back",
            ),
        ),
    ]
}

/// Every major version a specification may ask for.
fn majors() -> impl Iterator<Item = MajorVersion> {
    Engine::ALL.into_iter().flat_map(offered_versions)
}

/// Rules of the specification.
pub(super) fn spec_rules() -> Vec<ValidationRule> {
    let mysql = "(has(self.type) && self.type in ['MySQL', 'mysql'])";
    let version = "string(self.version)";
    let free = |what: &str| {
        format!(
            "!has(self.{what}) || {mysql} || !self.{what}.exists(name, name == 'postgres' || name.startsWith('pg_'))"
        )
    };
    vec![
        at(
            ".version",
            "FieldValueInvalid",
            rule(
                format!(
                    "!has(self.version) || ({mysql} \
                     ? {version}.matches('^8[.][04]([.][0-9]+)?(-rds[.][0-9]+)?$') \
                     : {version}.matches('^1[2-8]([.][0-9]+)?(-rds[.][0-9]+)?$'))"
                ),
                "the version is 12 to 18 for PostgreSQL and \"8.0\" or \"8.4\" for MySQL",
            ),
        ),
        at(
            ".users",
            "FieldValueForbidden",
            rule(
                "!has(self.users) || !(self.?masteruser.orValue('sysadmin') in self.users)",
                "the master user is not one of the users",
            ),
        ),
        at(
            ".databases",
            "FieldValueInvalid",
            rule(
                "!has(self.databases) || self.databases.all(d, type(self.databases[d]) == null_type || \
                 self.databases[d].all(u, has(self.users) && u in self.users && \
                 type(self.users[u]) != null_type))",
                "every user of a database is in spec.users",
            ),
        ),
        at(
            ".masteruser",
            "FieldValueForbidden",
            rule(
                format!(
                    "!has(self.masteruser) || !(self.masteruser in ['public', 'none'] || \
                     self.masteruser.startsWith('rds') || (!{mysql} && \
                     (self.masteruser == 'admin' || self.masteruser.startsWith('pg_'))))"
                ),
                "the master user is not public, none, admin (on PostgreSQL) or one of PostgreSQL's and RDS's own",
            ),
        ),
        at(
            ".users",
            "FieldValueForbidden",
            rule(free("users"), "on PostgreSQL, users are not postgres and do not begin with pg_"),
        ),
        at(
            ".databases",
            "FieldValueForbidden",
            rule(free("databases"), "on PostgreSQL, databases are not postgres and do not begin with pg_"),
        ),
    ]
}

/// Rules of a whole `RDSDatabaseClass`: what tells where databases live is settled when it is made.
pub(super) fn class_rules() -> Vec<ValidationRule> {
    [("provider", "'aws'", "provider"), ("region", "''", "region"), ("roleArn", "''", "role")]
        .into_iter()
        .map(|(field, default, what)| {
            at(
                &format!(".spec.{field}"),
                "FieldValueForbidden",
                rule(
                    keeps(field, |new, old| format!("{new} == {old}"), |value| format!("{value} == {default}")),
                    format!("the {what} of a class never changes: databases live there; make a new class"),
                ),
            )
        })
        .collect()
}
