//! What RDS offers, and how one speaks to it on a command line.

use shared::rules::{Engine, EngineVersion, Gibibytes, Size};

use super::{impact, marks, settings};
use crate::providers::model::Instance;
use crate::providers::offer::{Offer, Parts};
use crate::providers::owner::{Mark, Owner};
use crate::providers::request::Origin;
use crate::providers::settings::Settings;

/// RDS's offer.
#[derive(Debug)]
pub(crate) struct Rds;

impl Offer for Rds {
    fn provider(&self) -> &'static str {
        "aws"
    }

    fn service(&self) -> &'static str {
        "RDS"
    }

    fn resource_id(&self) -> &'static str {
        "DbiResourceId"
    }

    fn allocate(&self, size: Size) -> Gibibytes {
        size.allocated()
    }

    fn grow(&self, from: Gibibytes, to: Gibibytes) -> Gibibytes {
        from.grown_to(to)
    }

    fn offers(&self, engine: Engine, settings: &Settings) -> Result<(), String> {
        match engine {
            // RDS has the same storage for both.
            Engine::Postgresql | Engine::MySql => settings::offers(settings),
        }
    }

    fn said_at_restore(&self, settings: Settings, origin: &Origin) -> Settings {
        settings::said_at_restore(settings, origin)
    }

    fn permit_adoption(&self, namespace: &str, name: &str) -> String {
        format!(
            "aws rds add-tags-to-resource --resource-name <its ARN> --tags Key={},Value={namespace}/{name}",
            shared::api::labels::ADOPT_TAG
        )
    }

    fn impact(&self, change: &Settings, running: &Settings) -> Parts {
        impact::of(change, running)
    }

    fn family(&self, engine: Engine, version: EngineVersion) -> String {
        let name = match engine {
            Engine::Postgresql => "postgres",
            Engine::MySql => "mysql",
        };
        format!("{name}{}", version.major())
    }

    fn forces_tls(&self, engine: Engine) -> (&'static str, &'static str) {
        match engine {
            Engine::Postgresql => ("rds.force_ssl", "1"),
            Engine::MySql => ("require_secure_transport", "1"),
        }
    }

    fn mark(&self, mark: Mark) -> &'static str {
        marks::key(mark)
    }

    fn mark_again(&self, instance: &Instance, owner: &Owner) -> String {
        let tags = marks::tags(owner);
        let tags: Vec<_> = tags.iter().map(|(key, value)| format!("Key={key},Value={value}")).collect();
        let arn = instance.resource_name.as_deref().unwrap_or("<its ARN>");
        format!("aws rds add-tags-to-resource --resource-name {arn} --tags {}", tags.join(" "))
    }

    fn restore_backup(&self, resource_id: &str) -> String {
        format!(
            "aws rds restore-db-instance-to-point-in-time --source-dbi-resource-id {resource_id} --use-latest-restorable-time \
             --target-db-instance-identifier <new name>"
        )
    }

    fn gives_tag(&self, key: &str) -> bool {
        // CloudFormation and RDS itself add some under the first.
        key.starts_with("aws:") || key.starts_with("matrixmind.cloud/")
    }

    fn is_another_key(&self, says: &str, is: &str) -> bool {
        // RDS tells the key by its ARN. Which key an alias leads to is not known here.
        let alias = says.starts_with("alias/") || says.contains(":alias/");
        !alias && is != says && is.rsplit_once('/').map(|(_, id)| id) != Some(says)
    }
}
