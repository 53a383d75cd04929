//! How a server says no.

/// The SQLSTATE and the primary message of an answer ("PostgreSQL Error Codes", appendix A of its manual).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) sqlstate: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    fn new(sqlstate: &'static str, message: impl Into<String>) -> Self {
        Self { sqlstate, message: message.into() }
    }

    /// `insufficient_privilege`
    pub(super) fn denied(what: &str) -> Self {
        Self::new("42501", format!("permission denied for {what}"))
    }

    /// `undefined_object`
    pub(super) fn no_role(role: &str) -> Self {
        Self::new("42704", format!("role \"{role}\" does not exist"))
    }

    /// `invalid_catalog_name`
    pub(super) fn no_database(database: &str) -> Self {
        Self::new("3D000", format!("database \"{database}\" does not exist"))
    }

    /// `duplicate_object`
    pub(super) fn role_exists(role: &str) -> Self {
        Self::new("42710", format!("role \"{role}\" already exists"))
    }

    /// `duplicate_database`
    pub(super) fn database_exists(database: &str) -> Self {
        Self::new("42P04", format!("database \"{database}\" already exists"))
    }

    /// `object_in_use`
    pub(super) fn in_use(database: &str) -> Self {
        Self::new("55006", format!("database \"{database}\" is being accessed by other users"))
    }

    /// `object_in_use` too.
    pub(super) fn own_role() -> Self {
        Self::new("55006", "current user cannot be dropped")
    }

    /// `dependent_objects_still_exist`
    pub(super) fn depended_on(role: &str) -> Self {
        Self::new("2BP01", format!("role \"{role}\" cannot be dropped because some objects depend on it"))
    }

    /// `lock_not_available`
    pub(super) fn locked() -> Self {
        Self::new("55P03", "canceling statement due to lock timeout")
    }

    /// `invalid_grant_operation`
    pub(super) fn circular(role: &str, member: &str) -> Self {
        Self::new("0LP01", format!("role \"{role}\" is a member of role \"{member}\""))
    }

    /// `invalid_password`: also for a user that is not there.
    pub(super) fn wrong_password(user: &str) -> Self {
        Self::new("28P01", format!("password authentication failed for user \"{user}\""))
    }

    /// `invalid_authorization_specification`
    pub(super) fn no_login(user: &str) -> Self {
        Self::new("28000", format!("role \"{user}\" is not permitted to log in"))
    }

    /// `object_not_in_prerequisite_state`
    pub(super) fn shut(database: &str) -> Self {
        Self::new("55000", format!("database \"{database}\" is not currently accepting connections"))
    }

    /// `too_many_connections`
    pub(super) fn full(database: &str) -> Self {
        Self::new("53300", format!("too many connections for database \"{database}\""))
    }

    /// `undefined_file`: a library that a setting names.
    pub(super) fn no_library() -> Self {
        Self::new("58P01", "could not access file: No such file or directory")
    }

    /// `wrong_object_type`
    pub(super) fn is_template() -> Self {
        Self::new("42809", "cannot drop a template database")
    }
}
