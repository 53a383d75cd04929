//! What a Secret holds: the well-known keys of the Service Binding convention, and how to know one of ours.

use std::collections::BTreeMap;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use shared::api::labels::{
    DATABASE_LABEL, MANAGED_BY, MANAGED_BY_LABEL, OWNER_NAME_ANNOTATION, OWNER_NAMESPACE_ANNOTATION,
};

use crate::engine::Password;
use crate::providers::Endpoint;

/// What is left as it is in the user part of a URI (RFC 3986, "unreserved").
const USERINFO: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `type` of PostgreSQL's Secrets, also the suffix of their Kubernetes type.
pub const POSTGRESQL: &str = "postgresql";
/// The database that every PostgreSQL server has: what a user without one of its own is given in `database`.
pub const MAINTENANCE_DATABASE: &str = "postgres";

/// The Kubernetes type of a Secret.
pub fn secret_type() -> String {
    format!("servicebinding.io/{POSTGRESQL}")
}

/// The contents of a Secret. Debug names the keys only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretData(pub BTreeMap<String, Vec<u8>>);

impl fmt::Debug for SecretData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl SecretData {
    /// A key's value where it is text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| std::str::from_utf8(value).ok()).filter(|text| !text.is_empty())
    }

    /// The password.
    pub fn password(&self) -> Option<Password> {
        self.text("password").map(|text| Password::from(text.to_owned()))
    }
}

/// Who a Secret is for, and where it leads.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The user to log in as.
    pub user: &'a str,
    /// Where the server listens; `None` while that is not known.
    pub endpoint: Option<&'a Endpoint>,
    /// The user's databases, sorted.
    pub databases: &'a [String],
}

/// The data of a Secret. `username` and `password` are there from the first second, the rest when the endpoint is known.
pub fn secret_data(binding: Binding<'_>, password: &Password) -> SecretData {
    let mut data = BTreeMap::new();
    let mut put = |key: &str, value: &str| data.insert(key.to_owned(), value.as_bytes().to_vec());
    put("type", POSTGRESQL);
    put("provider", "rds");
    put("username", binding.user);
    put("password", password.expose());
    if let Some(endpoint) = binding.endpoint {
        put("host", &endpoint.host);
        put("port", &endpoint.port.to_string());
        let first = binding.databases.first().map_or(MAINTENANCE_DATABASE, String::as_str);
        put("database", first);
        put("uri", &uri(binding.user, password, endpoint, first));
        for database in binding.databases.iter().skip(1) {
            put(&format!("uri-{database}"), &uri(binding.user, password, endpoint, database));
        }
    }
    SecretData(data)
}

fn uri(user: &str, password: &Password, endpoint: &Endpoint, database: &str) -> String {
    let user = utf8_percent_encode(user, USERINFO);
    let password = utf8_percent_encode(password.expose(), USERINFO);
    format!("postgresql://{user}:{password}@{}:{}/{database}?sslmode=verify-full", endpoint.host, endpoint.port)
}

/// The labels of everything that belongs to the object `name`.
pub fn labels(name: &str) -> BTreeMap<String, String> {
    [(MANAGED_BY_LABEL, MANAGED_BY), (DATABASE_LABEL, name)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// The marks of ownership: they outlive the object, so they name it and not its UID.
pub fn annotations(namespace: &str, name: &str) -> BTreeMap<String, String> {
    [(OWNER_NAMESPACE_ANNOTATION, namespace), (OWNER_NAME_ANNOTATION, name)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// Whether labels and annotations say that something belongs to the object `namespace`/`name`.
pub fn is_ours(
    labels: Option<&BTreeMap<String, String>>,
    annotations: Option<&BTreeMap<String, String>>,
    namespace: &str,
    name: &str,
) -> bool {
    let has = |map: Option<&BTreeMap<String, String>>, key: &str, value: &str| {
        map.and_then(|map| map.get(key)).is_some_and(|found| found == value)
    };
    has(labels, MANAGED_BY_LABEL, MANAGED_BY)
        && has(annotations, OWNER_NAMESPACE_ANNOTATION, namespace)
        && has(annotations, OWNER_NAME_ANNOTATION, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i4_user_and_password_are_there_before_the_endpoint_is() {
        let password = Password::from("s3cret".to_owned());
        let binding = Binding { user: "app", endpoint: None, databases: &["orders".into()] };
        let data = secret_data(binding, &password);
        assert_eq!(data.0.keys().collect::<Vec<_>>(), ["password", "provider", "type", "username"]);
    }

    #[test]
    fn every_further_database_has_a_uri_of_its_own() {
        let password = Password::from("a/b@c".to_owned());
        let endpoint = Endpoint { host: "db.example".into(), port: 5432 };
        let databases = ["a".to_owned(), "b".to_owned()];
        let data = secret_data(Binding { user: "app", endpoint: Some(&endpoint), databases: &databases }, &password);
        assert_eq!(data.text("database"), Some("a"));
        assert_eq!(data.text("uri"), Some("postgresql://app:a%2Fb%40c@db.example:5432/a?sslmode=verify-full"));
        assert_eq!(data.text("uri-b"), Some("postgresql://app:a%2Fb%40c@db.example:5432/b?sslmode=verify-full"));
    }

    #[test]
    fn i4_debug_shows_no_value() {
        let data =
            secret_data(Binding { user: "app", endpoint: None, databases: &[] }, &Password::from("hidden".to_owned()));
        assert!(!format!("{data:?}").contains("hidden"));
    }

    #[test]
    fn i10_marks_of_another_object_are_not_ours() {
        let (labels, marks) = (labels("orders"), annotations("shop", "orders"));
        assert!(is_ours(Some(&labels), Some(&marks), "shop", "orders"));
        assert!(!is_ours(Some(&labels), Some(&marks), "shop", "other"));
        assert!(!is_ours(Some(&labels), Some(&marks), "elsewhere", "orders"));
        assert!(!is_ours(None, Some(&marks), "shop", "orders"));
    }
}
