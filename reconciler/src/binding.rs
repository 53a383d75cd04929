//! What a Secret holds: the well-known keys of the Service Binding convention, and how to know one of ours.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use shared::api::labels::{
    DATABASE_LABEL, MANAGED_BY, MANAGED_BY_LABEL, OWNER_NAME_ANNOTATION, OWNER_NAMESPACE_ANNOTATION,
};

use crate::engine::{Address, Dialect, Password};
use crate::providers::Endpoint;

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
#[derive(Clone, Copy, Debug, Default)]
pub struct Binding<'a> {
    /// The user to log in as.
    pub user: &'a str,
    /// Where the server listens; `None` while that is not known.
    pub endpoint: Option<&'a Endpoint>,
    /// The user's databases.
    pub databases: &'a [String],
    /// The one that `uri` leads to; `None` where the user has nowhere to connect to.
    pub database: Option<&'a str>,
    /// Whom to trust; `None` while that is not known.
    pub trust: Option<&'a Trust>,
}

/// Whom an application has to trust to verify the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// All authorities that may sign for it, as PEM.
    pub authorities: String,
    /// The one that does, as PEM; `None` where that is not known.
    pub signer: Option<String>,
}

/// The key of the authorities, and so the name of the file where the Secret is mounted.
const ROOT_CERT: &str = "root.crt";
const JDBC_URL: &str = "jdbc-url";

/// The keys that say whom to trust.
fn trust_keys(dialect: &dyn Dialect) -> [&'static str; 4] {
    let [(first, _), (second, _)] = dialect.verification(ROOT_CERT);
    [first, second, ROOT_CERT, JDBC_URL]
}

/// The data of a Secret. `username` and `password` are there from the first second, the rest when the endpoint is known.
pub fn secret_data(dialect: &dyn Dialect, binding: Binding<'_>, password: &Password) -> SecretData {
    let mut data = BTreeMap::new();
    let mut put = |key: &str, value: &str| data.insert(key.to_owned(), value.as_bytes().to_vec());
    put("type", dialect.binding_type());
    put("provider", "rds");
    put("username", binding.user);
    put("password", password.expose());
    if let Some(database) = binding.database {
        put("database", database);
    }
    if let Some(endpoint) = binding.endpoint {
        put("host", &endpoint.host);
        put("port", &endpoint.port.to_string());
        let address = |database| Address { host: &endpoint.host, port: endpoint.port, database };
        if let Some(database) = binding.database {
            put("uri", &dialect.uri(binding.user, password, address(database)));
        }
        for database in binding.databases {
            put(&uri_key(database), &dialect.uri(binding.user, password, address(database)));
        }
        if let Some(trust) = binding.trust {
            for (key, value) in dialect.verification(ROOT_CERT) {
                put(key, value);
            }
            put(ROOT_CERT, &trust.authorities);
            if let (Some(database), Some(signer)) = (binding.database, &trust.signer) {
                put(JDBC_URL, &dialect.jdbc_url(address(database), signer));
            }
        }
    }
    SecretData(data)
}

impl SecretData {
    /// What makes this the `wanted` data: each key's new value, `None` for one that goes.
    pub fn change_to(&self, wanted: &Self) -> BTreeMap<String, Option<Vec<u8>>> {
        let keys: BTreeSet<_> = self.0.keys().chain(wanted.0.keys()).collect();
        let differs = keys.into_iter().filter(|key| self.0.get(*key) != wanted.0.get(*key));
        differs.map(|key| (key.clone(), wanted.0.get(key).cloned())).collect()
    }

    /// Whether whoever uses this Secret is as well off as with the `wanted` data: it leads to the same place, and lacks at most what this
    /// operator can say of it by now.
    pub fn works_like(&self, wanted: &Self, dialect: &dyn Dialect) -> bool {
        let trust = trust_keys(dialect);
        // The database that `uri` leads to had no key of its own at first.
        let own = self.text("database").map(uri_key);
        let later = |key: &str, value: &Option<Vec<u8>>| {
            trust.contains(&key) || (own.as_deref() == Some(key) && value.is_some() && !self.0.contains_key(key))
        };
        self.text("host").is_some() && self.change_to(wanted).iter().all(|(key, value)| later(key, value))
    }

    /// What the `wanted` data cannot say of whom to trust stays as it was given, as long as it leads to the same server and database.
    pub fn keep_trust(&self, wanted: &mut Self, dialect: &dyn Dialect) {
        let same = |key: &str| self.0.get(key) == wanted.0.get(key);
        let (server, database) = (same("host") && same("port"), same("database"));
        for key in trust_keys(dialect).into_iter().filter(|key| server && (database || *key != JDBC_URL)) {
            if let Some(value) = self.0.get(key) {
                wanted.0.entry(key.to_owned()).or_insert_with(|| value.clone());
            }
        }
    }
}

