//! A namespace of a test's own in the shared stack, and what a test does in it over and over.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use sqlx::PgConnection;
use testbed::{
    eventually::eventually,
    kubectl::{Kubectl, Output},
    resource::Database,
    sql::Login,
    stack::Stack,
};

/// From an apply to Ready on a busy machine; a first download of PostgreSQL included.
pub(crate) const SETTLED: Duration = Duration::from_mins(3);

/// A namespace in the stack.
pub(crate) struct Scene<'a> {
    pub(crate) stack: &'a Stack,
    pub(crate) namespace: String,
}

impl<'a> Scene<'a> {
    /// Makes the namespace.
    pub(crate) async fn new(stack: &'a Stack, namespace: &str) -> Result<Self> {
        stack.controlplane().kubectl().ok(&["create", "namespace", namespace]).await?;
        Ok(Self { stack, namespace: namespace.to_owned() })
    }

    pub(crate) fn kubectl(&self) -> &Kubectl {
        self.stack.controlplane().kubectl()
    }

    /// The manifest of an `RDSDatabase` with this spec, in YAML flow style: `{size: 20GB}`.
    pub(crate) fn manifest(&self, name: &str, spec: &str) -> String {
        let namespace = &self.namespace;
        format!(
            "apiVersion: matrixmind.cloud/v1\nkind: RDSDatabase\n\
             metadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"
        )
    }

    /// Applies an `RDSDatabase` that must be accepted; gives what kubectl printed.
    pub(crate) async fn apply(&self, name: &str, spec: &str) -> Result<Output> {
        self.kubectl().apply(&self.manifest(name, spec)).await
    }

    /// Applies an `RDSDatabase` that must be refused; gives the message.
    pub(crate) async fn refused(&self, name: &str, spec: &str) -> Result<String> {
        let output = self.kubectl().run_with_input(&["apply", "-f", "-"], &self.manifest(name, spec)).await?;
        ensure!(!output.success, "accepted: {spec}");
        Ok(output.stderr)
    }

    /// Runs kubectl in the namespace; it must succeed.
    pub(crate) async fn ok(&self, args: &[&str]) -> Result<String> {
        let mut all = vec!["-n", &self.namespace];
        all.extend(args);
        self.kubectl().ok(&all).await
    }

    /// The object as it is now.
    pub(crate) async fn database(&self, name: &str) -> Result<Database> {
        Database::existing(self.stack.controlplane().client(), &self.namespace, name).await
    }

    /// Waits until the object has this condition with this status, for its present generation.
    pub(crate) async fn wait_for(&self, name: &str, condition: &str, status: &str) -> Result<Database> {
        let what = format!("{}/{name} to have {condition}={status}", self.namespace);
        eventually(&what, async || {
            let database = self.database(name).await?;
            database.expect(condition, status)?;
            Ok(database)
        })
        .await
    }

    /// Waits until the object is Ready.
    pub(crate) async fn ready(&self, name: &str) -> Result<Database> {
        self.wait_for(name, "Ready", "True").await
    }

    /// Deletes the object and waits until it is gone.
    pub(crate) async fn delete(&self, name: &str) -> Result<()> {
        self.ok(&["delete", "rdsdatabase", name, "--wait=false"]).await?;
        self.gone(name).await
    }

    /// Waits until there is no object of this name.
    pub(crate) async fn gone(&self, name: &str) -> Result<()> {
        let client = self.stack.controlplane().client();
        eventually(&format!("{}/{name} to be gone", self.namespace), async || {
            match Database::read(client.clone(), &self.namespace, name).await? {
                None => Ok(()),
                Some(database) => bail!("{:?}", database.conditions()),
            }
        })
        .await
    }

    /// Waits until an Event of the namespace has this reason.
    pub(crate) async fn event(&self, reason: &str) -> Result<()> {
        let selector = format!("--field-selector=reason={reason}");
        eventually(&format!("an Event {reason} in {}", self.namespace), async || {
            let events = self.ok(&["get", "events", &selector, "-o", "name"]).await?;
            ensure!(!events.is_empty(), "none");
            Ok(())
        })
        .await
    }

    /// What the Secret of a user says.
    pub(crate) async fn login(&self, name: &str, user: &str) -> Result<Login> {
        let secret = format!("{name}.rds.{}", user.replace('_', "-"));
        Login::from_secret(self.stack.controlplane().client(), &self.namespace, &secret).await
    }

    /// What a Secret says, by key.
    pub(crate) async fn keys(&self, secret: &str) -> Result<BTreeMap<String, String>> {
        let secrets: Api<Secret> = Api::namespaced(self.stack.controlplane().client(), &self.namespace);
        let data = secrets.get(secret).await?.data.with_context(|| format!("the Secret {secret} is empty"))?;
        data.into_iter().map(|(key, value)| Ok((key, String::from_utf8(value.0)?))).collect()
    }

    /// Logs in as a user with the credentials of its Secret, to the Secret's own database.
    pub(crate) async fn connect(&self, name: &str, user: &str) -> Result<PgConnection> {
        self.login(name, user).await?.connect(&self.stack.rds().ca()).await
    }

    /// Logs in as a user to another database.
    pub(crate) async fn connect_to(&self, name: &str, user: &str, database: &str) -> Result<PgConnection> {
        self.login(name, user).await?.connect_to(database, &self.stack.rds().ca()).await
    }

    /// The identifiers of the RDS instances whose tags name an object of this namespace.
    pub(crate) async fn instances(&self) -> Result<Vec<String>> {
        let mut pages = self.stack.rds().client().describe_db_instances().into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(instance) = pages.try_next().await.context("asking for instances")? {
            let ours = instance.tag_list().iter().any(|tag| {
                tag.key() == Some("matrixmind.cloud/namespace") && tag.value() == Some(self.namespace.as_str())
            });
            if ours {
                found.extend(instance.db_instance_identifier().map(str::to_owned));
            }
        }
        Ok(found)
    }

    /// The names of the objects of a kind in the namespace.
    pub(crate) async fn names(&self, kind: &str) -> Result<BTreeSet<String>> {
        let listed = self.ok(&["get", kind, "-o", "name"]).await?;
        let name = |line: &str| line.split_once('/').map(|(_, name)| name.to_owned());
        listed.lines().map(|line| name(line).with_context(|| format!("not a name: {line}"))).collect()
    }
}
