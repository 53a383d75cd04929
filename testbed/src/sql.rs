//! SQL as an application speaks it: with a Secret's own credentials, over TLS whose certificate is verified.

use std::path::Path;

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use sqlx::{
    ConnectOptions as _, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};

/// What a Secret says about how to log in. It has no `Debug`: it holds the password.
#[derive(Clone)]
pub struct Login {
    host: String,
    port: u16,
    username: String,
    password: String,
    database: Option<String>,
}

impl Login {
    /// Reads a Secret with the well-known keys of the Service Binding convention.
    ///
    /// # Errors
    /// When there is no such Secret, or it lacks a key that a login needs.
    pub async fn from_secret(client: Client, namespace: &str, name: &str) -> Result<Self> {
        let secret = Api::<Secret>::namespaced(client, namespace)
            .get(name)
            .await
            .with_context(|| format!("the Secret {namespace}/{name}"))?;
        let data = secret.data.unwrap_or_default();
        let text = |key: &str| -> Result<String> {
            let value = data.get(key).with_context(|| format!("the Secret {namespace}/{name} has no {key}"))?;
            String::from_utf8(value.0.clone()).with_context(|| format!("{key} is not UTF-8"))
        };
        Ok(Self {
            host: text("host")?,
            port: text("port")?.parse().context("a port that is no number")?,
            username: text("username")?,
            password: text("password")?,
            database: text("database").ok(),
        })
    }

    /// The same user and password on another server: a restored one, say.
    #[must_use]
    pub fn at(self, host: &str, port: u16) -> Self {
        Self { host: host.to_owned(), port, ..self }
    }

    /// Who logs in.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The password, to compare it with another one.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Where: host and port.
    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Logs in to the Secret's own database; the server must prove with a certificate of `ca` that it is `host`.
    ///
    /// # Errors
    /// When the server refuses or cannot prove itself.
    pub async fn connect(&self, ca: &Path) -> Result<PgConnection> {
        let database = self.database.as_deref().context("the Secret names no database")?;
        self.connect_to(database, ca).await
    }

    /// Logs in to the Secret's own database with a password in the clear, as no application should.
    ///
    /// # Errors
    /// When the server refuses, as one that forces TLS does.
    pub async fn connect_without_tls(&self) -> Result<PgConnection> {
        let database = self.database.as_deref().context("the Secret names no database")?;
        Ok(self.options(database).ssl_mode(PgSslMode::Disable).connect().await?)
    }

    /// Logs in to another database.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_to(&self, database: &str, ca: &Path) -> Result<PgConnection> {
        let options = self.options(database).ssl_mode(PgSslMode::VerifyFull).ssl_root_cert(ca);
        let who = || format!("logging in as {} to {database}", self.username);
        options.connect().await.with_context(who)
    }

    fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host(&self.host)
            .port(self.port)
            .username(&self.username)
            .password(&self.password)
            .database(database)
    }
}