fn uri_key(database: &str) -> String {
    format!("uri-{database}")
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
    use crate::engine::postgres::DIALECT;

    fn endpoint() -> Endpoint {
        Endpoint { host: "db.example".into(), port: 5432 }
    }

    fn trust() -> Trust {
        let signer = "-----BEGIN CERTIFICATE-----\nTWF5+/8=\n-----END CERTIFICATE-----\n";
        Trust { authorities: format!("{signer}{signer}"), signer: Some(signer.into()) }
    }

    /// What leads to the database `a` of `a` and `b`.
    fn whole(trust: Option<&Trust>) -> SecretData {
        let (endpoint, databases) = (endpoint(), ["a".to_owned(), "b".to_owned()]);
        let endpoint = Some(&endpoint);
        let binding = Binding { user: "app", endpoint, databases: &databases, database: Some("a"), trust };
        secret_data(DIALECT, binding, &Password::from("a/b@c".to_owned()))
    }

    fn keys(data: &SecretData) -> Vec<&str> {
        data.0.keys().map(String::as_str).collect()
    }

    #[test]
    fn i4_user_and_password_are_there_before_the_endpoint_is() {
        let password = Password::from("s3cret".to_owned());
        let trust = trust();
        let binding = Binding { user: "app", databases: &["orders".into()], trust: Some(&trust), ..Binding::default() };
        assert_eq!(keys(&secret_data(DIALECT, binding, &password)), ["password", "provider", "type", "username"]);
    }

    #[test]
    fn every_database_has_a_uri_of_its_own() {
        let data = whole(None);
        let uri = |database| format!("postgresql://app:a%2Fb%40c@db.example:5432/{database}?sslmode=verify-full");
        assert_eq!(data.text("database"), Some("a"));
        assert_eq!(data.text("uri"), Some(uri("a").as_str()));
        assert_eq!(data.text("uri-a"), Some(uri("a").as_str()));
        assert_eq!(data.text("uri-b"), Some(uri("b").as_str()));
    }

    #[test]
    fn a_user_with_nowhere_to_connect_to_is_sent_nowhere() {
        let (endpoint, trust) = (endpoint(), trust());
        let binding = Binding { user: "app", endpoint: Some(&endpoint), trust: Some(&trust), ..Binding::default() };
        let data = secret_data(DIALECT, binding, &Password::from("s3cret".to_owned()));
        let wanted = ["host", "password", "port", "provider", "root.crt", "sslmode", "sslrootcert", "type", "username"];
        assert_eq!(keys(&data), wanted);
    }

    #[test]
    fn i4_the_jdbc_url_brings_the_authority_along_and_tells_no_secret() {
        let data = whole(Some(&trust()));
        assert_eq!(data.text("sslrootcert"), Some("root.crt"));
        assert_eq!(data.text("root.crt"), Some(trust().authorities.as_str()));
        let url = data.text("jdbc-url").unwrap();
        let (before, certificate) = url.split_once("&sslfactoryarg=").unwrap();
        assert_eq!(
            before,
            "jdbc:postgresql://db.example:5432/a?sslmode=verify-full&sslfactory=org.postgresql.ssl.SingleCertValidatingFactory"
        );
        let read = percent_encoding::percent_decode_str(certificate).decode_utf8().unwrap();
        assert_eq!(read, trust().signer.unwrap());
        assert!(certificate.chars().all(|one| one.is_ascii_alphanumeric() || "%-._~".contains(one)), "{certificate}");
        assert!(!url.contains("app") && !url.contains("a%2Fb"), "{url}");
        // Without one to bring along, Spring could verify nothing by it.
        let unknown = Trust { signer: None, ..trust() };
        assert_eq!(whole(Some(&unknown)).text("jdbc-url"), None);
        assert_eq!(whole(None).text("jdbc-url"), None);
    }

    #[test]
    fn i5_a_change_names_what_differs_and_nothing_else() {
        let (before, after) = (whole(None), whole(Some(&trust())));
        assert_eq!(after.change_to(&after), BTreeMap::new());
        let change = after.change_to(&before);
        assert_eq!(change.keys().collect::<Vec<_>>(), ["jdbc-url", "root.crt", "sslmode", "sslrootcert"]);
        assert!(change.values().all(Option::is_none));
        assert!(before.change_to(&after).values().all(Option::is_some));
    }

    #[test]
    fn what_can_wait_is_what_an_application_can_do_without() {
        let wanted = whole(Some(&trust()));
        let without = |keys: &[&str]| {
            let mut data = wanted.clone();
            for key in keys {
                data.0.remove(*key);
            }
            data
        };
        // What v0.1.0 wrote.
        assert!(without(&["jdbc-url", "root.crt", "sslmode", "sslrootcert", "uri-a"]).works_like(&wanted, DIALECT));
        for needed in ["host", "uri", "uri-b", "database", "port"] {
            assert!(!without(&[needed]).works_like(&wanted, DIALECT), "{needed}");
        }
        assert!(!wanted.works_like(&without(&["uri-b"]), DIALECT), "a database that went is not offered any more");
        assert!(!without(&["host", "root.crt"]).works_like(&wanted, DIALECT), "a new Secret waits for nobody");
    }

    #[test]
    fn nobody_to_trust_is_no_reason_to_take_those_away_that_were_given() {
        let (given, mut wanted) = (whole(Some(&trust())), whole(None));
        given.keep_trust(&mut wanted, DIALECT);
        assert_eq!(wanted, given);
        // Nor is a signer that is not known.
        let mut wanted = whole(Some(&Trust { authorities: "others".into(), signer: None }));
        given.keep_trust(&mut wanted, DIALECT);
        assert_eq!((wanted.text("jdbc-url"), wanted.text("root.crt")), (given.text("jdbc-url"), Some("others")));
        let mut elsewhere = whole(None);
        elsewhere.0.insert("host".into(), b"other.example".to_vec());
        let before = elsewhere.clone();
        given.keep_trust(&mut elsewhere, DIALECT);
        assert_eq!(elsewhere, before);
    }

    #[test]
    fn i4_debug_shows_no_value() {
        let binding = Binding { user: "app", ..Binding::default() };
        let data = secret_data(DIALECT, binding, &Password::from("hidden".to_owned()));
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
