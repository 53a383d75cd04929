//! What is remembered of a database that was there once, and how a person lets a lost one be replaced.

/// The annotation that allows lost databases to be replaced by empty ones: `<database>.<oid>`, several with commas.
pub(crate) const RECREATE_DATABASE_ANNOTATION: &str = "matrixmind.cloud/recreate-lost-database";

/// What is remembered of a database that was there once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The server's own number for it, which no later database of the server has; `None` where only its name was recorded.
    pub oid: Option<u32>,
    /// A person has said that this very one may be replaced by an empty one.
    pub replaceable: bool,
}

/// The word that allows one lost database to be replaced. No later database has its number, so it is never true twice.
pub(crate) fn recreate_word(database: &str, oid: Option<u32>) -> String {
    format!("{database}.{}", oid.unwrap_or_default())
}
