//! The objects of a fleet, in namespaces as application teams have them.

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt};
use serde_json::json;
use testbed::resource::databases;

/// Objects of one namespace.
const OF_A_NAMESPACE: usize = 50;
/// Requests at the same time, as several pipelines together make them.
const AT_ONCE: usize = 16;
/// Objects of one answer.
const PAGE: u32 = 500;

/// Objects that live on one account.
pub(super) struct Fleet {
    client: Client,
    pub(super) objects: usize,
}

impl Fleet {
    /// Makes the namespaces of so many objects.
    pub(super) async fn prepare(client: Client, objects: usize) -> Result<Self> {
        let namespaces: Api<Namespace> = Api::all(client.clone());
        for number in 0..objects.div_ceil(OF_A_NAMESPACE) {
            let namespace = json!({"metadata": {"name": namespace(number * OF_A_NAMESPACE)}});
            namespaces.create(&PostParams::default(), &serde_json::from_value(namespace)?).await?;
        }
        Ok(Self { client, objects })
    }

    /// Makes all of them, each with two users who share a database.
    pub(super) async fn create(&self) -> Result<()> {
        self.each(async |api: Api<DynamicObject>, name: String| {
            let object = json!({
                "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase", "metadata": {"name": name},
                "spec": {
                    "type": "Postgresql", "version": "17", "size": "20GiB",
                    "users": {"app": ["createdb"], "report": []}, "databases": {"orders": ["app", "report"]},
                },
            });
            api.create(&PostParams::default(), &serde_json::from_value(object)?).await?;
            Ok(())
        })
        .await
    }

    /// Changes the retention of all.
    pub(super) async fn keep_backups_for(&self, days: i64) -> Result<()> {
        self.each(async |api: Api<DynamicObject>, name: String| {
            let change = json!({"spec": {"backup": {"retention": format!("{days}d")}}});
            api.patch(&name, &PatchParams::default(), &Patch::Merge(change)).await?;
            Ok(())
        })
        .await
    }

    async fn each(&self, act: impl AsyncFn(Api<DynamicObject>, String) -> Result<()>) -> Result<()> {
        stream::iter(0..self.objects)
            .map(|number| act(databases(self.client.clone(), &namespace(number)), format!("orders-{number:04}")))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    /// How many are as declared, as far as the cloud goes, with backups kept for so many days; and what another one says.
    pub(super) async fn settled(&self, days: i64) -> Result<(usize, String)> {
        let kind = GroupVersionKind::gvk("matrixmind.cloud", "v1", "RDSDatabase");
        let api: Api<DynamicObject> =
            Api::all_with(self.client.clone(), &ApiResource::from_gvk_with_plural(&kind, "rdsdatabases"));
        let (mut settled, mut example) = (0, "none".to_owned());
        let mut page = ListParams::default().limit(PAGE);
        loop {
            let objects = api.list(&page).await.context("listing the objects")?;
            for object in &objects.items {
                if is_settled(object, days) {
                    settled += 1;
                } else {
                    example = format!("{}: {}", object.name_any(), object.data["status"]);
                }
            }
            match objects.metadata.continue_.filter(|next| !next.is_empty()) {
                Some(next) => page.continue_token = Some(next),
                None => return Ok((settled, example)),
            }
        }
    }
}

fn namespace(number: usize) -> String {
    format!("team-{:04}", number / OF_A_NAMESPACE)
}

pub(super) fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Its status says, of its present generation, that the instance, its settings and its Service are as declared.
fn is_settled(object: &DynamicObject, days: i64) -> bool {
    let status = &object.data["status"];
    let conditions = status["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let holds = |kind: &str| conditions.iter().any(|found| found["type"] == kind && found["status"] == "True");
    status["observedGeneration"].as_i64() == object.metadata.generation
        && status["backups"]["retentionDays"].as_i64() == Some(days)
        && status["databaseStatus"] == "available"
        && ["InstanceReady", "StorageReady", "BackupsReady", "SettingsApplied", "ServiceReady"]
            .iter()
            .all(|kind| holds(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_must_be_there() {
        let object = |days: i64, service: &str| {
            let conditions = ["InstanceReady", "StorageReady", "BackupsReady", "SettingsApplied"]
                .map(|kind| json!({"type": kind, "status": "True"}));
            let conditions = [&conditions[..], &[json!({"type": "ServiceReady", "status": service})]].concat();
            let object = json!({
                "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase",
                "metadata": {"name": "orders-0001", "generation": 2},
                "status": {
                    "observedGeneration": 2, "databaseStatus": "available", "conditions": conditions,
                    "backups": {"retentionDays": days},
                },
            });
            serde_json::from_value::<DynamicObject>(object).unwrap()
        };
        assert!(is_settled(&object(8, "True"), 8));
        assert!(!is_settled(&object(7, "True"), 8) && !is_settled(&object(8, "False"), 8));
    }
}
