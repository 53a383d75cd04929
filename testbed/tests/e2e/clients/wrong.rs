//! A user's Secret with one thing wrong in it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// The keys of a Secret and their texts.
pub(super) type Keys = BTreeMap<String, String>;

/// What is wrong.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wrong<'a> {
    /// The authority, in PEM, is not the one that signed the server's certificate.
    Authority(&'a str),
    /// The host is another name of the server, which its certificate does not hold.
    Name(&'a str),
    /// The password is another one.
    Password(&'a str),
    /// Nobody listens on the port.
    Port(u16),
}

impl Wrong<'_> {
    /// The name of the Secret, and of the folder for whoever gets it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Authority(_) => "another-authority",
            Self::Name(_) => "another-name",
            Self::Password(_) => "another-password",
            Self::Port(_) => "no-server",
        }
    }

    /// What clients say when they refuse for this reason, or are refused: each says one of these, and none shall fail for another reason.
    pub(super) fn reasons(self) -> &'static [&'static str] {
        match self {
            Self::Authority(_) => &[
                "certificate verify failed",               // libpq
                "certificate signed by unknown authority", // Go
                "unable to verify the first certificate",  // Node
                "unable to find valid certification path", // Java
                "invalid peer certificate",                // rustls
            ],
            Self::Name(_) => &[
                "does not match host name",
                "certificate is valid for",
                "does not match certificate's altnames",
                "could not be verified by hostnameverifier",
                "certificate not valid for name",
            ],
            Self::Password(_) => &["password authentication failed"],
            Self::Port(_) => &["Connection refused", "connection refused", "ECONNREFUSED"],
        }
    }

    /// The Secret with this mistake in it, wherever its texts say the thing.
    pub(super) fn in_place_of(self, right: &Keys) -> Result<Keys> {
        let text = |key: &str| right.get(key).with_context(|| format!("the Secret has no {key}"));
        let (host, port, password) = (text("host")?, text("port")?, text("password")?);
        let (jdbc, mut wrong) = (text("jdbc-url")?, right.clone());
        let mut set = |key: &str, text: String| wrong.insert(key.to_owned(), text);
        let (is, becomes) = match self {
            Self::Authority(pem) => {
                set("root.crt", pem.to_owned());
                let (before, arg) = jdbc.split_once("sslfactoryarg=").context("jdbc-url brings no certificate")?;
                let after = arg.split_once('&').map_or(String::new(), |(_, after)| format!("&{after}"));
                let pem = utf8_percent_encode(pem, NON_ALPHANUMERIC);
                set("jdbc-url", format!("{before}sslfactoryarg={pem}{after}"));
                return Ok(wrong);
            }
            Self::Name(name) => {
                set("host", name.to_owned());
                (format!("{host}:{port}/"), format!("{name}:{port}/"))
            }
            Self::Port(closed) => {
                set("port", closed.to_string());
                (format!("{host}:{port}/"), format!("{host}:{closed}/"))
            }
            Self::Password(other) => {
                set("password", other.to_owned());
                (format!(":{password}@"), format!(":{other}@"))
            }
        };
        for text in wrong.values_mut() {
            *text = text.replace(&is, &becomes);
        }
        ensure!(wrong.get("uri") != right.get("uri"), "uri is still right");
        Ok(wrong)
    }
}

/// Each mistake is in every text that leads a client to a server, and in nothing else.
pub(super) fn is_where_it_should_be() -> Result<()> {
    let right: Keys = [
        ("host", "127.0.0.1"),
        ("port", "5432"),
        ("password", "p4ss"),
        ("root.crt", "-----BEGIN\nA+/="),
        ("uri", "postgresql://app:p4ss@127.0.0.1:5432/orders?sslmode=verify-full"),
        ("uri-orders", "postgresql://app:p4ss@127.0.0.1:5432/orders?sslmode=verify-full"),
        (
            "jdbc-url",
            "jdbc:postgresql://127.0.0.1:5432/orders?sslfactoryarg=-----BEGIN%0AA%2B%2F%3D&sslmode=verify-full",
        ),
        ("type", "postgresql"),
    ]
    .into_iter()
    .map(|(key, text)| (key.to_owned(), text.to_owned()))
    .collect();
    for (wrong, changed) in [
        (Wrong::Authority("B+"), &["jdbc-url", "root.crt"][..]),
        (Wrong::Name("localhost"), &["host", "jdbc-url", "uri", "uri-orders"]),
        (Wrong::Port(1), &["jdbc-url", "port", "uri", "uri-orders"]),
        (Wrong::Password("other"), &["password", "uri", "uri-orders"]),
    ] {
        let keys = wrong.in_place_of(&right)?;
        let differing: Vec<&str> = right.keys().filter(|&key| keys[key] != right[key]).map(String::as_str).collect();
        ensure!(differing == changed, "{wrong:?} is in {differing:?}");
    }
    let jdbc = &Wrong::Authority("B+").in_place_of(&right)?["jdbc-url"];
    ensure!(jdbc == "jdbc:postgresql://127.0.0.1:5432/orders?sslfactoryarg=B%2B&sslmode=verify-full", "{jdbc}");
    Ok(())
}
