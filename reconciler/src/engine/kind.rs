//! What people are told of together, whatever the engine.

/// What people are told of together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Users that were made.
    UsersCreated,
    /// Users whose attributes, passwords or memberships changed.
    UsersChanged,
    /// Users that lost their login, or went.
    UsersRemoved,
    /// Databases that were made.
    DatabasesCreated,
    /// Databases, and what the operator keeps for itself, that were brought to their form.
    DatabasesSecured,
    /// Users that may work in a database.
    AccessGiven,
    /// Users that may no more.
    AccessTaken,
    /// Objects of users that all who work in the database now share.
    ObjectsHandedOver,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::UsersCreated,
        Self::UsersChanged,
        Self::UsersRemoved,
        Self::DatabasesCreated,
        Self::DatabasesSecured,
        Self::AccessGiven,
        Self::AccessTaken,
        Self::ObjectsHandedOver,
    ];
}
